import { expect, test } from 'vitest';
import { inOnePiece, latin1, noBytes } from '../../../src/core/bytes.ts';

test('one character per byte, of a Buffer and of any Uint8Array', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const text = latin1(bytes, 0, 256);
  expect(Array.from(text, (c) => c.charCodeAt(0))).toEqual([...bytes]);
  expect(latin1(Buffer.from('hello'), 1, 3)).toBe('el');
  expect(latin1(bytes.subarray(65), 0, 2)).toBe('AB');
});

test('no bytes', () => {
  expect(noBytes).toHaveLength(0);
});

test('a text in one piece is the same text', () => {
  for (const text of ['', 'a', `${'x'.repeat(100)}\xff${'y'.repeat(100)}`]) expect(inOnePiece(text)).toBe(text);
});
