import { expect, test } from 'vitest';
import { pathLength, pathOnly, portStart, withoutPathParameters } from '../../../src/route/path.ts';

test.each([
  ['/a', '/a'],
  ['/a?b', '/a'],
  ['/a?b#c', '/a'],
  ['/a#b?c', '/a'],
  ['?', ''],
])('the path of %s is %s', (target, expected) => {
  expect(pathOnly(target)).toBe(expected);
  expect(pathLength(target)).toBe(expected.length);
});

test.each([
  ['/pre;x/fix', '/pre/fix'],
  ['/a;x=1;y=2', '/a'],
  ['/a', '/a'],
])('%s without parameters is %s', (path, expected) => {
  expect(withoutPathParameters(path)).toBe(expected);
});

test.each([
  ['h.test', -1],
  ['h.test:80', 6],
  ['h.test:', 6],
  ['[::1]', -1],
  ['[::1]:80', 5],
])('the port of %s begins at %i', (authority, expected) => {
  expect(portStart(authority)).toBe(expected);
});
