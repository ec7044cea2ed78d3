import type { ClientCodec, ClientCodecOwner, CodecHost } from '../../../codec/codec.ts';
import type { Timed } from '../../../core/clock.ts';
import type { Connection, ConnectionSink } from '../../../core/connection.ts';
import type { Failure } from '../../../core/failure.ts';
import { ClosedByPeer, ClosedLocally, ConnectionTermination } from '../../../core/failures.ts';
import type { HttpVersion, RequestHead, ResponseHead } from '../../../core/head.ts';
import type { CodecStream, StreamUser } from '../../../core/message-sink.ts';
import type { DialHandler, Dialing } from '../../../net/network.ts';
import type { ProbePlace } from './probe.ts';

/** A request that waits for its connection, or has left. */
interface Asked {
  readonly head: RequestHead;
  readonly body: Uint8Array | null;
  readonly user: StreamUser<ResponseHead>;
}

/**
 * The connection that a host is checked over, one request at a time: opened when there is a request, kept as long as
 * both sides want it. No pool's, and in none of its stats, as in Envoy.
 */
export class HttpExchange implements DialHandler, ConnectionSink, CodecHost, ClientCodecOwner, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly place: ProbePlace;
  private readonly version: HttpVersion;
  private dialing: Dialing | null;
  private connection: Connection | null;
  private codec: ClientCodec | null;
  private asked: Asked | null;
  private stream: CodecStream<RequestHead> | null;
  private isLast: boolean;
  private isClosed: boolean;

  constructor(place: ProbePlace, version: HttpVersion) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.place = place;
    this.version = version;
    this.dialing = null;
    this.connection = null;
    this.codec = null;
    this.asked = null;
    this.stream = null;
    this.isLast = false;
    this.isClosed = false;
  }

  /** It takes another request, as far as is known. */
  get isUsable(): boolean {
    return !this.isClosed && !this.isLast && (this.codec === null || this.codec.canOpen);
  }

  /** Nothing else is under way. `user` hears the answer, or a reset. */
  ask(head: RequestHead, body: Uint8Array | null, user: StreamUser<ResponseHead>): void {
    this.asked = { head, body, user };
    if (this.codec !== null) {
      this.open();
      return;
    }
    const dialing = this.place.dial(this);
    if (this.connection === null && !this.isClosed) this.dialing = dialing;
  }

  /** Gives the request up, and keeps the connection where it can. */
  reset(failure: Failure): void {
    const { stream } = this;
    this.asked = null;
    this.stream = null;
    if (stream === null) this.close();
    else stream.reset(failure);
  }

  /** Whoever waits hears nothing. */
  close(): void {
    if (this.isClosed) return;
    const { dialing, connection } = this;
    this.finish(ClosedLocally, false);
    dialing?.cancel();
    connection?.destroy(ClosedLocally);
  }

  // DialHandler

  onConnected(connection: Connection): void {
    this.dialing = null;
    if (this.isClosed) {
      connection.destroy(ClosedLocally);
      return;
    }
    this.connection = connection;
    this.codec = this.place.codecs.open(this.version, this, this, this.place.clock.now);
    connection.attach(this);
    if (this.asked !== null) this.open();
  }

  onDialFailure(failure: Failure): void {
    this.dialing = null;
    this.finish(failure, true);
  }

  // ConnectionSink

  onBytes(chunk: Uint8Array): void {
    if (!this.isClosed) this.codec!.receive(chunk, this.place.clock.now);
  }

  onDrain(): void {
    if (!this.isClosed) this.codec!.onBelowLowWatermark();
  }

  onEnd(): void {
    if (this.isClosed) return;
    const { connection } = this;
    this.codec!.receiveEnd(this.place.clock.now);
    this.finish(ConnectionTermination, true);
    connection!.destroy(ClosedByPeer);
  }

  onClosed(): void {
    this.finish(ConnectionTermination, true);
  }

  // CodecHost

  write(chunk: Uint8Array): boolean {
    return this.isClosed || this.connection!.write(chunk);
  }

  writeLatin1(text: string): boolean {
    return this.isClosed || this.connection!.writeLatin1(text);
  }

  pause(): void {
    this.connection!.pause();
  }

  resume(): void {
    this.connection!.resume();
  }

  wakeAt(at: number): void {
    if (!this.isClosed) this.place.timers.schedule(this, at);
  }

  tick(now: number): void {
    if (!this.isClosed) this.codec!.tick?.(now);
  }

  // ClientCodecOwner

  onStreamDone(reusable: boolean): void {
    this.stream = null;
    this.asked = null;
    if (!reusable) this.close();
  }

  onCloseAnnounced(): void {
    this.isLast = true;
    if (this.stream === null) this.close();
  }

  onProtocolError(): void {
    this.close();
  }

  private open(): void {
    const { head, body, user } = this.asked!;
    const stream = this.codec!.open(user, this.place.clock.now);
    this.stream = stream;
    stream.head(head, body === null);
    if (body !== null && this.stream !== null) stream.data(body, true);
  }

  /** The one way out. `isHeard`: whoever still waits for a connection is told; the codec tells the others. */
  private finish(failure: Failure, isHeard: boolean): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.place.timers.cancel(this);
    const { asked, codec, stream } = this;
    this.asked = null;
    this.stream = null;
    codec?.closed(failure);
    if (isHeard && stream === null) asked?.user.reset(failure);
  }
}
