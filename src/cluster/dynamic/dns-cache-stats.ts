import type { Counter, Gauge, StatsScope } from '../../observe/stats/stats.ts';

/** Counted by workers, or never. */
const elsewhere = ['cache_load', 'dns_address_filter_out', 'dns_rq_pending_overflow'];

/** `dns_cache.<name>.*` of the main thread. */
export class DnsCacheStats {
  readonly attempt: Counter;
  readonly success: Counter;
  readonly failure: Counter;
  readonly timeout: Counter;
  readonly added: Counter;
  readonly removed: Counter;
  readonly addressChanged: Counter;
  readonly overflow: Counter;
  private readonly size: Gauge;

  constructor(scope: StatsScope, maxPending: number) {
    this.attempt = scope.counter('dns_query_attempt');
    this.success = scope.counter('dns_query_success');
    this.failure = scope.counter('dns_query_failure');
    this.timeout = scope.counter('dns_query_timeout');
    this.added = scope.counter('host_added');
    this.removed = scope.counter('host_removed');
    this.addressChanged = scope.counter('host_address_changed');
    this.overflow = scope.counter('host_overflow');
    this.size = scope.gauge('num_hosts');
    for (const name of elsewhere) scope.counter(name);
    const breakers = scope.scope('circuit_breakers');
    breakers.gauge('rq_pending_open').set(0);
    breakers.gauge('rq_pending_remaining').set(maxPending);
  }

  hosts(count: number): void {
    this.size.set(count);
  }
}
