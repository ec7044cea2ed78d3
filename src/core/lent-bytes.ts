/** Memory that somebody has held on to beyond the event, and who wants it back. */
export interface Lender {
  /** The last of it is settled: nobody looks at it any more. */
  giveBack(): void;
}

/** A loan that has outlived its event. */
interface LateLoan {
  readonly lender: Lender;
  /** Bytes that are not settled yet. */
  left: number;
}

/**
 * Memory that `net/` will read into again, as soon as everything in it is done with: mostly by the time the event has
 * been handled, else when what waits (in a socket's or a stream's queue) has left.
 *
 * Large reads would otherwise cost an allocation of 64 KiB each, more than the copying. Whoever is done with bytes of
 * a chunk (a decoder that has read them, a socket that the kernel has taken them from) settles them, in the event or
 * later. What is never settled is kept by somebody, and the memory is his. So forgetting to settle costs speed, never
 * correctness. Whoever passes a chunk on **and** keeps it must say `keep`.
 */
class LentBytes {
  private memory: ArrayBufferLike | null;
  private lender: Lender | null;
  private settled: number;
  /** The loans that the present one lies in: memory, lender and settled size of each. */
  private readonly outer: (ArrayBufferLike | Lender | null | number)[];
  /** What is settled later, by its memory; what never is goes with its last reader. */
  private readonly late: WeakMap<ArrayBufferLike, LateLoan>;
  private lateCount: number;

  constructor() {
    this.memory = null;
    this.lender = null;
    this.settled = 0;
    this.outer = [];
    this.late = new WeakMap();
    this.lateCount = 0;
  }

  /** Chunks of the event that begins lie in `memory`. `lender`: is told later; null: who keeps it has it for good. */
  lend(memory: Uint8Array, lender: Lender | null = null): void {
    this.memory = memory.buffer;
    this.lender = lender;
    this.settled = 0;
  }

  /** In this event's memory, which the next one may read into. */
  isLent(chunk: Uint8Array): boolean {
    return this.memory !== null && chunk.buffer === this.memory;
  }

  /** Somebody waits for `chunk` to be settled. */
  isAwaited(chunk: Uint8Array): boolean {
    return this.isLent(chunk) || (this.lateCount > 0 && this.late.has(chunk.buffer));
  }

  /** `size` bytes of `chunk` are done with. */
  settle(chunk: Uint8Array, size: number): void {
    if (this.memory !== null && chunk.buffer === this.memory) this.settled += size;
    else if (this.lateCount > 0) this.settleLate(chunk.buffer, size);
  }

  /** Somebody holds on to `chunk`, who will not settle it or has passed it on as well. */
  keep(chunk: Uint8Array): void {
    if (this.memory !== null && chunk.buffer === this.memory) this.clear();
    else if (this.lateCount > 0 && this.late.delete(chunk.buffer)) this.lateCount--;
  }

  /** Ends the loan of `size` bytes. True: the memory is free again. False: it is not, but its lender may get it back. */
  end(size: number): boolean {
    const { memory, lender, settled } = this;
    this.clear();
    if (memory === null) return false;
    if (settled === size) return true;
    if (lender !== null && settled < size) {
      this.late.set(memory, { lender, left: size - settled });
      this.lateCount++;
    }
    return false;
  }

  /** A loan inside another: decrypted bytes while encrypted ones, which are settled by then, are being read. */
  lendInside(memory: Uint8Array, lender: Lender): void {
    this.outer.push(this.memory, this.lender, this.settled);
    this.lend(memory, lender);
  }

  /** Ends what `lendInside` began. As `end`. */
  endInside(size: number): boolean {
    const isFree = this.end(size);
    this.settled = this.outer.pop() as number;
    this.lender = this.outer.pop() as Lender | null;
    this.memory = this.outer.pop() as ArrayBufferLike | null;
    return isFree;
  }

  private clear(): void {
    this.memory = null;
    this.lender = null;
  }

  private settleLate(buffer: ArrayBufferLike, size: number): void {
    const loan = this.late.get(buffer);
    if (loan === undefined) return;
    loan.left -= size;
    if (loan.left > 0) return;
    this.late.delete(buffer);
    this.lateCount--;
    if (loan.left === 0) loan.lender.giveBack();
  }
}

/** One per thread: events do not nest, but for layers of encryption. */
export const lentBytes = new LentBytes();
