import type { Socket } from 'node:net';

/** What one read takes at most; Envoy's is 16 KiB. Fewer reads cost less: docs/decisions/0004-one-read-buffer.md. */
const readBytesMax = 256 * 1024;

/**
 * Connections that may have a buffer of their own at once; beyond, bulk is copied. 32 MiB a thread, of which the pages
 * are real that were ever read into.
 */
const ownBuffersMax = 128;

/** Buffers that are kept for the next connection in bulk; beyond, they are left to the collector. */
const freeBuffersMax = 16;

/** Told of every read; gives the buffer for the next one, or null for the same again. */
export type ReadListener = (socket: Socket, size: number, buffer: Buffer) => Buffer | null;

/**
 * The memory that a thread's sockets read into: one buffer for all of them, and one of its own for a connection that
 * carries bulk.
 *
 * Node offers reading into a caller's buffer for sockets that we open (`onread`), and not for those we accept, although
 * the mechanism is the same; without it each read costs an allocation of 64 KiB, its shrinking, and a trip through the
 * Readable machinery. So the properties that `onread` sets are looked up by their names on a probe; where a Node no
 * longer has them, `adopt` says no and the caller uses 'data' events. See docs/decisions/0004-one-read-buffer.md.
 */
export class ReadMemory {
  readonly shared: Buffer;
  private readonly free: Buffer[];
  private owners: number;
  private readonly kBuffer: symbol | null;
  private readonly kCallback: symbol | null;
  private readonly kGenerator: symbol | null;
  private readonly callback: (this: Socket, size: number, buffer: Buffer) => boolean;
  private readonly generator: () => Buffer | null;

  constructor(listener: ReadListener) {
    this.shared = Buffer.allocUnsafeSlow(readBytesMax);
    this.free = [];
    this.owners = 0;
    // Node calls the generator right after the callback: what one decides the other answers.
    let next: Buffer | null = null;
    this.callback = function (this: Socket, size: number, buffer: Buffer): boolean {
      next = listener(this, size, buffer);
      return true;
    };
    this.generator = () => next;
    const { Socket: NetSocket } = process.getBuiltinModule('node:net');
    const probe = new NetSocket({ onread: { buffer: this.shared, callback: () => true } });
    const symbols = Object.getOwnPropertySymbols(probe);
    const find = (name: string): symbol | null => symbols.find((symbol) => symbol.description === name) ?? null;
    this.kBuffer = find('kBuffer');
    this.kCallback = find('kBufferCb');
    this.kGenerator = find('kBufferGen');
    probe.destroy();
  }

  /** For a socket that we open: Node's own option, with the shared buffer to begin with. */
  get onread(): object {
    return { buffer: this.shared, callback: this.callback };
  }

  /**
   * Lets an opened socket change its buffer; where a Node has no such thing it reads through the shared one for life.
   * Only once it is connected: Node asks the generator for the first buffer too, and that would be another connection's.
   */
  letChange(socket: Socket): void {
    if (this.kGenerator !== null) (socket as unknown as Record<symbol, unknown>)[this.kGenerator] = this.generator;
  }

  /** Makes an accepted socket read into the shared buffer. */
  adopt(socket: Socket): boolean {
    const handle = (socket as unknown as { _handle?: { useUserBuffer?(buffer: Uint8Array): void } | null })._handle;
    const { kBuffer, kCallback, kGenerator } = this;
    if (kBuffer === null || kCallback === null || kGenerator === null) return false;
    if (typeof handle?.useUserBuffer !== 'function') return false;
    const slots = socket as unknown as Record<symbol, unknown>;
    slots[kBuffer] = this.shared;
    slots[kCallback] = this.callback;
    slots[kGenerator] = this.generator;
    handle.useUserBuffer(this.shared);
    return true;
  }

  /** A buffer for one connection alone; null: too many have one. */
  take(): Buffer | null {
    if (this.owners === ownBuffersMax) return null;
    this.owners++;
    return this.another();
  }

  /** For one that somebody has kept bytes in. */
  another(): Buffer {
    return this.free.pop() ?? Buffer.allocUnsafeSlow(readBytesMax);
  }

  giveBack(buffer: Buffer): void {
    this.owners--;
    if (this.free.length < freeBuffersMax) this.free.push(buffer);
  }

  /** The socket has closed: what it would have read into next is free. */
  reclaim(socket: Socket): void {
    if (this.kBuffer === null) return;
    const slots = socket as unknown as Record<symbol, Buffer | null>;
    const buffer = slots[this.kBuffer];
    if (buffer === null || buffer === undefined || buffer === this.shared) return;
    slots[this.kBuffer] = this.shared;
    this.giveBack(buffer);
  }
}
