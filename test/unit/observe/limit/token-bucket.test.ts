import { create } from '@bufbuild/protobuf';
import * as fc from '../../../property/chance.ts';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { isFlagOn } from '../../../../src/core/runtime-view.ts';
import { decodeRuntimeFlag } from '../../../../src/observe/access-log/runtime-flag-decode.ts';
import { bucketMemory, decodeTokenBucket } from '../../../../src/observe/limit/token-bucket-decode.ts';
import { TokenBucket, tokenBucketMemory } from '../../../../src/observe/limit/token-bucket.ts';
import { RuntimeFeatureFlagSchema } from '../../../../src/proto/envoy/config/core/v3/base_pb.js';
import { TokenBucketSchema } from '../../../../src/proto/envoy/type/v3/token_bucket_pb.js';

test('begins full, empties, and fills with time', () => {
  const cells = new BigInt64Array(tokenBucketMemory(1));
  const bucket = new TokenBucket({ maxTokens: 2, tokensPerFill: 1, fillMs: 100 }, cells, 0);
  expect([bucket.remaining(5), bucket.tokenInMs(5)]).toEqual([2, 0]);
  expect([bucket.take(5), bucket.take(5), bucket.take(5)]).toEqual([true, true, false]);
  expect(bucket.tokenInMs(30)).toBeCloseTo(75);
  expect([bucket.take(104), bucket.take(106), bucket.take(107)]).toEqual([false, true, false]);
  expect(bucket.remaining(1e9)).toBe(2);
});

test('two that look at one cell are one bucket', () => {
  const memory = tokenBucketMemory(1);
  const data = { maxTokens: 3, tokensPerFill: 3, fillMs: 1000 };
  const [a, b] = [0, 1].map(() => new TokenBucket(data, new BigInt64Array(memory), 0));
  expect([a.take(1), b.take(1), a.take(1, 2), b.take(1), a.take(1)]).toEqual([true, true, false, true, false]);
});

test('never lets through more than it holds and what time has brought', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 4 })), { maxLength: 60 });
  const settings = fc.record({
    maxTokens: fc.integer({ min: 0, max: 20 }),
    tokensPerFill: fc.integer({ min: 1, max: 20 }),
    fillMs: fc.integer({ min: 50, max: 1000 }),
  });
  fc.assert(
    fc.property(settings, steps, (data, times) => {
      const bucket = new TokenBucket(data, new BigInt64Array(tokenBucketMemory(1)), 0);
      let now = 1;
      let taken = 0;
      for (const [passed, count] of times) {
        now += passed;
        if (bucket.take(now, count)) taken += count;
        else expect(bucket.remaining(now)).toBeLessThan(count);
        expect(taken).toBeLessThanOrEqual(data.maxTokens + ((now - 1) * data.tokensPerFill) / data.fillMs + 1e-6);
      }
    }),
  );
});

test('a configuration that is read again has the memory that it had', () => {
  const first = bucketMemory('here', { a: 1 }, 3);
  expect(first.byteLength).toBe(24);
  expect(bucketMemory('here', { a: 1 }, 3)).toBe(first);
  expect(bucketMemory('there', { a: 1 }, 3)).not.toBe(first);
  expect(bucketMemory('here', { a: 2 }, 3)).not.toBe(first);
});

test('what refills too fast is refused', () => {
  const reasons = new Reasons('token_bucket');
  const message = create(TokenBucketSchema, { maxTokens: 5, fillInterval: { seconds: 0n, nanos: 49_000_000 } });
  expect(decodeTokenBucket(message, reasons)).toEqual({ maxTokens: 5, tokensPerFill: 1, fillMs: 49 });
  expect(reasons.list).toEqual([
    { path: 'token_bucket', message: 'local rate limit token bucket fill timer must be >= 50ms' },
  ]);
});

test('a flag is as it says until the runtime says otherwise', () => {
  const flag = (defaultValue: boolean) =>
    decodeRuntimeFlag(create(RuntimeFeatureFlagSchema, { defaultValue, runtimeKey: 'k' }), new Reasons());
  const runtime = { number: () => 0, fraction: () => false, boolean: () => true };
  expect(isFlagOn(runtime, flag(false))).toBe(true);
  expect(isFlagOn({ ...runtime, boolean: (_key, otherwise) => otherwise }, flag(false))).toBe(false);
  expect(decodeRuntimeFlag(undefined, new Reasons())).toEqual({ key: '', value: true });
});
