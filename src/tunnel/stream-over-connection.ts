import { noBytes } from '../core/bytes.ts';
import type { Connection, ConnectionSink } from '../core/connection.ts';
import type { Failure } from '../core/failure.ts';
import { ClosedLocally, ConnectionTermination } from '../core/failures.ts';
import { ResponseHead } from '../core/head.ts';
import { Headers } from '../core/headers.ts';
import type { CodecStream, StreamUser } from '../core/message-sink.ts';

/**
 * A stream whose upstream is a bare connection: where CONNECT ends (`connect_config`). The request's head opens nothing
 * more, and is answered 200; its data are the connection's bytes, its end a half-close, and so in the other direction.
 */
export class StreamOverConnection<Head> implements CodecStream<Head>, ConnectionSink {
  private readonly connection: Connection;
  private readonly user: StreamUser<ResponseHead>;
  /** Bytes that are sent before everything else: a PROXY protocol header; else empty. */
  private readonly preamble: Uint8Array;
  private isOver: boolean;
  private isAboveHighWatermark: boolean;

  constructor(connection: Connection, user: StreamUser<ResponseHead>, preamble: Uint8Array = noBytes) {
    this.connection = connection;
    this.user = user;
    this.preamble = preamble;
    this.isOver = false;
    this.isAboveHighWatermark = false;
  }

  get wireBytesReceived(): number {
    return this.connection.bytesRead;
  }

  get wireBytesSent(): number {
    return this.connection.bytesWritten;
  }

  get headerBytesReceived(): number {
    return 0;
  }

  /** As Envoy: what goes in front of the client's bytes counts as a head. */
  get headerBytesSent(): number {
    return this.preamble.length;
  }

  // The request

  head(_head: Head, end: boolean): void {
    if (this.preamble.length > 0) this.write(this.preamble);
    this.connection.attach(this);
    this.user.head(new ResponseHead(200, new Headers()), false);
    if (end && !this.isOver) this.connection.end();
  }

  data(chunk: Uint8Array, end: boolean): void {
    if (this.isOver) return;
    if (chunk.length > 0) this.write(chunk);
    if (end) this.connection.end();
  }

  /** A connection has no place for them: only their end is of interest. */
  trailers(): void {
    if (!this.isOver) this.connection.end();
  }

  reset(_failure: Failure): void {
    if (this.isOver) return;
    this.isOver = true;
    this.connection.destroy(ClosedLocally);
  }

  pause(): void {
    this.connection.pause();
  }

  resume(): void {
    this.connection.resume();
  }

  // The connection

  onBytes(chunk: Uint8Array): void {
    if (!this.isOver) this.user.data(chunk, false);
  }

  onDrain(): void {
    if (!this.isAboveHighWatermark) return;
    this.isAboveHighWatermark = false;
    if (!this.isOver) this.user.onBelowLowWatermark();
  }

  /** The response is complete; the request may go on. */
  onEnd(): void {
    if (!this.isOver) this.user.data(noBytes, true);
  }

  onClosed(failure: Failure): void {
    if (this.isOver) return;
    this.isOver = true;
    // A connection whose both halves ended has told everything.
    if (failure.kind.name !== 'closed-by-peer' || failure.detail !== '') {
      // As Envoy: without the kernel's words.
      this.user.reset(ConnectionTermination);
    }
  }

  private write(chunk: Uint8Array): void {
    if (this.connection.write(chunk) || this.isAboveHighWatermark) return;
    this.isAboveHighWatermark = true;
    this.user.onAboveHighWatermark();
  }
}
