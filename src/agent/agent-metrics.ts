import process from 'node:process';
import { Counter, Gauge, Registry } from 'prom-client';

/** The agent's own metrics, under the names that those of Istio's agent have where there is the same. */
export class AgentMetrics {
  private readonly scrapes: Counter;
  private readonly expiry: Gauge;
  private readonly failures: Gauge;
  private readonly cpu: Gauge;
  private readonly memory: Gauge;
  private readonly registry: Registry;
  private readonly expiryMs: () => number | null;
  private readonly discoveryFailures: () => number;

  /** @param expiryMs when the workload's certificate ends; null: there is none */
  constructor(expiryMs: () => number | null, discoveryFailures: () => number) {
    this.registry = new Registry();
    this.expiryMs = expiryMs;
    this.discoveryFailures = discoveryFailures;
    const registers = [this.registry];
    this.scrapes = new Counter({ name: 'istio_agent_scrapes_total', help: 'The total number of scrapes.', registers });
    this.expiry = new Gauge({
      name: 'istio_agent_cert_expiry_seconds',
      help: 'The time remaining, in seconds, before the certificate chain will expire.',
      labelNames: ['resource_name'],
      registers,
    });
    this.failures = new Gauge({
      name: 'istio_agent_istiod_connection_failures',
      help: 'The total number of connection failures to Istiod.',
      registers,
    });
    // Of the process, the proxy included. The library's own would measure the event loop a hundred times a second.
    this.cpu = new Gauge({
      name: 'istio_agent_process_cpu_seconds_total',
      help: 'Total user and system CPU time spent in seconds.',
      registers,
    });
    this.memory = new Gauge({
      name: 'istio_agent_process_resident_memory_bytes',
      help: 'Resident memory size in bytes.',
      registers,
    });
    new Gauge({
      name: 'istio_agent_process_start_time_seconds',
      help: 'Start time of the process since unix epoch in seconds.',
      registers,
    }).set(performance.timeOrigin / 1000);
  }

  /** In Prometheus' text, for a scraper. */
  text(): Promise<string> {
    this.scrapes.inc();
    const expires = this.expiryMs();
    if (expires !== null) this.expiry.set({ resource_name: 'default' }, (expires - Date.now()) / 1000);
    this.failures.set(this.discoveryFailures());
    const { user, system } = process.cpuUsage();
    this.cpu.set((user + system) / 1e6);
    this.memory.set(process.memoryUsage.rss());
    return this.registry.metrics();
  }
}
