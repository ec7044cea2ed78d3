import { h2CounterNames, type H2Counter, type H2Counters } from '../../codec/h2/counters.ts';
import type { Counter, Gauge, StatsScope } from '../../observe/stats/stats.ts';

/** `http2.*` below a scope: what the codecs of many connections count together. */
export class Http2Counters implements H2Counters {
  private readonly counters: readonly Counter[];
  private readonly active: Gauge;
  private readonly pending: Gauge;

  /** `owner`: the root scope, or a cluster's. */
  constructor(owner: StatsScope) {
    const scope = owner.scope('http2');
    this.counters = h2CounterNames.map((name) => scope.counter(name));
    this.active = scope.gauge('streams_active');
    this.pending = scope.gauge('pending_send_bytes');
  }

  count(counter: H2Counter): void {
    this.counters[counter].inc();
  }

  streamsActive(delta: number): void {
    this.active.add(delta);
  }

  pendingSendBytes(delta: number): void {
    this.pending.add(delta);
  }
}
