import { expect, test } from 'vitest';
import { MetadataCriteria, canonical } from '../../../src/core/metadata-criteria.ts';

test('the same whatever the order', () => {
  expect(new MetadataCriteria({ b: { y: 1, x: [2] }, a: 'v' }).key).toBe(
    new MetadataCriteria({ a: 'v', b: { x: [2], y: 1 } }).key,
  );
});

test('different for different kinds of values', () => {
  expect(canonical('1')).not.toBe(canonical(1));
  expect(canonical(null)).not.toBe(canonical('null'));
  expect(canonical([1])).not.toBe(canonical(1));
});

test('merged and reduced', () => {
  const merged = new MetadataCriteria({ a: 1, b: 2 }).merge({ b: 3, c: 4 });
  expect(merged.struct).toEqual({ a: 1, b: 3, c: 4 });
  expect(merged.only(['a', 'c', 'z']).names).toEqual(['a', 'c']);
});
