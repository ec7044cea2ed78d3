import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';

/** The agent's own metrics, under the names that those of Istio's agent have where there is the same. */
export class AgentMetrics {
  readonly scrapes: Counter;
  private readonly registry: Registry;

  /** @param expiryMs of the workload's certificate; null: there is none */
  constructor(expiryMs: () => number | null, discoveryFailures: () => number) {
    this.registry = new Registry();
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry, prefix: 'istio_agent_' });
    this.scrapes = new Counter({ name: 'istio_agent_scrapes_total', help: 'The total number of scrapes.', registers });
    new Gauge({
      name: 'istio_agent_cert_expiry_seconds',
      help: 'The time remaining, in seconds, before the certificate chain will expire.',
      labelNames: ['resource_name'],
      registers,
      collect() {
        const expires = expiryMs();
        if (expires !== null) this.set({ resource_name: 'default' }, (expires - Date.now()) / 1000);
      },
    });
    new Gauge({
      name: 'istio_agent_istiod_connection_failures',
      help: 'The total number of connection failures to Istiod.',
      registers,
      collect() {
        this.set(discoveryFailures());
      },
    });
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}
