import { expect, test } from 'vitest';
import { CharSet } from '../../../../src/route/regex/char-set.ts';

test('ranges come back in order, merged', () => {
  expect(new CharSet().addRange(5, 6).addRange(7, 9).addRange(1, 1).ranges()).toEqual([
    [1, 1],
    [5, 9],
  ]);
});

test('folding knows ASCII letters only', () => {
  expect(CharSet.of(107).folded().ranges()).toEqual([
    [75, 75],
    [107, 107],
  ]);
  expect(CharSet.of(0xe9).folded().ranges()).toEqual([[0xe9, 0xe9]]);
});

test('a negated set has no byte in common with its original', () => {
  const set = new CharSet().addRange(0, 99);
  expect(set.negate().ranges()).toEqual([[100, 255]]);
  expect(set.intersects(set.negate())).toBe(false);
  expect(set.union(set.negate()).ranges()).toEqual([[0, 255]]);
  expect(set.single()).toBe(-1);
  expect(CharSet.of(3).single()).toBe(3);
});
