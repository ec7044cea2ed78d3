import { describe, expect, test } from 'vitest';
import { nativeFullMatch, nativeSearch } from '../../../../src/route/regex/native.ts';
import { parseSubset } from '../../../../src/route/regex/syntax.ts';

describe('nativeFullMatch', () => {
  test.each([
    '/foo/bar',
    '^/api/v[0-9]+/users/[^/]+$',
    '/foo/.*/bar',
    '.*\\.(css|js|png)',
    '/(v1|v2)/(users|accounts)/.*',
    '/(foo|foobar)/x',
    '(?i)/FOO/[a-z]*',
    '(/[a-z]{1,3}){2}',
  ])('%s cannot blow up', (pattern) => {
    expect(nativeFullMatch(parseSubset(pattern)!)).not.toBeNull();
  });

  test.each([
    ['.*foo.*', 'a loop behind an undetermined loop'],
    ['(a|b)*', 'a loop over a group'],
    ['(a*)*', 'a loop in a loop'],
    ['[^/]*a[^/]*b', 'two undetermined loops'],
    ['a?a?a?a?a?a?aaaaaa', 'too many choices'],
    ['(a|a)(a|a)(a|a)(a|a)(a|a)', 'too many choices'],
    ['(a*){3}', 'a loop in a counted repeat'],
  ])('%s goes to RE2: %s', (pattern) => {
    expect(nativeFullMatch(parseSubset(pattern)!)).toBeNull();
  });
});

describe('nativeSearch', () => {
  test.each(['^/foo/(.*)$', '^/a/([^/]+)/b', '/foo', 'a|b'])('%s', (pattern) => {
    expect(nativeSearch(parseSubset(pattern)!)).not.toBeNull();
  });

  test.each([
    ['a+b', 'a loop that starts anew at every byte'],
    ['^(ab)*', 'groups in repeats'],
    ['(a??)?', 'a repeat of what may be empty'],
    ['a{201}', 'long attempts at every byte'],
  ])('%s goes to RE2: %s', (pattern) => {
    expect(nativeSearch(parseSubset(pattern)!)).toBeNull();
  });
});
