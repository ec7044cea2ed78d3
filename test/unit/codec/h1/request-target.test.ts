import { expect, test } from 'vitest';
import { isHostAndPort, isTargetValid, parseAbsolute } from '../../../../src/codec/h1/request-target.ts';

test.for([
  ['http://a.test/x?y', { scheme: 'http', authority: 'a.test', path: '/x?y' }],
  ['HTTPS://A.test:8443', { scheme: 'https', authority: 'A.test:8443', path: '/' }],
  ['http://u:p@a.test/', { scheme: 'http', authority: 'a.test', path: '/' }],
  ['http://[::1]:80/', { scheme: 'http', authority: '[::1]:80', path: '/' }],
  ['http://a.test?q', { scheme: 'http', authority: 'a.test', path: '?q' }],
  ['ftp://a/', { scheme: 'ftp', authority: 'a', path: '/' }],
  ['http:///x', null],
  ['http://', null],
  ['http://a:65536/', null],
  ['http://a:/', null],
  ['http://a:x/', null],
  ['http://u@v@a/', null],
  ['http://[::1/', null],
  ['http://a_b/', null],
  ['//a/', null],
  ['/x', null],
] as const)('%s', ([target, parsed]) => {
  expect(parseAbsolute(target)).toEqual(parsed);
});

test.for([
  ['a.test:443', true],
  ['[::1]:1', true],
  ['a.test', false],
  ['a.test:', false],
  ['a.test:70000', false],
  ['u@a.test:1', false],
  [':443', false],
] as const)('CONNECT %s', ([authority, isValid]) => {
  expect(isHostAndPort(authority, true)).toBe(isValid);
});

test('what the parser takes at all', () => {
  for (const target of ['/', '/x', '*', '*x', 'http://a', 'http://a:x/'])
    expect(isTargetValid(target, false)).toBe(true);
  for (const target of ['', 'x', '?x', 'http:/a', 'http://a"b/', 'http://a@@b/'])
    expect(isTargetValid(target, false)).toBe(false);
  for (const target of ['a:1', 'a', '/x']) expect(isTargetValid(target, true)).toBe(true);
});
