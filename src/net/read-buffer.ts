import { Socket } from 'node:net';

/**
 * One buffer into which the kernel's bytes of every connection of a thread are read.
 *
 * Node offers this for sockets that we open (`onread`), and not for those we accept, although the mechanism is the
 * same. Without it each read costs an allocation of 64 KiB, its shrinking, and a trip through the Readable machinery:
 * 1.7 of 3.1 µs user time measured per request. So the three properties that `onread` sets are looked up by their
 * names on a probe; where a future Node no longer has them, `adopt` says no and the caller uses 'data' events.
 */
export class ReadBuffer {
  readonly bytes: Buffer;
  private readonly kBuffer: symbol | null;
  private readonly kCallback: symbol | null;
  private readonly kGenerator: symbol | null;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
    const probe = new Socket({ onread: { buffer: this.bytes, callback: () => true } });
    const symbols = Object.getOwnPropertySymbols(probe);
    const find = (name: string): symbol | null => symbols.find((symbol) => symbol.description === name) ?? null;
    this.kBuffer = find('kBuffer');
    this.kCallback = find('kBufferCb');
    this.kGenerator = find('kBufferGen');
    probe.destroy();
  }

  /** Makes an accepted socket read into this buffer; `callback` runs with `this` being the socket. */
  adopt(socket: Socket, callback: (this: Socket, size: number) => boolean): boolean {
    const handle = (socket as unknown as { _handle?: { useUserBuffer?(buffer: Uint8Array): void } | null })._handle;
    const { kBuffer, kCallback, kGenerator } = this;
    if (kBuffer === null || kCallback === null || kGenerator === null) return false;
    if (typeof handle?.useUserBuffer !== 'function') return false;
    const slots = socket as unknown as Record<symbol, unknown>;
    slots[kBuffer] = this.bytes;
    slots[kCallback] = callback;
    slots[kGenerator] = null;
    handle.useUserBuffer(this.bytes);
    return true;
  }
}
