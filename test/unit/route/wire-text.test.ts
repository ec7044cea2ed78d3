import { expect, test } from 'vitest';
import { lowerAscii, wireBytes, wireText } from '../../../src/route/wire-text.ts';

test('text becomes one character per byte of its UTF-8', () => {
  expect(wireText('/a')).toBe('/a');
  expect(wireText('/é€')).toBe('/\xc3\xa9\xe2\x82\xac');
});

test('bytes of any number become characters', () => {
  const bytes = new Uint8Array(10_000).map((_, i) => i % 256);
  const text = wireBytes(bytes);
  expect(text).toHaveLength(bytes.length);
  expect(bytes.every((byte, i) => text.charCodeAt(i) === byte)).toBe(true);
});

test('only ASCII letters are lower-cased', () => {
  expect(lowerAscii('AbC-1')).toBe('abc-1');
  expect(lowerAscii('A\xc3\x89Z')).toBe('a\xc3\x89z');
});
