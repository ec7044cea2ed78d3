import type { Failure } from '../../core/failure.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import type { CodecStream, StreamUser } from '../../core/message-sink.ts';
import type { H1ClientCodec } from './client.ts';
import { ConnectionOption, readConnectionOptions } from './connection-options.ts';

/** One request as its user holds it: takes the request. What is said to it after its end is ignored. */
export class H1ClientStream implements CodecStream<RequestHead> {
  readonly user: StreamUser<ResponseHead>;
  /** The request says that the connection ends with it. */
  isLast: boolean;
  isUpgrade: boolean;
  isConnect: boolean;
  /** The response has turned the connection into one of another protocol. */
  isTunnel: boolean;
  hasHead: boolean;
  isRequestComplete: boolean;
  isResponseComplete: boolean;
  isOver: boolean;
  private readonly codec: H1ClientCodec;
  private pauses: number;

  constructor(codec: H1ClientCodec, user: StreamUser<ResponseHead>) {
    this.user = user;
    this.isLast = false;
    this.isUpgrade = false;
    this.isConnect = false;
    this.isTunnel = false;
    this.hasHead = false;
    this.isRequestComplete = false;
    this.isResponseComplete = false;
    this.isOver = false;
    this.codec = codec;
    this.pauses = 0;
  }

  head(head: RequestHead, end: boolean): void {
    if (this.isOver || this.hasHead) return;
    const { codec } = this;
    this.hasHead = true;
    if (head.headers.has('connection')) {
      const options = readConnectionOptions(head.headers);
      this.isLast = (options & ConnectionOption.Close) !== 0;
      this.isUpgrade = (options & ConnectionOption.Upgrade) !== 0 && head.headers.has('upgrade');
    }
    this.isConnect = head.method === 'CONNECT';
    codec.onRequestHead(this, head);
    codec.encoder.request(head, targetOf(head, codec.options.sendFullyQualifiedUrl), end, this.isUpgrade);
    if (end) this.isRequestComplete = true;
  }

  data(chunk: Uint8Array, end: boolean): void {
    if (this.isOver || !this.hasHead || this.isRequestComplete) return;
    this.codec.encoder.data(chunk, end);
    if (end) this.endRequest();
  }

  trailers(trailers: Headers): void {
    if (this.isOver || !this.hasHead || this.isRequestComplete) return;
    this.codec.encoder.trailers(trailers);
    this.endRequest();
  }

  reset(_failure: Failure): void {
    if (!this.isOver) this.codec.onRequestReset(this);
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

  /** The response is over: its brake must not hold the next one. */
  releasePauses(): void {
    while (this.pauses > 0) this.resume();
  }

  private endRequest(): void {
    this.isRequestComplete = true;
    this.codec.onRequestEnd(this);
  }
}

function targetOf(head: RequestHead, isFullyQualified: boolean): string {
  if (head.method === 'CONNECT') return head.authority;
  return isFullyQualified ? `${head.scheme}://${head.authority}${head.path}` : head.path;
}
