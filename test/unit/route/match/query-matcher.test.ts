import { expect, test } from 'vitest';
import type { QueryMatcherData } from '../../../../src/route/match/matcher-data.ts';
import { QueryMatcher } from '../../../../src/route/match/query-matcher.ts';

const exactly = (value: string): QueryMatcherData['test'] => ({
  kind: 'string',
  string: { kind: 'exact', value, ignoreCase: false },
});
const present: QueryMatcherData['test'] = { kind: 'present', present: true };
const absent: QueryMatcherData['test'] = { kind: 'present', present: false };

// Verdicts of Envoy 1.39.3.
test.each([
  [exactly('1'), '/?q=1', true],
  [exactly('1'), '/?q=2&q=1', false],
  [exactly('1'), '/?q=1&q=2', true],
  [exactly('1'), '/?Q=1', false],
  [exactly('1'), '/?a=1&q=1', true],
  [exactly('1'), '/?q', false],
  [exactly('1'), '/?q=%31', false],
  [exactly('1'), '/?xq=1', false],
  [exactly('1'), '/?qx=1&q=1', true],
  [exactly('1'), '/?a;q=1', false],
  [exactly('1'), '/?q=1=2', false],
  [exactly(''), '/?q', true],
  [exactly(''), '/?q=', true],
  [exactly(''), '/?x', false],
  [present, '/?q', true],
  [present, '/?q=', true],
  [present, '/?&q&', true],
  [present, '/?x', false],
  [present, '/', false],
  [present, '/q?x', false],
  [absent, '/?q', false],
  [absent, '/?x', true],
  [absent, '/', true],
])('%j on %s: %s', (how, path, expected) => {
  expect(new QueryMatcher({ name: 'q', test: how }).matches(path)).toBe(expected);
});
