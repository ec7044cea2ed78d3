import type { ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import { ResponsePass } from '../stream/response-pass.ts';
import type { UpstreamPassage } from './upstream-passage.ts';

/** The answer on its way from the codec through the filters to who sent the request. */
export class ResponsePassage extends ResponsePass<UpstreamPassage> {
  protected deliverHead(head: ResponseHead, end: boolean): void {
    this.stream.waiter!.head(head, end);
    if (end) this.stream.complete();
  }

  protected deliverData(chunk: Uint8Array, end: boolean): void {
    this.stream.waiter!.data(chunk, end);
    if (end) this.stream.complete();
  }

  protected deliverTrailers(trailers: Headers): void {
    this.stream.waiter!.trailers(trailers);
    this.stream.complete();
  }

  protected heldBytesMax(): number {
    return this.stream.bufferLimit;
  }

  protected onHoldingTooMuch(buffered: boolean): void {
    if (!buffered) this.stream.onResponseAboveHighWatermark();
    else this.stream.reply({ status: 500, body: 'Internal Server Error', details: 'response_payload_too_large' });
  }

  protected onHoldingLessAgain(): void {
    this.stream.onResponseBelowLowWatermark();
  }
}
