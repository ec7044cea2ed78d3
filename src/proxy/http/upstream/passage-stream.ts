import type { Failure } from '../../../core/failure.ts';
import type { RequestHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import type { CodecStream } from '../../../core/message-sink.ts';
import type { RequestPassage } from './request-passage.ts';
import type { UpstreamPassage } from './upstream-passage.ts';

/** What who sends a request through filters has in place of the codec's stream, which may come later. */
export class PassageStream implements CodecStream<RequestHead> {
  private readonly passage: UpstreamPassage;
  private readonly request: RequestPassage;

  constructor(passage: UpstreamPassage, request: RequestPassage) {
    this.passage = passage;
    this.request = request;
  }

  head(head: RequestHead, end: boolean): void {
    this.passage.send(head, end);
  }

  data(chunk: Uint8Array, end: boolean): void {
    this.request.passData(chunk, end);
  }

  trailers(trailers: Headers): void {
    this.request.passTrailers(trailers);
  }

  reset(failure: Failure): void {
    this.passage.abandon(failure);
  }

  pause(): void {
    this.request.codec?.pause();
  }

  resume(): void {
    this.request.codec?.resume();
  }

  becomeTunnel(): void {
    this.request.codec?.becomeTunnel?.();
  }

  flushWithin(ms: number): void {
    this.request.codec?.flushWithin?.(ms);
  }

  get wireBytesReceived(): number | undefined {
    return this.request.codec?.wireBytesReceived;
  }

  get wireBytesSent(): number | undefined {
    return this.request.codec?.wireBytesSent;
  }

  get headerBytesReceived(): number | undefined {
    return this.request.codec?.headerBytesReceived;
  }

  get headerBytesSent(): number | undefined {
    return this.request.codec?.headerBytesSent;
  }
}
