import { expect, test } from 'vitest';
import { TextCache } from '../../../../src/codec/hpack/text-cache.ts';

const placesMax = 64;

function seen(cache: TextCache, text: string, isHuffman = false): string | null {
  const bytes = Buffer.from(`<${text}>`);
  const place = cache.find(bytes, 1, bytes.length - 1, isHuffman);
  if (place >= 0) return cache.texts[place];
  cache.offer(bytes, 1, bytes.length - 1, isHuffman, `${text} ${isHuffman ? 'decoded' : 'plain'}`, 1);
  return null;
}

test('what comes a second time is known the third', () => {
  const cache = new TextCache(placesMax, 16);
  for (const text of ['a', 'abc', 'abcd', 'abcdefgh', '0123456789abcdef']) {
    expect([seen(cache, text), seen(cache, text), seen(cache, text)]).toEqual([null, null, `${text} plain`]);
  }
});

test('plain and coded bytes are two things', () => {
  const cache = new TextCache(placesMax, 16);
  for (let i = 0; i < 2; i++) seen(cache, 'same');
  expect(seen(cache, 'same', true)).toBeNull();
  expect(seen(cache, 'same')).toBe('same plain');
});

test('what comes once displaces nothing', () => {
  const cache = new TextCache(placesMax, 16);
  for (let i = 0; i < 2; i++) seen(cache, '/kept');
  for (let i = 0; i < 10_000; i++) seen(cache, `/once/${i}`);
  expect(seen(cache, '/kept')).toBe('/kept plain');
});

test('texts that share a place take it from each other and are never mistaken', () => {
  const cache = new TextCache(2, 16);
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 20; i++) {
      for (let again = 0; again < 3; again++) expect([null, `text ${i} plain`]).toContain(seen(cache, `text ${i}`));
    }
  }
});

test('similar texts spread', () => {
  const cache = new TextCache(1024, 64);
  const paths = Array.from({ length: 100 }, (_, i) => `/api/v1/products/${i}/reviews?sort=newest`);
  for (let round = 0; round < 3; round++) for (const path of paths) seen(cache, path);
  expect(paths.filter((path) => seen(cache, path) !== null).length).toBeGreaterThan(70);
});
