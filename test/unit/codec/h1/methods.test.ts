import { expect, test } from 'vitest';
import { isBodiless, knownMethods } from '../../../../src/codec/h1/methods.ts';

test('Envoy’s thirty-four methods', () => {
  expect(knownMethods.size).toBe(34);
  expect(knownMethods.get('PURGE')).toBe('PURGE');
  expect(knownMethods.has('get')).toBe(false);
});

test('which requests have no body unless they say so', () => {
  expect(['GET', 'HEAD', 'DELETE', 'TRACE', 'CONNECT'].every(isBodiless)).toBe(true);
  expect(['POST', 'PUT', 'PATCH', 'OPTIONS', 'FOO'].some(isBodiless)).toBe(false);
});
