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
  /** For a gauge with one writer, or one that combines by `max`. */
  set(value: number): void;
}

/** Units are the name's: milliseconds for `*_time`, `*_ms`. Recorded as whole numbers, rounded down, as Envoy does. */
export interface Histogram {
  record(value: number): void;
}

/**
 * How the workers' values of one gauge become the one that is shown: `sum` for what each counts itself (`*_active`),
 * `max` for what each of them sets to the same value (`membership_total`).
 */
export type GaugeCombination = 'sum' | 'max';

/** Tags that stand apart from a name: `[name, value, …]`, in the order in which Prometheus shows them. */
export type StatTags = readonly string[];

/**
 * Makes stats below a prefix. Asking twice for one name gives the same stat.
 * A scope of 2 000 clusters must stay cheap: nothing is allotted until a stat is first asked for.
 */
export interface StatsScope {
  /**
   * `tags`: Prometheus has the name and these, everybody else `<name>.<tag>.<value>…`, as Envoy joins them. Tags of what
   * peers say may become many: whoever makes them bounds them, and takes them back by `remove`.
   */
  counter(name: string, tags?: StatTags): Counter;
  /** `combination` counts when the name is first asked for; default `sum`. */
  gauge(name: string, combination?: GaugeCombination, tags?: StatTags): Gauge;
  histogram(name: string, tags?: StatTags): Histogram;
  /** Forgets one that was made with tags: nobody may write to it any more. Absent: nothing is ever forgotten. */
  remove?(name: string, tags: StatTags): void;
  /** Whether one that was made with tags is other than when this was last asked of it; absent: nobody looks. */
  hasMoved?(name: string, tags: StatTags): boolean;
  /**
   * All stats below this prefix are forgotten; a scope of that name is another from now on. Who still counts below the one
   * before counts for nobody.
   */
  forget?(prefix: string): void;
  /** `scope('cluster.foo')`: the prefix is joined with a dot. */
  scope(prefix: string): StatsScope;
}
