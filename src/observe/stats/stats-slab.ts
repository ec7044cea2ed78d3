import type { StatTags } from './stats.ts';

/** What a cell of shared memory holds. */
export const StatKind = { Counter: 0, GaugeSum: 1, GaugeMax: 2, Histogram: 3 } as const;
export type StatKind = (typeof StatKind)[keyof typeof StatKind];

/** 64 KiB of address space; the kernel gives a page when it is first written. */
const SLAB_CELLS = 8192;

/** New names of one scope and where their cells are. Index i of every array is one stat. */
export interface ScopeRegistrations {
  readonly prefix: string;
  readonly names: string[];
  readonly kinds: StatKind[];
  /** Number of the slab within its owner; -1: a histogram that has recorded nothing yet. */
  readonly slabs: number[];
  readonly cells: number[];
  /** Which part of a histogram (`histogram-bins.ts`); 0 for other kinds. */
  readonly parts: number[];
  /** Those whose tags stand apart, ascending by `at`, their index; absent: none. */
  readonly tagged?: TaggedRegistration[];
}

/** `name`: the last part of a name without its tags. */
interface TaggedRegistration {
  readonly at: number;
  readonly name: string;
  readonly tags: StatTags;
}

/** What a thread tells the main thread of its stats: structured-clone-able, and sent at most once per tick. */
export interface StatsBatch {
  /** Slabs that were not announced before, in their order. */
  readonly slabs: SharedArrayBuffer[];
  readonly scopes: ScopeRegistrations[];
  /** Whole names of stats that this thread has forgotten, before any of `scopes`; absent: none. */
  readonly removed?: string[];
}

/** Carries a batch to the main thread's store; `postMessage` in a worker. */
export type StatsPublisher = (batch: StatsBatch) => void;

/** Cells in a row, inside one slab. */
export interface Cells {
  readonly values: Float64Array;
  readonly start: number;
  readonly slab: number;
}

/**
 * The shared memory that one thread writes: plain stores by one writer, read by the main thread. Doubles are aligned,
 * so that a reader on a 64-bit machine sees the old or the new number, never half of each.
 * A cell starts as -0 and is +0 once it was written and fell back: that tells `usedonly` apart at no cost.
 */
export class StatsSlabs {
  /** Made since they were last taken by `takeNew`. */
  private fresh: SharedArrayBuffer[];
  private current: Float64Array;
  private used: number;
  private count: number;
  /** Given back, by how many there are in a row. */
  private readonly free: Map<number, Cells[]>;

  constructor() {
    this.free = new Map();
    this.fresh = [];
    this.current = new Float64Array(0);
    this.used = 0;
    this.count = 0;
  }

  /** All zeros. */
  allot(cells: number): Cells {
    const again = this.free.get(cells)?.pop();
    if (again !== undefined) {
      again.values.fill(0, again.start, again.start + cells);
      return again;
    }
    if (this.used + cells > this.current.length) {
      const buffer = new SharedArrayBuffer(SLAB_CELLS * Float64Array.BYTES_PER_ELEMENT);
      this.fresh.push(buffer);
      this.current = new Float64Array(buffer);
      this.used = 0;
      this.count++;
    }
    const start = this.used;
    this.used += cells;
    return { values: this.current, start, slab: this.count - 1 };
  }

  /** Nobody writes to them any more. */
  release(cells: Cells, count: number): void {
    const list = this.free.get(count);
    if (list === undefined) this.free.set(count, [cells]);
    else list.push(cells);
  }

  /** The slabs made since the last call. */
  takeNew(): SharedArrayBuffer[] {
    const taken = this.fresh;
    this.fresh = [];
    return taken;
  }
}
