import { expect, test } from 'vitest';
import { Substitution } from '../../../../src/route/regex/substitution.ts';

test.each([
  ['plain', 'plain'],
  ['\\0!', 'whole!'],
  ['<\\1\\2>', '<one>'],
  ['\\\\1', '\\1'],
  ['a\\xb', 'a'],
  ['a\\', 'a'],
])('%s makes %s', (rewrite, expected) => {
  expect(new Substitution(rewrite).apply(['whole', 'one', undefined])).toBe(expected);
});

test('the highest group is known', () => {
  expect(new Substitution('\\1\\9').highestGroup).toBe(9);
  expect(new Substitution('x').highestGroup).toBe(0);
});
