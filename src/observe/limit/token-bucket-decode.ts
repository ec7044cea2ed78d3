import { durationMs } from '../../core/duration.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { TokenBucketSchema, type TokenBucket } from '../../proto/envoy/type/v3/token_bucket_pb.js';
import { tokenBucketMemory, type TokenBucketData } from './token-bucket.ts';

const supported = new SupportedFields(TokenBucketSchema, ['max_tokens', 'tokens_per_fill', 'fill_interval']);

const fillMsMin = 50;

/** `what` begins Envoy's sentence about an interval that is too short. */
export function decodeTokenBucket(
  message: TokenBucket | undefined,
  reasons: Reasons,
  what = 'local rate limit',
): TokenBucketData {
  if (message !== undefined) supported.check(message, reasons);
  const fillMs = durationMs(message?.fillInterval, 0);
  if (fillMs < fillMsMin) reasons.add(`${what} token bucket fill timer must be >= ${fillMsMin}ms`);
  return { maxTokens: message?.maxTokens ?? 0, tokensPerFill: message?.tokensPerFill ?? 1, fillMs };
}

/** By what it belongs to: as long as that is read with these words, its tokens are the same. */
const memories = new Map<string, WeakRef<SharedArrayBuffer>>();
const gone = new FinalizationRegistry<string>((key) => {
  if (memories.get(key)?.deref() === undefined) memories.delete(key);
});

/**
 * Shared memory for the buckets of one configuration. A configuration that is read again as it was, at the same place,
 * goes on with the tokens that it has: `what` is all that it says.
 */
export function bucketMemory(place: string, what: unknown, count: number): SharedArrayBuffer {
  const key = `${place} ${JSON.stringify(what)}`;
  const known = memories.get(key)?.deref();
  if (known !== undefined) return known;
  const memory = tokenBucketMemory(count);
  memories.set(key, new WeakRef(memory));
  gone.register(memory, key);
  return memory;
}
