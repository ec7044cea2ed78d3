import { openLibc, type Libc } from './libc.ts';
import { highHalf, lowHalf, NativeMemory } from './native-memory.ts';

/** IOV_MAX is 1024; nothing gathers nearly as many pieces in one turn. */
const piecesMax = 64;

/** struct msghdr at 0, its iovec array behind it. */
const vectorAt = 64;

export const MessageFlag = { DontWait: 0x40, WaitAll: 0x100, NoSignal: 0x4000 } as const;

/** Sends several pieces of memory at once, now: sendmsg(2) without waiting. */
export class MessageWriter {
  private readonly libc: Libc;
  private readonly memory: NativeMemory;

  constructor() {
    this.libc = openLibc();
    this.memory = new NativeMemory(4096);
    const vector = this.memory.addressOf(vectorAt);
    this.memory.u32[4] = lowHalf(vector);
    this.memory.u32[5] = highHalf(vector);
  }

  /** How many bytes the kernel took of the first pieces; 0: none, or the connection is broken, which a read will tell. */
  send(fd: number, pieces: readonly Uint8Array[]): number {
    const { u32 } = this.memory;
    const count = Math.min(pieces.length, piecesMax);
    let at = vectorAt >> 2;
    for (let i = 0; i < count; i++) {
      const piece = pieces[i];
      const address = this.libc.addressOf(piece);
      u32[at] = lowHalf(address);
      u32[at + 1] = highHalf(address);
      u32[at + 2] = piece.length;
      u32[at + 3] = 0;
      at += 4;
    }
    u32[6] = count;
    const taken = this.libc.sendmsg(fd, this.memory.address, MessageFlag.DontWait | MessageFlag.NoSignal);
    return taken < 0 ? 0 : taken;
  }
}
