import { Failure } from '../../core/failure.ts';
import { DownstreamRemoteClose } from '../../core/failures.ts';
import type { RequestHead } from '../../core/head.ts';
import type { CodecHost, ServerCodec, StreamAcceptor } from '../codec.ts';
import { HpackError } from '../hpack/decoder.ts';
import { H2Connection } from './connection.ts';
import { H2Counter } from './counters.ts';
import {
  CodecError,
  InvalidMessaging,
  DownstreamRemoteRefused,
  DownstreamRemoteReset,
  PrematureResets,
  TooManyStreams,
} from './failures.ts';
import { PrematureResetGuard } from './flow/premature-reset-guard.ts';
import { ErrorCode } from './frame/error-code.ts';
import { frameHeaderBytes, int31Max } from './frame/frame.ts';
import { earlyAnswerMs, earlyAnswersMax } from './limits.ts';
import { RequestFields } from './message/request-fields.ts';
import { upgradeFromConnect } from './message/upgrade.ts';
import type { H2ServerOptions } from './options.ts';
import { H2ServerStream, nobody } from './server-stream.ts';
import { StreamState } from './stream-state.ts';

/** Opaque bytes of the PING between the two GOAWAY frames. */
const drainPing = Uint8Array.from('draining', (c) => c.charCodeAt(0));

/**
 * A goodbye (RFC 9113 section 6.8):
 *
 *     Open → Noticed → Final
 *
 * Noticed: the client knows (GOAWAY 2^31-1), and streams that cross this are taken. Final: the last stream is named.
 */
const DrainState = { Open: 0, Noticed: 1, Final: 2 } as const;
type DrainState = (typeof DrainState)[keyof typeof DrainState];

/** The server's end of an HTTP/2 connection. */
export class H2ServerCodec extends H2Connection<H2ServerStream> implements ServerCodec {
  private readonly acceptor: StreamAcceptor;
  private readonly server: H2ServerOptions;
  private readonly fields: RequestFields;
  private readonly prematureResets: PrematureResetGuard;
  private hasBegun: boolean;
  private drainState: DrainState;
  private drainAt: number;
  /** Complete responses to requests that are not. */
  private early: H2ServerStream[];
  /** Complete responses that still wait for windows, or for the socket. */
  private flushing: H2ServerStream[];

  constructor(host: CodecHost, acceptor: StreamAcceptor, options: H2ServerOptions) {
    super(host, options, true);
    this.acceptor = acceptor;
    this.server = options;
    this.fields = new RequestFields(options.headersBytesMax, options.headersWithUnderscores, options.counters);
    this.fields.allowsConnect = options.allowConnect;
    this.prematureResets = new PrematureResetGuard(options);
    this.hasBegun = false;
    this.drainState = DrainState.Open;
    this.drainAt = Infinity;
    this.early = [];
    this.flushing = [];
  }

  get activeStreams(): number {
    return this.streams.size;
  }

  get giveUpCode(): ErrorCode {
    return this.server.giveUpCode ?? ErrorCode.InternalError;
  }

  override receive(chunk: Uint8Array, now: number): void {
    if (!this.hasBegun) this.beginAt(now);
    super.receive(chunk, now);
  }

  receiveEnd(now: number): void {
    this.now = now;
    if (this.isFinished) return;
    // As Envoy: a client that closes its half is gone, and so are its requests.
    this.finish();
    this.abandonAll(DownstreamRemoteClose);
    this.acceptor.onFinished();
  }

  override tick(now: number): void {
    super.tick(now);
    if (this.isFinished) return;
    if (this.early.length > 0) this.endEarly(now);
    if (this.flushing.length > 0) this.watchFlushing(now);
    if (this.drainState !== DrainState.Noticed) return;
    if (now >= this.drainAt) this.endDrain();
    else this.wakeAt(this.drainAt);
  }

  /** `now` may be old while a user writes: the watch begins with the next tick. */
  override endQueued(stream: H2ServerStream): void {
    if ((stream.flushMs < 0 ? this.server.streamFlushMs : stream.flushMs) === 0) return;
    this.flushing.push(stream);
    this.wakeAt(this.now);
  }

  /** GOAWAY in two steps; the second follows a PING's round trip, or `drainMs`. */
  drain(now: number = this.now, drainMs: number = this.server.drainMs): void {
    if (this.drainState !== DrainState.Open || this.isFinished) return;
    if (!this.hasBegun) this.beginAt(now);
    this.drainState = DrainState.Noticed;
    this.sendGoAway(int31Max, ErrorCode.NoError, '');
    this.sendPing(false, drainPing, 0);
    this.drainAt = now + drainMs;
    this.wakeAt(this.drainAt);
    this.flush();
  }

  /** GOAWAY in both steps at once, and nothing more is read. */
  leave(failure: Failure, now: number): void {
    if (this.isFinished) return;
    if (!this.hasBegun) this.beginAt(now);
    if (this.drainState === DrainState.Open) this.sendGoAway(int31Max, ErrorCode.NoError, '');
    this.server.counters.count(H2Counter.GoawaySent);
    this.fail(failure, ErrorCode.NoError);
  }

  // ---- the reader tells

  override onPing(isAck: boolean, bytes: Uint8Array, start: number): void {
    if (isAck && bytes[start] === drainPing[0] && this.drainState === DrainState.Noticed) this.endDrain();
    else super.onPing(isAck, bytes, start);
  }

  override onResetStream(streamId: number, code: number): void {
    super.onResetStream(streamId, code);
    if (!this.isFinished && this.prematureResets.isTooMany) this.fail(PrematureResets, ErrorCode.EnhanceYourCalm);
  }

  /** A client cannot be asked anything: what it says of streams of ours is about none. */
  override onGoAway(): void {}

  /** As Envoy, a stream begins with its HEADERS frame, so that its user can limit the time that the rest may take. */
  override onHeadersBegun(streamId: number): void {
    if (!this.streams.has(streamId) && this.mayOpen(streamId)) this.open(streamId);
  }

  override onHeaders(id: number, end: boolean, dependsOn: number, b: Uint8Array, from: number, to: number): void {
    let stream = this.streams.get(id);
    if (stream === undefined) {
      if (!this.mayOpen(id)) {
        this.skipHeaders(id, b, from, to);
        return;
      }
      stream = this.open(id);
    } else if (stream.hasReceivedHead) {
      this.server.counters.count(H2Counter.Trailers);
      this.readTrailers(stream, this.fields, end, b, from, to);
      return;
    }
    const { fields } = this;
    stream.receiveBlock(frameHeaderBytes + to - from);
    fields.begin(false);
    const error = this.decodeFields(fields, b, from, to);
    if (error === HpackError.Compression) return;
    const head = fields.take();
    if (error === HpackError.ListTooLarge) this.refuseFields(stream, this.tooLarge(fields));
    else if (head === null) this.refuseFields(stream, fields.failure!);
    else if (dependsOn === id)
      this.refuse(stream, ErrorCode.ProtocolError, CodecError.with('a stream depends on itself'));
    else if (end && fields.contentLength > 0)
      this.refuseFields(stream, InvalidMessaging.with('content-length without content'));
    else this.deliver(stream, head, end);
  }

  // ---- what the roles differ in

  protected override isIdle(streamId: number): boolean {
    return streamId > this.lastPeerStreamId || (streamId & 1) === 0;
  }

  /** A log has Envoy's words; the detail is for who hears of the connection's end. */
  protected override told(failure: Failure): Failure {
    return failure.detail === '' ? failure : new Failure(failure.kind);
  }

  protected override resetFailure(_stream: H2ServerStream, code: number): Failure {
    return code === ErrorCode.RefusedStream ? DownstreamRemoteRefused : DownstreamRemoteReset;
  }

  /**
   * The answer has left before the request came (RFC 9113 section 8.1). What of it is under way is let come: there are
   * clients that forget an answer for the RST_STREAM behind it.
   */
  protected override onHalfClosed(stream: H2ServerStream): void {
    if (stream.state !== StreamState.HalfClosedLocal || stream.isTunnel) return;
    stream.user = nobody;
    stream.pause();
    stream.endAt = this.now + earlyAnswerMs;
    if (this.early.push(stream) > earlyAnswersMax) this.endFirstEarly();
    this.wakeAt(stream.endAt);
  }

  protected override onReleased(stream: H2ServerStream): void {
    this.prematureResets.onEnd(stream.hasSentHead, this.now - stream.openedAt);
    if (this.drainState === DrainState.Final && !this.isReceiving) this.onReceived();
  }

  protected override onReceived(): void {
    if (this.drainState !== DrainState.Final || this.streams.size > 0 || this.isFinished) return;
    this.writer.flush();
    this.finish();
    this.acceptor.onFinished();
  }

  protected override onFailed(failure: Failure): void {
    this.acceptor.onProtocolError(failure);
  }

  // ---- inside

  private beginAt(now: number): void {
    this.hasBegun = true;
    this.begin([], now);
  }

  private deliver(stream: H2ServerStream, head: RequestHead, end: boolean): void {
    stream.hasReceivedHead = true;
    stream.expectedBytes = this.fields.contentLength;
    if (head.method === 'CONNECT') {
      stream.isConnect = true;
      stream.expectedBytes = -1;
      if (head.protocol !== '') {
        stream.protocol = head.protocol;
        upgradeFromConnect(head);
      }
    }
    if (end) this.receiveEnds(stream);
    stream.user.head(head, end);
    if (end) this.receiveEnded(stream);
  }

  private open(streamId: number): H2ServerStream {
    this.lastPeerStreamId = streamId;
    this.guard.openedStreams++;
    this.server.counters.streamsActive(1);
    const stream = new H2ServerStream(this, streamId);
    stream.state = StreamState.Open;
    this.streams.add(stream);
    stream.user = this.acceptor.accept(stream);
    if (this.isBlocked) stream.tellAbove();
    return stream;
  }

  private mayOpen(streamId: number): boolean {
    return (
      streamId > this.lastPeerStreamId &&
      (streamId & 1) === 1 &&
      this.drainState !== DrainState.Final &&
      this.streams.size < this.server.maxConcurrentStreams
    );
  }

  /** A header block that nobody wants: HPACK has to see it all the same. */
  private skipHeaders(streamId: number, b: Uint8Array, from: number, to: number): void {
    this.fields.begin(true);
    if (this.decodeFields(this.fields, b, from, to) === HpackError.Compression) return;
    if (streamId <= this.lastPeerStreamId || (streamId & 1) === 0) {
      this.onStray(streamId, 'HEADERS');
      return;
    }
    // The client has not seen the last GOAWAY yet: it will, and repeat this elsewhere.
    if (this.drainState === DrainState.Final) {
      this.lastPeerStreamId = streamId;
      this.resetStreams.add(streamId, true);
      return;
    }
    if (this.isBound) {
      this.fail(TooManyStreams, ErrorCode.ProtocolError);
      return;
    }
    this.lastPeerStreamId = streamId;
    this.server.counters.count(H2Counter.StreamRefusedErrors);
    this.sendReset(streamId, ErrorCode.RefusedStream);
  }

  private endFirstEarly(): void {
    const stream = this.early.shift()!;
    if (!stream.isOver) this.resetStream(stream, stream.endCode);
  }

  private endEarly(now: number): void {
    const waiting = this.early.filter(({ isOver }) => !isOver);
    this.early = waiting.filter(({ endAt }) => endAt > now);
    for (const stream of waiting) {
      if (stream.endAt > now) this.wakeAt(stream.endAt);
      else this.resetStream(stream, stream.endCode);
    }
  }

  private watchFlushing(now: number): void {
    const { streamFlushMs, counters } = this.server;
    const waiting = this.flushing.filter(({ isOver, queuedBytes }) => !isOver && queuedBytes > 0);
    this.flushing = [];
    for (const stream of waiting) {
      if (stream.flushAt >= 0 && now >= stream.flushAt && stream.queuedBytes === stream.flushMark) {
        counters.count(H2Counter.TxFlushTimeout);
        this.resetStream(stream, ErrorCode.InternalError);
        continue;
      }
      if (stream.flushAt < 0 || now >= stream.flushAt) {
        stream.flushMark = stream.queuedBytes;
        stream.flushAt = now + (stream.flushMs < 0 ? streamFlushMs : stream.flushMs);
      }
      this.flushing.push(stream);
      this.wakeAt(stream.flushAt);
    }
  }

  private endDrain(): void {
    this.drainState = DrainState.Final;
    this.drainAt = Infinity;
    this.server.counters.count(H2Counter.GoawaySent);
    this.goAwayStreamId = this.lastPeerStreamId;
    this.sendGoAway(this.goAwayStreamId, ErrorCode.NoError, '');
    this.flush();
    if (!this.isReceiving) this.onReceived();
  }
}
