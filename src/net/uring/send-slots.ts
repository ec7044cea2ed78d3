import { highHalf, lowHalf, NativeMemory } from './native-memory.ts';

/** A response head with a small body fits; larger things go out by themselves. */
export const sendSlotBytes = 4096;

/** 4 MiB a thread, of which the pages are real that were ever used. */
const slotsCount = 1024;

/** Node has it on every Buffer; its types do not. */
interface Latin1Writer {
  latin1Write(text: string, offset: number, length: number): number;
}

/** Memory for small messages on their way to the kernel. The slot freed last is used first: it is in the cache. */
export class SendSlots {
  readonly bytes: Buffer & Latin1Writer;
  private readonly memory: NativeMemory;
  private readonly free: number[];
  private readonly lows: number[];
  private readonly highs: number[];

  constructor() {
    this.memory = new NativeMemory(slotsCount * sendSlotBytes);
    this.bytes = this.memory.bytes as Buffer & Latin1Writer;
    this.free = [];
    this.lows = [];
    this.highs = [];
    for (let slot = slotsCount - 1; slot >= 0; slot--) this.free.push(slot);
    for (let slot = 0; slot < slotsCount; slot++) {
      const address = this.memory.addressOf(slot * sendSlotBytes);
      this.lows.push(lowHalf(address));
      this.highs.push(highHalf(address));
    }
  }

  /** -1: all are in use. */
  take(): number {
    return this.free.pop() ?? -1;
  }

  giveBack(slot: number): void {
    this.free.push(slot);
  }

  /** Where the slot's bytes begin in `bytes`. */
  offsetOf(slot: number): number {
    return slot * sendSlotBytes;
  }

  lowOf(slot: number): number {
    return this.lows[slot];
  }

  highOf(slot: number): number {
    return this.highs[slot];
  }
}
