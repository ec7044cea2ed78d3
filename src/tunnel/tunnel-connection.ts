import { noBytes } from '../core/bytes.ts';
import type { Clock, Timed, Timers } from '../core/clock.ts';
import type { AcceptedConnection, ConnectionOwner, ConnectionSink } from '../core/connection.ts';
import type { Failure } from '../core/failure.ts';
import { ClosedByPeer, DelayedCloseTimeout } from '../core/failures.ts';
import type { MessageSink } from '../core/message-sink.ts';
import type { Peer } from '../core/peer.ts';
import { nextConnectionId } from '../net/connection-id.ts';

/** The stream that carries a tunnel: the outgoing half, and a brake on the incoming one. */
export interface CarryingStream extends Pick<MessageSink<never>, 'data' | 'reset'> {
  pause(): void;
  resume(): void;
}

/** Time, as a tunnel needs it. */
export interface TunnelTime {
  readonly clock: Clock;
  readonly timers: Timers;
}

/**
 * A Connection inside an HTTP stream: what CONNECT opened. Bytes are the stream's data, a half-close is the end of a half,
 * and breaking off is a reset. Whoever has the stream tells it what comes (`data`, `ended`, `reset`, the watermarks).
 */
export class TunnelConnection implements AcceptedConnection, Timed {
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
  private readonly stream: CarryingStream;
  private readonly time: TunnelTime;
  private sink: ConnectionSink | null;
  /** What the next sink hears first, and whether the end is behind it; null: nothing. The stream is held back meanwhile. */
  private unread: Uint8Array | null;
  private isEndUnread: boolean;
  private pauses: number;
  private isAboveHighWatermark: boolean;
  private hasEnded: boolean;
  private hasPeerEnded: boolean;
  /** Waits for the peer's end, and hears nothing else. */
  private isLeaving: boolean;
  private isClosed: boolean;
  private failure: Failure | null;

  /** `peer`: of the connection that carries the stream. */
  constructor(stream: CarryingStream, peer: Peer, time: TunnelTime) {
    this.id = nextConnectionId();
    this.peer = peer;
    this.openedMs = time.clock.now;
    this.owner = null;
    this.bufferLimit = 0;
    this.bytesRead = 0;
    this.bytesWritten = 0;
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.stream = stream;
    this.time = time;
    this.sink = null;
    this.unread = null;
    this.isEndUnread = false;
    this.pauses = 0;
    this.isAboveHighWatermark = false;
    this.hasEnded = false;
    this.hasPeerEnded = false;
    this.isLeaving = false;
    this.isClosed = false;
    this.failure = null;
    // Until there is somebody to give bytes to.
    stream.pause();
  }

  // Connection

  attach(sink: ConnectionSink): void {
    if (this.sink !== null) throw new Error('a connection is attached exactly once');
    this.sink = sink;
    if (this.unread === null) this.stream.resume();
    else if (this.pauses === 0) this.soon();
  }

  detach(unread: Uint8Array): void {
    this.sink = null;
    this.bytesRead = 0;
    this.unread = unread;
    this.stream.pause();
  }

  /** What the stream holds back is the codec's to count. */
  get bufferedBytes(): number {
    return 0;
  }

  write(chunk: Uint8Array): boolean {
    if (this.hasEnded || this.failure !== null || chunk.length === 0) return !this.isAboveHighWatermark;
    this.bytesWritten += chunk.length;
    this.stream.data(chunk, false);
    return !this.isAboveHighWatermark;
  }

  writeLatin1(text: string): boolean {
    return this.write(Buffer.from(text, 'latin1'));
  }

  end(): void {
    if (this.hasEnded || this.failure !== null) return;
    this.hasEnded = true;
    this.stream.data(noBytes, true);
    if (this.hasPeerEnded) this.close(ClosedByPeer);
  }

  reset(failure: Failure): void {
    this.destroy(failure);
  }

  destroy(failure: Failure): void {
    if (this.failure !== null) return;
    if (!this.hasEnded || !this.hasPeerEnded) this.stream.reset(failure);
    this.close(failure);
  }

  endAndLinger(lingerMs: number, failure: Failure): void {
    this.leave(lingerMs, failure);
  }

  /** The codec sends what it holds before the end; a peer that does not end in turn is broken off. */
  closeAfterFlush(stallMs: number, failure: Failure): void {
    this.end();
    this.leave(stallMs, failure);
  }

  pause(): void {
    this.pauses++;
    this.stream.pause();
  }

  resume(): void {
    this.pauses--;
    this.stream.resume();
    if (this.unread !== null && this.pauses === 0) this.soon();
  }

  /** What was begun is over: the sink is told what it has to hear first, or the end, or the peer's has not come in time. */
  tick(): void {
    if (this.failure === null && this.unread !== null) {
      this.giveUnread();
      return;
    }
    if (this.failure === null) {
      this.destroy(DelayedCloseTimeout);
      return;
    }
    if (this.isClosed) return;
    this.isClosed = true;
    this.sink?.onClosed(this.failure);
    this.owner?.onConnectionClosed(this);
  }

  // What the stream tells

  data(chunk: Uint8Array, end: boolean): void {
    if (this.unread !== null) {
      // What the stream had under way when it was held back.
      this.unread = Buffer.concat([this.unread, chunk]);
    } else if (chunk.length > 0 && this.failure === null) {
      this.bytesRead += chunk.length;
      if (!this.isLeaving) this.sink!.onBytes(chunk);
    }
    if (end) this.ended();
  }

  /** The peer's half is complete. */
  ended(): void {
    if (this.hasPeerEnded || this.failure !== null) return;
    if (this.unread !== null) {
      this.isEndUnread = true;
      return;
    }
    this.hasPeerEnded = true;
    if (this.isLeaving) this.destroy(ClosedByPeer);
    else this.sink?.onEnd();
    if (this.hasEnded) this.close(ClosedByPeer);
  }

  /** The stream is gone. Behind the peer's end that says only that it takes no more (RFC 9113 section 8.1). */
  broken(failure: Failure): void {
    this.close(this.hasPeerEnded ? ClosedByPeer : failure);
  }

  onAboveHighWatermark(): void {
    this.isAboveHighWatermark = true;
    if (this.failure === null) this.sink?.onFull?.();
  }

  onBelowLowWatermark(): void {
    if (!this.isAboveHighWatermark) return;
    this.isAboveHighWatermark = false;
    if (this.failure === null) this.sink?.onDrain();
  }

  private leave(waitMs: number, failure: Failure): void {
    if (this.failure !== null) return;
    if (this.hasPeerEnded) {
      this.destroy(failure);
      return;
    }
    this.isLeaving = true;
    this.stream.resume();
    const hasEnded = this.takeUnread() !== null && this.isEndUnread;
    this.time.timers.schedule(this, this.time.clock.now + waitMs);
    if (hasEnded) this.ended();
  }

  private giveUnread(): void {
    if (this.pauses > 0 || this.sink === null) return;
    const chunk = this.takeUnread()!;
    this.data(chunk, this.isEndUnread);
  }

  private takeUnread(): Uint8Array | null {
    const { unread } = this;
    if (unread === null) return null;
    this.unread = null;
    this.stream.resume();
    return unread;
  }

  private soon(): void {
    this.time.timers.schedule(this, this.time.clock.now);
  }

  /** Told at the end of the turn, as sockets tell it: whoever destroys is not called from within. */
  private close(failure: Failure): void {
    if (this.failure !== null) return;
    this.failure = failure;
    this.time.timers.cancel(this);
    this.soon();
  }
}
