import { lentBytes } from '../../core/lent-bytes.ts';
import { nothingToRead } from './bulk-buffer.ts';
import { receiveBufferBytes, receiveGroup } from './receive-buffers.ts';
import { bufferShift, CompletionFlag, EntryFlag, Op } from './ring.ts';
import { Ask } from './ask.ts';
import type { UringThread } from './uring-thread.ts';

/** Reads up to this size are copied out of the kernel's choice of memory; who keeps more holds 8 KiB for at least 2. */
const copiedBytesMax = 2048;

/** After so many small reads in a row a connection is no longer in bulk. */
const smallReadsMax = 8;

const receiveMultishot = 1 << 1;
const receiveFlags = (EntryFlag.BufferSelect << 8) | (receiveMultishot << 16);
const pollMultishot = 1;
/** POLLIN | POLLRDHUP. */
const pollEvents = 0x2001;
/** POLLERR | POLLHUP | POLLRDHUP. */
const endEvents = 0x2018;
const cancelAll = 1;
const Errno = { Cancelled: -125, NoBuffers: -105 } as const;

/**
 * What a connection's reading has asked of the kernel:
 *
 *     Idle → Bytes  → Cancelling → Idle      whatever comes, into memory of the kernel's choice
 *     Idle → Events → Cancelling → Idle      in bulk: to hear when there is something to read
 *
 * Both go on by themselves until cancelled. In bulk one connection is read and passed on after the other, through one
 * buffer; the ring would fill as many as there are connections first, and by then they have left the cache.
 */
const State = { Idle: 0, Bytes: 1, Events: 2, Cancelling: 3 } as const;
type State = (typeof State)[keyof typeof State];

/** No end yet; as in read(2), 0 is the peer's end and what is negative an error. */
const noEnd = 1;

/** Most connections never hold anything. */
const none: Uint8Array[] = [];

/** Whose reading it is. */
export interface Reading {
  readonly fd: number;
  readonly slot: number;
  readonly thread: UringThread;
  /** Bytes may be given now. */
  readonly isReading: boolean;
  readonly isDestroyed: boolean;
  /** Bytes for the sink; lent ones are settled or kept when this returns. */
  receive(chunk: Uint8Array): void;
  /** Calls `giveHeld` after everything that arrived in this turn was read. */
  postpone(): void;
  onPeerEnd(): void;
  /** `errno`: negative. */
  onBroken(errno: number): void;
}

/** The reading half of a connection. */
export class Receiver {
  private readonly connection: Reading;
  private state: State;
  private isBulk: boolean;
  /** In bulk: the kernel may have more than was read. */
  private isReadable: boolean;
  /** In bulk: the end is there too, behind what can be read, and will not be told again. */
  private isEndNear: boolean;
  private smallReads: number;
  /** What came while the connection was paused. */
  private held: Uint8Array[];
  /** The end that waits behind it. */
  private heldEnd: number;
  private hasEnded: boolean;

  constructor(connection: Reading) {
    this.connection = connection;
    this.state = State.Idle;
    this.isBulk = false;
    this.isReadable = false;
    this.isEndNear = false;
    this.smallReads = 0;
    this.held = none;
    this.heldEnd = noEnd;
    this.hasEnded = false;
  }

  /** The kernel may still complete something. */
  get isAsked(): boolean {
    return this.state !== State.Idle;
  }

  /** Bytes may be given to the sink from now on. */
  start(): void {
    if (this.held.length > 0 || this.heldEnd !== noEnd || this.isReadable) this.connection.postpone();
    else this.ask();
  }

  /** Is heard again, before anything else. */
  takeBack(unread: Uint8Array): void {
    if (unread.length > 0) this.held = [unread, ...this.held];
  }

  onCompletion(what: number, result: number, flags: number): void {
    if ((flags & CompletionFlag.More) === 0) this.state = State.Idle;
    if (what === Ask.ReadEvents) this.onEvents(result);
    else if (result > 0) this.onBuffer(flags >>> bufferShift, result);
    else this.onEnd(result);
    if (this.state === State.Idle && this.connection.isReading && this.held.length === 0) this.ask();
  }

  /** What waits goes to the sink, as long as that wants it. */
  giveHeld(): void {
    const { connection } = this;
    while (this.held.length > 0 && connection.isReading) connection.receive(this.held.shift()!);
    if (!connection.isReading || this.held.length > 0) return;
    if (this.heldEnd !== noEnd) {
      const result = this.heldEnd;
      this.heldEnd = noEnd;
      this.onEnd(result);
    } else if (this.isReadable) {
      this.readBulk();
    }
    if (connection.isReading) this.ask();
  }

  /** The connection is gone. */
  close(): void {
    this.held = none;
  }

  private ask(): void {
    if (this.state !== State.Idle || this.hasEnded) return;
    const { thread, fd, slot } = this.connection;
    if (this.isBulk) {
      this.state = State.Events;
      thread.ring.request(Op.PollAdd, fd, 0, 0, 0, pollMultishot, pollEvents, slot, Ask.ReadEvents);
      return;
    }
    this.state = State.Bytes;
    thread.ring.request(Op.Recv, fd, receiveFlags, 0, 0, 0, 0, slot, Ask.Read);
    thread.ring.setBufferGroup(receiveGroup);
  }

  private cancel(): void {
    if (this.state !== State.Bytes && this.state !== State.Events) return;
    const what = this.state === State.Bytes ? Ask.Read : Ask.ReadEvents;
    this.state = State.Cancelling;
    const { thread, slot } = this.connection;
    thread.ring.request(Op.AsyncCancel, -1, 0, slot, what, 0, cancelAll, 0, 0);
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
    if (size === receiveBufferBytes && !connection.isDestroyed) {
      this.isBulk = true;
      this.cancel();
    }
  }

  private onEvents(result: number): void {
    if (result < 0) return;
    this.isReadable = true;
    if ((result & endEvents) !== 0) this.isEndNear = true;
    if (this.connection.isReading) this.readBulk();
  }

  private readBulk(): void {
    const { connection } = this;
    const { bulk } = connection.thread;
    const size = bulk.read(connection.fd);
    this.isReadable = false;
    if (size === nothingToRead) return;
    if (size <= 0) {
      this.onEnd(size);
      return;
    }
    const { memory } = bulk;
    const { bytes } = memory;
    lentBytes.lend(bytes, memory);
    connection.receive(bytes.subarray(0, size));
    if (!lentBytes.end(size)) bulk.replace();
    if (connection.isDestroyed) return;
    if (size === bytes.length || this.isEndNear) {
      // There may be more; the others come first.
      this.isReadable = true;
      if (connection.isReading) connection.postpone();
    } else if (size > copiedBytesMax) {
      this.smallReads = 0;
    } else if (++this.smallReads >= smallReadsMax && this.state === State.Events) {
      this.smallReads = 0;
      this.isBulk = false;
      this.cancel();
    }
  }

  /** `result`: 0 the peer's end, else what went wrong. */
  private onEnd(result: number): void {
    const { connection } = this;
    if (result === Errno.NoBuffers) connection.thread.buffers.grow();
    if (result === Errno.Cancelled || result === Errno.NoBuffers || connection.isDestroyed || this.hasEnded) return;
    if (!connection.isReading || this.held.length > 0) {
      this.heldEnd = result;
      return;
    }
    this.hasEnded = true;
    // A poll would go on to say that the end is there.
    this.cancel();
    if (result === 0) connection.onPeerEnd();
    else connection.onBroken(result);
  }

  private hold(chunk: Uint8Array): void {
    if (this.held === none) this.held = [];
    this.held.push(chunk);
    this.cancel();
  }
}
