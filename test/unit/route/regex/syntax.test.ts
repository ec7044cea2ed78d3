import { describe, expect, test } from 'vitest';
import { parseSubset } from '../../../../src/route/regex/syntax.ts';

describe('parseSubset', () => {
  test.each([
    '',
    'a|',
    '()',
    '[]a]',
    '[a-]',
    '[^]a]',
    '\\x41\\n\\.',
    'a{2}',
    'a{2,}?',
    '(?P<x>a)(?<y>b)',
    '[[:alpha:]\\d]',
  ])('%j is understood', (pattern) => {
    expect(parseSubset(pattern)).not.toBeNull();
  });

  test.each([
    ['a)', 'not balanced'],
    ['(a', 'not balanced'],
    ['[a', 'not closed'],
    ['a**', 'repeat of a repeat'],
    ['*a', 'nothing to repeat'],
    ['^*', 'repeat of an anchor'],
    ['a{,2}', 'no count'],
    ['a{2,1}', 'counts the wrong way'],
    ['a{1001}', 'too many'],
    ['[b-a]', 'range the wrong way'],
    ['\\b', 'word boundaries'],
    ['\\pL', 'Unicode classes'],
    ['(?i:a)', 'flags of a group'],
    ['(?=a)', 'look-ahead'],
    ['(?P<x>a)(?P<x>b)', 'a name twice'],
    ['\\', 'nothing escaped'],
  ])('%s is left to RE2: %s', (pattern) => {
    expect(parseSubset(pattern)).toBeNull();
  });
});
