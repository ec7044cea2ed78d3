import { expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';

it('is the same for the same text, as text and as bytes, and 32 hexadecimal digits', () => {
  // The first half of SHA-256 of "abc", FIPS 180-4's example.
  expect(digestOf('abc')).toBe('ba7816bf8f01cfea414140de5dae2223');
  expect(digestOf(new TextEncoder().encode('abc'))).toBe(digestOf('abc'));
});
