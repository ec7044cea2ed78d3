import { latin1, noBytes } from '../../core/bytes.ts';
import type { Failure } from '../../core/failure.ts';
import { ConnectionTermination, UpstreamProtocolError } from '../../core/failures.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import type { CodecStream, StreamUser } from '../../core/message-sink.ts';
import type { ClientCodec, ClientCodecOwner, CodecHost } from '../codec.ts';
import { H1ClientStream } from './client-stream.ts';
import { DecoderState } from './decoder.ts';
import { Encoder } from './encoder.ts';
import { CodecError, ofUpstream } from './failures.ts';
import { interimResponsesMax } from './limits.ts';
import type { H1ClientOptions } from './options.ts';
import { ResponseDecoder, type ResponseListener } from './response-decoder.ts';

/** The client's end of an HTTP/1.1 connection. One request at a time: as Envoy, it never pipelines. */
export class H1ClientCodec implements ClientCodec, ResponseListener {
  readonly host: CodecHost;
  readonly options: H1ClientOptions;
  readonly encoder: Encoder;
  private readonly owner: ClientCodecOwner;
  private readonly decoder: ResponseDecoder;
  private stream: H1ClientStream | null;
  /** No further request may be sent. */
  private isFinished: boolean;
  private isAboveHighWatermark: boolean;
  private interimResponses: number;

  constructor(host: CodecHost, owner: ClientCodecOwner, options: H1ClientOptions) {
    this.host = host;
    this.options = options;
    this.encoder = new Encoder(host, options.headerKeyFormat, options.enableTrailers);
    this.owner = owner;
    this.decoder = new ResponseDecoder(options, this);
    this.stream = null;
    this.isFinished = false;
    this.isAboveHighWatermark = false;
    this.interimResponses = 0;
  }

  get activeStreams(): number {
    return this.stream === null ? 0 : 1;
  }

  get canOpen(): boolean {
    return this.stream === null && !this.isFinished;
  }

  open(user: StreamUser<ResponseHead>): CodecStream<RequestHead> {
    if (!this.canOpen) throw new Error('an HTTP/1.1 connection carries one request at a time');
    const stream = new H1ClientStream(this, user);
    this.stream = stream;
    this.interimResponses = 0;
    if (this.isAboveHighWatermark) user.onAboveHighWatermark();
    return stream;
  }

  receive(chunk: Uint8Array): void {
    let pos = 0;
    while (pos < chunk.length && !this.isFinished) {
      if (this.stream === null) {
        this.refuseUnasked(chunk, pos);
        return;
      }
      if (!this.stream.hasHead) {
        this.onInvalid(CodecError.with('bytes before the request'));
        return;
      }
      pos = this.decoder.decode(chunk, pos);
      if (this.decoder.state === DecoderState.Complete) this.completeResponse(pos < chunk.length);
    }
  }

  receiveEnd(): void {
    const { stream, decoder } = this;
    if (this.isFinished && stream === null) return;
    this.isFinished = true;
    if (stream === null) return;
    // A CONNECT whose both halves have ended is complete. One that the upstream ends first is lost, as in Envoy.
    const isWhole = decoder.state === DecoderState.Raw && stream.isConnect && stream.isRequestComplete;
    if (isWhole || decoder.state === DecoderState.UntilClose) {
      decoder.state = DecoderState.Complete;
      stream.isResponseComplete = true;
      stream.user.data(noBytes, true);
      if (this.stream === stream) this.release(stream, false);
    } else if (decoder.isInside && decoder.state !== DecoderState.Raw) {
      // As Envoy: bytes are missing that were promised.
      this.onInvalid(CodecError.with('the connection ended inside the response'));
    } else {
      this.abandon(stream, ConnectionTermination);
      this.owner.onStreamDone(false);
    }
  }

  closed(failure: Failure): void {
    this.isFinished = true;
    if (this.stream !== null) this.abandon(this.stream, failure);
  }

  onAboveHighWatermark(): void {
    this.isAboveHighWatermark = true;
    this.stream?.user.onAboveHighWatermark();
  }

  onBelowLowWatermark(): void {
    this.isAboveHighWatermark = false;
    this.stream?.user.onBelowLowWatermark();
  }

  // What the decoder reads.

  onResponse(head: ResponseHead, end: boolean): void {
    const stream = this.stream!;
    if (head.status < 200 && head.status !== 101) {
      if (++this.interimResponses > interimResponsesMax) this.onInvalid(CodecError.with('too many interim responses'));
      else stream.user.head(head, false);
      return;
    }
    stream.isTunnel = this.decoder.state === DecoderState.Raw;
    if (end) stream.isResponseComplete = true;
    stream.user.head(head, end);
  }

  onData(chunk: Uint8Array, end: boolean): void {
    const stream = this.stream;
    if (stream === null) return;
    if (end) stream.isResponseComplete = true;
    stream.user.data(chunk, end);
  }

  onTrailers(trailers: Headers): void {
    const stream = this.stream;
    if (stream === null) return;
    stream.isResponseComplete = true;
    stream.user.trailers(trailers);
  }

  onInvalid(failure: Failure): void {
    const stream = this.stream;
    this.isFinished = true;
    if (stream !== null) {
      // Without a detail, which Envoy's reply and log do not have either; the owner hears it.
      this.abandon(stream, UpstreamProtocolError);
      this.owner.onStreamDone(false);
    }
    this.owner.onProtocolError(ofUpstream(failure));
  }

  // What a stream's user asks for.

  onRequestHead(stream: H1ClientStream, head: RequestHead): void {
    const { decoder } = this;
    decoder.isAnswerToHead = head.method === 'HEAD';
    decoder.isAnswerToConnect = head.method === 'CONNECT';
    decoder.isAnswerToUpgrade = stream.isUpgrade;
  }

  onRequestEnd(stream: H1ClientStream): void {
    // As Envoy: the end of an upgrade's half is not told, only that of a CONNECT's.
    if (stream.isTunnel && stream.isConnect) this.host.end?.();
  }

  /** The user gave the request up. Only one that was never begun leaves the connection usable. */
  onRequestReset(stream: H1ClientStream): void {
    // Whoever leaves a tunnel has said what it had to say: that is still sent.
    if (stream.isTunnel) this.host.end?.();
    this.release(stream, !stream.hasHead);
  }

  private completeResponse(hasMore: boolean): void {
    const stream = this.stream;
    if (stream === null) return;
    const isLast = this.decoder.isLast || stream.isLast || !stream.isRequestComplete || hasMore;
    if (this.decoder.isLast) this.owner.onCloseAnnounced?.();
    this.release(stream, !isLast);
    if (hasMore) this.owner.onProtocolError(ofUpstream(CodecError.with('bytes behind the response')));
  }

  /** Bytes while nothing was asked: a server that says 408 before it closes an idle connection, or a broken one. */
  private refuseUnasked(chunk: Uint8Array, pos: number): void {
    this.isFinished = true;
    const isTimeout = latin1(chunk, pos, Math.min(chunk.length, pos + 12)) === 'HTTP/1.1 408';
    this.owner.onProtocolError(
      isTimeout
        ? ConnectionTermination.with('408 on an idle connection')
        : ofUpstream(CodecError.with('bytes without a request')),
    );
  }

  private release(stream: H1ClientStream, isReusable: boolean): void {
    stream.isOver = true;
    this.stream = null;
    if (isReusable) {
      this.decoder.next();
    } else {
      this.isFinished = true;
      this.decoder.stop();
    }
    stream.releasePauses();
    this.owner.onStreamDone(isReusable);
  }

  private abandon(stream: H1ClientStream, failure: Failure): void {
    stream.isOver = true;
    this.stream = null;
    this.decoder.stop();
    stream.releasePauses();
    stream.user.reset(failure);
  }
}
