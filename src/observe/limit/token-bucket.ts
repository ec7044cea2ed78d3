/** `envoy.type.v3.TokenBucket` as plain data. */
export interface TokenBucketData {
  /** 0: nothing is let through. */
  readonly maxTokens: number;
  readonly tokensPerFill: number;
  readonly fillMs: number;
}

/** For cells: an Int64 is a double's bits, for there are no atomics of doubles. */
const double = new Float64Array(1);
const bits = new BigInt64Array(double.buffer);

/** Bytes of shared memory that so many buckets need. */
export function tokenBucketMemory(count: number): SharedArrayBuffer {
  return new SharedArrayBuffer(count * BigInt64Array.BYTES_PER_ELEMENT);
}

/**
 * A token bucket of the process: Envoy's `AtomicTokenBucketImpl`. Its one number is the moment at which it was empty, in
 * shared memory, so that a limit holds over all workers; what time has refilled is computed, never written.
 * Times are of one monotonic clock of the process, in milliseconds.
 */
export class TokenBucket {
  readonly maxTokens: number;
  /** Tokens per millisecond. */
  readonly fillRate: number;
  private readonly cells: BigInt64Array;
  private readonly index: number;

  /** `cells[index]` 0: the bucket is new, and full. */
  constructor(data: TokenBucketData, cells: BigInt64Array, index: number) {
    this.maxTokens = data.maxTokens;
    this.fillRate = data.tokensPerFill / data.fillMs;
    this.cells = cells;
    this.index = index;
  }

  /** Takes so many tokens, or none where there are fewer. Two threads cannot both take the last one. */
  take(now: number, count = 1): boolean {
    let seen = Atomics.load(this.cells, this.index);
    for (;;) {
      const tokens = this.tokensAt(seen, now);
      if (tokens < count) return false;
      // The moment 0 itself would read as new.
      double[0] = now - (tokens - count) / this.fillRate || Number.MIN_VALUE;
      const found = Atomics.compareExchange(this.cells, this.index, seen, bits[0]);
      if (found === seen) return true;
      seen = found;
    }
  }

  /** Whole tokens. */
  remaining(now: number): number {
    return Math.floor(this.tokensAt(Atomics.load(this.cells, this.index), now));
  }

  /** Milliseconds until there is a token; 0: there is one. */
  tokenInMs(now: number): number {
    const tokens = this.tokensAt(Atomics.load(this.cells, this.index), now);
    return tokens >= 1 ? 0 : (1 - tokens) / this.fillRate;
  }

  private tokensAt(cell: bigint, now: number): number {
    if (cell === 0n) return this.maxTokens;
    bits[0] = cell;
    return Math.min(this.maxTokens, (now - double[0]) * this.fillRate);
  }
}
