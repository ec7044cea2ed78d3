/**
 * Numbers that workers write and the main thread reads. A worker owns its slots: an increment is one plain store into
 * its own shared memory, and the main thread adds the workers' slots up when somebody asks.
 * Names follow Envoy exactly; `tags` are what Envoy's tag extraction takes out of the name for Prometheus.
 */
export interface Counter {
  inc(): void;
  add(amount: number): void;
}

/** Sum over workers of what each holds (`*_active`), so workers only ever add and subtract. */
export interface Gauge {
  inc(): void;
  dec(): void;
  add(amount: number): void;
  /** For a gauge with one writer. */
  set(value: number): void;
}

/** Units are the name's: milliseconds for `*_time`, `*_ms`. */
export interface Histogram {
  record(value: number): void;
}

/**
 * Makes stats below a prefix. Asking twice for one name gives the same stat.
 * A scope of 2 000 clusters must stay cheap: nothing is allotted until a stat is first asked for.
 */
export interface StatsScope {
  counter(name: string): Counter;
  gauge(name: string): Gauge;
  histogram(name: string): Histogram;
  /** `scope('cluster.foo')`: the prefix is joined with a dot. */
  scope(prefix: string): StatsScope;
}
