/** What a thing of one kind is counted by: names below its prefix, each list in the order of bytes. */
export interface StatNames {
  readonly counters: readonly string[];
  readonly gauges: readonly string[];
  readonly histograms: readonly string[];
}

/** Takes what a `StatsSource` tells; names are whole. */
export interface StatsReport {
  /** These exist below `prefix`: those that no thread counts yet are listed as zeros, and were never used. */
  known(prefix: string, names: StatNames): void;
  /** `isUsed`: for `usedonly`, it has moved since the start. */
  gauge(name: string, value: number, isUsed: boolean): void;
}

/**
 * Asked whenever stats are read: what no thread keeps, because it follows from something else, or because it is a zero
 * of which there may be a hundred thousand.
 */
export interface StatsSource {
  reportStats(report: StatsReport): void;
}
