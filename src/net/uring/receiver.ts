import { lentBytes } from '../../core/lent-bytes.ts';
import type { BulkBuffer } from './bulk-buffers.ts';
import { receiveBufferBytes, receiveGroup } from './receive-buffers.ts';
import { bufferShift, CompletionFlag, EntryFlag, Op } from './ring.ts';
import { Ask, type UringConnection } from './uring-connection.ts';

/** Reads up to this size are copied out of the kernel's choice of memory; who keeps more holds 8 KiB for at least 2. */
const copiedBytesMax = 2048;

/** After so many small reads in a row a connection is no longer in bulk, and gives its buffer back. */
const smallReadsMax = 8;

const receiveMultishot = 1 << 1;
const Errno = { Cancelled: -125, NoBuffers: -105 } as const;
const cancelAll = 1;
const receiveFlags = (EntryFlag.BufferSelect << 8) | (receiveMultishot << 16);

/**
 * What a connection's reading has asked of the kernel:
 *
 *     Idle → Many → Cancelling → Idle      whatever comes, into memory of the kernel's choice
 *     Idle → Once → Idle                   one large read, into the connection's own memory
 */
const State = { Idle: 0, Many: 1, Cancelling: 2, Once: 3 } as const;
type State = (typeof State)[keyof typeof State];

/** The reading half of a connection. */
export class Receiver {
  private readonly connection: UringConnection;
  private state: State;
  /** The connection's own memory, while it carries bulk. */
  private bulk: BulkBuffer | null;
  private smallReads: number;
  /** What came while the connection was paused, or before it had a sink. */
  private held: Uint8Array[];
  /** The stream's end (0) or an error (negative) that waits behind it; 1: none. */
  private heldEnd: number;
  private hasEnded: boolean;

  constructor(connection: UringConnection) {
    this.connection = connection;
    this.state = State.Idle;
    this.bulk = null;
    this.smallReads = 0;
    this.held = none;
    this.heldEnd = 1;
    this.hasEnded = false;
  }

  /** The kernel may still complete something. */
  get isAsked(): boolean {
    return this.state !== State.Idle;
  }

  /** Bytes may be given to the sink from now on. */
  start(): void {
    if (this.held.length > 0 || this.heldEnd !== 1) this.connection.postpone();
    else this.ask();
  }

  onCompletion(what: number, result: number, flags: number): void {
    if (what === Ask.ReceiveBulk) {
      this.state = State.Idle;
      this.onBulk(result);
    } else {
      if ((flags & CompletionFlag.More) === 0) this.state = State.Idle;
      if (result > 0) this.onBuffer(flags >>> bufferShift, result);
      else this.onEnd(result);
    }
    if (this.state === State.Idle && this.connection.isReading && this.held.length === 0) this.ask();
  }

  /** What was held goes to the sink, as long as that wants it. */
  giveHeld(): void {
    const { connection } = this;
    while (this.held.length > 0 && connection.isReading) connection.receive(this.held.shift()!);
    if (!connection.isReading || this.held.length > 0) return;
    if (this.heldEnd !== 1) {
      const result = this.heldEnd;
      this.heldEnd = 1;
      this.onEnd(result);
    }
    if (connection.isReading) this.ask();
  }

  /** The connection is gone. */
  close(): void {
    this.held = none;
    // While the kernel may write into it, it is not free.
    if (this.state !== State.Once) this.giveBulkBack();
  }

  private ask(): void {
    if (this.state !== State.Idle || this.hasEnded) return;
    const { thread, fd, slot } = this.connection;
    if (this.bulk !== null) {
      this.state = State.Once;
      const { low, high, bytes } = this.bulk;
      thread.ring.request(Op.Recv, fd, 0, low, high, bytes.length, 0, slot, Ask.ReceiveBulk);
      return;
    }
    this.state = State.Many;
    thread.ring.request(Op.Recv, fd, receiveFlags, 0, 0, 0, 0, slot, Ask.Receive);
    thread.ring.setBufferGroup(receiveGroup);
  }

  private cancel(): void {
    if (this.state !== State.Many) return;
    this.state = State.Cancelling;
    const { thread, slot } = this.connection;
    thread.ring.request(Op.AsyncCancel, -1, 0, slot, Ask.Receive, 0, cancelAll, 0, 0);
  }

  private onBuffer(id: number, size: number): void {
    const { connection } = this;
    const { buffers } = connection.thread;
    const buffer = buffers.take(id);
    if (!connection.isReading || this.held.length > 0) {
      if (!connection.isDestroyed) this.hold(Buffer.from(buffer.subarray(0, size)));
      buffers.giveBack(id);
      return;
    }
    if (size <= copiedBytesMax) {
      const chunk = Buffer.allocUnsafe(size);
      buffer.copy(chunk, 0, 0, size);
      buffers.giveBack(id);
      connection.receive(chunk);
      return;
    }
    lentBytes.lend(buffer);
    connection.receive(size === receiveBufferBytes ? buffer : buffer.subarray(0, size));
    if (lentBytes.end(size)) buffers.giveBack(id);
    else buffers.replace(id);
    if (size === receiveBufferBytes && this.bulk === null && !connection.isDestroyed) {
      this.bulk = connection.thread.bulk.take();
      if (this.bulk !== null) this.cancel();
    }
  }

  private onBulk(size: number): void {
    const { connection } = this;
    const { bulk } = this;
    if (bulk === null || connection.isDestroyed) {
      this.giveBulkBack();
      return;
    }
    if (size <= 0) {
      this.onEnd(size);
      return;
    }
    if (!connection.isReading || this.held.length > 0) {
      this.hold(Buffer.from(bulk.bytes.subarray(0, size)));
      return;
    }
    lentBytes.lend(bulk.bytes);
    connection.receive(bulk.bytes.subarray(0, size));
    if (!lentBytes.end(size)) this.bulk = connection.thread.bulk.another();
    if (size > copiedBytesMax) this.smallReads = 0;
    else if (++this.smallReads === smallReadsMax) {
      this.smallReads = 0;
      this.giveBulkBack();
    }
  }

  /** `result`: 0 the peer's end, else what went wrong. */
  private onEnd(result: number): void {
    const { connection } = this;
    if (result === Errno.Cancelled || result === Errno.NoBuffers || connection.isDestroyed || this.hasEnded) return;
    if (!connection.isReading || this.held.length > 0) {
      this.heldEnd = result;
      return;
    }
    this.hasEnded = true;
    if (result === 0) connection.onPeerEnd();
    else connection.onBroken(result);
  }

  private hold(chunk: Uint8Array): void {
    if (this.held === none) this.held = [];
    this.held.push(chunk);
    this.cancel();
  }

  private giveBulkBack(): void {
    if (this.bulk === null) return;
    this.connection.thread.bulk.giveBack(this.bulk);
    this.bulk = null;
  }
}

/** Most connections never hold anything. */
const none: Uint8Array[] = [];
