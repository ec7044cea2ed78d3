import { openLibc, type Libc } from './libc.ts';
import { highHalf, lowHalf, NativeMemory } from './native-memory.ts';
import type { Ring } from './ring.ts';

/** IORING_REGISTER_PBUF_RING. */
const registerBuffers = 22;

/** Envoy reads 16 KiB at a time; what fills one of these is bulk and goes another way. */
export const receiveBufferBytes = 8 * 1024;

/** 4 MiB a thread at most. A power of two. */
const buffersMax = 512;

/** The kernel fills them in turn, so the fewer there are, the sooner one comes round and the likelier it is in the cache. */
const buffersAtFirst = 16;

export const receiveGroup = 1;

/**
 * Memory that the kernel chooses from when bytes arrive, so that a connection that waits holds none.
 * Source: io_uring_register(2), IORING_REGISTER_PBUF_RING.
 */
export class ReceiveBuffers {
  private readonly libc: Libc;
  private readonly ring: NativeMemory;
  private readonly buffers: Buffer[];
  /** Where each buffer is, in halves. */
  private readonly lows: number[];
  private readonly highs: number[];
  private tail: number;
  private readonly turns: Pick<Ring, 'handOvers'>;
  /** What `handOvers` was when there were too few. */
  private grownAt: number;

  constructor(ring: Ring) {
    this.libc = openLibc();
    this.ring = new NativeMemory(buffersMax * 16);
    this.buffers = [];
    this.lows = [];
    this.highs = [];
    this.tail = 0;
    this.turns = ring;
    this.grownAt = -1;
    const registration = new NativeMemory(4096);
    registration.u32[0] = lowHalf(this.ring.address);
    registration.u32[1] = highHalf(this.ring.address);
    registration.u32[2] = buffersMax;
    registration.u16[6] = receiveGroup;
    ring.register(registerBuffers, registration.address, 1);
    this.add(buffersAtFirst);
  }

  /** The kernel has run out of them, which every connection hears that something had come for: twice as many. */
  grow(): void {
    if (this.turns.handOvers === this.grownAt) return;
    this.grownAt = this.turns.handOvers;
    this.add(Math.min(this.buffers.length, buffersMax - this.buffers.length));
  }

  /** What the kernel has filled. */
  take(id: number): Buffer {
    return this.buffers[id];
  }

  /** Nobody looks at its bytes any more: the kernel may fill it again. */
  giveBack(id: number): void {
    const at = (this.tail & (buffersMax - 1)) << 2;
    const { u32, u16 } = this.ring;
    u32[at] = this.lows[id];
    u32[at + 1] = this.highs[id];
    u32[at + 2] = receiveBufferBytes;
    u16[(at << 1) + 6] = id;
    this.tail = (this.tail + 1) & 0xffff;
    // The ring's tail lies in the first entry's last bytes.
    u16[7] = this.tail;
  }

  /** Somebody keeps its bytes: other memory takes its place. */
  replace(id: number): void {
    const buffer = Buffer.allocUnsafeSlow(receiveBufferBytes);
    const address = this.libc.addressOf(buffer);
    this.buffers[id] = buffer;
    this.lows[id] = lowHalf(address);
    this.highs[id] = highHalf(address);
    this.giveBack(id);
  }

  private add(count: number): void {
    for (let i = 0; i < count; i++) this.replace(this.buffers.length);
  }
}
