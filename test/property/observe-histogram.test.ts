import { describe, expect, it } from 'vitest';

import { cellOf, cellsOf, lowerBoundOf, partOf, widthOf } from '../../src/observe/stats/histogram-bins.ts';
import { BinCounts, HistogramSummary } from '../../src/observe/stats/histogram-summary.ts';
import * as fc from './chance.ts';

const value = fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 2 ** 49 }));

function summaryOf(values: readonly number[]): HistogramSummary {
  const counts = new BinCounts();
  for (const each of values) {
    const part = partOf(each);
    const cells = new Float64Array(cellsOf(part));
    cells[cellOf(each, part)] = 1;
    counts.addPart(part, cells);
  }
  return new HistogramSummary(counts.bins());
}

describe('histograms', () => {
  it('a bin holds its value, to two significant digits', () => {
    fc.assert(
      fc.property(value, (each) => {
        const part = partOf(each);
        const cell = cellOf(each, part);
        const lower = lowerBoundOf(part, cell);
        const width = widthOf(part, cell);
        expect(cell).toBeLessThan(cellsOf(part));
        expect(each === lower || (each > lower && each < lower + width)).toBe(true);
        expect(width).toBeLessThanOrEqual(lower / 10);
      }),
    );
  });

  it('quantiles rise and stay within a bin of the values', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 50 }), (values) => {
        const summary = summaryOf(values);
        const quantiles = summary.quantiles();
        expect(summary.count).toBe(values.length);
        for (let i = 1; i < quantiles.length; i++) expect(quantiles[i]).toBeGreaterThanOrEqual(quantiles[i - 1]);
        expect(quantiles[0]).toBeGreaterThanOrEqual(Math.min(...values) * 0.9);
        expect(quantiles[9]).toBeLessThanOrEqual(Math.max(...values) * 1.1 + 0.1);
      }),
    );
  });

  it('the parts of a whole add up to it', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 30 }), fc.array(value, { maxLength: 30 }), (before, after) => {
        const earlier = new BinCounts();
        const all = new BinCounts();
        for (const [i, each] of [...before, ...after].entries()) {
          const part = partOf(each);
          const cells = new Float64Array(cellsOf(part));
          cells[cellOf(each, part)] = 1;
          all.addPart(part, cells);
          if (i < before.length) earlier.addPart(part, cells);
        }
        expect(all.since(earlier).bins()).toEqual(summaryOf(after).bins);
      }),
    );
  });
});
