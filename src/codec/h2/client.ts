import { RetryKind, Side, type Failure } from '../../core/failure.ts';
import { ConnectionTermination, LocalReset, UpstreamProtocolError } from '../../core/failures.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { CodecStream, StreamUser } from '../../core/message-sink.ts';
import type { ClientCodec, ClientCodecOwner, CodecHost } from '../codec.ts';
import { HpackError } from '../hpack/decoder.ts';
import { H2ClientStream } from './client-stream.ts';
import { H2Connection } from './connection.ts';
import {
  CodecError,
  InvalidMessaging,
  PingTimeout,
  HeadersTooLarge,
  TooManyHeaders,
  UpstreamConnectError,
  UpstreamRefusedStream,
  UpstreamRemoteReset,
} from './failures.ts';
import { ErrorCode } from './frame/error-code.ts';
import { clientPreface, frameHeaderBytes, int31Max } from './frame/frame.ts';
import { Setting } from './frame/settings.ts';
import { KeepAliveAction } from './keep-alive.ts';
import { interimResponsesMax } from './limits.ts';
import { ResponseFields } from './message/response-fields.ts';
import { upgradeAccepted } from './message/upgrade.ts';
import { UnderscoreAction, type H2ClientOptions } from './options.ts';
import { StreamState } from './stream-state.ts';

/** The client's end of an HTTP/2 connection. */
export class H2ClientCodec extends H2Connection<H2ClientStream> implements ClientCodec {
  private readonly owner: ClientCodecOwner;
  private readonly fields: ResponseFields;
  /** Opened, and no head yet: without an identifier, so that those come in order. */
  private unsent: H2ClientStream[];
  private nextStreamId: number;
  /** The server takes no more streams. */
  private isGoingAway: boolean;
  private isClosed: boolean;

  /** Sends its preface at once. `now`: monotonic milliseconds. */
  constructor(host: CodecHost, owner: ClientCodecOwner, options: H2ClientOptions, now = 0) {
    // A server may refuse as often as it likes: Envoy's limit of resets, nghttp2's, is one for clients.
    super(host, { ...options, streamResetBurst: Infinity }, false);
    this.owner = owner;
    this.fields = new ResponseFields(options.headersBytesMax, UnderscoreAction.Allow, options.counters);
    this.unsent = [];
    this.nextStreamId = 1;
    this.isGoingAway = false;
    this.isClosed = false;
    this.writer.raw(clientPreface);
    this.begin([[Setting.EnablePush, 0]], now);
    this.writer.flush();
  }

  get activeStreams(): number {
    return this.streams.size + this.unsent.length;
  }

  get canOpen(): boolean {
    return (
      !this.isFinished &&
      !this.isGoingAway &&
      this.activeStreams < Math.min(this.options.maxConcurrentStreams, this.peer.maxConcurrentStreams) &&
      this.nextStreamId + 2 * this.unsent.length <= int31Max
    );
  }

  open(user: StreamUser<ResponseHead>, now: number = this.now): CodecStream<RequestHead> {
    if (!this.canOpen) throw new Error('the connection takes no more streams');
    this.now = now;
    const { keepAlive } = this;
    if (keepAlive !== null && keepAlive.onOpen(now) === KeepAliveAction.Ping) {
      this.askPeer();
      this.wakeAt(keepAlive.deadline);
    }
    const stream = new H2ClientStream(this, user);
    this.unsent.push(stream);
    this.guard.openedStreams++;
    this.options.counters.streamsActive(1);
    if (this.isBlocked) stream.tellAbove();
    return stream;
  }

  receiveEnd(now: number): void {
    this.now = now;
    if (this.isFinished) return;
    this.finish();
    this.abandonAll(ConnectionTermination);
  }

  override closed(failure: Failure): void {
    // Its caller knows of the streams: it is not told of each.
    this.isClosed = true;
    super.closed(failure);
  }

  override onAboveHighWatermark(): void {
    super.onAboveHighWatermark();
    for (const stream of this.unsent) stream.tellAbove();
  }

  override onBelowLowWatermark(): void {
    super.onBelowLowWatermark();
    for (const stream of this.unsent) stream.tellBelow();
  }

  // ---- a stream's user asks

  /** The stream's head goes out: it gets its identifier. */
  begins(stream: H2ClientStream): void {
    this.forget(stream);
    stream.id = this.nextStreamId;
    this.nextStreamId += 2;
    stream.state = StreamState.Open;
    stream.sendWindow = this.peer.initialWindowSize;
    this.streams.add(stream);
  }

  onRequestReset(stream: H2ClientStream, failure: Failure): void {
    if (stream.id === 0) {
      this.release(stream);
      return;
    }
    this.owner.onStreamReset?.(LocalReset);
    const isRefused = failure.kind.retry === RetryKind.RefusedStream;
    this.resetStream(
      stream,
      isRefused ? ErrorCode.RefusedStream : (this.options.giveUpCode ?? ErrorCode.InternalError),
    );
  }

  /** Whoever asks has a timeout for the answer. */
  override endQueued(): void {}

  // ---- the reader tells

  override onHeadersBegun(): void {}

  override onHeaders(id: number, end: boolean, _dependsOn: number, b: Uint8Array, from: number, to: number): void {
    const stream = this.streams.get(id);
    const { fields } = this;
    if (stream === undefined) {
      fields.begin(true);
      if (this.decodeFields(fields, b, from, to) !== HpackError.Compression) this.onStray(id, 'HEADERS');
      return;
    }
    if (stream.hasReceivedHead) {
      this.readTrailers(stream, fields, end, b, from, to);
      return;
    }
    stream.receiveBlock(frameHeaderBytes + to - from);
    fields.begin(false);
    const error = this.decodeFields(fields, b, from, to);
    if (error === HpackError.Compression) return;
    const head = fields.take();
    if (error === HpackError.ListTooLarge) this.refuseFields(stream, this.tooLarge(fields));
    else if (head === null) this.refuseFields(stream, fields.failure!);
    else if (head.status < 200) this.deliverInterim(stream, head, end);
    else this.deliver(stream, head, end);
  }

  /** Streams above the last one were not looked at: they may be repeated elsewhere. */
  override onGoAway(lastStreamId: number): void {
    if (!this.isGoingAway) {
      this.isGoingAway = true;
      this.owner.onCloseAnnounced?.();
    }
    for (const stream of this.streams.values())
      if (stream.id > lastStreamId) this.abandon(stream, UpstreamRefusedStream);
    this.abandonUnsent(UpstreamRefusedStream);
  }

  // ---- what the roles differ in

  protected override isIdle(streamId: number): boolean {
    return streamId >= this.nextStreamId || (streamId & 1) === 0;
  }

  /** As over HTTP/1: Envoy's reply and log name no detail. */
  protected override told(failure: Failure): Failure {
    if (failure.kind.side === Side.Upstream) return failure;
    if (failure.kind === TooManyHeaders.kind || failure.kind === HeadersTooLarge.kind) return UpstreamRemoteReset;
    return failure.kind === PingTimeout.kind ? ConnectionTermination : UpstreamProtocolError;
  }

  protected override resetFailure(_stream: H2ClientStream, code: number): Failure {
    switch (code) {
      case ErrorCode.RefusedStream:
        return UpstreamRefusedStream;
      case ErrorCode.ConnectError:
        return UpstreamConnectError;
      case ErrorCode.ProtocolError:
        return UpstreamProtocolError;
      default:
        return UpstreamRemoteReset;
    }
  }

  /** The whole answer came before the request's end: nobody needs the rest. The code is Envoy's. */
  protected override onHalfClosed(stream: H2ClientStream): void {
    if (stream.state !== StreamState.HalfClosedRemote || stream.isTunnel) return;
    this.owner.onStreamReset?.(LocalReset);
    this.resetStream(stream, ErrorCode.InternalError);
  }

  protected override abandon(stream: H2ClientStream, failure: Failure): void {
    this.owner.onStreamReset?.(failure);
    super.abandon(stream, failure);
  }

  protected override onReleased(stream: H2ClientStream): void {
    if (stream.id === 0) this.forget(stream);
    const isReusable = !this.isFinished && !this.isGoingAway && this.nextStreamId <= int31Max;
    if (!this.isClosed) this.owner.onStreamDone(isReusable);
  }

  protected override abandonAll(failure: Failure): void {
    super.abandonAll(failure);
    this.abandonUnsent(failure);
  }

  protected override onReceived(): void {}

  protected override onFailed(failure: Failure): void {
    const { reason } = failure.kind;
    if (failure.kind === PingTimeout.kind) this.owner.onProtocolError(ConnectionTermination.with(reason));
    else
      this.owner.onProtocolError(
        UpstreamProtocolError.with(failure.detail === '' ? reason : `${reason}: ${failure.detail}`),
      );
  }

  // ---- inside

  private deliverInterim(stream: H2ClientStream, head: ResponseHead, end: boolean): void {
    if (end) this.refuseFields(stream, InvalidMessaging.with('an interim response that ends'));
    else if (++stream.interimResponses > interimResponsesMax)
      this.refuse(stream, ErrorCode.EnhanceYourCalm, CodecError.with('too many interim responses'));
    else stream.user.head(head, false);
  }

  private deliver(stream: H2ClientStream, head: ResponseHead, end: boolean): void {
    const { status } = head;
    const isSuccess = status < 300;
    let expected = this.fields.contentLength;
    if (stream.isHead || status === 204 || status === 304) expected = 0;
    else if (stream.isTunnel && isSuccess) expected = -1;
    if (end && expected > 0) {
      this.refuseFields(stream, InvalidMessaging.with('content-length without content'));
      return;
    }
    stream.hasReceivedHead = true;
    stream.expectedBytes = expected;
    if (stream.isTunnel && !isSuccess) stream.isTunnel = false;
    if (stream.protocol !== '' && status === 200) upgradeAccepted(head, stream.protocol);
    if (end) this.receiveEnds(stream);
    stream.user.head(head, end);
    if (end) this.receiveEnded(stream);
  }

  private abandonUnsent(failure: Failure): void {
    for (const stream of this.unsent.slice()) this.abandon(stream, failure);
  }

  private forget(stream: H2ClientStream): void {
    const { unsent } = this;
    const at = unsent.lastIndexOf(stream);
    if (at >= 0 && at === unsent.length - 1) unsent.pop();
    else if (at >= 0) unsent.splice(at, 1);
  }
}
