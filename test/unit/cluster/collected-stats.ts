import type { StatNames, StatsReport, StatsSource } from '../../../src/observe/stats/stats-source.ts';

/** What a source reports, by whole name. */
export class CollectedStats implements StatsReport {
  readonly names = new Set<string>();
  readonly gauges = new Map<string, { value: number; isUsed: boolean }>();

  constructor(source: StatsSource) {
    source.reportStats(this);
  }

  known(prefix: string, { counters, gauges, histograms }: StatNames): void {
    for (const name of [...counters, ...gauges, ...histograms]) this.names.add(`${prefix}.${name}`);
  }

  gauge(name: string, value: number, isUsed: boolean): void {
    this.gauges.set(name, { value, isUsed });
  }
}
