import type { Metric, Sample, Scenario } from './scenario.ts';

/** Samples of one target, one per round; null where it failed in that round. */
export type Rounds = readonly (Sample | null)[];

export interface Comparison {
  readonly best: number;
  readonly median: number;
  /** Ratio of the best rounds to Envoy's best, and the median of the ratios round by round. */
  readonly ratioOfBest: number | null;
  readonly medianRatio: number | null;
}

export function compare(metric: Metric, rounds: Rounds, reference: Rounds | undefined): Comparison {
  const values = valuesOf(metric, rounds);
  const base = reference === undefined ? [] : valuesOf(metric, reference);
  const ratios: number[] = [];
  for (const [round, sample] of rounds.entries()) {
    const other = reference?.[round]?.[metric.key];
    const own = sample?.[metric.key];
    if (own !== undefined && other !== undefined && other > 0) ratios.push(own / other);
  }
  const best = bestOf(metric, values);
  return {
    best,
    median: median(values),
    ratioOfBest: base.length > 0 ? best / bestOf(metric, base) : null,
    medianRatio: ratios.length > 0 ? median(ratios) : null,
  };
}

/** One scenario as a table for people: the best round of each metric, with ratios to Envoy behind those that have them. */
export function table(scenario: Scenario, results: ReadonlyMap<string, Rounds>): string {
  const header = ['', ...scenario.metrics.flatMap(titles)];
  const rows = [...results].map(([target, rounds]) => [
    target,
    ...scenario.metrics.flatMap((metric) => cells(metric, compare(metric, rounds, results.get('envoy')))),
  ]);
  const goal =
    scenario.goal === undefined ? '' : `; to reach: ${scenario.metrics[0].title} ≤ ${scenario.goal} of Envoy`;
  return `\n${scenario.name}: ${scenario.summary}${goal}\n${aligned([header, ...rows])}`;
}

function titles(metric: Metric): string[] {
  return metric.hasRatio ? [metric.title, '(median)', 'of best', 'by round'] : [metric.title];
}

function cells(metric: Metric, comparison: Comparison): string[] {
  const best = format(comparison.best, metric.digits);
  if (!metric.hasRatio) return [best];
  return [
    best,
    format(comparison.median, metric.digits),
    format(comparison.ratioOfBest, 2),
    format(comparison.medianRatio, 2),
  ];
}

function format(value: number | null, digits: number): string {
  return value === null || !Number.isFinite(value) ? '–' : value.toFixed(digits);
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  ');
  return rows.map((row) => `  ${line(row)}`).join('\n');
}

function valuesOf(metric: Metric, rounds: Rounds): number[] {
  return rounds.map((sample) => sample?.[metric.key]).filter((value) => value !== undefined);
}

function bestOf(metric: Metric, values: readonly number[]): number {
  return metric.isHigherBetter ? Math.max(...values) : Math.min(...values);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
