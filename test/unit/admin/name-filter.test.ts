import { describe, expect, test } from 'vitest';
import { nameFilter, wholeNameFilter } from '../../../src/admin/name-filter.ts';

describe('filter of /stats and /clusters', () => {
  test.each([
    ['up', 'cluster.up.rq', true],
    ['^up', 'cluster.up.rq', false],
    ['rq$', 'cluster.up.rq', true],
    ['u.\\.', 'cluster.up.rq', true],
    ['UP', 'cluster.up.rq', false],
    ['(?i)UP', 'cluster.up.rq', true],
    ['', 'anything', true],
  ])('%j finds itself in %j: %s', (pattern, name, expected) => {
    expect(nameFilter(pattern)?.(name)).toBe(expected);
  });

  test('none accepts everything', () => {
    expect(nameFilter(null)?.('x')).toBe(true);
  });

  // RE2 has no back references and no look-around.
  test.each(['(', '[a', '(a)\\1', '(?=a)'])('%j is no RE2 expression', (pattern) => {
    expect(nameFilter(pattern)).toBeUndefined();
    expect(() => wholeNameFilter(pattern)).toThrow();
  });
});

test.each([
  ['up', 'up', true],
  ['up', 'upper', false],
  ['up.*', 'upper', true],
  ['a|b', 'b', true],
  ['', 'upper', true],
])('name_regex of /config_dump: %j is the whole of %j: %s', (pattern, name, expected) => {
  expect(wholeNameFilter(pattern)(name)).toBe(expected);
});

test('an expression that backtracking would never end with ends', () => {
  expect(nameFilter('(a+)+$')?.(`${'a'.repeat(5000)}!`)).toBe(false);
});
