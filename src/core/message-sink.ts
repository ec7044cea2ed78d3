import type { Failure } from './failure.ts';
import type { Headers } from './headers.ts';

/** One half of a stream. Codec, filter chain, router and pool all speak these four verbs. */
export interface MessageSink<Head> {
  /** Starts the message, or (status 1xx, not 101) informs. `end`: no body and no trailers follow. */
  head(head: Head, end: boolean): void;
  /** Ownership of `chunk` moves with the call. May be empty only when `end`. */
  data(chunk: Uint8Array, end: boolean): void;
  /** Ends the message. */
  trailers(trailers: Headers): void;
  /** The message will not be completed. No verb follows. */
  reset(failure: Failure): void;
}

/**
 * A codec's stream as its user sees it: verbs for the outgoing half, and a brake on the incoming one.
 * Pauses are counted, like Envoy's readDisable.
 */
export interface CodecStream<OutHead> extends MessageSink<OutHead> {
  pause(): void;
  resume(): void;
  /** Its directions end each for itself, as CONNECT's do: said before the head. Absent: they cannot. */
  becomeTunnel?(): void;
  /**
   * The other end of the tunnel that was asked for could not be reached, or was lost: HTTP/2 has a code for that.
   * Before the end or the reset that tells of it. Absent: there is no way to say it.
   */
  tunnelLost?(): void;
  /**
   * How long a message that is complete may have nothing of it leave, in milliseconds, in place of what the connection
   * says; 0: without end. Absent: a stream has no bytes of its own to wait for.
   */
  flushWithin?(ms: number): void;
  /**
   * Bytes of the stream's own frames so far, and of those that hold heads and trailers. Absent where a connection
   * carries one stream at a time.
   */
  readonly wireBytesReceived?: number | undefined;
  readonly wireBytesSent?: number | undefined;
  readonly headerBytesReceived?: number | undefined;
  readonly headerBytesSent?: number | undefined;
}

/** Who receives a codec stream's incoming half, and hears when its outgoing half is full. */
export interface StreamUser<InHead> extends MessageSink<InHead> {
  /** The outgoing half holds more than its buffer limit: feed no more. */
  onAboveHighWatermark(): void;
  /** It has fallen to half of the limit: go on. */
  onBelowLowWatermark(): void;
}
