import type { CodecHost, ServerCodec, StreamAcceptor } from '../../../codec/codec.ts';
import {
  HeaderBlockFlood,
  InboundEmptyFramesFlood,
  InboundFramesFlood,
  OutboundFramesFlood,
  PingTimeout,
  PrematureResets,
} from '../../../codec/h2/failures.ts';
import type { Timed } from '../../../core/clock.ts';
import type { ByteSource, Connection, ConnectionSink } from '../../../core/connection.ts';
import { ResponseFlag, type Failure, type FailureKind } from '../../../core/failure.ts';
import { DownstreamLocalClose, DownstreamRemoteClose } from '../../../core/failures.ts';
import { HttpVersion, type RequestHead, type ResponseHead } from '../../../core/head.ts';
import { lentBytes } from '../../../core/lent-bytes.ts';
import type { CodecStream, StreamUser } from '../../../core/message-sink.ts';
import type { ActiveConnection } from '../../../listener/network-filter.ts';
import type { ConnectionNotes } from '../../../observe/connection-notes.ts';
import { Outcome } from '../../../observe/outcome.ts';
import { ConnectionDeadlines } from './deadlines.ts';
import { ConnectionTally } from './tally.ts';
import type { HttpConnectionManager } from '../connection-manager.ts';
import { protocolName, sniffVersion, versionOfAlpn } from './http-version.ts';
import { DispatchAborted, SentAway } from '../overload/shedding-codecs.ts';
import { HttpStream } from '../stream/stream.ts';

/** Where delayed_close_timeout is off: how long a client may take nothing of its last answer. Envoy's default. */
const flushStallMs = 1000;

/** Counted by the codec, and not as protocol errors. */
const floods: ReadonlySet<FailureKind> = new Set([
  HeaderBlockFlood.kind,
  InboundEmptyFramesFlood.kind,
  InboundFramesFlood.kind,
  OutboundFramesFlood.kind,
]);

/** One downstream connection and the streams on it. */
export class ServerConnection implements ConnectionSink, CodecHost, StreamAcceptor, Timed, ActiveConnection {
  readonly manager: HttpConnectionManager;
  readonly connection: Connection;
  readonly filterChainName: string;
  private readonly notes: ConnectionNotes | null;
  private readonly tally: ConnectionTally;
  private readonly deadlines: ConnectionDeadlines;
  deadline: number;
  heapIndex: number;
  heapKey: number;
  /** Null: the client has not said enough yet. */
  private codec: ServerCodec | null;
  /** Its first bytes, while they are too few to tell. */
  private prefix: Uint8Array | null;
  private readonly streams: HttpStream[];
  private requests: number;
  private isDraining: boolean;
  /** Its answers ask the client to go, because a drain does. */
  private saysGoodbye: boolean;
  private isClosing: boolean;
  private isClosed: boolean;
  /** The client has broken the protocol. */
  private hasProtocolError: boolean;
  /** Streams were open when the client left. */
  private wasLeft: boolean;
  private isAboveHighWatermark: boolean;

  constructor(
    manager: HttpConnectionManager,
    connection: Connection,
    filterChainName: string,
    notes: ConnectionNotes | null,
  ) {
    this.manager = manager;
    this.connection = connection;
    this.filterChainName = filterChainName;
    this.notes = notes;
    this.tally = new ConnectionTally(manager.stats, connection, manager.clock.now);
    this.deadlines = new ConnectionDeadlines();
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.codec = null;
    this.prefix = null;
    this.streams = [];
    this.requests = 0;
    this.isDraining = false;
    this.saysGoodbye = false;
    this.isClosing = false;
    this.isClosed = false;
    this.hasProtocolError = false;
    this.wasLeft = false;
    this.isAboveHighWatermark = false;
    const { maxConnectionDurationMs, maxConnectionJitter } = manager.data.timeouts;
    if (maxConnectionDurationMs > 0) {
      const ms = manager.overload?.connectionMaxMs(maxConnectionDurationMs) ?? maxConnectionDurationMs;
      this.deadlines.drainAt = manager.clock.now + ms * (1 + maxConnectionJitter * Math.random());
    }
    this.becameIdle();
    this.wakeBy(this.deadlines.drainAt);
    connection.attach(this);
  }

  get isIdle(): boolean {
    return this.streams.length === 0;
  }

  get isHttp2(): boolean {
    return this.tally.version === HttpVersion.Http2;
  }

  /** Bytes that filters and repeats may keep of one message; 0: no limit. Over HTTP/2 Envoy takes the stream's window. */
  get streamBufferLimit(): number {
    return this.isHttp2 ? this.manager.data.http2.initialStreamWindowSize : this.connection.bufferLimit;
  }

  /** Makes sure that `tick` comes at `at`, or earlier. */
  wakeBy(at: number): void {
    if (at < this.deadline) this.manager.timers.schedule(this, at);
  }

  /** The codec's wish. */
  wakeAt(at: number): void {
    if (at >= this.deadlines.codecAt) return;
    this.deadlines.codecAt = at;
    this.wakeBy(at);
  }

  tick(now: number): void {
    for (let i = this.streams.length - 1; i >= 0; i--) {
      const stream = this.streams[i];
      if (stream !== undefined && stream.timeouts.next() <= now) stream.timeouts.fire(now);
    }
    if (this.isClosed) return;
    const { deadlines } = this;
    if (deadlines.takeCodec(now)) {
      this.codec!.tick!(now);
      if (this.isClosed) return;
    }
    if (deadlines.takeDrain(now)) this.pastDuration();
    if (this.streams.length === 0 && deadlines.takeIdle(now)) {
      this.manager.stats.count('downstream_cx_idle_timeout');
      this.goAway();
    }
    if (this.streams.length === 0 && deadlines.takeClose(now))
      this.close(DownstreamLocalClose.with('on_idle_timeout'), true);
    let next = deadlines.next(this.streams.length === 0);
    for (const stream of this.streams) next = Math.min(next, stream.timeouts.next());
    this.manager.timers.schedule(this, next);
  }

  // ---- the connection tells

  onBytes(chunk: Uint8Array): void {
    let bytes: Uint8Array | null = chunk;
    if (this.codec === null) {
      bytes = this.begin(chunk);
      if (bytes === null) return;
    }
    this.codec!.receive(bytes, this.manager.clock.now);
  }

  onDrain(): void {
    if (!this.isAboveHighWatermark) return;
    this.isAboveHighWatermark = false;
    this.codec!.onBelowLowWatermark();
  }

  onEnd(): void {
    // Envoy drops the stream of a client that half-closes; nothing more can be asked on this connection.
    this.isClosing = true;
    this.wasLeft = this.streams.length > 0;
    this.codec?.receiveEnd(this.manager.clock.now);
    this.connection.destroy(DownstreamRemoteClose);
  }

  onClosed(failure: Failure): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { clock, timers } = this.manager;
    timers.cancel(this);
    this.tally.ends(failure, this.streams.length > 0 || this.wasLeft);
    this.codec?.closed(failure === DownstreamRemoteClose || failure.kind.side === 0 ? DownstreamRemoteClose : failure);
    for (const stream of this.streams.slice()) stream.onDownstreamReset(DownstreamRemoteClose);
    this.tally.ended(clock.now);
    this.manager.removed(this);
  }

  connectionOutcome(): Outcome {
    const outcome = new Outcome();
    const heads = this.hasProtocolError ? this.requests - 1 : this.requests;
    const { version, transportFailureReason } = this.tally;
    if (version !== null && heads > 0) outcome.protocol = protocolName(version);
    if (this.hasProtocolError) outcome.flags |= ResponseFlag.DownstreamProtocolError;
    outcome.downstreamTransportFailureReason = transportFailureReason;
    return outcome;
  }

  // ---- the codec writes

  write(chunk: Uint8Array): boolean {
    return this.connection.write(chunk) || this.wroteTooMuch();
  }

  writeLatin1(text: string): boolean {
    return this.connection.writeLatin1(text) || this.wroteTooMuch();
  }

  end(): void {
    this.connection.end();
  }

  flushLater(source: ByteSource): void {
    const { connection } = this;
    if (connection.flushLater === undefined) source.flush();
    else connection.flushLater(source);
  }

  carriesMany(): void {
    this.connection.carriesMany?.();
  }

  get bufferedBytes(): number {
    return this.connection.bufferedBytes;
  }

  pause(): void {
    this.connection.pause();
  }

  resume(): void {
    this.connection.resume();
  }

  // ---- the codec tells

  accept(codecStream: CodecStream<ResponseHead>): StreamUser<RequestHead> {
    const stream = new HttpStream(this, codecStream);
    this.notes?.beginStream(stream.outcome);
    const { requestHeadersMs } = this.manager.data.timeouts;
    if (requestHeadersMs > 0) stream.timeouts.setRequestHeaders(requestHeadersMs);
    stream.slot = this.streams.length;
    this.streams.push(stream);
    this.requests++;
    const max = this.manager.data.limits.requestsPerConnectionMax;
    if (max > 0 && this.requests === max) {
      this.manager.stats.count('downstream_cx_max_requests_reached');
      this.drain();
    }
    return stream.request;
  }

  /** A stream that goes on with what another has begun, which is about to end without an answer. */
  continueStream({ codecStream }: HttpStream): HttpStream {
    const stream = new HttpStream(this, codecStream);
    this.notes?.beginStream(stream.outcome);
    stream.slot = this.streams.length;
    this.streams.push(stream);
    return stream;
  }

  onProtocolError(failure: Failure): void {
    const { kind } = failure;
    this.hasProtocolError = true;
    if (kind === PrematureResets.kind) this.manager.stats.count('downstream_rq_too_many_premature_resets');
    else if (kind === DispatchAborted.kind) this.manager.stats.count('downstream_rq_overload_close');
    else if (kind !== PingTimeout.kind && kind !== SentAway.kind && !floods.has(kind))
      this.manager.stats.count('downstream_cx_protocol_error');
    this.close(failure, kind !== PrematureResets.kind && kind !== PingTimeout.kind);
  }

  onFinished(): void {
    const last = this.streams[0];
    // Envoy: no grace for a client that asked for the end itself and has its whole answer.
    this.close(DownstreamLocalClose, this.isHttp2 || last === undefined || !last.asksToClose || !last.isExchanged);
  }

  // ---- streams tell

  /** A final head is on its way: the last word on the connection's future. */
  finishHead(head: ResponseHead): void {
    void head;
    if (this.saysGoodbye) return;
    const { manager } = this;
    if (!manager.shouldCloseOnResponse()) {
      if (manager.overload === null || !manager.overload.disablesKeepAlive()) return;
      manager.stats.count('downstream_cx_overload_disable_keepalive');
    }
    this.saysGoodbye = true;
    manager.stats.count('downstream_cx_drain_close');
    this.codec!.drain(manager.clock.now);
  }

  /** What was wrong with a request may be wrong with what follows it; over HTTP/2 one stream says nothing of the others. */
  closeAfterResponse(): void {
    if (!this.isHttp2) this.codec!.drain();
  }

  /** What only the connection knows of a stream that is about to be logged. */
  describe({ outcome, codecStream }: HttpStream): void {
    this.notes?.finish(outcome);
    if (codecStream.wireBytesSent === undefined) {
      this.tally.describeBytes(outcome);
      return;
    }
    outcome.wireBytesReceived = codecStream.wireBytesReceived!;
    outcome.wireBytesSent = codecStream.wireBytesSent;
    outcome.headerBytesReceived = codecStream.headerBytesReceived!;
    outcome.headerBytesSent = codecStream.headerBytesSent!;
  }

  remove(stream: HttpStream): void {
    const { streams } = this;
    const last = streams.pop()!;
    if (last !== stream) {
      streams[stream.slot] = last;
      last.slot = stream.slot;
    }
    this.tally.countBytes();
    if (streams.length > 0 || this.isClosed) return;
    // A response that had begun before the drain could not say `connection: close`.
    if (this.isDraining) this.goAway();
    else this.becameIdle();
  }

  /** Timeouts have become so much longer, or shorter, as the overload manager wants them. */
  stretch(idleMs: number, maxDurationMs: number): void {
    const { deadlines, streams } = this;
    deadlines.idleAt += idleMs;
    deadlines.drainAt += maxDurationMs;
    for (const stream of streams) stream.timeouts.stretchIdle();
    this.wakeBy(deadlines.next(streams.length === 0));
  }

  private pastDuration(): void {
    this.manager.stats.count('downstream_cx_max_duration_reached');
    if (this.isHttp2 || !this.manager.data.timeouts.http1SafeMaxConnectionDuration) {
      this.drain();
      return;
    }
    // The next answer says goodbye, and nothing is closed before.
    this.tally.drainsSoftly();
    this.codec?.drain();
  }

  /** No new requests after those that are open. */
  drain(): void {
    this.isDraining = true;
    this.codec?.drain(this.manager.clock.now);
    if (this.streams.length === 0) this.goAway();
  }

  /**
   * Nothing is open. HTTP/1 cannot say goodbye without an answer, so a request that crosses this is still answered, with
   * `connection: close`, until drain_timeout is over. A connection that never had one closes at once. HTTP/2's GOAWAY
   * needs neither; the codec says when its handshake is over.
   */
  private goAway(): void {
    const { now } = this.manager.clock;
    const { drainMs, drainJitter } = this.manager.data.timeouts;
    const ms = drainMs * (1 + drainJitter * Math.random());
    if (this.isHttp2) {
      this.codec!.drain(now, ms);
      return;
    }
    if (this.requests === 0) {
      this.close(DownstreamLocalClose.with('on_idle_timeout'), false);
      return;
    }
    this.codec!.drain();
    this.deadlines.closeAt = now + ms;
    this.wakeBy(this.deadlines.closeAt);
  }

  /** The first bytes: from now on it counts as what it speaks. What the codec is to read; null: nothing yet. */
  private begin(chunk: Uint8Array): Uint8Array | null {
    if (this.manager.overload !== null && this.isTurnedAway(chunk)) return null;
    const bytes = this.prefix === null ? chunk : joined(this.prefix, chunk);
    const version = this.versionOf(bytes);
    if (bytes !== chunk || version === null) lentBytes.settle(chunk, chunk.length);
    if (version === null) {
      // A Buffer's own slice would be the same memory.
      this.prefix = new Uint8Array(bytes);
      return null;
    }
    this.prefix = null;
    this.tally.speaks(version);
    this.codec = this.manager.codecs.open(version, this, this);
    return bytes;
  }

  /** Before anything is made for it. */
  private isTurnedAway(chunk: Uint8Array): boolean {
    const { overload, stats } = this.manager;
    if (!this.isClosing) {
      if (!overload!.shedsConnection()) return false;
      stats.count('downstream_rq_overload_close');
      this.close(SentAway, true);
    }
    lentBytes.settle(chunk, chunk.length);
    return true;
  }

  private versionOf(bytes: Uint8Array): HttpVersion | null {
    const { codecType } = this.manager.data;
    if (codecType !== 'AUTO') return codecType === 'HTTP2' ? HttpVersion.Http2 : HttpVersion.Http11;
    return versionOfAlpn(this.connection.peer.alpn) ?? sniffVersion(bytes);
  }

  private becameIdle(): void {
    const { idleMs } = this.manager.data.timeouts;
    if (idleMs === 0) return;
    const { clock, overload } = this.manager;
    this.deadlines.idleAt = clock.now + (overload === null ? idleMs : overload.connectionIdleMs(idleMs));
    this.wakeBy(this.deadlines.idleAt);
  }

  private wroteTooMuch(): false {
    if (!this.isAboveHighWatermark) {
      this.isAboveHighWatermark = true;
      this.codec!.onAboveHighWatermark();
    }
    return false;
  }

  /** `isDelayed`: the client may close first; otherwise at once when everything is sent. */
  private close(failure: Failure, isDelayed: boolean): void {
    if (this.isClosing) return;
    this.isClosing = true;
    const { delayedCloseMs } = this.manager.data.timeouts;
    if (isDelayed && delayedCloseMs > 0) this.connection.endAndLinger(delayedCloseMs, failure);
    else this.connection.closeAfterFlush(delayedCloseMs > 0 ? delayedCloseMs : flushStallMs, failure);
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
