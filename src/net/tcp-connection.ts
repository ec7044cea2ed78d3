import type { Socket } from 'node:net';
import { latin1 } from '../core/bytes.ts';
import type { Timed } from '../core/clock.ts';
import type { AcceptedConnection, ConnectionOwner, ConnectionSink } from '../core/connection.ts';
import type { Failure } from '../core/failure.ts';
import { ClosedByPeer, DelayedCloseTimeout } from '../core/failures.ts';
import { lentBytes } from '../core/lent-bytes.ts';
import type { Peer } from '../core/peer.ts';
import { ClosingSink } from './closing-sink.ts';
import { nextConnectionId } from './connection-id.ts';
import type { Flushable, Loop } from './loop.ts';
import type { ReadMemory } from './read-memory.ts';
import { brokenConnection } from './socket-error.ts';

/** A socket that carries its connection, so that listeners can be static functions. */
export interface CarryingSocket extends Socket {
  connection: TcpConnection | undefined;
}

/** Chunks up to this size join the text around them: a copy is cheaper than one more entry in a writev. */
const joinedBytesMax = 4096;

/** Reads up to this size are copied out of the read buffer into Node's pool; larger ones into memory of their own. */
const pooledBytesMax = 4096;

/** A read of this size is bulk: the connection gets a read buffer of its own, which is lent instead of copied. */
const bulkBytesMin = 16 * 1024;

/** After so many small reads in a row a connection is no longer in bulk, and gives its buffer back. */
const smallReadsMax = 8;

/** A TCP or Unix socket. Writes are gathered until the loop's turn ends and leave as one system call. */
export class TcpConnection implements AcceptedConnection, Flushable, Timed {
  readonly id: number;
  peer: Peer;
  readonly socket: Socket;
  readonly openedMs: number;
  owner: ConnectionOwner | null;
  bufferLimit: number;
  bytesRead: number;
  bytesWritten: number;
  deadline: number;
  heapIndex: number;
  heapKey: number;

  private readonly loop: Loop;
  private readonly memory: ReadMemory;
  private sink: ConnectionSink | null;
  /** What the next sink hears first; null: nothing. Nothing is read as long as it waits. */
  private unread: Uint8Array | null;
  /** What the next flush sends: text gathered so far, behind the chunks gathered before it. */
  private text: string;
  private chunks: (Uint8Array | string)[] | null;
  private gatheredBytes: number;
  private isDirty: boolean;
  private isEnding: boolean;
  /** Close both halves when everything is written. */
  private isClosingAfterFlush: boolean;
  /** How long the last bytes may stand still, and how many were left when that was last looked at. */
  private stallMs: number;
  private unsentBytes: number;
  /** Waiting for the peer to close first. */
  private isLingering: boolean;
  private isAboveHighWatermark: boolean;
  private isAwaitingFlush: boolean;
  private hasPeerEnded: boolean;
  private isClosed: boolean;
  private pauses: number;
  private failure: Failure | null;
  private onFlushed: (() => void) | null;
  /** Small reads in a row. */
  private smallReads: number;

  constructor(socket: Socket, peer: Peer, bufferLimit: number, loop: Loop, memory: ReadMemory) {
    this.id = nextConnectionId();
    this.peer = peer;
    this.socket = socket;
    this.openedMs = loop.clock.now;
    this.owner = null;
    this.bufferLimit = bufferLimit;
    this.bytesRead = 0;
    this.bytesWritten = 0;
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.loop = loop;
    this.memory = memory;
    this.sink = null;
    this.unread = null;
    this.text = '';
    this.chunks = null;
    this.gatheredBytes = 0;
    this.isDirty = false;
    this.isEnding = false;
    this.isClosingAfterFlush = false;
    this.stallMs = 0;
    this.unsentBytes = 0;
    this.isLingering = false;
    this.isAboveHighWatermark = false;
    this.isAwaitingFlush = false;
    this.hasPeerEnded = false;
    this.isClosed = false;
    this.pauses = 0;
    this.failure = null;
    this.onFlushed = null;
    this.smallReads = 0;
    (socket as CarryingSocket).connection = this;
    socket.on('end', onSocketEnd);
    socket.on('error', onSocketError);
    socket.on('close', onSocketClose);
  }

  attach(sink: ConnectionSink): void {
    if (this.sink !== null) throw new Error('a connection is attached exactly once');
    this.sink = sink;
    if (this.pauses === 0) this.startReading();
  }

  detach(unread: Uint8Array): void {
    this.sink = null;
    this.bytesRead = 0;
    if (unread.length === 0) return;
    this.unread = unread;
    this.socket.pause();
  }

  get bufferedBytes(): number {
    return this.gatheredBytes + this.socket.writableLength;
  }

  write(chunk: Uint8Array): boolean {
    const size = chunk.length;
    if (size <= joinedBytesMax && this.chunks === null) {
      this.text += latin1(chunk, 0, size);
      lentBytes.settle(chunk, size);
    } else {
      this.gatherText();
      this.chunks!.push(chunk);
      if (lentBytes.isLent(chunk)) this.loop.markUrgent(this);
    }
    return this.gathered(size);
  }

  writeLatin1(text: string): boolean {
    this.text = this.text === '' ? text : this.text + text;
    return this.gathered(text.length);
  }

  end(): void {
    if (this.isEnding || this.isClosed) return;
    this.isEnding = true;
    this.markDirty();
  }

  endAndLinger(lingerMs: number, failure: Failure): void {
    if (this.hasPeerEnded) {
      this.closeAfterFlush(lingerMs, failure);
      return;
    }
    if (this.isClosed) return;
    this.failure ??= failure;
    this.isLingering = true;
    // Bytes of a peer that we no longer listen to are read and dropped, or its FIN would never be seen.
    this.sink = new ClosingSink(this.sink);
    this.pauses = 0;
    this.unread = null;
    this.socket.resume();
    this.loop.timers.schedule(this, this.loop.clock.now + lingerMs);
  }

  closeAfterFlush(stallMs: number, failure: Failure): void {
    if (this.isClosed) return;
    this.failure ??= failure;
    this.isEnding = true;
    this.isClosingAfterFlush = true;
    this.stallMs = stallMs;
    this.unsentBytes = this.bufferedBytes;
    this.loop.timers.schedule(this, this.loop.clock.now + stallMs);
    this.markDirty();
  }

  /** The peer has not closed in time, or takes nothing any more. */
  tick(): void {
    const left = this.bufferedBytes;
    if (this.isClosingAfterFlush && left < this.unsentBytes) {
      this.unsentBytes = left;
      this.loop.timers.schedule(this, this.loop.clock.now + this.stallMs);
      return;
    }
    this.failure = DelayedCloseTimeout;
    this.destroy(DelayedCloseTimeout);
  }

  reset(failure: Failure): void {
    if (this.isClosed) return;
    this.failure ??= failure;
    this.discard();
    this.socket.resetAndDestroy();
  }

  destroy(failure: Failure): void {
    if (this.isClosed) return;
    this.failure ??= failure;
    this.discard();
    this.socket.destroy();
  }

  pause(): void {
    if (this.pauses++ === 0) this.socket.pause();
  }

  resume(): void {
    if (this.pauses > 0 && --this.pauses === 0 && this.sink !== null) this.startReading();
  }

  flush(): void {
    // Sent already: the loop keeps it on its list when it was urgent.
    if (!this.isDirty) return;
    this.isDirty = false;
    if (this.isClosed || this.socket.destroyed) {
      this.discard();
      return;
    }
    const size = this.gatheredBytes;
    if (size > 0) this.send();
    if (this.isClosingAfterFlush) this.socket.destroySoon();
    else if (this.isEnding) this.socket.end();
    if (!this.isAwaitingFlush && this.socket.writableLength > 0) this.awaitFlush();
    else if (this.isAboveHighWatermark && this.socket.writableLength === 0) this.fellBelow();
  }

  /** Bytes may be given to the sink from now on. */
  private startReading(): void {
    if (this.unread === null) this.socket.resume();
    else setImmediate(giveUnread, this);
  }

  /** What a listener has looked at. */
  giveUnread(): void {
    const { unread } = this;
    if (unread === null || this.pauses > 0 || this.isClosed) return;
    this.unread = null;
    this.receive(unread);
    if (this.pauses === 0 && !this.isClosed) this.socket.resume();
  }

  /** The kernel has put `size` bytes into `buffer`. Gives the buffer for the next read; null: the same again. */
  read(size: number, buffer: Buffer): Buffer | null {
    const { memory } = this;
    const isOwn = buffer !== memory.shared;
    if (size <= pooledBytesMax) {
      const chunk = Buffer.allocUnsafe(size);
      buffer.copy(chunk, 0, 0, size);
      this.receive(chunk);
      return isOwn && ++this.smallReads === smallReadsMax ? this.leaveBulk(buffer) : null;
    }
    this.smallReads = 0;
    if (isOwn) return this.readBulk(size, buffer);
    const chunk = Buffer.allocUnsafeSlow(size);
    buffer.copy(chunk, 0, 0, size);
    this.receive(chunk);
    return size < bulkBytesMin ? null : memory.take();
  }

  private readBulk(size: number, buffer: Buffer): Buffer | null {
    lentBytes.lend(buffer);
    this.receive(size === buffer.length ? buffer : buffer.subarray(0, size));
    // Otherwise somebody keeps the bytes, and with them the memory.
    return lentBytes.end(size) ? null : this.memory.another();
  }

  private leaveBulk(buffer: Buffer): Buffer {
    this.memory.giveBack(buffer);
    return this.memory.shared;
  }

  receive(chunk: Uint8Array): void {
    const loop = this.loop;
    loop.enter();
    this.bytesRead += chunk.length;
    this.sink!.onBytes(chunk);
    loop.leave();
  }

  onPeerEnd(): void {
    this.hasPeerEnded = true;
    this.loop.enter();
    // Who hears of the end may destroy us, and what was written before it came is to be sent.
    this.flush();
    // While the last bytes still wait for a slow reader its FIN changes nothing: both halves close behind them.
    if (!this.isClosingAfterFlush) {
      if ((this.isEnding || this.isLingering) && this.failure !== null) this.destroy(this.failure);
      else this.sink?.onEnd();
    }
    this.loop.leave();
  }

  onError(error: NodeJS.ErrnoException): void {
    this.failure ??= brokenConnection(error);
  }

  onClose(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.loop.enter();
    this.loop.timers.cancel(this);
    this.discard();
    this.memory.reclaim(this.socket);
    this.sink?.onClosed(this.failure ?? ClosedByPeer);
    this.owner?.onConnectionClosed(this);
    this.loop.leave();
  }

  private gathered(size: number): boolean {
    this.gatheredBytes += size;
    this.bytesWritten += size;
    this.markDirty();
    if (this.bufferLimit === 0 || this.isAboveHighWatermark) return !this.isAboveHighWatermark;
    // What was gathered in this entry usually fits the kernel's buffer; only what it refused counts for long.
    if (this.gatheredBytes + this.socket.writableLength <= this.bufferLimit) return true;
    this.isAboveHighWatermark = true;
    return false;
  }

  private markDirty(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    this.loop.markDirty(this);
  }

  private gatherText(): void {
    this.chunks ??= [];
    if (this.text === '') return;
    this.chunks.push(this.text);
    this.text = '';
  }

  private send(): void {
    const socket = this.socket;
    const text = this.text;
    const chunks = this.chunks;
    this.text = '';
    this.chunks = null;
    this.gatheredBytes = 0;
    if (chunks === null) {
      socket.write(text, 'latin1');
      return;
    }
    if (chunks.length === 1 && text === '') {
      socket.write(chunks[0]);
      this.settle(chunks);
      return;
    }
    socket.cork();
    for (const chunk of chunks) {
      if (typeof chunk === 'string') socket.write(chunk, 'latin1');
      else socket.write(chunk);
    }
    if (text !== '') socket.write(text, 'latin1');
    socket.uncork();
    this.settle(chunks);
  }

  /** What the kernel has taken whole may be overwritten. */
  private settle(chunks: readonly (Uint8Array | string)[]): void {
    if (this.socket.writableLength > 0) return;
    for (const chunk of chunks) if (typeof chunk !== 'string') lentBytes.settle(chunk, chunk.length);
  }

  /** The kernel did not take everything: hear when it has. An empty write queues behind the rest and reports. */
  private awaitFlush(): void {
    if (this.isEnding) return;
    this.isAwaitingFlush = true;
    this.onFlushed ??= () => {
      this.isAwaitingFlush = false;
      if (this.isClosed) return;
      if (this.socket.writableLength > 0) {
        this.awaitFlush();
      } else if (this.isAboveHighWatermark && this.gatheredBytes === 0) {
        this.loop.enter();
        this.fellBelow();
        this.loop.leave();
      }
    };
    this.socket.write('', 'latin1', this.onFlushed);
  }

  private fellBelow(): void {
    this.isAboveHighWatermark = false;
    this.sink?.onDrain();
  }

  private discard(): void {
    this.unread = null;
    this.text = '';
    this.chunks = null;
    this.gatheredBytes = 0;
  }
}

function giveUnread(connection: TcpConnection): void {
  connection.giveUnread();
}

function onSocketEnd(this: Socket): void {
  (this as CarryingSocket).connection!.onPeerEnd();
}

function onSocketError(this: Socket, error: NodeJS.ErrnoException): void {
  (this as CarryingSocket).connection!.onError(error);
}

function onSocketClose(this: Socket): void {
  (this as CarryingSocket).connection!.onClose();
}

function onSocketData(this: Socket, chunk: Buffer): void {
  (this as CarryingSocket).connection!.receive(chunk);
}

/** What a thread's `ReadMemory` tells of every read. */
export function onSocketRead(socket: Socket, size: number, buffer: Buffer): Buffer | null {
  return (socket as CarryingSocket).connection!.read(size, buffer);
}

/** Lets an accepted socket read through the thread's memory where Node allows it. */
export function readThrough(socket: Socket, memory: ReadMemory): void {
  if (!memory.adopt(socket)) socket.on('data', onSocketData);
}
