import { expect, test } from 'vitest';
import { cachedName, splitName } from '../../../src/core/destination.ts';

test.each([
  ['a.test', 443, 'a.test:443'],
  ['A.test:80', 443, 'a.test:80'],
  ['10.0.0.1', 80, '10.0.0.1:80'],
  ['[::1]', 80, '[::1]:80'],
  ['[::1]:81', 80, '[::1]:81'],
  ['a.test:http', 80, 'a.test:http:80'],
])('%s, or else %i, is %s', (host, port, name) => {
  expect(cachedName({ host, port })).toBe(name);
});

test.each([
  ['a.test:443', 'a.test', 443],
  ['[::1]:81', '::1', 81],
])('%s is to be resolved as %s', (name, host, port) => {
  expect(splitName(name)).toEqual({ host, port });
});
