import { expect, test } from 'vitest';
import { BackOff } from '../../../../../src/control/xds/stream/back-off.ts';
import { TokenBucket } from '../../../../../src/control/xds/stream/token-bucket.ts';

test('waits below a bound that doubles up to half a minute, and starts over', () => {
  const backOff = new BackOff(() => 0.999_999);
  const waits = Array.from({ length: 8 }, () => backOff.next());
  expect(waits).toEqual([499, 999, 1999, 3999, 7999, 15_999, 29_999, 29_999]);
  backOff.reset();
  expect(backOff.next()).toBe(499);
});

test('never at once', () => {
  expect(new BackOff(() => 0).next()).toBe(1);
});

test('a bucket gives what it has, then what drips in', () => {
  const bucket = new TokenBucket(2, 10, 0);
  expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([true, true, false]);
  expect(bucket.waitMs).toBe(100);
  expect([bucket.take(99), bucket.take(100), bucket.take(100)]).toEqual([false, true, false]);
  // However long nobody asks, it holds no more than at first.
  expect([bucket.take(10_000), bucket.take(10_000), bucket.take(10_000)]).toEqual([true, true, false]);
});
