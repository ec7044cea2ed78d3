import { expect, test } from 'vitest';
import { fieldValue, isFieldValue, isTarget } from '../../../src/core/field-value.ts';

test.each([
  ['', ''],
  ['plain text', 'plain text'],
  ['a\r\nb: c', 'a  b: c'],
  ['a\nb', 'a b'],
  ['a\rb', 'a b'],
  ['a\0b', 'a b'],
  ['a\tb\x7f\xff', 'a\tb\x7f\xff'],
])('%j is safe in a head as %j', (text, safe) => {
  expect(fieldValue(text)).toBe(safe);
});

test('every byte by whether a field and a target may have it', () => {
  for (let code = 0; code < 256; code++) {
    const char = String.fromCharCode(code);
    const isControl = (code < 32 && char !== '\t') || code === 127;
    expect([code, isFieldValue(`a${char}b`)]).toEqual([code, !isControl]);
    expect([code, isTarget(`a${char}b`)]).toEqual([code, code > 32 && code !== 127]);
    expect(isFieldValue(fieldValue(char)) || !'\r\n\0'.includes(char)).toBe(true);
  }
});
