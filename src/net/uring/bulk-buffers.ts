import { openLibc, type Libc } from './libc.ts';
import { highHalf, lowHalf } from './native-memory.ts';

/** What one read of a connection in bulk takes at most: docs/decisions/0004-one-read-buffer.md. */
const bulkBytes = 256 * 1024;

/** Connections that may be in bulk at once: 32 MiB a thread, of which the pages are real that were ever read into. */
const ownersMax = 128;

/** Buffers that are kept for the next connection in bulk; beyond, they are left to the collector. */
const freeMax = 16;

/** Memory of one connection that carries bulk. */
export interface BulkBuffer {
  readonly bytes: Buffer;
  readonly low: number;
  readonly high: number;
}

export class BulkBuffers {
  private readonly libc: Libc;
  private readonly free: BulkBuffer[];
  private owners: number;

  constructor() {
    this.libc = openLibc();
    this.free = [];
    this.owners = 0;
  }

  /** Null: too many have one. */
  take(): BulkBuffer | null {
    if (this.owners === ownersMax) return null;
    this.owners++;
    return this.another();
  }

  /** For one that somebody has kept bytes in. */
  another(): BulkBuffer {
    const free = this.free.pop();
    if (free !== undefined) return free;
    const bytes = Buffer.allocUnsafeSlow(bulkBytes);
    const address = this.libc.addressOf(bytes);
    return { bytes, low: lowHalf(address), high: highHalf(address) };
  }

  giveBack(buffer: BulkBuffer): void {
    this.owners--;
    if (this.free.length < freeMax) this.free.push(buffer);
  }
}
