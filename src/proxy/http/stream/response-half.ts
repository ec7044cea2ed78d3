import type { Failure } from '../../../core/failure.ts';
import type { ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import type { MessageSink } from '../../../core/message-sink.ts';
import { PauseReason } from './pause-reason.ts';
import { ResponsePass } from './response-pass.ts';
import { answerTooLarge } from '../response/local-answer.ts';
import type { HttpStream } from './stream.ts';

/** The response on its way from the router, or from a local reply, through the filters to the downstream codec. */
export class ResponseHalf extends ResponsePass<HttpStream> implements MessageSink<ResponseHead> {
  /** A final head has entered: a second answer is impossible. */
  hasBegun: boolean;
  /** A final head has been given to the codec. */
  isHeadSent: boolean;
  hasEnded: boolean;
  /** The last piece is being given to the codec. */
  isEnding: boolean;

  constructor(stream: HttpStream) {
    super(stream);
    this.hasBegun = false;
    this.isHeadSent = false;
    this.hasEnded = false;
    this.isEnding = false;
  }

  head(head: ResponseHead, end: boolean): void {
    const stream = this.stream;
    if (head.status < 200 && head.status !== 101) {
      // As Envoy: it answers `Expect` itself, so the upstream's interim answers would come twice.
      if (!stream.manager.data.proxy100Continue) return;
      stream.manager.responsePreparation.prepareInformational(head, stream.requestHead);
      stream.stats.recordStatus(head.status);
      stream.codecStream.head(head, false);
      return;
    }
    this.hasBegun = true;
    stream.responseHead = head;
    this.passHead(head, end);
  }

  data(chunk: Uint8Array, end: boolean): void {
    this.stream.timeouts.activity();
    if (!this.isCut) this.passData(chunk, end);
  }

  trailers(trailers: Headers): void {
    this.stream.timeouts.activity();
    if (!this.isCut) this.passTrailers(trailers);
  }

  /** The response breaks off: the client learns it by a reset (HTTP/1: by the connection's end). */
  reset(failure: Failure): void {
    if (this.hasEnded) return;
    this.stream.tellLostTunnel();
    this.stream.codecStream.reset(failure);
    this.stream.finish();
  }

  protected deliverHead(head: ResponseHead, end: boolean): void {
    const stream = this.stream;
    stream.finishHead(head, end);
    this.isHeadSent = true;
    this.isEnding = end;
    stream.codecStream.head(head, end);
    stream.headSent(head);
    if (end) this.ended();
  }

  protected deliverData(chunk: Uint8Array, end: boolean): void {
    this.stream.outcome.bytesSent += chunk.length;
    this.isEnding = end;
    this.stream.codecStream.data(chunk, end);
    if (end) this.ended();
  }

  protected deliverTrailers(trailers: Headers): void {
    this.stream.outcome.responseTrailers = trailers;
    this.isEnding = true;
    this.stream.codecStream.trailers(trailers);
    this.ended();
  }

  protected heldBytesMax(): number {
    return this.stream.bufferLimit;
  }

  protected onHoldingTooMuch(buffered: boolean): void {
    if (!buffered) {
      this.stream.forwarding?.pauseResponse(PauseReason.FilterHolds);
      return;
    }
    this.stream.stats.count('rs_too_large');
    answerTooLarge(this.stream);
  }

  protected onHoldingLessAgain(): void {
    this.stream.forwarding?.resumeResponse(PauseReason.FilterHolds);
  }

  private ended(): void {
    this.hasEnded = true;
    this.stream.finish();
  }
}
