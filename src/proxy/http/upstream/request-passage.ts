import type { RequestHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import { keepIn } from '../../../core/joined-bytes.ts';
import { lentBytes } from '../../../core/lent-bytes.ts';
import type { CodecStream } from '../../../core/message-sink.ts';
import { RequestPass } from '../stream/request-pass.ts';
import type { UpstreamPassage } from './upstream-passage.ts';

/** The request on its way through the filters to the codec. Until there is a connection, what has passed them waits here. */
export class RequestPassage extends RequestPass<UpstreamPassage> {
  /** Null until there is a connection. */
  codec: CodecStream<RequestHead> | null;
  /** What waits for it. */
  private waitingHead: RequestHead | null;
  private waiting: Uint8Array[];
  private waitingBytes: number;
  private waitingTrailers: Headers | null;
  private hasPassed: boolean;

  constructor(passage: UpstreamPassage) {
    super(passage);
    this.codec = null;
    this.waitingHead = null;
    this.waiting = [];
    this.waitingBytes = 0;
    this.waitingTrailers = null;
    this.hasPassed = false;
  }

  /** There is a connection: what has waited goes on. */
  connected(): void {
    const { waitingHead: head, waiting, waitingBytes, waitingTrailers: trailers, hasPassed } = this;
    const codec = this.codec!;
    if (head === null) return;
    this.waitingHead = null;
    this.waiting = [];
    this.waitingBytes = 0;
    const last = waiting.length - 1;
    this.giveHead(head, hasPassed && last < 0 && trailers === null);
    for (let i = 0; i <= last && !this.isCut; i++) codec.data(waiting[i], hasPassed && i === last && trailers === null);
    if (trailers !== null && !this.isCut) codec.trailers(trailers);
    if (this.isAbove(waitingBytes)) this.stream.requestDrained();
  }

  protected deliverHead(head: RequestHead, end: boolean): void {
    this.hasPassed = end;
    if (this.codec === null) this.waitingHead = head;
    else this.giveHead(head, end);
  }

  private giveHead(head: RequestHead, end: boolean): void {
    this.codec!.head(head, end);
    this.stream.headSent(head);
  }

  protected deliverData(chunk: Uint8Array, end: boolean): void {
    this.hasPassed = end;
    if (this.codec !== null && this.waitingHead === null) {
      this.codec.data(chunk, end);
      return;
    }
    const wasAbove = this.isAbove(this.waitingBytes);
    lentBytes.keep(chunk);
    keepIn(this.waiting, chunk);
    this.waitingBytes += chunk.length;
    if (!wasAbove && this.isAbove(this.waitingBytes)) this.stream.requestBackedUp();
  }

  protected deliverTrailers(trailers: Headers): void {
    this.hasPassed = true;
    if (this.codec !== null && this.waitingHead === null) this.codec.trailers(trailers);
    else this.waitingTrailers = trailers;
  }

  protected onHoldingTooMuch(buffered: boolean): void {
    if (!buffered) {
      this.stream.requestBackedUp();
      return;
    }
    this.stream.reply({ status: 413, body: 'Payload Too Large', details: 'request_payload_too_large' });
  }

  protected onHoldingLessAgain(): void {
    this.stream.requestDrained();
  }

  private isAbove(bytes: number): boolean {
    const { bufferLimit } = this.stream;
    return bufferLimit > 0 && bytes > bufferLimit;
  }
}
