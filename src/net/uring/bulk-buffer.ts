import { RecycledMemory, type Memory } from '../recycled-memory.ts';
import { openLibc, type Libc } from './libc.ts';

/** What one read in bulk takes at most: docs/decisions/0004-one-read-buffer.md. */
const bulkBytes = 256 * 1024;

/** MSG_DONTWAIT. */
const dontWait = 0x40;
const Errno = { Again: 11, Interrupted: 4 } as const;

/**
 * The memory that all connections of a thread read bulk into, one after the other, so that it stays in the processor's
 * cache between being read into and being sent from. Where a socket or a window does not take all of a read, the next one
 * goes into what came back last.
 */
export class BulkBuffer {
  /** What the next read goes into. */
  memory: Memory;
  private readonly libc: Libc;
  private readonly recycled: RecycledMemory;

  constructor() {
    this.libc = openLibc();
    this.recycled = new RecycledMemory(bulkBytes, (bytes) => this.libc.addressOf(bytes));
    this.memory = this.recycled.take();
  }

  /** Reads what is there: how much; 0: the peer has ended; -EAGAIN: nothing; another negative errno: broken. */
  read(fd: number): number {
    const size = this.libc.recv(fd, this.memory.address, bulkBytesBig, dontWait);
    if (size >= 0) return size;
    const errno = this.libc.errno();
    return errno === Errno.Interrupted ? nothingToRead : -errno;
  }

  /** Somebody keeps what was read, for now or for good: the next read goes elsewhere. */
  replace(): void {
    this.memory = this.recycled.take();
  }
}

const bulkBytesBig = BigInt(bulkBytes);

export const nothingToRead = -Errno.Again;
