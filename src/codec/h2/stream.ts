import type { Failure } from '../../core/failure.ts';
import type { Headers } from '../../core/headers.ts';
import type { StreamUser } from '../../core/message-sink.ts';
import { noBytes } from '../../core/bytes.ts';
import type { H2Sending } from './sending.ts';
import { SendQueue } from './flow/send-queue.ts';
import type { Sender } from './flow/send-scheduler.ts';
import { ReceiveWindow } from './flow/receive-window.ts';
import { connectionBufferBytesMax, crowdedStreamBytesMax } from './limits.ts';
import { StreamState } from './stream-state.ts';

/** A stream in the RFC's sense, of either role: its state, its windows and what waits in it. */
export abstract class H2Stream implements Sender {
  /** 0: not opened yet (a client's, before its head). */
  id: number;
  state: StreamState;
  user: StreamUser<never>;
  /** Neither side says more. */
  isOver: boolean;
  nextSender: Sender | null;
  previousSender: Sender | null;
  /** What the peer lets us send; below zero after it has shrunk its initial window. */
  sendWindow: number;
  /** A final head has come, or has gone. */
  hasReceivedHead: boolean;
  hasSentHead: boolean;
  /** The user has said the end of its half. */
  isEndSaid: boolean;
  /** Its two directions are those of a tunnel, which end each for itself. */
  isTunnel: boolean;
  /** Content that is announced; -1: nothing is. */
  expectedBytes: number;
  receivedBytes: number;
  wireBytesReceived: number;
  wireBytesSent: number;
  headerBytesReceived: number;
  headerBytesSent: number;
  /** Monotonic milliseconds. */
  readonly openedAt: number;
  protected readonly connection: H2Sending;
  private queue: SendQueue | null;
  private window: ReceiveWindow | null;
  private pauses: number;
  /** Delivered while the stream was paused: the peer gets no new window for it yet. */
  private withheldBytes: number;
  /** As those, but the connection's window has opened for others. */
  private heldBytes: number;
  private isToldAbove: boolean;
  /** The buffer limit that was passed. */
  private bufferMark: number;

  constructor(connection: H2Sending, id: number) {
    this.id = id;
    this.state = StreamState.Idle;
    this.user = undefined as unknown as StreamUser<never>;
    this.isOver = false;
    this.nextSender = null;
    this.previousSender = null;
    this.sendWindow = connection.peer.initialWindowSize;
    this.hasReceivedHead = false;
    this.hasSentHead = false;
    this.isEndSaid = false;
    this.isTunnel = false;
    this.expectedBytes = -1;
    this.receivedBytes = 0;
    this.wireBytesReceived = 0;
    this.wireBytesSent = 0;
    this.headerBytesReceived = 0;
    this.headerBytesSent = 0;
    this.openedAt = connection.now;
    this.connection = connection;
    this.queue = null;
    this.window = null;
    this.pauses = 0;
    this.withheldBytes = 0;
    this.heldBytes = 0;
    this.isToldAbove = false;
    this.bufferMark = 0;
  }

  // What the user says.

  data(chunk: Uint8Array, end: boolean): void {
    if (this.isOver || !this.hasSentHead || this.isEndSaid) return;
    const { connection } = this;
    const size = chunk.length;
    if (size === 0 && !end) return;
    this.isEndSaid = end;
    if (this.queuedBytes === 0 && (size === 0 || size <= connection.sendableBytes(this))) {
      connection.sendData(this, chunk, end);
      connection.flush();
      return;
    }
    this.queue ??= new SendQueue();
    this.queue.push(chunk);
    this.queue.isEnding = end;
    this.enqueued(size);
  }

  trailers(trailers: Headers): void {
    if (this.isOver || !this.hasSentHead || this.isEndSaid) return;
    if (trailers.length === 0) {
      this.data(noBytes, true);
      return;
    }
    this.isEndSaid = true;
    if (this.queuedBytes === 0) {
      this.connection.sendTrailers(this, trailers);
      this.connection.flush();
      return;
    }
    this.queue!.isEnding = true;
    this.queue!.trailers = trailers;
    this.connection.endQueued(this);
  }

  pause(): void {
    if (!this.isOver) this.pauses++;
  }

  resume(): void {
    if (this.pauses === 0 || --this.pauses > 0 || this.isOver) return;
    const { withheldBytes, heldBytes } = this;
    if (withheldBytes + heldBytes === 0) return;
    this.withheldBytes = 0;
    this.release();
    if (heldBytes > 0) this.openWindow(heldBytes);
    if (withheldBytes > 0) this.consume(withheldBytes);
    this.connection.flush();
  }

  abstract reset(failure: Failure): void;

  // What comes in.

  /** A header block; its CONTINUATION frames count as one frame with it. */
  receiveBlock(frameBytes: number): void {
    this.wireBytesReceived += frameBytes;
    this.headerBytesReceived += frameBytes;
  }

  /** A DATA frame of so many bytes counts against the window. False: it exceeds it. */
  receive(payloadBytes: number, initialWindow: number): boolean {
    this.window ??= new ReceiveWindow(initialWindow);
    return this.window.receive(payloadBytes);
  }

  /** So much of it is done with: the peer may send as much again, unless the stream is paused. */
  consume(bytes: number): void {
    const { connection } = this;
    if (this.pauses > 0 && !connection.hold(bytes)) {
      this.withheldBytes += bytes;
      return;
    }
    if (this.pauses > 0) this.heldBytes += bytes;
    else this.openWindow(bytes);
    connection.consume(bytes);
  }

  /** The stream is over: what was withheld belongs to the connection's window again. */
  takeWithheld(): number {
    const bytes = this.withheldBytes;
    this.withheldBytes = 0;
    this.release();
    this.pauses = 0;
    return bytes;
  }

  private release(): void {
    if (this.heldBytes === 0) return;
    this.connection.unhold(this.heldBytes);
    this.heldBytes = 0;
  }

  /** The peer may send so much more on the stream. */
  private openWindow(bytes: number): void {
    if (this.state !== StreamState.Open && this.state !== StreamState.HalfClosedLocal) return;
    const increment = this.window!.consume(bytes);
    if (increment > 0) this.connection.sendWindowUpdate(this.id, increment);
  }

  // What goes out.

  get queuedBytes(): number {
    return this.queue === null ? 0 : this.queue.bytes;
  }

  /** The peer has opened the window, or has shrunk it. */
  windowMoved(): void {
    if (this.sendWindow > 0 && this.queuedBytes > 0) this.connection.scheduler.add(this);
  }

  sendFrame(): boolean {
    const { connection } = this;
    const queue = this.queue!;
    const room = connection.roomFor(this);
    if (room <= 0) return false;
    const piece = queue.take(room);
    connection.dequeued(piece.length);
    const isLast = queue.bytes === 0 && queue.isEnding;
    if (isLast && queue.trailers !== null) {
      connection.sendData(this, piece, false);
      connection.sendTrailers(this, queue.trailers);
      return false;
    }
    connection.sendData(this, piece, isLast);
    if (this.isToldAbove && queue.bytes * 2 <= this.bufferMark) this.tellBelow();
    return queue.bytes > 0 && this.sendWindow > 0;
  }

  dropQueue(): void {
    if (this.queue === null) return;
    this.connection.dequeued(this.queue.bytes);
    this.queue.clear();
  }

  /** The connection's outgoing buffer is full, or this stream's own is. */
  tellAbove(): void {
    if (this.isToldAbove) return;
    this.isToldAbove = true;
    this.user.onAboveHighWatermark();
  }

  tellBelow(): void {
    if (!this.isToldAbove || this.isOver || this.connection.isBlocked || this.queuedBytes * 2 > this.bufferMark) return;
    this.isToldAbove = false;
    this.user.onBelowLowWatermark();
  }

  private enqueued(size: number): void {
    const { connection } = this;
    connection.enqueued(size);
    if (this.sendWindow > 0) connection.scheduler.add(this);
    connection.pump();
    connection.flush();
    if (this.isOver || this.queuedBytes === 0) return;
    this.queue!.settleLast();
    if (this.isEndSaid) connection.endQueued(this);
    const isCrowded = connection.queuedBytes > connectionBufferBytesMax;
    const mark = isCrowded ? crowdedStreamBytesMax : connection.streamBufferBytesMax;
    if (this.queuedBytes <= mark) return;
    this.bufferMark = mark;
    this.tellAbove();
  }
}
