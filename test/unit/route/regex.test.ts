import { describe, expect, test } from 'vitest';
import { Regex, regexProblem } from '../../../src/route/regex.ts';
import { Substitution } from '../../../src/route/regex/substitution.ts';

describe('regexProblem', () => {
  // Verdicts of Envoy 1.39.3.
  test.each([
    ['/(?=a)', 'invalid'],
    ['/(a)\\1', 'invalid escape'],
    ['b(', 'missing closing )'],
    ['/x**', 'repetition operator'],
    ['/a\\Z', 'invalid escape'],
    ['/a{1001}', 'repeat count'],
    ['/a{1000}', 'program size of 1005 > max program size of 100'],
    ['/\\d{500}', 'program size of 505 > max program size of 100'],
  ])('%s is refused: %s', (pattern, reason) => {
    expect(regexProblem(pattern)).toContain(reason);
  });

  test.each([
    '/\\C',
    '/\\pN\\p{Greek}',
    '/(?P<a>x)(?<b>y)',
    '(?i)/x(?s:.)(?U)a+',
    '/[[:word:]]',
    '/\\Qa.b\\E',
    '/a\\z',
    '^/a-long-literal-is-compared-by-itself-and-costs-nothing-of-the-program-size-however-long-it-may-be-in-the-end$',
  ])('%s is accepted', (pattern) => {
    expect(regexProblem(pattern)).toBeNull();
  });

  test('a limit of its own replaces the general one', () => {
    expect(regexProblem('/abcdefghijklmnop', 100, 1)).toContain('RE2 program size of 21 > max program size of 1');
    expect(regexProblem('/a{200}', 100, 300)).toBeNull();
    expect(regexProblem('/a{200}', 32768)).toBeNull();
  });
});

describe('Regex', () => {
  test.each([
    ['/rx/.*', '/rx/a', true],
    ['/rx', '/rxx', false],
    ['a|b', 'ab', false],
    ['a|b', 'b', true],
    ['^user=test-\\d+$', 'user=test-1223', true],
    ['.', '\n', false],
    ['(?s).', '\n', true],
    ['\\s', '\v', false],
    ['[^/]+', 'a\nb', true],
    ['(?i)/Foo', '/fOO', true],
    // Bytes, not characters: a letter of two bytes in UTF-8 is two of them.
    ['a.b', 'a\xc3\xa9b', false],
    ['a.b', 'a\xa9b', true],
    ['\\bfoo\\b.*', 'foo-', true],
    ['\\pN+', '12', true],
  ])('%s on %j: %s', (pattern, text, expected) => {
    expect(new Regex(pattern).matches(text)).toBe(expected);
  });

  // Paths that Envoy 1.39.3 sent upstream.
  test.each([
    ['^/re/(.*)/x(\\d+)', '/\\2/\\1\\\\', '/re/foo/x12/more', '/12/foo\\/more'],
    ['a', 'bb', '/rall/aa', '/rbbll/bbbb'],
    ['x*', '-', '/rempty/xax', '-/-r-e-m-p-t-y-/-a-'],
    ['.*', '', '/rnone/xax', ''],
    ['.*', 'x', '/rnull/xax', 'x'],
    ['/(r)(z)?', '/\\0-\\1-\\2', '/rgrp', '//r-r-grp'],
    ['/rb', '/\\3', '/rbad/1', '/rbad/1'],
    ['a*', 'b', '/rax', 'b/brbxb'],
  ])('%s → %s rewrites %s to %s', (pattern, rewrite, path, expected) => {
    expect(new Regex(pattern).replaceAll(path, new Substitution(rewrite))).toBe(expected);
  });

  test('captures are those of a match of the whole text', () => {
    expect(new Regex('/(a+)/(b)?').captures('/aa/')?.map((group) => group ?? null)).toEqual(['/aa/', 'aa', null]);
    expect(new Regex('(?:(a+)|\\pN)').captures('aa')?.map((group) => group ?? null)).toEqual(['aa', 'aa']);
    expect(new Regex('/(a+)').captures('/ab')).toBeNull();
  });
});
