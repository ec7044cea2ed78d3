import { describe, expect, it } from 'vitest';

import { cellOf, lowerBoundOf, partOf, widthOf } from '../../../../src/observe/stats/histogram-bins.ts';
import { BinCounts, DEFAULT_BUCKETS, HistogramSummary } from '../../../../src/observe/stats/histogram-summary.ts';
import { cellsOf } from '../../../../src/observe/stats/histogram-bins.ts';

function summaryOf(...values: number[]): HistogramSummary {
  const counts = new BinCounts();
  for (const value of values) {
    const part = partOf(value);
    const cells = new Float64Array(cellsOf(part));
    cells[cellOf(value, part)] = 1;
    counts.addPart(part, cells);
  }
  return new HistogramSummary(counts.bins());
}

// Every number below was printed by a real Envoy for these recordings.
describe('HistogramSummary', () => {
  it.each([
    [[2], [2.05, 2.05, 2.05, 2.05, 2.05, 2.05, 2.05, 2.05, 2.05, 2.05]],
    [
      [1, 5],
      [1.05, 1.05, 1.05, 5.05, 5.05, 5.05, 5.05, 5.05, 5.05, 5.05],
    ],
    [
      [1, 1],
      [1 + 1 / 30, 1 + 1 / 30, 1 + 1 / 30, 1 + 2 / 30, 1 + 2 / 30, 1 + 2 / 30],
    ],
    [
      [3, 3, 7],
      [3.033333333333333, 3.033333333333333, 3.066666666666667, 7.05, 7.05, 7.05],
    ],
    [
      [0, 2, 5],
      [0, 0, 2.05, 5.05, 5.05],
    ],
    [[18], [18.5]],
    [[104], [105, 105]],
  ])('quantiles of %j', (values, expected) => {
    const quantiles = summaryOf(...values).quantiles();
    expected.forEach((value, i) => expect(quantiles[i]).toBeCloseTo(value, 14));
  });

  it('has no quantiles without values', () => {
    expect(summaryOf().quantiles()).toEqual(Array.from({ length: 10 }, () => NaN));
  });

  // All digits of the double, as Envoy prints them.
  const exactly = (value: number) => value.toPrecision(32); // oxlint-disable-line number-arg-out-of-range

  it.each([
    [[2], '2.0487804878048780921062643756159'],
    [[1, 5], '6.0971239981140969987905009475071'],
    [[1, 1], '2.0952380952380953438307642500149'],
    [[3, 3, 7], '13.148006045808626751636438712012'],
    [[0, 2, 5], '7.0982854382999276410259881231468'],
    [[104], '104.76190476190475919793243519962'],
    [[0, 0], '0.0000000000000000000000000000000'],
  ])('sum of %j', (values, expected) => {
    expect(exactly(summaryOf(...values).sum)).toBe(expected);
  });

  it('counts a bin in the bucket of its lower end', () => {
    const summary = summaryOf(0, 1, 5, 104);
    expect(summary.cumulative(DEFAULT_BUCKETS).slice(0, 8)).toEqual([1, 2, 3, 3, 3, 3, 4, 4]);
    expect(summary.disjoint(DEFAULT_BUCKETS).slice(0, 8)).toEqual([1, 1, 1, 0, 0, 0, 1, 0]);
  });
});

describe('bins', () => {
  it('hold two significant digits', () => {
    for (const [value, lower, width] of [
      [0, 0, 0],
      [9, 9, 0.1],
      [10, 10, 1],
      [99, 99, 1],
      [100, 100, 10],
      [999, 990, 10],
      [1000, 1000, 100],
      [123_456, 120_000, 10_000],
      [9_999_999, 9_900_000, 100_000],
      [5e14, 5e14, 1e13],
      [1e16, 9.9e14, 1e13],
    ] as const) {
      const part = partOf(value);
      const cell = cellOf(value, part);
      expect([value, lowerBoundOf(part, cell), widthOf(part, cell)]).toEqual([value, lower, width]);
    }
  });
});
