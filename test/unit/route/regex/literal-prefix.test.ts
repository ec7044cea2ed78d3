import { expect, test } from 'vitest';
import { literalPrefix } from '../../../../src/route/regex/literal-prefix.ts';

test.each([
  ['/svc7/[0-9]+/x', '/svc7/'],
  ['^/a\\.b$', '/a.b'],
  ['/a|/b', ''],
  ['/ab*', '/a'],
  ['/a(b)', '/a'],
  ['(?i)/a', '/'],
  ['x', 'x'],
  ['\\pN', ''],
])('%s begins with %j', (pattern, expected) => {
  expect(literalPrefix(pattern)).toBe(expected);
});
