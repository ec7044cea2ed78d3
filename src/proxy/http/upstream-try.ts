import type { Connection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import type { CodecStream } from '../../core/message-sink.ts';
import type { Host, StreamWaiter } from '../../cluster/cluster.ts';
import { PauseReason } from './pause-reason.ts';
import type { Forwarding } from './forwarding.ts';

/** One attempt to have a request answered by one host. */
export class UpstreamTry implements StreamWaiter {
  host: Host | null;
  /** The request's head has left: a repeat may be seen twice by the upstream. */
  wasHeadSent: boolean;
  private readonly forwarding: Forwarding;
  private codecStream: CodecStream<RequestHead> | null;
  private isDone: boolean;
  private readonly askedAtMs: number;

  constructor(forwarding: Forwarding) {
    this.host = null;
    this.wasHeadSent = false;
    this.forwarding = forwarding;
    this.codecStream = null;
    this.isDone = false;
    this.askedAtMs = forwarding.stream.clock.now;
  }

  get isReady(): boolean {
    return this.codecStream !== null;
  }

  onPoolReady(codecStream: CodecStream<RequestHead>, connection: Connection, host: Host): void {
    const { forwarding } = this;
    const { outcome, clock } = forwarding.stream;
    this.host = host;
    this.codecStream = codecStream;
    this.wasHeadSent = true;
    outcome.upstreamTransportFailureReason = '';
    outcome.upstreamHost = host.addressText;
    outcome.upstreamHostName = host.hostname;
    outcome.upstreamConnectionId = connection.id;
    outcome.upstreamPeer = connection.peer;
    outcome.upstreamRequestStartMs = clock.now;
    outcome.upstreamPoolReadyMs = clock.now - this.askedAtMs;
    outcome.upstreamHostMetadata = host.metadata;
    outcome.upstreamProtocol = 'HTTP/1.1';
    forwarding.onTryReady(this);
    if (forwarding.replay.hasEnded) this.requestSent();
    forwarding.replay.sendTo(codecStream);
  }

  onPoolFailure(failure: Failure, host: Host | null): void {
    if (this.isDone) return;
    this.isDone = true;
    if (host !== null) {
      this.host = host;
      const { outcome, clock } = this.forwarding.stream;
      outcome.upstreamHost = host.addressText;
      outcome.upstreamHostName = host.hostname;
      outcome.upstreamHostMetadata = host.metadata;
      outcome.upstreamPoolReadyMs = clock.now - this.askedAtMs;
    }
    this.forwarding.onTryFailure(this, failure);
  }

  sendData(chunk: Uint8Array, end: boolean): void {
    if (this.codecStream === null || this.isDone) return;
    if (end) this.requestSent();
    this.codecStream.data(chunk, end);
  }

  sendTrailers(trailers: Headers): void {
    if (this.codecStream === null || this.isDone) return;
    this.requestSent();
    this.codecStream.trailers(trailers);
  }

  requestSent(): void {
    const { outcome, clock } = this.forwarding.stream;
    outcome.upstreamRequestEndMs = clock.now;
  }

  head(head: ResponseHead, end: boolean): void {
    if (this.isDone) return;
    const { stream } = this.forwarding;
    if (Number.isNaN(stream.outcome.upstreamResponseStartMs)) stream.outcome.upstreamResponseStartMs = stream.clock.now;
    this.forwarding.onHead(this, head, end);
  }

  data(chunk: Uint8Array, end: boolean): void {
    if (this.isDone) return;
    const { outcome, clock } = this.forwarding.stream;
    if (Number.isNaN(outcome.upstreamResponseBodyStartMs)) outcome.upstreamResponseBodyStartMs = clock.now;
    this.forwarding.onData(this, chunk, end);
  }

  trailers(trailers: Headers): void {
    if (!this.isDone) this.forwarding.onTrailers(this, trailers);
  }

  reset(failure: Failure): void {
    if (this.isDone) return;
    this.isDone = true;
    this.forwarding.onTryFailure(this, failure);
  }

  /** The request does not leave fast enough: the client waits. */
  onAboveHighWatermark(): void {
    this.forwarding.stream.request.pauseSource(PauseReason.SlowReader);
  }

  onBelowLowWatermark(): void {
    this.forwarding.stream.request.resumeSource(PauseReason.SlowReader);
  }

  pause(): void {
    this.codecStream?.pause();
  }

  resume(): void {
    this.codecStream?.resume();
  }

  /** The response is complete. */
  finished(): void {
    this.isDone = true;
    const outcome = this.forwarding.stream.outcome;
    outcome.upstreamResponseEndMs = this.forwarding.stream.clock.now;
    this.forwarding.stream.request.resumeSource(PauseReason.SlowReader);
  }

  /** No longer wanted: leave the queue, or reset what was begun. */
  cancel(failure: Failure): void {
    if (this.isDone) return;
    this.isDone = true;
    const { cluster, action, stream } = this.forwarding;
    stream.request.resumeSource(PauseReason.SlowReader);
    if (this.codecStream !== null) {
      this.codecStream.reset(failure);
    } else if (this.host !== null) {
      cluster!.httpPool(this.host, action.priority).cancel(this);
    }
  }
}
