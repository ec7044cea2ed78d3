import type { Lender } from '../core/lent-bytes.ts';

/** Bytes that are kept for the next use; beyond, they are left to the collector. */
const keptBytesMax = 16 * 1024 * 1024;

/** Memory of one size that is used again when it comes back: at once, or when the last of what it held has left. */
export class RecycledMemory {
  private readonly size: number;
  private readonly addressOf: (bytes: Uint8Array) => bigint;
  private readonly free: Memory[];
  private readonly freeMax: number;

  /** `size` in bytes. `addressOf`: where a buffer's bytes are. */
  constructor(size: number, addressOf: (bytes: Uint8Array) => bigint) {
    this.size = size;
    this.addressOf = addressOf;
    this.free = [];
    this.freeMax = Math.floor(keptBytesMax / size);
  }

  /** `size`: where more is needed than the usual size, which is not used again. */
  take(size = 0): Memory {
    if (size > this.size) return new Memory(null, size, this.addressOf);
    return this.free.pop() ?? new Memory(this, this.size, this.addressOf);
  }

  giveBack(memory: Memory): void {
    if (this.free.length < this.freeMax) this.free.push(memory);
  }
}

/** Memory and where it is: it stays there, for V8 does not move what is outside its heap. */
export class Memory implements Lender {
  readonly bytes: Buffer;
  readonly address: bigint;
  private readonly home: RecycledMemory | null;

  /** `home`: where it goes back to; null: to the collector. */
  constructor(home: RecycledMemory | null, size: number, addressOf: (bytes: Uint8Array) => bigint) {
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.address = addressOf(this.bytes);
    this.home = home;
  }

  giveBack(): void {
    this.home?.giveBack(this);
  }
}
