import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';

/** The agent's own metrics, under the names that those of Istio's agent have where there is the same. */
export class AgentMetrics {
  private readonly scrapes: Counter;
  private readonly expiry: Gauge;
  private readonly failures: Gauge;
  private readonly registry: Registry;
  private readonly expiryMs: () => number | null;
  private readonly discoveryFailures: () => number;

  /** @param expiryMs when the workload's certificate ends; null: there is none */
  constructor(expiryMs: () => number | null, discoveryFailures: () => number) {
    this.registry = new Registry();
    this.expiryMs = expiryMs;
    this.discoveryFailures = discoveryFailures;
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry, prefix: 'istio_agent_' });
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
  }

  /** In Prometheus' text, for a scraper. */
  text(): Promise<string> {
    this.scrapes.inc();
    const expires = this.expiryMs();
    if (expires !== null) this.expiry.set({ resource_name: 'default' }, (expires - Date.now()) / 1000);
    this.failures.set(this.discoveryFailures());
    return this.registry.metrics();
  }
}
