import { xxHash64Text } from '../../core/xx-hash64.ts';
import { TokenBucket, type TokenBucketData } from '../../observe/limit/token-bucket.ts';
import type { Descriptor, DescriptorEntry } from '../../route/rate-limit/descriptors.ts';
import type { LimitDescriptorData, LimitsData } from './local-ratelimit-data.ts';

/** How a request fared: by which bucket, and whether that let it through. */
export interface LimitAnswer {
  readonly isAllowed: boolean;
  /** Null: none was asked. */
  readonly bucket: TokenBucket | null;
  /** Whether its descriptor says that clients are shown how much is left; undefined: it does not say. */
  readonly isShown: boolean | undefined;
}

/** A bucket that a descriptor asks. */
interface Asked {
  readonly bucket: TokenBucket;
  readonly descriptor: Descriptor;
}

/** A slot of a wildcard: whose bucket it is, and the bucket. */
const cellsPerSlot = 2;

/** Cells of shared memory: the default bucket's, one for each descriptor, and the slots of wildcards. */
export function cellsOf({ descriptors, dynamicMax }: LimitsData): number {
  const wildcards = descriptors.filter(isWildcard).length;
  return 1 + descriptors.length + wildcards * dynamicMax * cellsPerSlot;
}

function isWildcard({ entries }: LimitDescriptorData): boolean {
  return entries.some(({ value }) => value === '');
}

/** The buckets of one filter, in shared memory or of one connection: Envoy's `LocalRateLimiterImpl`. */
export class Limits {
  private readonly byDefault: TokenBucket | null;
  private readonly alwaysByDefault: boolean;
  private readonly exact: Map<string, TokenBucket>;
  private readonly wildcards: readonly Wildcard[];

  constructor(data: LimitsData, memory: ArrayBufferLike) {
    const cells = new BigInt64Array(memory);
    this.byDefault = data.byDefault === null ? null : new TokenBucket(data.byDefault, cells, 0);
    this.alwaysByDefault = data.alwaysByDefault;
    this.exact = new Map();
    const wildcards: Wildcard[] = [];
    data.descriptors.forEach((descriptor, i) => {
      if (isWildcard(descriptor)) {
        const first = 1 + data.descriptors.length + wildcards.length * data.dynamicMax * cellsPerSlot;
        wildcards.push(new Wildcard(descriptor, cells, first, data.dynamicMax));
      } else this.exact.set(textOf(descriptor.entries), new TokenBucket(descriptor.bucket, cells, 1 + i));
    });
    this.wildcards = wildcards;
  }

  ask(descriptors: readonly Descriptor[], now: number): LimitAnswer {
    const found = this.bucketsOf(descriptors);
    for (const { bucket, descriptor } of found)
      if (!bucket.take(now, descriptor.hits)) return { isAllowed: false, bucket, isShown: descriptor.isShown };
    const { byDefault } = this;
    const isAsked = byDefault !== null && (found.length === 0 || this.alwaysByDefault);
    if (isAsked && !byDefault.take(now)) return { isAllowed: false, bucket: byDefault, isShown: undefined };
    if (found.length === 0) return { isAllowed: true, bucket: byDefault, isShown: undefined };
    const [{ bucket, descriptor }] = found;
    return { isAllowed: true, bucket, isShown: descriptor.isShown };
  }

  /** The slowest first. */
  private bucketsOf(descriptors: readonly Descriptor[]): Asked[] {
    const found: Asked[] = [];
    for (const descriptor of descriptors) {
      const { entries } = descriptor;
      const bucket = this.exact.get(textOf(entries)) ?? this.dynamicBucket(entries);
      if (bucket !== null) found.push({ bucket, descriptor });
    }
    return found.length < 2 ? found : found.sort((a, b) => a.bucket.fillRate - b.bucket.fillRate);
  }

  private dynamicBucket(entries: readonly DescriptorEntry[]): TokenBucket | null {
    for (const wildcard of this.wildcards) if (wildcard.matches(entries)) return wildcard.bucketOf(entries);
    return null;
  }
}

function textOf(entries: readonly DescriptorEntry[]): string {
  let text = '';
  for (const { key, value } of entries) text += `${key}\0${value}\0`;
  return text;
}

/** A descriptor with empty values. Which value has which bucket stands in shared memory, for all workers alike. */
class Wildcard {
  private readonly entries: readonly DescriptorEntry[];
  private readonly data: TokenBucketData;
  private readonly cells: BigInt64Array;
  private readonly first: number;
  private readonly slots: number;
  /** The slot to be taken next where all are in use. */
  private oldest: number;
  /** Of this worker, by slot; made when they are wanted. */
  private readonly buckets: (TokenBucket | null)[];

  constructor({ entries, bucket }: LimitDescriptorData, cells: BigInt64Array, first: number, slots: number) {
    this.entries = entries;
    this.data = bucket;
    this.cells = cells;
    this.first = first;
    this.slots = slots;
    this.oldest = 0;
    this.buckets = [];
  }

  matches(entries: readonly DescriptorEntry[]): boolean {
    const own = this.entries;
    if (own.length !== entries.length) return false;
    for (let i = 0; i < own.length; i++) {
      const { key, value } = own[i];
      if (key !== entries[i].key || (value !== '' && value !== entries[i].value)) return false;
    }
    return true;
  }

  /** Null: there is no room at all. */
  bucketOf(entries: readonly DescriptorEntry[]): TokenBucket | null {
    if (this.slots === 0) return null;
    const { high, low } = xxHash64Text(textOf(entries));
    // 0 is a slot that nobody has.
    const name = BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)) || 1n;
    for (let slot = 0; slot < this.slots; slot++) {
      const held = Atomics.compareExchange(this.cells, this.cellOf(slot), 0n, name);
      if (held === name || held === 0n) return this.bucketAt(slot);
    }
    const slot = this.oldest;
    this.oldest = (slot + 1) % this.slots;
    Atomics.store(this.cells, this.cellOf(slot), name);
    Atomics.store(this.cells, this.cellOf(slot) + 1, 0n);
    return this.bucketAt(slot);
  }

  private cellOf(slot: number): number {
    return this.first + slot * cellsPerSlot;
  }

  private bucketAt(slot: number): TokenBucket {
    return (this.buckets[slot] ??= new TokenBucket(this.data, this.cells, this.cellOf(slot) + 1));
  }
}
