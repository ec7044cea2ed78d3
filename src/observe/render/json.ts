import { QUANTILES, type Bin } from '../stats/histogram-summary.ts';
import type { HistogramReading, StatsSnapshot } from '../stats/stats-snapshot.ts';
import { formatInteger } from './number.ts';
import { mergeNumbers, type HistogramView } from './stats-query.ts';

const PERCENTILES = JSON.stringify(QUANTILES.map((q) => Number((q * 100).toPrecision(6))));

/** `/stats?format=json`, as Envoy shapes it: histograms are one last entry with what they share said once. */
export function renderStatsJson(snapshot: StatsSnapshot, view: HistogramView = 'quantiles'): string {
  const entries: string[] = [];
  for (const { name, value } of snapshot.texts) entries.push(entry(name, JSON.stringify(value)));
  for (const { name, value } of mergeNumbers(snapshot)) entries.push(entry(name, formatInteger(value)));
  if (snapshot.histograms.length > 0) entries.push(`{"histograms":${histograms(snapshot.histograms, view)}}`);
  return `{"stats":[${entries.join(',')}]}`;
}

function entry(name: string, value: string): string {
  return `{"name":${JSON.stringify(name)},"value":${value}}`;
}

function histograms(list: readonly HistogramReading[], view: HistogramView): string {
  const each = (describe: (histogram: HistogramReading) => string) => `[${list.map(describe).join(',')}]`;
  switch (view) {
    case 'quantiles':
    case 'summary':
      return `{"supported_quantiles":${PERCENTILES},"computed_quantiles":${each(
        (h) => `{"name":${JSON.stringify(h.name)},"values":${quantiles(h)}}`,
      )}}`;
    case 'detailed':
      return `{"supported_percentiles":${PERCENTILES},"details":${each(
        (h) =>
          `{"name":${JSON.stringify(h.name)},"totals":${bins(h.cumulative.bins)},"intervals":${bins(h.interval.bins)},"percentiles":${quantiles(h)}}`,
      )}}`;
    case 'cumulative':
      return each((h) => buckets(h, h.interval.cumulative(h.bounds), h.cumulative.cumulative(h.bounds)));
    case 'disjoint':
      return each((h) => buckets(h, h.interval.disjoint(h.bounds), h.cumulative.disjoint(h.bounds)));
  }
}

/** NaN becomes null. */
function quantiles({ cumulative, interval }: HistogramReading): string {
  const recent = interval.quantiles();
  return JSON.stringify(cumulative.quantiles().map((value, i) => ({ cumulative: value, interval: recent[i] })));
}

function bins(list: readonly Bin[]): string {
  return JSON.stringify(list.map(({ lower, width, count }) => ({ lower_bound: lower, width, count })));
}

function buckets({ name, bounds }: HistogramReading, interval: number[], cumulative: number[]): string {
  const list = bounds.map((bound, i) => ({
    upper_bound: bound,
    interval: interval[i],
    cumulative: cumulative[i],
  }));
  return JSON.stringify({ name, buckets: list });
}
