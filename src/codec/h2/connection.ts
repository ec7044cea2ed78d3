import { noBytes } from '../../core/bytes.ts';
import type { Failure } from '../../core/failure.ts';
import { lentBytes } from '../../core/lent-bytes.ts';
import type { Codec, CodecHost } from '../codec.ts';
import { HpackError, tableBytesDefault } from '../hpack/decoder.ts';
import { H2Counter } from './counters.ts';
import {
  CodecError,
  InvalidMessaging,
  LengthMismatch,
  PingTimeout,
  HeadersTooLarge,
  TooManyHeaders,
  UnexpectedUnderscore,
} from './failures.ts';
import { StreamTable } from './flow/stream-table.ts';
import { ErrorCode } from './frame/error-code.ts';
import { FrameReader, type FrameListener } from './frame/frame-reader.ts';
import { frameHeaderBytes, FrameType, int31Max } from './frame/frame.ts';
import { KeepAlive, KeepAliveAction } from './keep-alive.ts';
import { HeaderBlocks } from './message/header-blocks.ts';
import type { MessageFields } from './message/message-fields.ts';
import { blockBytesMaxOf, type H2Options } from './options.ts';
import { H2Sending } from './sending.ts';
import type { H2Stream } from './stream.ts';
import { canReceive, nextState, StreamEvent, StreamState } from './stream-state.ts';

/** Opaque bytes of our PING frames; the first tells what for. */
const keepAlivePing = Uint8Array.from('keepaliv', (c) => c.charCodeAt(0));

/** What both ends of a connection do with what comes in; messages are the roles' affair. */
export abstract class H2Connection<S extends H2Stream> extends H2Sending implements Codec, FrameListener {
  protected readonly streams: StreamTable<S>;
  private readonly isServer: boolean;
  /** Streams of the peer's that have begun, up to this one. */
  protected lastPeerStreamId: number;
  /** The last stream that was named in a GOAWAY: a later one must not name a higher (RFC 9113 section 6.8). */
  protected goAwayStreamId: number;
  /** Nothing more is read: the connection has failed, has ended, or is closed. */
  protected isFinished: boolean;
  /** The peer has acknowledged our settings: it must keep to them from now on. */
  protected isBound: boolean;
  protected readonly keepAlive: KeepAlive | null;
  private readonly reader: FrameReader;
  private readonly blocks: HeaderBlocks;
  /** When `tick` is due; Infinity: never. */
  private deadline: number;
  /** Whose DATA frame is being read; null: nobody wants it any more. */
  private dataStream: S | null;
  /** To be dealt with when no user is on the call stack. */
  private lateFailure: Failure | null;

  constructor(host: CodecHost, options: H2Options, isServer: boolean) {
    super(host, options);
    this.streams = new StreamTable();
    this.isServer = isServer;
    this.lastPeerStreamId = 0;
    this.goAwayStreamId = int31Max;
    this.isFinished = false;
    this.isBound = false;
    this.keepAlive = options.keepAlive === null ? null : new KeepAlive(options.keepAlive);
    this.reader = new FrameReader(this, isServer, blockBytesMaxOf(options), options.dataFrameBytesMax);
    this.blocks = new HeaderBlocks(options);
    this.deadline = Infinity;
    this.dataStream = null;
    this.lateFailure = null;
  }

  abstract receiveEnd(now: number): void;
  abstract onHeaders(streamId: number, end: boolean, dependsOn: number, b: Uint8Array, from: number, to: number): void;
  abstract onHeadersBegun(streamId: number): void;
  abstract onGoAway(lastStreamId: number, code: number): void;
  /** No frame of such a stream can have been sent yet. */
  protected abstract isIdle(streamId: number): boolean;
  /** What the user of a stream hears of a failure of ours. */
  protected abstract told(failure: Failure): Failure;
  /** What the user hears of the peer's RST_STREAM. */
  protected abstract resetFailure(stream: S, code: number): Failure;
  /** One half has ended while the other has not. */
  protected abstract onHalfClosed(stream: S): void;
  /** The stream is gone, and its user knows. */
  protected abstract onReleased(stream: S): void;
  /** The connection has failed, and every stream has been told. */
  protected abstract onFailed(failure: Failure): void;
  /** A chunk has been read to its end. */
  protected abstract onReceived(): void;

  // ---- the host tells

  receive(chunk: Uint8Array, now: number): void {
    this.now = now;
    if (this.lateFailure !== null) this.failLate();
    if (this.isFinished) {
      lentBytes.settle(chunk, chunk.length);
      return;
    }
    this.keepAlive?.onBytes(now);
    this.isReceiving = true;
    this.reader.read(chunk);
    this.pump();
    this.isReceiving = false;
    this.writer.flushLater();
    if (this.lateFailure !== null) this.failLate();
    this.onReceived();
    if (this.keepAlive !== null && !this.isFinished) this.wakeAt(this.keepAlive.deadline);
  }

  closed(failure: Failure): void {
    this.finish();
    this.abandonAll(failure);
  }

  onAboveHighWatermark(): void {
    this.writer.isBlocked = true;
    for (const stream of this.streams.values()) stream.tellAbove();
  }

  onBelowLowWatermark(): void {
    this.unblock();
    for (const stream of this.streams.values()) stream.tellBelow();
  }

  /** What is due at `now`: keep-alive, drain. */
  tick(now: number): void {
    this.now = now;
    this.deadline = Infinity;
    if (this.lateFailure !== null) this.failLate();
    const { keepAlive } = this;
    if (this.isFinished || keepAlive === null) return;
    const action = keepAlive.tick(now);
    if (action === KeepAliveAction.GiveUp) {
      this.options.counters.count(H2Counter.KeepaliveTimeout);
      this.fail(PingTimeout);
      return;
    }
    if (action === KeepAliveAction.Ping) this.askPeer();
    this.wakeAt(keepAlive.deadline);
  }

  // ---- roles and streams use

  /** Tells the peer that the stream is over, and lets it go. Its user hears nothing of it. */
  resetStream(stream: S, code: ErrorCode): void {
    this.sendReset(stream.id, code);
    this.release(stream);
  }

  /** Makes sure that `tick` comes at `at`, or earlier. */
  protected wakeAt(at: number): void {
    if (at >= this.deadline) return;
    this.deadline = at;
    this.host.wakeAt?.(at);
  }

  protected begin(first: readonly (readonly [number, number])[], now: number): void {
    this.now = now;
    this.sendSettings(first);
    if (this.keepAlive === null) return;
    this.keepAlive.begin(now);
    this.wakeAt(this.keepAlive.deadline);
  }

  protected askPeer(): void {
    this.sendPing(false, keepAlivePing, 0);
    this.flush();
  }

  /** The stream is wrong, and only it. */
  protected refuse(stream: S, code: ErrorCode, failure: Failure): void {
    if (stream.isOver) return;
    this.sendReset(stream.id, code);
    this.abandon(stream, this.told(failure));
  }

  /** The stream breaks off. */
  protected abandon(stream: S, failure: Failure): void {
    this.detach(stream);
    stream.user.reset(failure);
    this.onReleased(stream);
  }

  /** The stream is over; its user knows. */
  protected release(stream: S): void {
    this.detach(stream);
    // Whoever hears of the end may close the connection.
    this.flush();
    this.onReleased(stream);
  }

  /** Every stream breaks off. */
  protected abandonAll(failure: Failure): void {
    for (const stream of this.streams.values()) this.abandon(stream, failure);
  }

  /** A connection error; `code` null: without GOAWAY. */
  protected fail(failure: Failure, code: ErrorCode | null = null): void {
    if (this.isFinished) return;
    this.finish();
    const last = Math.min(this.lastPeerStreamId, this.goAwayStreamId);
    if (code !== null) this.sendGoAway(last, code, failure.detail);
    this.writer.flush();
    this.abandonAll(this.told(failure));
    this.onFailed(failure);
  }

  protected finish(): void {
    this.isFinished = true;
    this.reader.stop();
  }

  protected override failLater(failure: Failure): void {
    this.lateFailure ??= failure;
    this.wakeAt(this.now);
  }

  protected override sendEnded(stream: H2Stream): void {
    stream.state = nextState(stream.state, StreamEvent.SendEnd) || StreamState.Closed;
    if (stream.state === StreamState.Closed) this.release(stream as S);
    else this.onHalfClosed(stream as S);
  }

  /** The peer's half has ended. Its state moves on before the user hears of it, whose answer may end the stream. */
  protected receiveEnds(stream: S): void {
    stream.state = nextState(stream.state, StreamEvent.ReceiveEnd) || StreamState.Closed;
  }

  /** The user has heard the end of the peer's half. */
  protected receiveEnded(stream: S): void {
    if (stream.isOver) return;
    if (stream.state === StreamState.Closed) this.release(stream);
    else this.onHalfClosed(stream);
  }

  /** Reads a header block. `Compression`: the connection has failed. */
  protected decodeFields(fields: MessageFields, bytes: Uint8Array, from: number, to: number): HpackError {
    const error = this.blocks.read(fields, bytes, from, to);
    if (error === HpackError.Compression) this.onConnectionError(ErrorCode.CompressionError, 'invalid header block');
    return error;
  }

  /** What is wrong with a message's fields decides what ends: as Envoy. */
  protected refuseFields(stream: S, failure: Failure): void {
    const { counters } = this.options;
    const { kind } = failure;
    if (kind === TooManyHeaders.kind || kind === HeadersTooLarge.kind || kind === UnexpectedUnderscore.kind) {
      if (kind === TooManyHeaders.kind) counters.count(H2Counter.HeaderOverflow);
      if (kind === HeadersTooLarge.kind) counters.count(H2Counter.HeaderListSizeTooLarge);
      this.refuse(stream, ErrorCode.InternalError, failure);
      return;
    }
    counters.count(H2Counter.RxMessagingError);
    this.refuseMessage(stream, failure);
  }

  private refuseMessage(stream: S, failure: Failure): void {
    if (this.options.streamErrorOnInvalidHttpMessage) this.refuse(stream, ErrorCode.ProtocolError, failure);
    else this.fail(failure);
  }

  /** Which limit a list has passed. */
  protected tooLarge(fields: MessageFields): Failure {
    return this.blocks.isOverBytes || fields.failure?.kind === HeadersTooLarge.kind ? HeadersTooLarge : TooManyHeaders;
  }

  protected readTrailers(
    stream: S,
    fields: MessageFields,
    end: boolean,
    b: Uint8Array,
    from: number,
    to: number,
  ): void {
    stream.receiveBlock(frameHeaderBytes + to - from);
    fields.begin(true);
    const error = this.decodeFields(fields, b, from, to);
    if (error === HpackError.Compression) return;
    const trailers = fields.end();
    if (!canReceive(stream.state)) {
      this.refuse(stream, ErrorCode.StreamClosed, CodecError.with('HEADERS on a half-closed stream'));
      return;
    }
    let failure = error === HpackError.ListTooLarge ? this.tooLarge(fields) : fields.failure;
    if (!end) failure ??= InvalidMessaging.with('trailers without END_STREAM');
    if (stream.expectedBytes >= 0 && stream.receivedBytes !== stream.expectedBytes)
      failure ??= InvalidMessaging.with('content is not as long as content-length says');
    if (failure !== null) {
      this.refuseFields(stream, failure);
      return;
    }
    this.receiveEnds(stream);
    if (trailers.length === 0) stream.user.data(noBytes, true);
    else stream.user.trailers(trailers);
    this.receiveEnded(stream);
  }

  /** DATA or HEADERS of a stream that is not there. */
  protected onStray(streamId: number, frame: string): void {
    if (this.isIdle(streamId)) {
      this.onConnectionError(ErrorCode.ProtocolError, `${frame} on an idle stream`);
      return;
    }
    const wasByUs = this.resetStreams.wasByUs(streamId);
    if (wasByUs === true) return;
    if (wasByUs === false) this.sendReset(streamId, ErrorCode.StreamClosed);
    else this.onConnectionError(ErrorCode.StreamClosed, `${frame} on a closed stream`);
  }

  private detach(stream: S): void {
    stream.isOver = true;
    stream.state = StreamState.Closed;
    if (this.dataStream === stream) this.dataStream = null;
    if (stream.id !== 0) this.streams.delete(stream.id);
    this.scheduler.remove(stream);
    stream.dropQueue();
    const withheld = stream.takeWithheld();
    if (withheld > 0 && !this.isFinished) this.consume(withheld);
    this.options.counters.streamsActive(-1);
  }

  private failLate(): void {
    const failure = this.lateFailure!;
    this.lateFailure = null;
    this.fail(failure, ErrorCode.EnhanceYourCalm);
  }

  // ---- the reader tells

  onFrame(type: number, flags: number, length: number): void {
    if (type === FrameType.Data) return;
    const flood = this.guard.onFrame(type, flags, length);
    if (flood !== null) this.onFlood(flood);
  }

  onData(streamId: number, payloadBytes: number, dataBytes: number, end: boolean): boolean {
    const flood = this.guard.onContent(dataBytes, end);
    if (flood !== null) {
      this.onFlood(flood);
      return false;
    }
    if (!this.window.receive(payloadBytes)) {
      this.onConnectionError(ErrorCode.FlowControlError, 'more DATA than the connection window');
      return false;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      this.consume(payloadBytes);
      this.onStray(streamId, 'DATA');
      return false;
    }
    if (!this.acceptData(stream, payloadBytes, dataBytes, end)) {
      this.consume(payloadBytes);
      return false;
    }
    if (payloadBytes > dataBytes) stream.consume(payloadBytes - dataBytes);
    this.dataStream = stream;
    return true;
  }

  onDataPiece(chunk: Uint8Array, end: boolean): void {
    const stream = this.dataStream;
    const size = chunk.length;
    if (stream === null) {
      lentBytes.settle(chunk, size);
      this.consume(size);
      return;
    }
    if (end) {
      this.dataStream = null;
      this.receiveEnds(stream);
    }
    stream.user.data(chunk, end);
    if (size > 0) {
      if (stream.isOver) this.consume(size);
      else stream.consume(size);
    }
    if (end) this.receiveEnded(stream);
  }

  onPriority(streamId: number, dependsOn: number): void {
    if (dependsOn === streamId) this.onStreamError(streamId, ErrorCode.ProtocolError, 'a stream depends on itself');
  }

  onResetStream(streamId: number, code: number): void {
    if (this.isIdle(streamId)) {
      this.onConnectionError(ErrorCode.ProtocolError, 'RST_STREAM on an idle stream');
      return;
    }
    const flood = this.guard.onReset(this.now);
    if (flood !== null) {
      this.onFlood(flood);
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) return;
    this.options.counters.count(H2Counter.RxReset);
    this.resetStreams.add(streamId, false);
    stream.wireBytesReceived += frameHeaderBytes + 4;
    this.abandon(stream, this.resetFailure(stream, code));
  }

  onSettings(bytes: Uint8Array, start: number, to: number): void {
    const { peer } = this;
    const { headerTableSize, initialWindowSize } = peer;
    const error = peer.apply(bytes, start, to, !this.isServer);
    if (error !== ErrorCode.NoError) {
      this.onConnectionError(error, 'invalid setting');
      return;
    }
    if (peer.headerTableSize !== headerTableSize) this.hpackEncoder.setPeerTableBytesMax(peer.headerTableSize);
    const delta = peer.initialWindowSize - initialWindowSize;
    if (delta !== 0) {
      for (const stream of this.streams.values()) {
        stream.sendWindow += delta;
        if (stream.sendWindow > int31Max) {
          this.onConnectionError(ErrorCode.FlowControlError, 'a window beyond 2^31-1');
          return;
        }
        stream.windowMoved();
      }
    }
    this.sendSettingsAck();
  }

  onSettingsAck(): void {
    if (this.isBound) return;
    this.isBound = true;
    const { hpackTableSize } = this.options;
    if (hpackTableSize !== tableBytesDefault) this.blocks.setTableBytesMax(hpackTableSize);
  }

  onPing(isAck: boolean, bytes: Uint8Array, start: number): void {
    if (!isAck) this.sendPing(true, bytes, start);
    else if (bytes[start] === keepAlivePing[0]) this.keepAlive?.onAnswer(this.now);
  }

  onWindowUpdate(streamId: number, increment: number): void {
    if (streamId === 0) {
      if (increment === 0) this.onConnectionError(ErrorCode.ProtocolError, 'WINDOW_UPDATE by nothing');
      else if (!this.openSendWindow(increment))
        this.onConnectionError(ErrorCode.FlowControlError, 'a window beyond 2^31-1');
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) this.onConnectionError(ErrorCode.ProtocolError, 'WINDOW_UPDATE on an idle stream');
      return;
    }
    if (increment === 0) {
      this.onStreamError(streamId, ErrorCode.ProtocolError, 'WINDOW_UPDATE by nothing');
      return;
    }
    stream.sendWindow += increment;
    if (stream.sendWindow > int31Max)
      this.onStreamError(streamId, ErrorCode.FlowControlError, 'a window beyond 2^31-1');
    else stream.windowMoved();
  }

  onStreamError(streamId: number, code: ErrorCode, detail: string): void {
    const stream = this.streams.get(streamId);
    if (stream !== undefined) this.refuse(stream, code, CodecError.with(detail));
    // RFC 9113 section 5.1: on an idle stream there is nothing that RST_STREAM could be about.
    else if (this.isIdle(streamId)) this.onConnectionError(code, detail);
    else if (this.resetStreams.wasByUs(streamId) === null) this.sendReset(streamId, code);
  }

  onConnectionError(code: ErrorCode, detail: string): void {
    this.fail(CodecError.with(detail), code);
  }

  onFlood(failure: Failure): void {
    this.fail(failure, ErrorCode.EnhanceYourCalm);
  }

  /** False: the stream is refused. */
  private acceptData(stream: S, payloadBytes: number, dataBytes: number, end: boolean): boolean {
    if (!canReceive(stream.state)) {
      this.refuse(stream, ErrorCode.StreamClosed, CodecError.with('DATA on a half-closed stream'));
      return false;
    }
    if (!stream.receive(payloadBytes, this.options.initialStreamWindowSize)) {
      this.refuse(stream, ErrorCode.FlowControlError, CodecError.with('more DATA than the window of the stream'));
      return false;
    }
    stream.wireBytesReceived += frameHeaderBytes + payloadBytes;
    stream.receivedBytes += dataBytes;
    const { expectedBytes, receivedBytes } = stream;
    // Neither is counted, as in Envoy: nghttp2 tells only of HEADERS that do not fit.
    if (!stream.hasReceivedHead) this.refuseMessage(stream, InvalidMessaging.with('DATA before the head'));
    else if (expectedBytes >= 0 && (receivedBytes > expectedBytes || (end && receivedBytes < expectedBytes)))
      this.refuse(stream, ErrorCode.ProtocolError, LengthMismatch);
    else return true;
    return false;
  }
}
