import { cellsOf, lowerBoundOf, widthOf } from './histogram-bins.ts';

/** Envoy's `supportedQuantiles`. */
export const QUANTILES: readonly number[] = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1];

/** Milliseconds, mostly. Envoy's `HistogramSettingsImpl` default. */
export const DEFAULT_BUCKETS: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
];

/** One occupied bin. */
export interface Bin {
  readonly lower: number;
  readonly width: number;
  readonly count: number;
}

/** Counts by part and cell (`histogram-bins.ts`); a part that nobody has is absent. */
export class BinCounts {
  readonly parts: (Float64Array | null)[];

  constructor() {
    this.parts = [];
  }

  /** Adds one thread's cells of one part. */
  addPart(part: number, cells: Float64Array): void {
    while (this.parts.length <= part) this.parts.push(null);
    let counts = this.parts[part]!;
    if (counts === null) {
      counts = new Float64Array(cellsOf(part));
      this.parts[part] = counts;
    }
    for (let i = 0; i < counts.length; i++) counts[i] = counts[i] + cells[i];
  }

  addAll(other: BinCounts): void {
    for (let part = 0; part < other.parts.length; part++) {
      const cells = other.parts[part]!;
      if (cells !== null) this.addPart(part, cells);
    }
  }

  /** This minus an earlier state of the same histogram. */
  since(earlier: BinCounts | null): BinCounts {
    const difference = new BinCounts();
    difference.addAll(this);
    if (earlier === null) return difference;
    for (let part = 0; part < earlier.parts.length; part++) {
      const before = earlier.parts[part]!;
      const after = difference.parts[part];
      if (before === null || after === null || after === undefined) continue;
      for (let i = 0; i < after.length; i++) after[i] = after[i] - before[i];
    }
    return difference;
  }

  /** The occupied bins, smallest first. */
  bins(): Bin[] {
    const bins: Bin[] = [];
    for (let part = 0; part < this.parts.length; part++) {
      const counts = this.parts[part]!;
      if (counts === null) continue;
      for (let i = 0; i < counts.length; i++) {
        if (counts[i] !== 0) bins.push({ lower: lowerBoundOf(part, i), width: widthOf(part, i), count: counts[i] });
      }
    }
    return bins;
  }
}

/** What can be said of the values in some bins. Numbers agree with circllhist's to the last digit. */
export class HistogramSummary {
  readonly bins: readonly Bin[];
  readonly count: number;

  constructor(bins: readonly Bin[]) {
    this.bins = bins;
    let count = 0;
    for (const bin of bins) count += bin.count;
    this.count = count;
  }

  /** Approximate: each value counts as the harmonic middle of its bin. */
  get sum(): number {
    let sum = 0;
    for (const bin of this.bins) sum += middleOf(bin) * bin.count;
    return sum;
  }

  /** One value per entry of `QUANTILES`; NaN where nothing was recorded. Values of one bin lie evenly inside it. */
  quantiles(): number[] {
    return QUANTILES.map((quantile) => this.quantile(quantile));
  }

  /** For each bucket the number of values at or below its upper bound: a bin counts by its lower end. */
  cumulative(bounds: readonly number[]): number[] {
    const counts: number[] = [];
    let next = 0;
    let below = 0;
    for (const bound of bounds) {
      while (next < this.bins.length && this.bins[next].lower <= bound) below += this.bins[next++].count;
      counts.push(below);
    }
    return counts;
  }

  /** As `cumulative`, but each value in one bucket only. */
  disjoint(bounds: readonly number[]): number[] {
    let before = 0;
    return this.cumulative(bounds).map((count) => {
      const own = count - before;
      before = count;
      return own;
    });
  }

  private quantile(quantile: number): number {
    if (this.count === 0) return NaN;
    let rank = Math.max(1, Math.ceil(quantile * this.count));
    for (const bin of this.bins) {
      if (rank <= bin.count) return bin.lower + bin.width * (rank / (bin.count + 1));
      rank -= bin.count;
    }
    return NaN;
  }
}

function middleOf(bin: Bin): number {
  if (bin.width === 0) return bin.lower;
  const ratio = bin.lower / (bin.lower + bin.lower + bin.width);
  return bin.lower + bin.width * ratio;
}
