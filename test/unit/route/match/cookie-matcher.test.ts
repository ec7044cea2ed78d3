import { expect, test } from 'vitest';
import { Headers } from '../../../../src/core/headers.ts';
import { CookieMatcher, findCookie } from '../../../../src/route/match/cookie-matcher.ts';

const cookies = (...values: string[]) => Headers.of(...values.map((value) => ['cookie', value] as const));

// Verdicts of Envoy 1.39.3 on a cookie `a` that must be `b`.
test.each([
  [['a=b'], true],
  [['x=1; a=b'], true],
  [['x=1;a=b'], true],
  [['a="b"'], true],
  [['a=c; a=b'], false],
  [['a=b; a=c'], true],
  [['x=1', 'a=b'], true],
  [['A=b'], false],
  [['a=b;'], true],
  [['a = b'], false],
  [['aa=b'], false],
  [['a'], false],
  [[], false],
])('%j: %s', (values, expected) => {
  const string = { kind: 'exact', value: 'b', ignoreCase: false } as const;
  expect(new CookieMatcher({ name: 'a', string, invert: false }).matches(cookies(...values))).toBe(expected);
  expect(new CookieMatcher({ name: 'a', string, invert: true }).matches(cookies(...values))).toBe(!expected);
});

test.each([
  ['a=', ''],
  ['a=""', ''],
  ['a="', '"'],
  ['a=1=2', '1=2'],
  ['', null],
])('the value in %j is %j', (text, expected) => {
  expect(findCookie(cookies(text), 'a')).toBe(expected);
});
