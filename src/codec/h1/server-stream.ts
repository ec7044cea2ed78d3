import type { Failure } from '../../core/failure.ts';
import { HttpVersion, type RequestHead, type ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import type { CodecStream, StreamUser } from '../../core/message-sink.ts';
import { isUpgrade } from './connection-options.ts';
import type { H1ServerCodec } from './server.ts';

/** One request as its user holds it: takes the response. What is said to it after its end is ignored. */
export class H1ServerStream implements CodecStream<ResponseHead> {
  /** Set as soon as the acceptor has named it. */
  user: StreamUser<RequestHead>;
  readonly method: string;
  readonly version: HttpVersion;
  /** The connection closes after this response. */
  isLast: boolean;
  /** The request asks for another protocol. */
  isUpgrade: boolean;
  isRequestComplete: boolean;
  isOver: boolean;
  private readonly codec: H1ServerCodec;
  private hasHead: boolean;
  private pauses: number;

  constructor(codec: H1ServerCodec, method: string, version: HttpVersion) {
    this.user = undefined as unknown as StreamUser<RequestHead>;
    this.method = method;
    this.version = version;
    this.isLast = false;
    this.isUpgrade = false;
    this.isRequestComplete = false;
    this.isOver = false;
    this.codec = codec;
    this.hasHead = false;
    this.pauses = 0;
  }

  head(head: ResponseHead, end: boolean): void {
    if (this.isOver || this.hasHead) return;
    const { codec } = this;
    if (head.status < 200 && head.status !== 101) {
      // RFC 9110 section 15.2: an HTTP/1.0 client does not know interim responses.
      if (this.version !== HttpVersion.Http10) codec.encoder.response(head, false, this, codec.persistence(this, head));
      return;
    }
    this.hasHead = true;
    codec.encoder.response(head, end, this, codec.persistence(this, head));
    if (end) codec.onResponseEnd(this);
  }

  data(chunk: Uint8Array, end: boolean): void {
    if (this.isOver || !this.hasHead) return;
    this.codec.encoder.data(chunk, end);
    if (end) this.codec.onResponseEnd(this);
  }

  trailers(trailers: Headers): void {
    if (this.isOver || !this.hasHead) return;
    this.codec.encoder.trailers(trailers);
    this.codec.onResponseEnd(this);
  }

  reset(_failure: Failure): void {
    if (!this.isOver) this.codec.onResponseReset(this);
  }

  pause(): void {
    if (this.isOver) return;
    this.pauses++;
    this.codec.host.pause();
  }

  resume(): void {
    if (this.pauses === 0) return;
    this.pauses--;
    this.codec.host.resume();
  }

  /** The request is over: its brake must not hold the next one. */
  releasePauses(): void {
    while (this.pauses > 0) this.resume();
  }

  /** An answer that says nothing of the connection, as it is another protocol's from here on. As Envoy. */
  isTunnel(head: ResponseHead): boolean {
    const { status } = head;
    return this.method === 'CONNECT' ? status === 200 : this.isUpgrade && isUpgrade(head.headers);
  }
}
