import type { Failure } from '../../../core/failure.ts';
import { ResponseFlag } from '../../../core/failure.ts';
import type { RequestHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import type { StreamUser } from '../../../core/message-sink.ts';
import { PauseReason } from './pause-reason.ts';
import { RequestPass } from './request-pass.ts';
import { routeRequest } from '../forward/router.ts';
import type { HttpStream } from './stream.ts';

/** The request on its way from the downstream codec through the filters to the router. */
export class RequestHalf extends RequestPass<HttpStream> implements StreamUser<RequestHead> {
  /** The whole request has arrived. */
  hasEnded: boolean;
  /** Bits of PauseReason. */
  private pauses: number;
  /** Of the stream that has taken this one's place; null: none has. */
  private successor: RequestHalf | null;

  constructor(stream: HttpStream) {
    super(stream);
    this.hasEnded = false;
    this.pauses = 0;
    this.successor = null;
  }

  get hasBecomeAnother(): boolean {
    return this.successor !== null;
  }

  /** From now on the codec's stream is another one's. */
  becomes(successor: RequestHalf): void {
    for (const reason of Object.values(PauseReason)) this.resumeSource(reason);
    this.successor = successor;
    this.cut();
  }

  head(head: RequestHead, end: boolean): void {
    const stream = this.stream;
    stream.requestHead = head;
    stream.begin(head);
    if (end) this.ended();
    if (!stream.admit(head)) return;
    this.passHead(head, end);
  }

  data(chunk: Uint8Array, end: boolean): void {
    const stream = this.stream;
    stream.outcome.bytesReceived += chunk.length;
    stream.timeouts.activity();
    if (end) this.ended();
    if (!this.isCut) this.passData(chunk, end);
  }

  trailers(trailers: Headers): void {
    this.stream.timeouts.activity();
    this.ended();
    if (!this.isCut) this.passTrailers(trailers);
  }

  /** The client went away or broke the protocol. */
  reset(failure: Failure): void {
    if (this.successor === null) this.stream.onDownstreamReset(failure);
    else this.successor.reset(failure);
  }

  /** The response does not leave fast enough: its source waits. */
  onAboveHighWatermark(): void {
    this.successor?.onAboveHighWatermark();
    this.stream.isClientSlow = true;
    this.stream.forwarding?.pauseResponse(PauseReason.SlowReader);
  }

  onBelowLowWatermark(): void {
    this.successor?.onBelowLowWatermark();
    this.stream.isClientSlow = false;
    this.stream.forwarding?.resumeResponse(PauseReason.SlowReader);
  }

  /** The upstream does not take the request fast enough: the client waits. */
  pauseSource(reason: PauseReason): void {
    const wasPaused = this.pauses !== 0;
    this.pauses |= reason;
    if (wasPaused) return;
    this.stream.stats.count('downstream_flow_control_paused_reading_total');
    this.stream.codecStream.pause();
  }

  resumeSource(reason: PauseReason): void {
    if (this.pauses === 0) return;
    this.pauses &= ~reason;
    if (this.pauses !== 0) return;
    this.stream.stats.count('downstream_flow_control_resumed_reading_total');
    this.stream.codecStream.resume();
  }

  private ended(): void {
    this.hasEnded = true;
    this.stream.outcome.requestEndMs = this.stream.clock.now;
    this.stream.timeouts.requestEnded();
  }

  protected deliverHead(head: RequestHead, end: boolean): void {
    routeRequest(this.stream, head, end);
  }

  protected deliverData(chunk: Uint8Array, end: boolean): void {
    this.stream.forwarding?.data(chunk, end);
  }

  protected deliverTrailers(trailers: Headers): void {
    this.stream.forwarding?.trailers(trailers);
  }

  /** As Envoy's codec of HTTP/1 has it. */
  protected override get endComesAlone(): boolean {
    return !this.stream.connection.isHttp2;
  }

  protected onHoldingTooMuch(buffered: boolean): void {
    if (!buffered) {
      this.pauseSource(PauseReason.FilterHolds);
      return;
    }
    this.stream.stats.count('downstream_rq_too_large');
    this.stream.reply({
      status: 413,
      body: 'Payload Too Large',
      details: 'request_payload_too_large',
      flags: ResponseFlag.None,
    });
  }

  protected onHoldingLessAgain(): void {
    this.resumeSource(PauseReason.FilterHolds);
  }
}
