import { latin1 } from '../../core/bytes.ts';
import type { Timed } from '../../core/clock.ts';
import type { ByteSource, AcceptedConnection, ConnectionOwner, ConnectionSink } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { ClosedByPeer, DelayedCloseTimeout } from '../../core/failures.ts';
import { lentBytes } from '../../core/lent-bytes.ts';
import type { Peer } from '../../core/peer.ts';
import { ClosingSink } from '../closing-sink.ts';
import { nextConnectionId } from '../connection-id.ts';
import type { Flushable } from '../loop.ts';
import { brokenConnection } from '../socket-error.ts';
import { SystemCallError } from './system-call-error.ts';
import { Ask } from './ask.ts';
import { Receiver, type Reading } from './receiver.ts';
import { ifRefused, type RingUser } from './ring.ts';
import { Sender } from './sender.ts';
import type { UringPeer } from './uring-peer.ts';
import type { Postponed } from './uring-turns.ts';
import type { UringThread } from './uring-thread.ts';

/** Chunks up to this size join the text around them: a copy is cheaper than one more piece. */
const joinedBytesMax = 4096;

/** A TCP socket in the thread's ring. Writes are gathered until the turn ends. */
export class UringConnection implements AcceptedConnection, Flushable, Timed, RingUser, Postponed, Reading {
  readonly id: number;
  peer: Peer;
  readonly fd: number;
  readonly slot: number;
  readonly thread: UringThread;
  readonly openedMs: number;
  owner: ConnectionOwner | null;
  bufferLimit: number;
  bytesRead: number;
  bytesWritten: number;
  deadline: number;
  heapIndex: number;
  heapKey: number;

  private readonly socketPeer: UringPeer;
  private readonly receiver: Receiver;
  private readonly sender: Sender;
  private sink: ConnectionSink | null;
  /**
   * What the next flush sends: text gathered so far, behind the chunks gathered before it; and behind the text one small
   * chunk that need not become text, as nearly always nothing follows it.
   */
  private text: string;
  private tail: Uint8Array | null;
  private chunks: (Uint8Array | string)[] | null;
  private gatheredBytes: number;
  /** Who has more to write before the next flush sends. */
  private source: ByteSource | null;
  private isDirty: boolean;
  private isEnding: boolean;
  private isWriteShut: boolean;
  /** Close both halves when everything is written. */
  private isClosingAfterFlush: boolean;
  /** How long the last bytes may stand still, and how many were left when that was last looked at. */
  private stallMs: number;
  private unsentBytes: number;
  /** Waiting for the peer to close first. */
  private isLingering: boolean;
  private isAboveHighWatermark: boolean;
  private hasPeerEnded: boolean;
  /** Given up: the descriptor is closed, or will be with the next turn. */
  isDestroyed: boolean;
  private isClosed: boolean;
  private isPostponed: boolean;
  private isShared: boolean;
  private pauses: number;
  private failure: Failure | null;

  constructor(thread: UringThread, fd: number, peer: UringPeer, bufferLimit: number) {
    this.id = nextConnectionId();
    this.peer = peer;
    this.fd = fd;
    this.thread = thread;
    this.slot = thread.ring.enlist(this);
    this.openedMs = thread.loop.clock.now;
    this.owner = null;
    this.bufferLimit = bufferLimit;
    this.bytesRead = 0;
    this.bytesWritten = 0;
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.socketPeer = peer;
    this.receiver = new Receiver(this);
    this.sender = new Sender(this);
    this.sink = null;
    this.text = '';
    this.tail = null;
    this.chunks = null;
    this.gatheredBytes = 0;
    this.source = null;
    this.isDirty = false;
    this.isEnding = false;
    this.isWriteShut = false;
    this.isClosingAfterFlush = false;
    this.stallMs = 0;
    this.unsentBytes = 0;
    this.isLingering = false;
    this.isAboveHighWatermark = false;
    this.hasPeerEnded = false;
    this.isDestroyed = false;
    this.isClosed = false;
    this.isPostponed = false;
    this.isShared = false;
    this.pauses = 0;
    this.failure = null;
  }

  attach(sink: ConnectionSink): void {
    if (this.sink !== null) throw new Error('a connection is attached exactly once');
    this.sink = sink;
    if (this.pauses === 0) this.receiver.start();
  }

  detach(unread: Uint8Array): void {
    this.sink = null;
    this.bytesRead = 0;
    this.receiver.takeBack(unread);
  }

  get bufferedBytes(): number {
    return this.gatheredBytes + this.sender.unsentBytes;
  }

  /** Whether bytes may be given to the sink now. */
  get isReading(): boolean {
    return this.pauses === 0 && this.sink !== null && !this.isDestroyed;
  }

  write(chunk: Uint8Array): boolean {
    const size = chunk.length;
    if (size <= joinedBytesMax && this.chunks === null) {
      if (this.tail === null && !lentBytes.isAwaited(chunk)) {
        this.tail = chunk;
      } else {
        this.joinTail();
        this.text += latin1(chunk, 0, size);
        lentBytes.settle(chunk, size);
      }
    } else {
      this.gatherText();
      this.chunks!.push(chunk);
      if (lentBytes.isLent(chunk)) this.thread.loop.markUrgent(this);
    }
    return this.gathered(size);
  }

  writeLatin1(text: string): boolean {
    if (this.tail !== null) this.joinTail();
    this.text = this.text === '' ? text : this.text + text;
    return this.gathered(text.length);
  }

  end(): void {
    if (this.isEnding || this.isDestroyed) return;
    this.isEnding = true;
    this.markDirty();
  }

  endAndLinger(lingerMs: number, failure: Failure): void {
    if (this.hasPeerEnded) {
      this.closeAfterFlush(lingerMs, failure);
      return;
    }
    if (this.isDestroyed) return;
    this.failure ??= failure;
    this.isLingering = true;
    // Bytes of a peer that we no longer listen to are read and dropped, or its FIN would never be seen.
    this.sink = new ClosingSink(this.sink);
    this.pauses = 0;
    this.receiver.start();
    this.thread.loop.timers.schedule(this, this.thread.loop.clock.now + lingerMs);
  }

  closeAfterFlush(stallMs: number, failure: Failure): void {
    if (this.isDestroyed) return;
    this.failure ??= failure;
    this.isEnding = true;
    this.isClosingAfterFlush = true;
    this.stallMs = stallMs;
    this.unsentBytes = this.bufferedBytes;
    this.thread.loop.timers.schedule(this, this.thread.loop.clock.now + stallMs);
    this.markDirty();
  }

  /** The peer has not closed in time, or takes nothing any more. */
  tick(): void {
    const left = this.bufferedBytes;
    if (this.isClosingAfterFlush && left < this.unsentBytes) {
      this.unsentBytes = left;
      this.thread.loop.timers.schedule(this, this.thread.loop.clock.now + this.stallMs);
      return;
    }
    this.failure = DelayedCloseTimeout;
    this.destroy(DelayedCloseTimeout);
  }

  reset(failure: Failure): void {
    if (this.isDestroyed) return;
    this.thread.sockets.lingerZero(this.fd);
    this.destroy(failure);
  }

  destroy(failure: Failure): void {
    if (this.isDestroyed) return;
    this.failure ??= failure;
    this.isDestroyed = true;
    this.discard();
    this.thread.closeSocket(this.fd, this.receiver.isAsked || this.sender.isAsked);
    this.postpone();
  }

  flushLater(source: ByteSource): void {
    this.source = source;
    this.markDirty();
  }

  carriesMany(): void {
    this.isShared = true;
  }

  pause(): void {
    this.pauses++;
  }

  resume(): void {
    if (this.pauses > 0 && --this.pauses === 0 && this.sink !== null) this.receiver.start();
  }

  flush(): void {
    // Sent already: the loop keeps it on its list when it was urgent.
    if (!this.isDirty) return;
    const { source } = this;
    if (source !== null) {
      this.source = null;
      if (!this.isDestroyed) source.flush();
    }
    this.isDirty = false;
    if (this.sender.isInDoubt) this.thread.ring.handOver();
    if (this.isDestroyed) {
      this.discard();
      return;
    }
    // The rest of what went before is still under way: it goes on from there.
    if (this.sender.isAsked) return;
    if (this.gatheredBytes > 0) this.sendGathered();
    if (!this.sender.isAsked) this.allSent();
  }

  /** Runs after everything that arrived in this turn was read. */
  afterReading(): void {
    this.isPostponed = false;
    if (this.isDestroyed) this.close();
    else this.receiver.giveHeld();
  }

  postpone(): void {
    if (this.isPostponed) return;
    this.isPostponed = true;
    this.thread.turns.postpone(this);
  }

  onCompletion(what: number, result: number, flags: number): void {
    if (what === ifRefused) {
      this.onRefused(result);
      return;
    }
    if (what === Ask.Send) this.onSent(result);
    else this.receiver.onCompletion(what, result, flags);
    this.leaveRing();
  }

  /** Bytes for the sink; lent ones are settled or kept when this returns. */
  receive(chunk: Uint8Array): void {
    this.bytesRead += chunk.length;
    if (this.isShared) this.thread.turns.gathering.reads++;
    this.sink!.onBytes(chunk);
    this.thread.loop.leave();
  }

  onPeerEnd(): void {
    // Who hears of the end may destroy us, and what was written before it came is to be sent. Our own end may be among
    // it, and closes everything only behind the peer's.
    this.flush();
    this.hasPeerEnded = true;
    // While the last bytes still wait for a slow reader its FIN changes nothing: both halves close behind them.
    if (!this.isClosingAfterFlush && !this.isDestroyed) {
      if ((this.isEnding || this.isLingering) && this.failure !== null) this.destroy(this.failure);
      else this.sink?.onEnd();
      if (this.isWriteShut) this.destroy(ClosedByPeer);
    }
    this.thread.loop.leave();
  }

  /** The kernel said that the connection is broken. */
  onBroken(errno: number): void {
    if (this.isDestroyed) return;
    this.destroy(brokenConnection(new SystemCallError('read', -errno)));
  }

  private onRefused(result: number): void {
    if (this.isDestroyed) return;
    const errno = this.sender.onRefused(result);
    if (errno < 0) this.onBroken(errno);
  }

  private onSent(result: number): void {
    if (this.isDestroyed) {
      this.sender.release();
      return;
    }
    if (result < 0) {
      this.sender.release();
      this.onBroken(result);
      return;
    }
    if (!this.sender.onSent(result)) return;
    if (this.gatheredBytes > 0) this.sendGathered();
    if (!this.sender.isAsked) this.allSent();
  }

  /** Something is to be done as soon as the kernel has everything. */
  private get isSendingAwaited(): boolean {
    return this.isEnding || this.isAboveHighWatermark;
  }

  private sendGathered(): void {
    const { text, tail, chunks } = this;
    this.discard();
    if (chunks === null) this.sender.sendText(text, tail, !this.isSendingAwaited);
    else this.sender.sendPieces(chunks, text);
  }

  /** The kernel has everything. */
  private allSent(): void {
    if (this.isClosingAfterFlush) {
      this.destroy(this.failure!);
      return;
    }
    if (this.isEnding) this.shutWrite();
    if (this.isAboveHighWatermark && this.gatheredBytes === 0 && !this.isDestroyed) {
      this.isAboveHighWatermark = false;
      this.sink?.onDrain();
    }
  }

  private shutWrite(): void {
    if (this.isWriteShut) return;
    this.isWriteShut = true;
    this.thread.sockets.shutdownWrite(this.fd);
    if (this.hasPeerEnded) this.destroy(ClosedByPeer);
  }

  private close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { loop } = this.thread;
    loop.timers.cancel(this);
    // The slot is given up below, and a refusal would be told to whoever has it then.
    if (this.sender.isInDoubt) this.thread.ring.handOver();
    this.receiver.close();
    this.sink?.onClosed(this.failure ?? ClosedByPeer);
    this.owner?.onConnectionClosed(this);
    this.socketPeer.close();
    this.leaveRing();
    loop.leave();
  }

  /** The slot is another's once nothing of ours can complete any more. */
  private leaveRing(): void {
    if (!this.isClosed || this.receiver.isAsked || this.sender.isAsked) return;
    this.thread.ring.dismiss(this.slot);
  }

  private gathered(size: number): boolean {
    this.gatheredBytes += size;
    this.bytesWritten += size;
    this.markDirty();
    if (this.bufferLimit === 0 || this.isAboveHighWatermark) return !this.isAboveHighWatermark;
    // What was gathered in this entry usually fits the kernel's buffer; only what it refused counts for long.
    if (this.gatheredBytes + this.sender.unsentBytes <= this.bufferLimit) return true;
    this.isAboveHighWatermark = true;
    return false;
  }

  private markDirty(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    this.thread.loop.markDirty(this);
  }

  private gatherText(): void {
    this.chunks ??= [];
    if (this.text !== '') this.chunks.push(this.text);
    if (this.tail !== null) this.chunks.push(this.tail);
    this.text = '';
    this.tail = null;
  }

  private joinTail(): void {
    const { tail } = this;
    if (tail === null) return;
    this.tail = null;
    this.text += latin1(tail, 0, tail.length);
  }

  private discard(): void {
    this.text = '';
    this.tail = null;
    this.chunks = null;
    this.gatheredBytes = 0;
  }
}
