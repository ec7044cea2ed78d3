import type { ClientCodec, ClientCodecOwner, CodecHost } from '../../codec/codec.ts';
import { UpstreamRemoteReset } from '../../codec/h2/failures.ts';
import type { Timed } from '../../core/clock.ts';
import type { ByteSource, Connection, ConnectionSink } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import {
  ClosedByPeer,
  ClosedLocally,
  ConnectionTermination,
  LocalReset,
  UpstreamProtocolError,
} from '../../core/failures.ts';
import { HttpVersion } from '../../core/head.ts';
import type { Dialing, DialHandler } from '../../net/network.ts';
import { ClusterCounter } from '../stats/cluster-stat-names.ts';
import type { StreamWaiter } from '../cluster.ts';
import type { HttpConnectionPool } from './http-pool.ts';
import { dialOptionsFor } from './pool-context.ts';

/**
 * Life of a pooled connection:
 *
 *     Connecting → Ready ⇄ Busy → Draining → Closed
 *
 * Ready takes streams; Busy carries as many as it can; Draining finishes what it carries. Every state may fall to Closed.
 * HTTP/1 is Busy with one stream, HTTP/2 with as many as both sides allow.
 */
export const ConnectionState = { Connecting: 0, Ready: 1, Busy: 2, Draining: 3, Closed: 4 } as const;
export type ConnectionState = (typeof ConnectionState)[keyof typeof ConnectionState];

/** How long the other end of a tunnel that is left may take nothing of its last bytes. */
const tunnelStallMs = 1000;

/** One upstream connection of an HTTP pool: dials, carries streams, goes idle, ages and ends. */
export class HttpPoolConnection implements DialHandler, ConnectionSink, CodecHost, ClientCodecOwner, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  state: ConnectionState;
  /** Neighbours among the ready connections; owned by the pool's list. */
  previous: HttpPoolConnection | null;
  next: HttpPoolConnection | null;
  private readonly pool: HttpConnectionPool;
  private readonly startMs: number;
  /** When it has reached max_connection_duration; Infinity: never. */
  private endMs: number;
  /** When it has carried nothing for idle_timeout; Infinity: it carries something. */
  private idleEndMs: number;
  /** When the codec wants to be woken; Infinity: never. */
  private codecMs: number;
  private dialing: Dialing | null;
  private connection: Connection | null;
  private codec: ClientCodec | null;
  /** Known once it is open. */
  private version: HttpVersion;
  activeStreams: number;
  private servedStreams: number;
  private remainingStreams: number;
  /** Bytes are being parsed: what follows a response in the same chunk must be seen before the connection is used again. */
  private isReceiving: boolean;
  private isAboveHighWatermark: boolean;
  /** A stream broke off with the connection. */
  private hasBrokenStream: boolean;
  /** What was sent last ends our half: it is not dropped. */
  private isEnding: boolean;

  constructor(pool: HttpConnectionPool) {
    const { network, data } = pool.context;
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.state = ConnectionState.Connecting;
    this.previous = null;
    this.next = null;
    this.pool = pool;
    this.startMs = network.clock.now;
    this.endMs = Infinity;
    this.idleEndMs = Infinity;
    this.codecMs = Infinity;
    this.dialing = null;
    this.connection = null;
    this.codec = null;
    this.version = HttpVersion.Http11;
    this.activeStreams = 0;
    this.servedStreams = 0;
    this.remainingStreams = data.http.maxRequestsPerConnection || Infinity;
    this.isReceiving = false;
    this.isAboveHighWatermark = false;
    this.hasBrokenStream = false;
    this.isEnding = false;
  }

  dial(): void {
    const { host, options, context } = this.pool;
    const dialing = host.transport.dial(
      host.address,
      dialOptionsFor(context, host.address, options),
      host.optionsOf(options),
      this,
    );
    if (this.state === ConnectionState.Connecting) this.dialing = dialing;
  }

  get isCarrying(): boolean {
    return this.activeStreams > 0;
  }

  /** How many streams it carries or could carry at a time, where it is not told otherwise than `atOnce`. */
  capacity(atOnce: number): number {
    if (this.state >= ConnectionState.Draining) return this.activeStreams;
    return Math.max(this.activeStreams, Math.min(atOnce, this.activeStreams + this.remainingStreams));
  }

  /** In state Ready: false if it turns out that it takes no more, by what has come in since. */
  get canOpen(): boolean {
    return this.codec!.canOpen;
  }

  /** Only in state Ready, and if `canOpen`. */
  open(waiter: StreamWaiter): void {
    const codec = this.codec!;
    const connection = this.connection!;
    const { network } = this.pool.context;
    this.activeStreams++;
    this.servedStreams++;
    const stream = codec.open(waiter, network.clock.now);
    if (--this.remainingStreams === 0) {
      this.pool.accounts.count(ClusterCounter.CxMaxRequests);
      this.pool.leaveReady(this, ConnectionState.Draining);
    } else if (!codec.canOpen) {
      this.pool.leaveReady(this, ConnectionState.Busy);
    }
    if (this.idleEndMs !== Infinity) {
      this.idleEndMs = Infinity;
      network.timers.schedule(this, Math.min(this.endMs, this.codecMs));
    }
    waiter.onPoolReady(stream, connection, this.pool.host, this.startMs, this.version);
  }

  /** Carries what it carries to the end, and closes. */
  drain(): void {
    if (this.state === ConnectionState.Closed) return;
    if (this.state === ConnectionState.Ready) this.pool.leaveReady(this, ConnectionState.Draining);
    else if (this.state === ConnectionState.Busy) this.state = ConnectionState.Draining;
    if (this.state === ConnectionState.Draining && this.activeStreams === 0 && !this.isReceiving) this.closeLocally();
  }

  /** Gives up, whatever it is doing. */
  closeLocally(): void {
    const { connection, dialing } = this;
    this.finish(true, ClosedLocally);
    dialing?.cancel();
    if (this.isEnding) connection?.closeAfterFlush(tunnelStallMs, ClosedLocally);
    else connection?.destroy(ClosedLocally);
  }

  // DialHandler

  onConnected(opened: Connection): void {
    this.dialing = null;
    if (this.state !== ConnectionState.Connecting) {
      opened.destroy(ClosedLocally);
      return;
    }
    const { accounts, context } = this.pool;
    const connection = context.filters?.connected(opened, this.pool.host, new Map()) ?? opened;
    this.connection = connection;
    const { now } = context.network.clock;
    this.version = this.pool.versionOf(connection.peer.alpn);
    this.codec = context.codecs.open(this.version, this, this, now);
    const durationMs = context.data.http.maxConnectionDurationMs;
    if (durationMs > 0) this.endMs = now + durationMs;
    accounts.connected(now - this.startMs);
    this.pool.connecting--;
    this.state = ConnectionState.Busy;
    connection.attach(this);
    // HTTP/2 has sent its preface already.
    if (this.isAboveHighWatermark) this.codec.onAboveHighWatermark();
    this.settle();
  }

  onDialFailure(failure: Failure): void {
    this.dialing = null;
    if (this.state !== ConnectionState.Connecting) return;
    this.pool.connecting--;
    this.state = ConnectionState.Closed;
    const { accounts, context } = this.pool;
    accounts.connectFailed(failure);
    accounts.connectionEnded(context.network.clock.now - this.startMs);
    this.pool.connectFailed(this, failure);
  }

  // ConnectionSink

  onBytes(chunk: Uint8Array): void {
    if (this.state === ConnectionState.Closed) return;
    this.pool.accounts.rxBytes.add(chunk.length);
    this.isReceiving = true;
    this.codec!.receive(chunk, this.pool.context.network.clock.now);
    this.isReceiving = false;
    this.settle();
  }

  onDrain(): void {
    if (!this.isAboveHighWatermark || this.state === ConnectionState.Closed) return;
    this.isAboveHighWatermark = false;
    this.codec!.onBelowLowWatermark();
  }

  onEnd(): void {
    if (this.state === ConnectionState.Closed) return;
    this.isReceiving = true;
    this.codec!.receiveEnd(this.pool.context.network.clock.now);
    this.isReceiving = false;
    const { connection } = this;
    this.finish(false, ConnectionTermination);
    connection!.destroy(ClosedByPeer);
  }

  onClosed(failure: Failure): void {
    // A reset within a message is as incomplete as an early FIN; the codec knows which it is. As Envoy, without the
    // kernel's words.
    if (failure.detail !== '' && this.state !== ConnectionState.Closed && this.codec !== null) {
      this.isReceiving = true;
      this.codec.receiveEnd(this.pool.context.network.clock.now);
      this.isReceiving = false;
    }
    this.finish(false, ConnectionTermination);
  }

  // CodecHost

  write(chunk: Uint8Array): boolean {
    // A codec may have gathered frames when it is told of the end.
    if (this.state === ConnectionState.Closed) return true;
    this.pool.accounts.txBytes.add(chunk.length);
    return this.connection!.write(chunk) || this.wroteTooMuch();
  }

  writeLatin1(text: string): boolean {
    this.pool.accounts.txBytes.add(text.length);
    return this.connection!.writeLatin1(text) || this.wroteTooMuch();
  }

  flushLater(source: ByteSource): void {
    const { connection } = this;
    if (connection?.flushLater === undefined) source.flush();
    else connection.flushLater(source);
  }

  carriesMany(): void {
    this.connection!.carriesMany?.();
  }

  get bufferedBytes(): number {
    return this.connection!.bufferedBytes;
  }

  wakeAt(at: number): void {
    this.codecMs = at;
    if (this.state !== ConnectionState.Closed) this.scheduleNext();
  }

  /** A tunnel's last bytes are on their way. */
  end(): void {
    this.isEnding = true;
    this.connection!.end();
  }

  pause(): void {
    this.connection!.pause();
  }

  resume(): void {
    this.connection!.resume();
  }

  // ClientCodecOwner

  onStreamDone(reusable: boolean): void {
    if (this.activeStreams === 0) return;
    this.activeStreams--;
    this.pool.accounts.requestEnded();
    if (!reusable) {
      if (this.state === ConnectionState.Ready) this.pool.leaveReady(this, ConnectionState.Draining);
      else if (this.state === ConnectionState.Busy) this.state = ConnectionState.Draining;
    }
    if (!this.isReceiving) this.settle();
  }

  onStreamReset(failure: Failure): void {
    const { accounts } = this.pool;
    switch (failure.kind) {
      case ConnectionTermination.kind:
        this.hasBrokenStream = true;
        accounts.count(ClusterCounter.RqPendingFailureEject);
        break;
      case LocalReset.kind:
      case UpstreamProtocolError.kind:
        accounts.count(ClusterCounter.RqTxReset);
        break;
      case UpstreamRemoteReset.kind:
        accounts.count(ClusterCounter.RqRxReset);
        break;
      default:
    }
  }

  onCloseAnnounced(): void {
    this.pool.accounts.count(ClusterCounter.CxCloseNotify);
    if (this.state === ConnectionState.Ready) this.pool.leaveReady(this, ConnectionState.Draining);
    else if (this.state === ConnectionState.Busy) this.state = ConnectionState.Draining;
  }

  onProtocolError(failure: Failure): void {
    if (this.state === ConnectionState.Closed) return;
    // A server that says 408 to an idle connection before it closes it is within its rights.
    if (failure.kind !== ConnectionTermination.kind) this.pool.accounts.count(ClusterCounter.CxProtocolError);
    this.closeLocally();
  }

  /** max_connection_duration, idle_timeout, or the codec's own time. */
  tick(now: number): void {
    const { accounts } = this.pool;
    if (now >= this.endMs) {
      this.endMs = Infinity;
      accounts.count(ClusterCounter.CxMaxDurationReached);
      this.drain();
    } else if (now >= this.idleEndMs) {
      accounts.count(ClusterCounter.CxIdleTimeout);
      this.closeLocally();
    } else if (now >= this.codecMs) {
      this.codecMs = Infinity;
      this.isReceiving = true;
      this.codec!.tick!(now);
      this.isReceiving = false;
      this.settle();
    }
    if (this.state !== ConnectionState.Closed) this.scheduleNext();
  }

  private scheduleNext(): void {
    this.pool.context.network.timers.schedule(this, Math.min(this.endMs, this.idleEndMs, this.codecMs));
  }

  private wroteTooMuch(): false {
    if (!this.isAboveHighWatermark) {
      this.isAboveHighWatermark = true;
      this.codec?.onAboveHighWatermark();
    }
    return false;
  }

  /** A stream has ended, and nothing of the connection's is on the call stack: on to the next, or out. */
  private settle(): void {
    if (this.state === ConnectionState.Draining) {
      if (this.activeStreams === 0) this.closeLocally();
    } else if (this.state === ConnectionState.Busy) {
      if (this.codec!.canOpen) this.becomeReady();
    } else if (this.state === ConnectionState.Ready) {
      if (this.activeStreams === 0) this.becomeIdle();
      if (!this.codec!.canOpen) this.pool.leaveReady(this, ConnectionState.Busy);
    }
  }

  private becomeReady(): void {
    if (this.activeStreams === 0) this.becomeIdle();
    this.pool.becameReady(this);
  }

  private becomeIdle(): void {
    if (this.idleEndMs !== Infinity) return;
    this.idleEndMs = this.pool.context.network.clock.now + this.pool.idleTimeoutMs;
    this.scheduleNext();
  }

  /** The one way out. `failure` is what open streams hear. */
  private finish(isLocal: boolean, failure: Failure): void {
    if (this.state === ConnectionState.Closed) return;
    const { pool } = this;
    const { accounts, context } = pool;
    if (this.state === ConnectionState.Ready) pool.leaveReady(this, ConnectionState.Closed);
    else if (this.state === ConnectionState.Connecting) pool.connecting--;
    this.state = ConnectionState.Closed;
    context.network.timers.cancel(this);
    accounts.destroyed(isLocal, this.hasBrokenStream || this.activeStreams > 0);
    if (this.connection !== null) accounts.requestsPerConnection(this.servedStreams);
    accounts.connectionEnded(context.network.clock.now - this.startMs);
    this.codec?.closed(failure);
    for (; this.activeStreams > 0; this.activeStreams--) accounts.requestEnded();
    pool.connectionEnded(this);
  }
}
