import type { CodecHost, ServerCodec, StreamAcceptor } from '../../codec/codec.ts';
import type { Timed } from '../../core/clock.ts';
import type { Connection, ConnectionSink } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { ClosedByPeer, DelayedCloseTimeout, DownstreamLocalClose, DownstreamRemoteClose } from '../../core/failures.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { CodecStream, StreamUser } from '../../core/message-sink.ts';
import type { ActiveConnection } from '../../listener/network-filter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { HttpConnectionManager } from './connection-manager.ts';
import { HttpStream } from './stream.ts';

/** Where delayed_close_timeout is off: how long a client may take nothing of its last answer. Envoy's default. */
const flushStallMs = 1000;

/** One downstream connection and the streams on it. */
export class ServerConnection implements ConnectionSink, CodecHost, StreamAcceptor, Timed, ActiveConnection {
  readonly manager: HttpConnectionManager;
  readonly connection: Connection;
  readonly filterChainName: string;
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly codec: ServerCodec;
  private readonly streams: HttpStream[];
  private readonly startMs: number;
  private idleAt: number;
  /** max_connection_duration; Infinity: none. */
  private drainAt: number;
  /** Of a connection that is to end while idle; Infinity: none. */
  private closeAt: number;
  private requests: number;
  private isHttp1: boolean;
  private isDraining: boolean;
  /** Its answers ask the client to go, because a drain does. */
  private saysGoodbye: boolean;
  /** Past `http1_safe_max_connection_duration`. */
  private isPastDuration: boolean;
  private isClosing: boolean;
  private isClosed: boolean;
  private isAboveHighWatermark: boolean;
  private countedRead: number;
  private countedWritten: number;

  constructor(manager: HttpConnectionManager, connection: Connection, filterChainName: string) {
    this.manager = manager;
    this.connection = connection;
    this.filterChainName = filterChainName;
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.streams = [];
    this.startMs = manager.clock.now;
    this.idleAt = Infinity;
    this.drainAt = Infinity;
    this.closeAt = Infinity;
    this.requests = 0;
    this.isHttp1 = false;
    this.isDraining = false;
    this.saysGoodbye = false;
    this.isPastDuration = false;
    this.isClosing = false;
    this.isClosed = false;
    this.isAboveHighWatermark = false;
    this.countedRead = 0;
    this.countedWritten = 0;
    this.codec = manager.newCodec(this, this);
    const { stats } = manager;
    stats.cxTotal.inc();
    stats.cxActive.inc();
    const { maxConnectionDurationMs } = manager.data.timeouts;
    if (maxConnectionDurationMs > 0) this.drainAt = this.startMs + maxConnectionDurationMs;
    this.becameIdle();
    this.wakeAt(this.drainAt);
    connection.attach(this);
  }

  get isIdle(): boolean {
    return this.streams.length === 0;
  }

  /** Makes sure that `tick` comes at `at`, or earlier. */
  wakeAt(at: number): void {
    if (at < this.deadline) this.manager.timers.schedule(this, at);
  }

  tick(now: number): void {
    for (let i = this.streams.length - 1; i >= 0; i--) {
      const stream = this.streams[i];
      if (stream !== undefined && stream.timeouts.next() <= now) stream.timeouts.fire(now);
    }
    if (this.isClosed) return;
    if (this.drainAt <= now) {
      this.drainAt = Infinity;
      this.manager.stats.count('downstream_cx_max_duration_reached');
      // `http1_safe_max_connection_duration`: the next answer says goodbye, and nothing is closed before.
      if (this.manager.data.timeouts.http1SafeMaxConnectionDuration) this.drainSoftly();
      else this.drain();
    }
    if (this.idleAt <= now && this.streams.length === 0) {
      this.idleAt = Infinity;
      this.manager.stats.count('downstream_cx_idle_timeout');
      this.goAway();
    }
    if (this.closeAt <= now && this.streams.length === 0) {
      this.closeAt = Infinity;
      this.close(DownstreamLocalClose.with('on_idle_timeout'), true);
    }
    const idle = this.streams.length === 0 ? Math.min(this.idleAt, this.closeAt) : Infinity;
    let next = Math.min(this.drainAt, idle);
    for (const stream of this.streams) next = Math.min(next, stream.timeouts.next());
    this.manager.timers.schedule(this, next);
  }

  // ---- the connection tells

  onBytes(chunk: Uint8Array): void {
    if (!this.isHttp1) this.becomeHttp1();
    this.codec.receive(chunk, this.manager.clock.now);
  }

  onDrain(): void {
    if (!this.isAboveHighWatermark) return;
    this.isAboveHighWatermark = false;
    this.codec.onBelowLowWatermark();
  }

  onEnd(): void {
    // Envoy drops the stream of a client that half-closes; nothing more can be asked on this connection.
    this.isClosing = true;
    this.codec.receiveEnd(this.manager.clock.now);
    this.connection.destroy(DownstreamRemoteClose);
  }

  onClosed(failure: Failure): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { stats, clock, timers } = this.manager;
    timers.cancel(this);
    if (failure === DelayedCloseTimeout) stats.count('downstream_cx_delayed_close_timeout');
    this.countEnd(failure);
    this.codec.closed(failure === DownstreamRemoteClose || failure.kind.side === 0 ? DownstreamRemoteClose : failure);
    for (const stream of this.streams.slice()) stream.onDownstreamReset(DownstreamRemoteClose);
    stats.cxActive.dec();
    if (this.isHttp1) stats.cxHttp1Active.dec();
    if (this.isPastDuration) stats.cxHttp1SoftDrain.dec();
    stats.cxDestroy.inc();
    stats.cxLengthMs.record(clock.now - this.startMs);
    this.countBytes();
    this.manager.removed(this);
  }

  private countEnd(failure: Failure): void {
    const { stats } = this.manager;
    const isRemote = failure.kind === ClosedByPeer.kind || failure.kind === DownstreamRemoteClose.kind;
    const side = isRemote ? 'remote' : 'local';
    stats.count(`downstream_cx_destroy_${side}`);
    if (this.streams.length === 0) return;
    stats.count('downstream_cx_destroy_active_rq');
    stats.count(`downstream_cx_destroy_${side}_active_rq`);
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

  pause(): void {
    this.connection.pause();
  }

  resume(): void {
    this.connection.resume();
  }

  // ---- the codec tells

  accept(codecStream: CodecStream<ResponseHead>): StreamUser<RequestHead> {
    const stream = new HttpStream(this, codecStream);
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

  onProtocolError(failure: Failure): void {
    this.manager.stats.count('downstream_cx_protocol_error');
    this.close(failure, true);
  }

  onFinished(): void {
    const last = this.streams[0];
    // Envoy: no grace for a client that asked for the end itself and has its whole answer.
    this.close(DownstreamLocalClose, last === undefined || !last.asksToClose || !last.isExchanged);
  }

  // ---- streams tell

  /** A final head is on its way: the last word on the connection's future. */
  finishHead(head: ResponseHead): void {
    if (!this.saysGoodbye && this.manager.shouldCloseOnResponse()) {
      this.saysGoodbye = true;
      this.manager.stats.count('downstream_cx_drain_close');
      this.codec.drain();
    }
    void head;
  }

  closeAfterResponse(): void {
    this.codec.drain();
  }

  /** What has passed since the last stream, for `outcome`; HTTP/1 has one stream at a time. */
  takeWireBytes(outcome: Outcome): void {
    const { bytesRead, bytesWritten } = this.connection;
    outcome.wireBytesReceived = bytesRead - this.countedRead;
    outcome.wireBytesSent = bytesWritten - this.countedWritten;
  }

  remove(stream: HttpStream): void {
    const { streams } = this;
    const last = streams.pop()!;
    if (last !== stream) {
      streams[stream.slot] = last;
      last.slot = stream.slot;
    }
    this.countBytes();
    if (streams.length > 0 || this.isClosed) return;
    // A response that had begun before the drain could not say `connection: close`.
    if (this.isDraining) this.goAway();
    else this.becameIdle();
  }

  private drainSoftly(): void {
    this.isPastDuration = true;
    this.manager.stats.cxHttp1SoftDrain.inc();
    this.codec.drain();
  }

  /** No new requests after those that are open. */
  drain(): void {
    this.isDraining = true;
    this.codec.drain();
    if (this.streams.length === 0) this.goAway();
  }

  /**
   * Nothing is open. HTTP/1 cannot say goodbye without an answer, so a request that crosses this is still answered, with
   * `connection: close`, until drain_timeout is over. A connection that never had one closes at once.
   */
  private goAway(): void {
    if (this.requests === 0) {
      this.close(DownstreamLocalClose.with('on_idle_timeout'), false);
      return;
    }
    this.codec.drain();
    this.closeAt = this.manager.clock.now + this.manager.data.timeouts.drainMs;
    this.wakeAt(this.closeAt);
  }

  /** The first bytes: from now on it counts as what it speaks. */
  private becomeHttp1(): void {
    this.isHttp1 = true;
    this.manager.stats.cxHttp1Total.inc();
    this.manager.stats.cxHttp1Active.inc();
  }

  private becameIdle(): void {
    const { idleMs } = this.manager.data.timeouts;
    if (idleMs === 0) return;
    this.idleAt = this.manager.clock.now + idleMs;
    this.wakeAt(this.idleAt);
  }

  private wroteTooMuch(): false {
    if (!this.isAboveHighWatermark) {
      this.isAboveHighWatermark = true;
      this.codec.onAboveHighWatermark();
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

  private countBytes(): void {
    const { stats } = this.manager;
    const { bytesRead, bytesWritten } = this.connection;
    stats.cxRxBytes.add(bytesRead - this.countedRead);
    stats.cxTxBytes.add(bytesWritten - this.countedWritten);
    this.countedRead = bytesRead;
    this.countedWritten = bytesWritten;
  }
}
