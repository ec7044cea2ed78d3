import { noBytes } from '../../core/bytes.ts';
import type { Failure } from '../../core/failure.ts';
import { DownstreamRemoteClose } from '../../core/failures.ts';
import { HttpVersion, type RequestHead, type ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import type { CodecHost, ServerCodec, StreamAcceptor } from '../codec.ts';
import { ConnectionOption, readConnectionOptions } from './connection-options.ts';
import { DecoderState } from './decoder.ts';
import { Encoder, Persistence } from './encoder.ts';
import type { H1ServerOptions } from './options.ts';
import { H1ServerStream } from './server-stream.ts';
import { RequestDecoder, type RequestListener } from './request-decoder.ts';

/**
 * The server's end of an HTTP/1.1 connection. One request is open at a time: what a client pipelines behind it is not
 * read until the response has been written (RFC 9112 section 9.3.2), so the order of answers needs no queue.
 */
export class H1ServerCodec implements ServerCodec, RequestListener {
  readonly host: CodecHost;
  private readonly acceptor: StreamAcceptor;
  private readonly acceptsEarly: boolean;
  private readonly decoder: RequestDecoder;
  readonly encoder: Encoder;
  private stream: H1ServerStream | null;
  /** Bytes behind the open request; reading is paused while there are any. */
  private held: Uint8Array | null;
  private isReceiving: boolean;
  private isDraining: boolean;
  /** No request will be read any more. */
  protected isFinished: boolean;
  private isAboveHighWatermark: boolean;

  constructor(host: CodecHost, acceptor: StreamAcceptor, options: H1ServerOptions) {
    this.host = host;
    this.acceptor = acceptor;
    this.acceptsEarly = options.acceptsEarly ?? false;
    this.decoder = new RequestDecoder(options, this);
    this.encoder = new Encoder(host, options.headerKeyFormat, options.enableTrailers);
    this.stream = null;
    this.held = null;
    this.isReceiving = false;
    this.isDraining = false;
    this.isFinished = false;
    this.isAboveHighWatermark = false;
  }

  get activeStreams(): number {
    return this.stream === null ? 0 : 1;
  }

  receive(chunk: Uint8Array): void {
    if (this.isFinished || chunk.length === 0) return;
    if (this.isReceiving || this.isWaiting) {
      this.hold(chunk);
      return;
    }
    this.isReceiving = true;
    this.read(chunk);
    this.isReceiving = false;
    if (this.held !== null && !this.isWaiting) this.readHeld();
  }

  receiveEnd(): void {
    if (this.isFinished) return;
    const stream = this.openStream();
    if (stream !== null && this.decoder.state === DecoderState.Raw) {
      this.decoder.state = DecoderState.Complete;
      stream.isRequestComplete = true;
      stream.isLast = true;
      stream.user.data(noBytes, true);
      return;
    }
    // As Envoy: a client that closes its half is gone, and so is its request.
    this.finish();
    if (stream !== null) this.abandon(stream, DownstreamRemoteClose);
    this.acceptor.onFinished();
  }

  closed(failure: Failure): void {
    const stream = this.openStream();
    this.finish();
    if (stream !== null) this.abandon(stream, failure);
  }

  onAboveHighWatermark(): void {
    this.isAboveHighWatermark = true;
    this.stream?.user.onAboveHighWatermark();
  }

  onBelowLowWatermark(): void {
    this.isAboveHighWatermark = false;
    this.stream?.user.onBelowLowWatermark();
  }

  drain(): void {
    this.isDraining = true;
  }

  /** Nothing more is read, as if what comes were invalid in this way. */
  abort(failure: Failure): void {
    if (this.isFinished) return;
    this.decoder.stop();
    this.onInvalid(failure);
  }

  /** Nothing more is read, and nobody is told why. */
  leave(failure: Failure): void {
    this.finish();
    this.acceptor.onProtocolError(failure);
  }

  // What the decoder reads.

  onRequestLine(method: string, version: HttpVersion): void {
    if (this.acceptsEarly) this.open(method, version);
  }

  onRequest(head: RequestHead, end: boolean): void {
    const stream = this.stream ?? this.open(head.method, head.version);
    stream.isLast = this.decoder.isLast;
    stream.isUpgrade = this.decoder.isUpgrade;
    stream.isRequestComplete = end;
    stream.user.head(head, end);
  }

  onData(chunk: Uint8Array, end: boolean): void {
    const stream = this.stream;
    if (stream === null) return;
    stream.isRequestComplete = end;
    stream.user.data(chunk, end);
  }

  onTrailers(trailers: Headers): void {
    const stream = this.stream;
    if (stream === null) return;
    stream.isRequestComplete = true;
    stream.user.trailers(trailers);
  }

  onInvalid(failure: Failure): void {
    const stream = this.stream ?? this.open('', HttpVersion.Http11);
    stream.isLast = true;
    stream.user.reset(failure);
    this.finish();
    if (this.stream === stream) {
      stream.isOver = true;
      this.stream = null;
    }
    this.acceptor.onProtocolError(failure);
  }

  // What a stream's user asks for.

  /** What the response's head must say about the connection. */
  persistence(stream: H1ServerStream, head: ResponseHead): Persistence {
    if (stream.isTunnel(head)) {
      stream.isLast = true;
      return Persistence.Unsaid;
    }
    if (head.status < 200 && head.status !== 101) return Persistence.Unsaid;
    if (this.isDraining || !stream.isRequestComplete) stream.isLast = true;
    // As Envoy: an HTTP/1.0 connection is kept only behind a length.
    if (stream.version === HttpVersion.Http10 && !head.headers.has('content-length')) stream.isLast = true;
    const asked = head.headers.has('connection') ? readConnectionOptions(head.headers) : 0;
    if ((asked & ConnectionOption.Close) !== 0) stream.isLast = true;
    if (stream.isLast) return Persistence.Close;
    return stream.version === HttpVersion.Http10 ? Persistence.KeepAlive : Persistence.Unsaid;
  }

  /** The response is written. */
  onResponseEnd(stream: H1ServerStream): void {
    stream.isOver = true;
    this.stream = null;
    const isLast = stream.isLast || !stream.isRequestComplete;
    stream.releasePauses();
    if (this.decoder.state === DecoderState.Invalid) return;
    if (isLast) {
      this.finish();
      this.acceptor.onFinished();
      return;
    }
    this.decoder.next();
    if (!this.isReceiving) this.readHeld();
  }

  /** The user gave the response up: HTTP/1.1 can only say so by closing. */
  onResponseReset(stream: H1ServerStream): void {
    stream.isOver = true;
    this.stream = null;
    this.finish();
    stream.releasePauses();
    this.acceptor.onFinished();
  }

  private get isWaiting(): boolean {
    return this.stream !== null && this.decoder.state === DecoderState.Complete;
  }

  private open(method: string, version: HttpVersion): H1ServerStream {
    const stream = new H1ServerStream(this, method, version);
    this.stream = stream;
    stream.user = this.acceptor.accept(stream);
    if (this.isAboveHighWatermark) stream.user.onAboveHighWatermark();
    return stream;
  }

  /** The stream that ends with the connection: a request that was cut off inside its head is one too, for the log. */
  private openStream(): H1ServerStream | null {
    return this.stream ?? (this.decoder.isInHead ? this.open('', HttpVersion.Http11) : null);
  }

  /** Reads until the chunk ends or a request must be answered first. */
  private read(chunk: Uint8Array): void {
    let pos = 0;
    while (pos < chunk.length && !this.isFinished) {
      pos = this.decoder.decode(chunk, pos);
      if (pos < chunk.length && this.isWaiting) {
        this.hold(chunk.subarray(pos));
        return;
      }
    }
  }

  private hold(chunk: Uint8Array): void {
    const held = this.held;
    if (held === null) {
      this.held = chunk;
      this.host.pause();
      return;
    }
    const both = new Uint8Array(held.length + chunk.length);
    both.set(held);
    both.set(chunk, held.length);
    this.held = both;
  }

  private readHeld(): void {
    this.isReceiving = true;
    while (this.held !== null && !this.isFinished && !this.isWaiting) {
      const chunk = this.held;
      this.held = null;
      this.read(chunk);
      // What was held again has paused once more.
      this.host.resume();
    }
    this.isReceiving = false;
  }

  private finish(): void {
    this.isFinished = true;
    this.decoder.stop();
    if (this.held === null) return;
    this.held = null;
    this.host.resume();
  }

  private abandon(stream: H1ServerStream, failure: Failure): void {
    stream.isOver = true;
    this.stream = null;
    stream.user.reset(failure);
  }
}
