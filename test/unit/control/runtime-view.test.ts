import { expect, test } from 'vitest';
import { runtimeBoolean, runtimeFraction, runtimeNumber, runtimeText } from '../../../src/control/runtime-data.ts';
import { RuntimeValues } from '../../../src/control/runtime-view.ts';

const view = new RuntimeValues(
  new Map([
    ['five', runtimeNumber(5)],
    ['half', runtimeText('0.5')],
    ['text', runtimeText('x')],
    ['yes', runtimeBoolean(true)],
    ['fraction', runtimeFraction(5, 'TEN_THOUSAND', '')!],
    ['file', runtimeText('numerator: 25\ndenominator: HUNDRED')],
    ['negative', runtimeNumber(-3)],
  ]),
);

test('numbers', () => {
  expect(view.number('five', 1)).toBe(5);
  expect(view.number('half', 1)).toBe(0.5);
  expect(view.number('text', 1)).toBe(1);
  expect(view.number('absent', 1)).toBe(1);
});

test('booleans', () => {
  expect(view.boolean('yes', false)).toBe(true);
  expect(view.boolean('five', false)).toBe(false);
});

test.each([
  ['absent: the default holds', 'absent', 0.49, true],
  ['absent: the default holds', 'absent', 0.5, false],
  ['a number is a percentage', 'five', 0.049, true],
  ['a number is a percentage', 'five', 0.05, false],
  ['a fraction has its own denominator', 'fraction', 0.00049, true],
  ['a fraction has its own denominator', 'fraction', 0.0005, false],
  ['a file writes a fraction in two lines', 'file', 0.249, true],
  ['a file writes a fraction in two lines', 'file', 0.25, false],
  ['a text is no fraction: the default holds', 'text', 0.49, true],
  ['a negative number counts as absent', 'negative', 0.49, true],
])('fraction, %s', (_what, key, random, expected) => {
  expect(view.fraction(key, 50, 100, random)).toBe(expected);
});

test('an update replaces everything', () => {
  const values = new RuntimeValues(new Map([['a', runtimeNumber(1)]]));
  values.update(structuredClone(new Map([['b', runtimeNumber(2)]])));
  expect([values.number('a', 0), values.number('b', 0)]).toEqual([0, 2]);
});
