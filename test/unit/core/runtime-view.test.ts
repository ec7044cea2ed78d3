import { expect, test } from 'vitest';
import { RuntimeValues } from '../../../src/control/runtime-view.ts';
import { emptyRuntime, runtimeInteger, runtimePercent } from '../../../src/core/runtime-view.ts';
import { runtimeOf } from '../cluster/cluster-fixture.ts';

const runtime = new RuntimeValues(
  runtimeOf({
    whole: '30',
    broken: '1.5',
    negative: '-1',
    word: 'all',
    fraction: 'numerator: 1\ndenominator: HUNDRED',
  }),
);

test('an integer is a whole number from 0 on', () => {
  expect(
    ['whole', 'broken', 'negative', 'word', 'fraction', 'absent'].map((key) => runtimeInteger(runtime, key, 7)),
  ).toEqual([30, 7, 7, 7, 7, 7]);
});

test('a percentage is such a number, too', () => {
  expect([0, 0.29, 0.3].map((random) => runtimePercent(runtime, 'whole', 0, random))).toEqual([true, true, false]);
  expect(runtimePercent(runtime, 'fraction', 0, 0)).toBe(false);
  expect(runtimePercent(runtime, 'absent', 100, 0.999)).toBe(true);
});

test('without a runtime everything is as configured', () => {
  expect(emptyRuntime.number('k', 3)).toBe(3);
  expect([0.49, 0.5].map((random) => emptyRuntime.fraction('k', 1, 2, random))).toEqual([true, false]);
});
