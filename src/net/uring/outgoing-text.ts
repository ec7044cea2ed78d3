import { highHalf, lowHalf, NativeMemory } from './native-memory.ts';
import type { Ring } from './ring.ts';

/** A response head with a small body fits; larger things go out by themselves. */
export const outgoingTextMax = 4096;

/** What one turn sends that way at most, of which the pages are real that were ever used. */
const memoryBytes = 1024 * 1024;

/** Node has it on every Buffer; its types do not. */
interface Latin1Writer {
  latin1Write(text: string, offset: number, length: number): number;
}

/**
 * Memory that small messages leave from, one behind the other. The kernel takes them while they are handed over, or
 * refuses; so a turn begins at the start again, where the memory is still in the cache.
 */
export class OutgoingText {
  readonly high: number;
  private readonly ring: Ring;
  private readonly low: number;
  private readonly bytes: Buffer & Latin1Writer;
  private used: number;
  private handOvers: number;

  constructor(ring: Ring) {
    // Twice as much as is used, so that an address within never carries into the upper half.
    const memory = new NativeMemory(2 * memoryBytes);
    const offset = memoryBytes - (lowHalf(memory.address) % memoryBytes);
    this.ring = ring;
    this.low = lowHalf(memory.addressOf(offset));
    this.high = highHalf(memory.addressOf(offset));
    this.bytes = memory.bytes.subarray(offset, offset + memoryBytes) as Buffer & Latin1Writer;
    this.used = 0;
    this.handOvers = 0;
  }

  /** `tail`: what stands behind the text. Where it was written, as the lower half of its address; -1: there is no room. */
  write(text: string, tail: Uint8Array | null): number {
    const { ring, used } = this;
    const textSize = text.length;
    const size = tail === null ? textSize : textSize + tail.length;
    const from = ring.handOvers === this.handOvers ? used : 0;
    if (size > outgoingTextMax || from + size > memoryBytes) return -1;
    this.handOvers = ring.handOvers;
    if (textSize > 0) this.bytes.latin1Write(text, from, textSize);
    if (tail !== null) this.bytes.set(tail, from + textSize);
    this.used = from + size;
    return this.low + from;
  }

  /** What is left of `size` bytes at `address` when `taken` of them are gone. */
  copyRest(address: number, size: number, taken: number): Uint8Array {
    const from = address - this.low;
    return Buffer.from(this.bytes.subarray(from + taken, from + size));
  }
}
