/**
 * Numbers that hold for the whole process: how many connections or requests a circuit breaker counts, over all workers.
 * The main thread allots an index per key, the index travels in plain data, and every worker counts on the same cell.
 *
 * Each worker also keeps what it has added itself, so that the main thread can take a dead worker's share back.
 */

/** 4 bytes each, touched only when used. 2 000 clusters × 2 priorities × 4 limits are 16 000. */
const SHARED_NUMBERS_MAX = 1 << 18;

/**
 * A thread's share, in steps of two: the lowest bit says that it has counted at all, which a share of 0 does not tell.
 */
const step = 2;
const counted = 1;

/** One number of the process, seen from one thread. */
export class SharedNumber {
  private readonly totals: Int32Array;
  private readonly share: Int32Array;
  private readonly index: number;

  constructor(totals: Int32Array, share: Int32Array, index: number) {
    this.totals = totals;
    this.share = share;
    this.index = index;
  }

  /** The sum over all threads, now. */
  load(): number {
    return Atomics.load(this.totals, this.index);
  }

  /** Adds one; the number after it. */
  inc(): number {
    this.share[this.index] = (this.share[this.index] + step) | counted;
    return Atomics.add(this.totals, this.index, 1) + 1;
  }

  /** Takes one away; the number after it. */
  dec(): number {
    this.share[this.index] = this.share[this.index] - step;
    return Atomics.sub(this.totals, this.index, 1) - 1;
  }

  /** Adds so many, or takes them away. */
  add(count: number): void {
    this.share[this.index] = (this.share[this.index] + step * count) | counted;
    Atomics.add(this.totals, this.index, count);
  }

  /** Adds one unless the number has reached `limit`. Two threads cannot both take the last place. */
  tryInc(limit: number): boolean {
    let seen = Atomics.load(this.totals, this.index);
    while (seen < limit) {
      const found = Atomics.compareExchange(this.totals, this.index, seen, seen + 1);
      if (found === seen) {
        this.share[this.index] = (this.share[this.index] + step) | counted;
        return true;
      }
      seen = found;
    }
    return false;
  }
}

/** A number of one thread alone, where none of the process was allotted. */
export class OwnCount {
  private value: number;

  constructor() {
    this.value = 0;
  }

  load(): number {
    return this.value;
  }

  inc(): number {
    return ++this.value;
  }

  dec(): number {
    return --this.value;
  }

  tryInc(limit: number): boolean {
    if (this.value >= limit) return false;
    this.value++;
    return true;
  }
}

/** What a thread is handed at its start, in `workerData`. */
export interface SharedNumbersData {
  readonly totals: SharedArrayBuffer;
  readonly share: SharedArrayBuffer;
}

/** All numbers, seen from one thread. */
export class SharedNumbers {
  private readonly totals: Int32Array;
  private readonly share: Int32Array;

  constructor(data: SharedNumbersData) {
    this.totals = new Int32Array(data.totals);
    this.share = new Int32Array(data.share);
  }

  /** `index` as the main thread allotted it. Keep the result: it is what the hot path calls. */
  slot(index: number): SharedNumber {
    return new SharedNumber(this.totals, this.share, index);
  }
}

/** The main thread's side: keys → indices, and what each thread has added. */
export class SharedNumberDirectory {
  private readonly totals: SharedArrayBuffer;
  private readonly values: Int32Array;
  private readonly shares: Map<string, Int32Array<SharedArrayBuffer>>;
  private readonly indices: Map<string, number>;
  private readonly free: number[];
  /** Keys that nobody wants any more, but on whose indices threads may still count. */
  private readonly leaving: Set<string>;
  /** Indices on which threads counted that have ended. */
  private readonly countedBefore: Set<number>;
  private next: number;

  constructor() {
    this.totals = new SharedArrayBuffer(SHARED_NUMBERS_MAX * Int32Array.BYTES_PER_ELEMENT);
    this.values = new Int32Array(this.totals);
    this.shares = new Map();
    this.indices = new Map();
    this.free = [];
    this.leaving = new Set();
    this.countedBefore = new Set();
    this.next = 0;
  }

  /** The index for `key`, e.g. `cluster/default/max_requests`; the same key has the same index for as long as it lives. */
  allot(key: string): number {
    const known = this.indices.get(key);
    if (known !== undefined) {
      this.leaving.delete(key);
      return known;
    }
    if (this.free.length === 0 && this.leaving.size > 0) this.reclaim();
    const index = this.free.pop() ?? this.next++;
    if (index >= SHARED_NUMBERS_MAX) throw new RangeError(`more than ${SHARED_NUMBERS_MAX} shared numbers`);
    this.indices.set(key, index);
    return index;
  }

  /**
   * The key is no longer wanted. Its index goes to another key once it has fallen to 0: whoever still uses it then only
   * adds what it takes away again.
   */
  release(key: string): void {
    if (this.indices.has(key)) this.leaving.add(key);
  }

  private reclaim(): void {
    for (const key of this.leaving) {
      const index = this.indices.get(key)!;
      if (Atomics.load(this.values, index) !== 0) continue;
      this.leaving.delete(key);
      this.indices.delete(key);
      this.free.push(index);
    }
  }

  /** A thread joins. `owner` names it, e.g. `worker_0`; the main thread may join as well. */
  join(owner: string): SharedNumbersData {
    if (this.shares.has(owner)) throw new Error(`${owner} has joined already`);
    const share = new SharedArrayBuffer(this.totals.byteLength);
    this.shares.set(owner, new Int32Array(share));
    return { totals: this.totals, share };
  }

  /** A thread has ended: whatever it still held is taken out of the totals. */
  leave(owner: string): void {
    const share = this.shares.get(owner);
    if (share === undefined) return;
    this.shares.delete(owner);
    for (let i = 0; i < this.next; i++) {
      if (share[i] === 0) continue;
      Atomics.sub(this.values, i, share[i] >> 1);
      this.countedBefore.add(i);
    }
  }

  /** Some thread has counted on the key's index, whatever the number is now. */
  isUsed(key: string): boolean {
    const index = this.indices.get(key);
    if (index === undefined) return false;
    if (this.countedBefore.has(index)) return true;
    for (const share of this.shares.values()) if (share[index] !== 0) return true;
    return false;
  }

  /** For stats and the admin: the current number, 0 for an unknown key. */
  load(key: string): number {
    const index = this.indices.get(key);
    return index === undefined ? 0 : Atomics.load(this.values, index);
  }
}
