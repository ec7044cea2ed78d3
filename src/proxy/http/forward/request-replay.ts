import { keepIn } from '../../../core/joined-bytes.ts';
import { lentBytes } from '../../../core/lent-bytes.ts';
import type { RequestHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import type { CodecStream } from '../../../core/message-sink.ts';
import { PauseReason } from '../stream/pause-reason.ts';
import type { Forwarding } from './forwarding.ts';

/**
 * What of the request has arrived so far, for the try that waits for its connection and for a later one. Chunks are
 * kept by reference, small ones joined. Beyond the buffer limit retries are given up, or, while no try is ready, the client waits.
 */
export class RequestReplay {
  private readonly forwarding: Forwarding;
  private chunks: Uint8Array[] | null;
  private kept: number;
  /** The whole request has arrived. */
  hasEnded: boolean;
  private trailing: Headers | null;
  /** The body waits until the upstream has agreed to be a tunnel: what it does not agree to it must not be told. */
  isHeld: boolean;
  /** The beginning is gone: no further try is possible. */
  private isIncomplete: boolean;

  constructor(forwarding: Forwarding) {
    this.forwarding = forwarding;
    this.chunks = null;
    this.kept = 0;
    this.hasEnded = false;
    this.trailing = null;
    this.isHeld = false;
    this.isIncomplete = false;
  }

  get canRepeat(): boolean {
    return !this.isIncomplete;
  }

  head(end: boolean): void {
    this.hasEnded = end;
  }

  data(chunk: Uint8Array, end: boolean): void {
    const { forwarding } = this;
    this.hasEnded = end;
    if (this.isIncomplete && forwarding.isTryReady) return;
    if (!forwarding.mayRetry && forwarding.isTryReady) {
      this.drop();
      return;
    }
    this.chunks ??= [];
    keepIn(this.chunks, chunk);
    // The try takes it as well.
    lentBytes.keep(chunk);
    this.kept += chunk.length;
    const limit = forwarding.requestBufferLimit;
    if (limit === 0 || this.kept <= limit) return;
    if (forwarding.isTryReady) {
      forwarding.giveUpRetries();
      this.drop();
    } else if (forwarding.tries!.isBetween) {
      forwarding.refuseReplay();
    } else if (isFull(this.kept, forwarding.stream.bufferLimit)) {
      forwarding.stream.request.pauseSource(PauseReason.ReplayFull);
    }
  }

  trailers(trailers: Headers): void {
    this.trailing = trailers;
    this.hasEnded = true;
  }

  /** Gives a fresh upstream stream everything so far. */
  sendTo(stream: CodecStream<RequestHead>): void {
    const { forwarding, chunks, trailing } = this;
    const limit = forwarding.requestBufferLimit;
    if (limit > 0 && this.kept > limit && forwarding.mayRetry) forwarding.giveUpRetries();
    stream.head(forwarding.head!, this.hasEnded && chunks === null && trailing === null);
    if (!this.isHeld) this.sendBody(stream);
  }

  /** The upstream has agreed: it gets what waits, and from now on what comes. */
  release(stream: CodecStream<RequestHead>): void {
    this.isHeld = false;
    this.sendBody(stream);
  }

  private sendBody(stream: CodecStream<RequestHead>): void {
    const { forwarding, chunks, trailing } = this;
    const last = chunks === null ? -1 : chunks.length - 1;
    for (let i = 0; i <= last; i++) stream.data(chunks![i], this.hasEnded && i === last && trailing === null);
    if (trailing !== null) stream.trailers(trailing);
    if (forwarding.mayRetry) return;
    if (chunks !== null) this.drop();
    forwarding.stream.request.resumeSource(PauseReason.ReplayFull);
  }

  /** The body, for a stream that goes on with it; null: there is none. */
  take(): readonly Uint8Array[] | null {
    const { chunks } = this;
    this.chunks = null;
    return chunks;
  }

  drop(): void {
    if (this.chunks !== null) this.isIncomplete = true;
    this.chunks = null;
    this.kept = 0;
  }
}

/** As Envoy: what waits for a connection is limited by the client's connection, not by how much may be kept for repeats. */
function isFull(bytes: number, limit: number): boolean {
  return limit > 0 && bytes > limit;
}
