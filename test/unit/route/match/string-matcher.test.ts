import { expect, test } from 'vitest';
import type { StringMatcherData } from '../../../../src/route/match/matcher-data.ts';
import { StringMatcher } from '../../../../src/route/match/string-matcher.ts';

test.each<[StringMatcherData['kind'], string, boolean, string, boolean]>([
  ['exact', 'abc', false, 'abc', true],
  ['exact', 'abc', false, 'ABC', false],
  ['exact', 'abc', true, 'ABC', true],
  ['prefix', 'ab', false, 'abc', true],
  ['prefix', 'bc', false, 'abc', false],
  ['suffix', 'bc', true, 'aBC', true],
  ['contains', 'b', false, 'abc', true],
  ['contains', 'x', false, 'abc', false],
  ['regex', 'a.c', false, 'abc', true],
  ['regex', 'b', false, 'abc', false],
])('%s %s (ignoring case: %s) on %s: %s', (kind, value, ignoreCase, text, expected) => {
  expect(new StringMatcher({ kind, value, ignoreCase }).matches(text)).toBe(expected);
});
