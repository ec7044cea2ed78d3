import { expect, test } from 'vitest';
import { durationMs } from '../../../src/core/duration.ts';

test.each([
  [0n, 0, 0],
  [1n, 500_000_000, 1500],
  [0n, 1, 1e-6],
  [-1n, -500_000_000, -1500],
  [315_576_000_000n, 0, 315_576_000_000_000],
])('%s s and %s ns are %s ms', (seconds, nanos, expected) => {
  expect(durationMs({ seconds, nanos }, 7)).toBe(expected);
});

test('an absent field has its default', () => {
  expect(durationMs(undefined, 7)).toBe(7);
  expect(durationMs({ seconds: 0n, nanos: 0 }, 7)).toBe(0);
});
