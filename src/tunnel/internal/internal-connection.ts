import { noBytes } from '../../core/bytes.ts';
import type { Clock, Timed, Timers } from '../../core/clock.ts';
import type { AcceptedConnection, ConnectionOwner, ConnectionSink } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { ClosedByPeer, DelayedCloseTimeout } from '../../core/failures.ts';
import { lentBytes } from '../../core/lent-bytes.ts';
import type { Peer } from '../../core/peer.ts';
import { nextConnectionId } from '../../net/connection-id.ts';
import type { Flushable } from '../../net/loop.ts';

/** Up to so many bytes are copied where they lie in memory that somebody wants back. */
const copiedBytesMax = 4096;

/** The thread's loop, as both ends need it. */
export interface InternalTurns {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Has it flushed when the turn ends. */
  markDirty(end: Flushable): void;
}

/**
 * One of the two ends of a connection in memory: what is written to one is what the other reads. Nobody is called from
 * within a call: bytes, ends and failures are told when the turn ends, so neither side is entered twice.
 *
 * As with sockets, closing lets the other end read what was written and then its end; what it writes behind that finds
 * nobody. A reset drops what is under way.
 */
export class InternalConnection implements AcceptedConnection, Timed, Flushable {
  readonly id: number;
  peer: Peer;
  readonly openedMs: number;
  owner: ConnectionOwner | null;
  bufferLimit: number;
  bytesRead: number;
  bytesWritten: number;
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly turns: InternalTurns;
  /** Null before it is paired, and once it has gone. */
  private other: InternalConnection | null;
  private sink: ConnectionSink | null;
  /** What the other end has written and the sink has not heard. */
  private inbox: Uint8Array[];
  private inboxBytes: number;
  /** The other end's half is complete behind the inbox. */
  private isEndUnread: boolean;
  private pauses: number;
  private isAboveHighWatermark: boolean;
  private hasEnded: boolean;
  private hasPeerEnded: boolean;
  /** Waits for the other's end to close with this, and hears nothing else; null: it does not. */
  private leavesWith: Failure | null;
  /** The turn's end will flush it. */
  private isDirty: boolean;
  private isClosed: boolean;
  private failure: Failure | null;

  private constructor(peer: Peer, turns: InternalTurns, bufferLimit: number) {
    this.id = nextConnectionId();
    this.peer = peer;
    this.openedMs = turns.clock.now;
    this.owner = null;
    this.bufferLimit = bufferLimit;
    this.bytesRead = 0;
    this.bytesWritten = 0;
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.turns = turns;
    this.other = null;
    this.sink = null;
    this.inbox = [];
    this.inboxBytes = 0;
    this.isEndUnread = false;
    this.pauses = 0;
    this.isAboveHighWatermark = false;
    this.hasEnded = false;
    this.hasPeerEnded = false;
    this.leavesWith = null;
    this.isDirty = false;
    this.isClosed = false;
    this.failure = null;
  }

  /** Both ends: as whoever dials sees it, and as the listener does. `bufferLimit`: of each, in bytes. */
  static pair(
    client: Peer,
    server: Peer,
    turns: InternalTurns,
    bufferLimit: number,
  ): readonly [client: InternalConnection, server: InternalConnection] {
    const ends = [
      new InternalConnection(client, turns, bufferLimit),
      new InternalConnection(server, turns, bufferLimit),
    ] as const;
    ends[0].other = ends[1];
    ends[1].other = ends[0];
    return ends;
  }

  attach(sink: ConnectionSink): void {
    if (this.sink !== null) throw new Error('a connection is attached exactly once');
    this.sink = sink;
    this.tellSoon();
  }

  detach(unread: Uint8Array): void {
    this.sink = null;
    this.bytesRead = 0;
    if (unread.length === 0) return;
    lentBytes.keep(unread);
    this.inbox.unshift(unread);
    this.inboxBytes += unread.length;
  }

  /** This end was given up. */
  get isOver(): boolean {
    return this.failure !== null;
  }

  get bufferedBytes(): number {
    return this.other?.inboxBytes ?? 0;
  }

  write(chunk: Uint8Array): boolean {
    const { other } = this;
    if (this.hasEnded || this.failure !== null || chunk.length === 0) return !this.isAboveHighWatermark;
    this.bytesWritten += chunk.length;
    if (other === null || other.failure !== null) {
      // As EPIPE.
      this.close(ClosedByPeer);
      return true;
    }
    other.take(chunk);
    if (this.bufferLimit > 0 && other.inboxBytes > this.bufferLimit) this.isAboveHighWatermark = true;
    return !this.isAboveHighWatermark;
  }

  writeLatin1(text: string): boolean {
    return this.write(Buffer.from(text, 'latin1'));
  }

  end(): void {
    if (this.hasEnded || this.failure !== null) return;
    this.hasEnded = true;
    this.other?.endComes();
    if (this.hasPeerEnded) this.close(ClosedByPeer);
  }

  reset(failure: Failure): void {
    if (this.failure !== null) return;
    this.other?.close(ClosedByPeer.with('Connection reset by peer'));
    this.close(failure);
  }

  destroy(failure: Failure): void {
    if (this.failure !== null) return;
    if (!this.hasEnded) this.other?.endComes();
    this.hasEnded = true;
    this.close(failure);
  }

  endAndLinger(lingerMs: number, failure: Failure): void {
    this.end();
    this.leave(lingerMs, failure);
  }

  closeAfterFlush(stallMs: number, failure: Failure): void {
    this.end();
    // All that was written is with the other end.
    if (this.bufferedBytes === 0) this.destroy(failure);
    else this.leave(stallMs, failure);
  }

  pause(): void {
    this.pauses++;
  }

  resume(): void {
    this.pauses--;
    if (this.pauses === 0 && this.hasNews) this.tellSoon();
  }

  flush(): void {
    this.isDirty = false;
    if (this.failure === null) this.giveNews();
    if (this.failure === null || this.isClosed) return;
    this.isClosed = true;
    this.turns.timers.cancel(this);
    this.sink?.onClosed(this.failure);
    this.owner?.onConnectionClosed(this);
  }

  /** The other end has not ended in time. */
  tick(): void {
    this.close(DelayedCloseTimeout);
  }

  private get hasNews(): boolean {
    return this.inbox.length > 0 || (this.isEndUnread && !this.hasPeerEnded);
  }

  /** From the other end. */
  private take(chunk: Uint8Array): void {
    // Until it is told here it holds the memory that it was read into, which must not be for a few bytes.
    const isCopied = chunk.length <= copiedBytesMax && lentBytes.isAwaited(chunk);
    this.inbox.push(isCopied ? copied(chunk) : chunk);
    this.inboxBytes += chunk.length;
    this.tellSoon();
  }

  private endComes(): void {
    this.isEndUnread = true;
    this.tellSoon();
  }

  private giveNews(): void {
    while (this.inbox.length > 0 && this.mayTell) {
      // What comes in between is told in the next round.
      const chunks = this.inbox;
      this.inbox = [];
      for (let i = 0; i < chunks.length; i++) {
        if (!this.mayTell) {
          this.inbox = [...chunks.slice(i), ...this.inbox];
          return;
        }
        const chunk = chunks[i];
        this.inboxBytes -= chunk.length;
        this.bytesRead += chunk.length;
        if (this.leavesWith === null) this.sink!.onBytes(chunk);
      }
    }
    this.other?.drained();
    if (this.inbox.length > 0 || !this.isEndUnread || this.hasPeerEnded || !this.mayTell) return;
    this.hasPeerEnded = true;
    if (this.leavesWith !== null) {
      this.close(this.leavesWith);
      return;
    }
    this.sink!.onEnd();
    if (this.hasEnded) this.close(ClosedByPeer);
  }

  private get mayTell(): boolean {
    return this.failure === null && (this.leavesWith !== null || (this.sink !== null && this.pauses === 0));
  }

  /** The other end has read. */
  private drained(): void {
    if (!this.isAboveHighWatermark || this.bufferedBytes > this.bufferLimit / 2) return;
    this.isAboveHighWatermark = false;
    if (this.failure === null && this.leavesWith === null) this.sink?.onDrain();
  }

  private leave(waitMs: number, failure: Failure): void {
    if (this.failure !== null) return;
    if (this.hasPeerEnded) {
      this.close(failure);
      return;
    }
    this.leavesWith = failure;
    this.turns.timers.schedule(this, this.turns.clock.now + waitMs);
    this.tellSoon();
  }

  private tellSoon(): void {
    if (this.isClosed || this.isDirty) return;
    this.isDirty = true;
    this.turns.markDirty(this);
  }

  private close(failure: Failure): void {
    if (this.failure !== null) return;
    this.failure = failure;
    this.inbox = [];
    this.inboxBytes = 0;
    const { other } = this;
    this.other = null;
    if (other !== null) {
      // Nobody takes the rest.
      other.other = null;
      if (!other.isEndUnread) other.endComes();
    }
    this.tellSoon();
  }
}

function copied(chunk: Uint8Array): Uint8Array {
  lentBytes.settle(chunk, chunk.length);
  return chunk.length === 0 ? noBytes : Uint8Array.prototype.slice.call(chunk);
}
