import { openLibc, type Libc } from './libc.ts';

/** What one read in bulk takes at most: docs/decisions/0004-one-read-buffer.md. */
const bulkBytes = 256 * 1024;

/** MSG_DONTWAIT. */
const dontWait = 0x40;
const Errno = { Again: 11, Interrupted: 4 } as const;

/**
 * The memory that all connections of a thread read bulk into, one after the other, so that it stays in the processor's
 * cache between being read into and being sent from.
 */
export class BulkBuffer {
  bytes: Buffer;
  private readonly libc: Libc;
  private address: bigint;

  constructor() {
    this.libc = openLibc();
    this.bytes = Buffer.allocUnsafeSlow(bulkBytes);
    this.address = this.libc.addressOf(this.bytes);
  }

  /** Reads what is there: how much; 0: the peer has ended; -EAGAIN: nothing; another negative errno: broken. */
  read(fd: number): number {
    const size = this.libc.recv(fd, this.address, bulkBytesBig, dontWait);
    if (size >= 0) return size;
    const errno = this.libc.errno();
    return errno === Errno.Interrupted ? nothingToRead : -errno;
  }

  /** Somebody keeps what was read: the next read goes elsewhere. */
  replace(): void {
    this.bytes = Buffer.allocUnsafeSlow(bulkBytes);
    this.address = this.libc.addressOf(this.bytes);
  }
}

const bulkBytesBig = BigInt(bulkBytes);

export const nothingToRead = -Errno.Again;
