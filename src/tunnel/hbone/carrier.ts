import type { Codec, CodecHost } from '../../codec/codec.ts';
import type { Clock, Timed, Timers } from '../../core/clock.ts';
import type { ByteSource, Connection, ConnectionSink } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { ClosedByPeer, ClosedLocally } from '../../core/failures.ts';
import type { TunnelTime } from '../tunnel-connection.ts';

/** How long the other end may take nothing of the last frames (GOAWAY, the end of a tunnel). */
const farewellMs = 1000;

/** An HTTP/2 connection that carries tunnels, of either role: between its bytes, its codec and its time. */
export abstract class HboneCarrier implements ConnectionSink, CodecHost, Timed {
  readonly connection: Connection;
  readonly time: TunnelTime;
  protected readonly clock: Clock;
  deadline: number;
  heapIndex: number;
  heapKey: number;
  protected readonly timers: Timers;
  /** When the codec wants to be woken; Infinity: never. */
  private codecMs: number;
  private isAboveHighWatermark: boolean;
  protected isOver: boolean;

  constructor(connection: Connection, time: TunnelTime) {
    this.connection = connection;
    this.time = time;
    this.clock = time.clock;
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.timers = time.timers;
    this.codecMs = Infinity;
    this.isAboveHighWatermark = false;
    this.isOver = false;
  }

  protected abstract get codec(): Codec | null;
  /** The connection has gone; the codec's streams have been told. */
  protected abstract onOver(failure: Failure): void;
  /** A moment of the role's own; Infinity: none. */
  protected get ownMs(): number {
    return Infinity;
  }
  protected onOwnMoment(): void {}
  /** Bytes were read, and nothing of the codec's is on the call stack. */
  protected onReceived(): void {}

  // ConnectionSink

  onBytes(chunk: Uint8Array): void {
    this.codec!.receive(chunk, this.clock.now);
    if (!this.isOver) this.onReceived();
  }

  onDrain(): void {
    if (!this.isAboveHighWatermark) return;
    this.isAboveHighWatermark = false;
    if (!this.isOver) this.codec!.onBelowLowWatermark();
  }

  onEnd(): void {
    if (this.isOver) return;
    this.codec!.receiveEnd(this.clock.now);
    this.connection.destroy(ClosedByPeer);
  }

  onClosed(failure: Failure): void {
    if (this.isOver) return;
    this.isOver = true;
    this.timers.cancel(this);
    this.codec!.closed(failure);
    this.onOver(failure);
  }

  // CodecHost

  write(chunk: Uint8Array): boolean {
    return this.connection.write(chunk) || this.wroteTooMuch();
  }

  writeLatin1(text: string): boolean {
    return this.connection.writeLatin1(text) || this.wroteTooMuch();
  }

  flushLater(source: ByteSource): void {
    const { connection } = this;
    if (connection.flushLater === undefined) source.flush();
    else connection.flushLater(source);
  }

  carriesMany(): void {
    this.connection.carriesMany?.();
  }

  get bufferedBytes(): number {
    return this.connection.bufferedBytes;
  }

  wakeAt(at: number): void {
    this.codecMs = at;
    this.scheduleNext();
  }

  pause(): void {
    this.connection.pause();
  }

  resume(): void {
    this.connection.resume();
  }

  // Timed

  tick(now: number): void {
    if (now >= this.codecMs) {
      this.codecMs = Infinity;
      this.codec!.tick!(now);
    }
    if (!this.isOver && now >= this.ownMs) this.onOwnMoment();
    this.scheduleNext();
  }

  /** Sends what was written, and goes. */
  protected leave(): void {
    this.connection.closeAfterFlush(farewellMs, ClosedLocally);
  }

  protected scheduleNext(): void {
    if (!this.isOver) this.timers.schedule(this, Math.min(this.codecMs, this.ownMs));
  }

  private wroteTooMuch(): false {
    if (!this.isAboveHighWatermark) {
      this.isAboveHighWatermark = true;
      this.codec?.onAboveHighWatermark();
    }
    return false;
  }
}
