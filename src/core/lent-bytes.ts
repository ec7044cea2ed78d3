/**
 * Memory that `net/` will read into again, if everything in it is done with by the time the event has been handled.
 *
 * Large reads would otherwise cost an allocation of 64 KiB each, more than the copying. Whoever is done with bytes of
 * a chunk (a decoder that has read them, a socket that the kernel has taken them from) settles them; what is not
 * settled at the end is taken to be kept by somebody, and the memory is his. So forgetting to settle costs speed, never
 * correctness. Whoever passes a chunk on **and** keeps it must say `keep`.
 */
class LentBytes {
  private memory: ArrayBufferLike | null;
  private settled: number;
  /** The loans that the present one lies in, their settled sizes in turn. */
  private readonly outer: (ArrayBufferLike | null | number)[];

  constructor() {
    this.memory = null;
    this.settled = 0;
    this.outer = [];
  }

  /** Chunks of the event that begins lie in `memory`. */
  lend(memory: Uint8Array): void {
    this.memory = memory.buffer;
    this.settled = 0;
  }

  isLent(chunk: Uint8Array): boolean {
    return this.memory !== null && chunk.buffer === this.memory;
  }

  /** `size` bytes of `chunk` are done with. */
  settle(chunk: Uint8Array, size: number): void {
    if (this.memory !== null && chunk.buffer === this.memory) this.settled += size;
  }

  /** Somebody holds on to `chunk` beyond the event. */
  keep(chunk: Uint8Array): void {
    if (this.memory !== null && chunk.buffer === this.memory) this.memory = null;
  }

  /** Ends the loan of `size` bytes. True: the memory is free again. */
  end(size: number): boolean {
    const isFree = this.memory !== null && this.settled === size;
    this.memory = null;
    return isFree;
  }

  /** A loan inside another: decrypted bytes while encrypted ones, which are settled by then, are being read. */
  lendInside(memory: Uint8Array): void {
    this.outer.push(this.memory, this.settled);
    this.lend(memory);
  }

  /** Ends what `lendInside` began. True: the memory is free again. */
  endInside(size: number): boolean {
    const isFree = this.end(size);
    this.settled = this.outer.pop() as number;
    this.memory = this.outer.pop() as ArrayBufferLike | null;
    return isFree;
  }
}

/** One per thread: events do not nest, but for layers of encryption. */
export const lentBytes = new LentBytes();
