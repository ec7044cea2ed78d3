import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { Regex } from '../../src/route/regex.ts';
import { nativeFullMatch, nativeSearch } from '../../src/route/regex/native.ts';
import { Substitution } from '../../src/route/regex/substitution.ts';
import { parseSubset } from '../../src/route/regex/syntax.ts';
import * as fc from './chance.ts';

const letters = ['a', 'b', 'c', '/', '-', '0', '1', '.', '\n'];
const atom = fc.constantFrom(
  'a',
  'b',
  'c',
  '/',
  '-',
  '0',
  '.',
  '\\.',
  '\\d',
  '\\w',
  '\\s',
  '[ab]',
  '[^/]',
  '[^a]',
  '[a-c0-]',
  '\\D',
);
const repeat = fc.constantFrom('', '', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{0,2}', '{1,}', '{1,3}');
const { pattern: body } = fc.letrec<{ pattern: string; sequence: string; item: string }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('sequence'),
    fc.array(tie('sequence'), { minLength: 2, maxLength: 3 }).map((branches) => branches.join('|')),
  ),
  sequence: fc.array(tie('item'), { maxLength: 4 }).map((items) => items.join('')),
  item: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(atom, repeat).map(([one, times]) => one + times),
    fc
      .tuple(fc.constantFrom('(', '(?:', '(?P<x>'), tie('pattern'), repeat)
      .map(([open, inner, times]) => `${open}${inner})${times}`),
  ),
}));
const pattern = fc
  .tuple(fc.constantFrom('', '^', '(?i)', '(?s)'), body, fc.constantFrom('', '$'))
  .map((parts) => parts.join(''));
const text = fc.string({ unit: fc.constantFrom(...letters, 'A', '\xe9'), maxLength: 24 });

/** RE2's own answer; null: not a valid pattern. */
function re2(source: string): RE2JS | null {
  try {
    return RE2JS.compile(source);
  } catch {
    return null;
  }
}

function replaceWith(engine: 'native' | 're2', source: string, subject: string, rewrite: string): string {
  const regex = new Regex(source);
  const search = engine === 'native' ? new RegExp(nativeSearch(parseSubset(source)!)!, 'g') : RE2JS.compile(source);
  Object.assign(regex, { search });
  return regex.replaceAll(subject, new Substitution(rewrite));
}

describe('a pattern on the native engine', () => {
  test('what the subset parser accepts is valid in RE2', () => {
    fc.assert(
      fc.property(pattern, (source) => {
        if (parseSubset(source) !== null) expect(re2(source)).not.toBeNull();
      }),
      { numRuns: 2000 },
    );
  });

  test('matches what RE2 matches', () => {
    let compared = 0;
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 4, maxLength: 12 }), (source, subjects) => {
        const node = parseSubset(source);
        const native = node === null ? null : nativeFullMatch(node);
        if (native === null) return;
        const regex = new RegExp(native);
        const reference = RE2JS.compile(source);
        for (const subject of subjects) {
          compared++;
          expect([subject, regex.test(subject)]).toEqual([subject, reference.testExact(subject)]);
        }
      }),
      { numRuns: 2000 },
    );
    expect(compared).toBeGreaterThan(1000);
  });

  test('replaces what RE2 replaces, groups included', () => {
    let compared = 0;
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 4, maxLength: 8 }), (source, subjects) => {
        const node = parseSubset(source);
        if (node === null || nativeSearch(node) === null) return;
        for (const subject of subjects) {
          compared++;
          const rewrite = '<\\0|\\1>';
          expect(replaceWith('native', source, subject, rewrite)).toBe(replaceWith('re2', source, subject, rewrite));
        }
      }),
      { numRuns: 2000 },
    );
    expect(compared).toBeGreaterThan(1000);
  });

  test('takes steps linear in the text: ten times the text is no square', () => {
    // Each is the worst text for its pattern; a backtracking engine without the proof rule would need minutes.
    const worst: [string, string][] = [
      ['/.*/x', '/'.repeat(60_000)],
      ['[^/]*a?a?a?b', 'a'.repeat(60_000)],
      ['(a|ab)(c|bcd)[^x]*y', `ab${'c'.repeat(60_000)}`],
      ['.*foo', 'foo'.repeat(20_000)],
      ['.*.*.*x', 'a'.repeat(3000)],
      ['(a*)*b', 'a'.repeat(3000)],
      ['([a-z]+)+\\d', 'a'.repeat(3000)],
      ['.*a.*b.*c.*d', 'ab'.repeat(3000)],
    ];
    for (const [source, subject] of worst) expect(new Regex(source).matches(`${subject}\n`)).toBe(false);
    expect(new Regex('(x+x+)+y').replaceAll('x'.repeat(3000), new Substitution(''))).toBe('x'.repeat(3000));
  });
});
