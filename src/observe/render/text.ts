import { QUANTILES, type Bin } from '../stats/histogram-summary.ts';
import type { HistogramReading, StatsSnapshot } from '../stats/stats-snapshot.ts';
import { formatGeneral, formatInteger } from './number.ts';
import { mergeNumbers, type HistogramView } from './stats-query.ts';

/** `/stats`: one `name: value` per line; texts, then counters and gauges, then histograms. */
export function renderStatsText(snapshot: StatsSnapshot, view: HistogramView = 'quantiles'): string {
  const lines: string[] = [];
  for (const { name, value } of snapshot.texts) lines.push(`${name}: "${value}"\n`);
  for (const { name, value } of mergeNumbers(snapshot)) lines.push(`${name}: ${formatInteger(value)}\n`);
  for (const histogram of snapshot.histograms) lines.push(`${histogram.name}:${describe(histogram, view)}\n`);
  return lines.join('');
}

function describe(histogram: HistogramReading, view: HistogramView): string {
  if (!histogram.isUsed) return ' No recorded values';
  const { bounds, cumulative, interval } = histogram;
  switch (view) {
    case 'quantiles':
    case 'summary':
      return ` ${quantileSummary(histogram)}`;
    case 'cumulative':
      return ` ${bucketSummary(bounds, interval.cumulative(bounds), cumulative.cumulative(bounds))}`;
    case 'disjoint':
      return ` ${bucketSummary(bounds, interval.disjoint(bounds), cumulative.disjoint(bounds))}`;
    case 'detailed':
      return `\n  totals=${bins(cumulative.bins)}\n  intervals=${bins(interval.bins)}\n  summary=${quantileSummary(histogram)}`;
  }
}

function quantileSummary({ interval, cumulative }: HistogramReading): string {
  const recent = interval.quantiles();
  const all = cumulative.quantiles();
  return QUANTILES.map((q, i) => `P${formatGeneral(q * 100)}(${number(recent[i])},${number(all[i])})`).join(' ');
}

function bucketSummary(bounds: readonly number[], interval: number[], cumulative: number[]): string {
  return bounds.map((bound, i) => `B${formatGeneral(bound)}(${interval[i]},${cumulative[i]})`).join(' ');
}

function bins(list: readonly Bin[]): string {
  return list.map((bin) => `${formatGeneral(bin.lower)},${formatGeneral(bin.width)}:${bin.count}`).join(', ');
}

function number(value: number): string {
  return Number.isNaN(value) ? 'nan' : String(value);
}
