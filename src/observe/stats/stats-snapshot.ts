import type { HistogramSummary } from './histogram-summary.ts';
import type { TaggedName } from './tag-extraction.ts';

/** A counter or gauge as shown. `isUsed`: it was written at least once. */
export interface NumberReading {
  readonly name: string;
  readonly value: number;
  readonly isUsed: boolean;
  /** Where tags stand apart from the name; absent: they are in it. */
  readonly tagged?: TaggedName | undefined;
}

export interface TextReading {
  readonly name: string;
  readonly value: string;
}

export interface HistogramReading {
  readonly name: string;
  readonly isUsed: boolean;
  readonly tagged?: TaggedName | undefined;
  /** Upper bounds of the buckets that Prometheus sees. */
  readonly bounds: readonly number[];
  /** Since the start, and since the flush before the last one. Both are as of the last flush. */
  readonly cumulative: HistogramSummary;
  readonly interval: HistogramSummary;
}

/** All stats of the process at one moment. Each list is sorted by name. What the renderers take. */
export interface StatsSnapshot {
  readonly texts: readonly TextReading[];
  readonly counters: readonly NumberReading[];
  readonly gauges: readonly NumberReading[];
  readonly histograms: readonly HistogramReading[];
}
