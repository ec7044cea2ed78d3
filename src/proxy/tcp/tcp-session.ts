import type { Cluster, ConnectionWaiter, Host, PickContext, TcpPool } from '../../cluster/cluster.ts';
import type { ClusterWaiter } from '../../cluster/on-demand/cluster-lookups.ts';
import type { Timed } from '../../core/clock.ts';
import type { Connection, ConnectionSink } from '../../core/connection.ts';
import { ResponseFlag, type Failure } from '../../core/failure.ts';
import type { Hash64 } from '../../core/hash64.ts';
import type { MetadataCriteria } from '../../core/metadata-criteria.ts';
import {
  ClosedByPeer,
  DownstreamLocalClose,
  DownstreamRemoteClose,
  DownstreamTransportFailure,
  Overflow,
} from '../../core/failures.ts';
import type { ActiveConnection } from '../../listener/network-filter.ts';
import type { ConnectionNotes } from '../../observe/connection-notes.ts';
import { Outcome } from '../../observe/outcome.ts';
import { TcpUpstream } from './tcp-upstream.ts';
import type { TcpProxy } from './tcp-proxy.ts';
import { EarlyBytes } from './early-bytes.ts';
import { TunnelDialing } from './tunnel-dialing.ts';

/** Where there is no idle_timeout: Envoy's default of it. */
const flushStallMs = 3_600_000;

/** One downstream connection and the upstream one that it is joined with. */
export class TcpSession
  implements ConnectionSink, ConnectionWaiter, ClusterWaiter, PickContext, Timed, ActiveConnection
{
  deadline: number;
  heapIndex: number;
  heapKey: number;
  readonly random: number;
  readonly hostSelectionAttempts: number;
  readonly downstream: Connection;
  readonly proxy: TcpProxy;
  readonly outcome: Outcome;
  private readonly notes: ConnectionNotes | null;
  private cluster: Cluster | null;
  /** Of the cluster's hosts; null: any. */
  metadataMatch: MetadataCriteria | null;
  /** Whom it waits for; null: nobody. */
  private pool: TcpPool | null;
  /** What carries the upstream connection; null: it is one of its own. */
  private tunnel: TunnelDialing | null;
  private upstream: TcpUpstream | null;
  /** What the client has said already; null: it is not listened to before there is an upstream. */
  private readonly early: EarlyBytes | null;
  private attempts: number;
  /** The cluster that it waits for; empty: none. */
  private wanted: string;
  /** A cluster has been asked for: once is enough. */
  private hasAsked: boolean;
  /** 0: none. */
  private readonly idleMs: number;
  private idleAt: number;
  private durationAt: number;
  private retryAt: number;
  private flushAt: number;
  private askedAtMs: number;
  private isDownstreamEnded: boolean;
  private isDownstreamPaused: boolean;
  private isUpstreamPaused: boolean;
  private isOver: boolean;
  /** The client has gone, and the upstream still takes what it had sent. */
  private isFlushing: boolean;
  private countedRead: number;
  private countedWritten: number;

  constructor(proxy: TcpProxy, downstream: Connection, filterChainName: string, notes: ConnectionNotes | null) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.random = Math.random();
    this.hostSelectionAttempts = 0;
    this.downstream = downstream;
    this.proxy = proxy;
    this.cluster = null;
    this.metadataMatch = null;
    this.pool = null;
    this.tunnel = null;
    this.upstream = null;
    this.early = proxy.data.earlyBytesMax === null ? null : new EarlyBytes(proxy.data.earlyBytesMax, downstream);
    this.attempts = 0;
    this.wanted = '';
    this.hasAsked = false;
    this.idleMs = proxy.idleMsOf(notes);
    this.idleAt = Infinity;
    this.durationAt = Infinity;
    this.retryAt = Infinity;
    this.flushAt = Infinity;
    this.askedAtMs = 0;
    this.isDownstreamEnded = false;
    this.isDownstreamPaused = false;
    this.isUpstreamPaused = false;
    this.isOver = false;
    this.isFlushing = false;
    this.countedRead = 0;
    this.countedWritten = 0;
    const outcome = new Outcome();
    outcome.startMs = proxy.clock.now;
    outcome.startEpochMs = proxy.clock.epochMs;
    outcome.connectionId = downstream.id;
    outcome.peer = downstream.peer;
    outcome.filterChainName = filterChainName;
    const { peer } = downstream;
    const noted = peer.dynamicMetadata ?? null;
    if (noted !== null) outcome.dynamicMetadata = new Map(noted);
    outcome.downstreamTransportFailureReason = peer.transportFailureReason ?? '';
    notes?.describe(outcome);
    this.outcome = outcome;
    this.notes = notes;
  }

  get isIdle(): boolean {
    return false;
  }

  connectionOutcome(): Outcome {
    return this.outcome;
  }

  start(): void {
    const { data, clock } = this.proxy;
    // Bytes wait in the kernel until there is somewhere to send them.
    if (this.early === null) this.downstream.pause();
    this.downstream.attach(this);
    // The addresses are gone once the socket is.
    void this.downstream.peer.remote;
    void this.downstream.peer.local;
    if (data.connectionDurationMaxMs > 0) this.durationAt = clock.now + this.proxy.connectionDurationMs();
    if (data.accessLogFlushMs > 0) this.flushAt = clock.now + data.accessLogFlushMs;
    this.touch();
    this.wake();
    if (data.logOnStart) this.log('TcpConnectionStart');
    if (!data.connectsOnData) this.connect();
  }

  /** Chooses anew with every attempt, as Envoy. False: there is no such cluster, or none yet. */
  private chooseCluster(): boolean {
    const chosen = this.proxy.choose(this.notes);
    this.cluster = chosen.cluster;
    this.metadataMatch = chosen.metadataMatch;
    if (this.cluster === null) {
      if (!this.hasAsked && this.proxy.wants(chosen.name, this)) {
        this.hasAsked = true;
        this.wanted = chosen.name;
        return false;
      }
      this.proxy.scope.counter('downstream_cx_no_route').inc();
      this.outcome.flags |= ResponseFlag.NoClusterFound;
      this.endWith(DownstreamLocalClose);
      return false;
    }
    this.outcome.upstreamCluster = this.cluster.statName;
    this.outcome.upstreamClusterRaw = this.cluster.name;
    this.outcome.clusterMetadata = this.cluster.metadata;
    return true;
  }

  /** What it has waited for has come, or has not: then there is no such cluster. */
  onCluster(isThere: boolean, isLate: boolean): void {
    this.wanted = '';
    this.proxy.countOnDemand(isThere ? 'success' : isLate ? 'timeout' : 'missing');
    if (!this.isOver) this.connect();
  }

  get hash(): Hash64 | null {
    const { hashPolicy } = this.proxy;
    return hashPolicy === null ? null : hashPolicy.hash(null, this.outcome, null);
  }

  rejects(): boolean {
    return false;
  }

  // ---- upstream

  onConnected(connection: Connection, host: Host, connectStartMs: number): void {
    const { outcome, proxy } = this;
    outcome.upstreamHost = host.addressText;
    outcome.upstreamHostName = host.hostname;
    outcome.upstreamConnectionId = connection.id;
    outcome.upstreamConnectStartMs = connectStartMs;
    outcome.upstreamConnectEndMs = connection.openedMs;
    outcome.upstreamPeer = connection.peer;
    outcome.upstreamFilterState = connection.found ?? null;
    outcome.upstreamHostMetadata = host.metadata;
    // Read now: the address is gone once the socket is.
    void connection.peer.local;
    outcome.upstreamPoolReadyMs = proxy.clock.now - this.askedAtMs;
    this.pool = null;
    host.recordConnected(true);
    this.upstream = new TcpUpstream(this, connection);
    connection.attach(this.upstream);
    this.touch();
    this.tunnel?.count();
    if (this.early !== null) this.sendEarly(connection, this.early);
    if (proxy.data.logOnConnected) this.log('TcpUpstreamConnected');
    if (this.early === null) this.downstream.resume();
  }

  onConnectFailure(failure: Failure, host: Host | null): void {
    const { outcome } = this;
    outcome.upstreamTransportFailureReason = failure.detail;
    if (host !== null) {
      outcome.upstreamHost = host.addressText;
      host.recordResult(0, failure);
    }
    this.pool = null;
    // As Envoy: a pool that has no place is tried again as one that does not connect, and no flag tells.
    if (failure.kind !== Overflow.kind) outcome.flags |= failure.kind.flag;
    if (this.attempts < this.proxy.data.connectAttemptsMax) {
      this.retryAt = this.proxy.clock.now + this.backOffMs();
      this.wake();
      return;
    }
    this.cluster!.stats.scope.counter('upstream_cx_connect_attempts_exceeded').inc();
    outcome.flags |= ResponseFlag.UpstreamRetryLimitExceeded;
    this.endWith(DownstreamLocalClose);
  }

  onUpstreamBytes(chunk: Uint8Array): void {
    if (this.isOver) return;
    this.touch();
    this.outcome.bytesSent += chunk.length;
    // A stream has bytes to deliver even when it has been paused.
    if (!this.downstream.write(chunk) && !this.isUpstreamPaused) {
      this.isUpstreamPaused = true;
      this.proxy.scope.counter('downstream_flow_control_paused_reading_total').inc();
      this.upstream!.connection.pause();
    }
    this.maybeCloseForDrain();
  }

  private sendEarly(upstream: Connection, early: EarlyBytes): void {
    const chunks = early.take();
    for (const chunk of chunks) this.pass(upstream, chunk);
    if (this.isDownstreamEnded) upstream.end();
  }

  onUpstreamDrain(): void {
    if (!this.isDownstreamPaused) return;
    this.isDownstreamPaused = false;
    this.downstream.resume();
  }

  /** The upstream half-closed: pass it on; when the client has too, both end. */
  onUpstreamEnd(): void {
    if (this.isOver) return;
    this.downstream.end();
    if (this.isDownstreamEnded) this.upstream?.connection.end();
  }

  onUpstreamClosed(failure: Failure): void {
    if (this.isFlushing) this.proxy.upstreamFlushActive.dec();
    this.isFlushing = false;
    if (this.isOver) return;
    if (this.upstream !== null) this.countUpstream(this.upstream.connection);
    this.upstream = null;
    if (failure.detail === '' && failure.kind.flag !== ResponseFlag.UpstreamRemoteReset) {
      // What it said last may still wait for a slow client.
      this.retryAt = Infinity;
      this.downstream.closeAfterFlush(this.stallMs, DownstreamLocalClose);
      return;
    }
    // What the upstream broke off breaks off here too: a half-received answer must not look complete.
    this.outcome.flags |= ResponseFlag.UpstreamRemoteReset;
    this.downstream.reset(DownstreamLocalClose);
  }

  // ---- downstream

  onBytes(chunk: Uint8Array): void {
    this.touch();
    this.outcome.bytesReceived += chunk.length;
    if (this.upstream === null) this.takeEarly(chunk);
    else this.pass(this.upstream.connection, chunk);
    this.maybeCloseForDrain();
  }

  private pass(upstream: Connection, chunk: Uint8Array): void {
    if (upstream.write(chunk) || this.isDownstreamPaused) return;
    this.isDownstreamPaused = true;
    this.downstream.pause();
  }

  private takeEarly(chunk: Uint8Array): void {
    if (this.early === null) return;
    this.proxy.scope.counter('early_data_received_count_total').inc();
    this.early.keep(chunk);
    if (this.proxy.data.connectsOnData && this.attempts === 0 && this.wanted === '') this.connect();
  }

  private maybeCloseForDrain(): void {
    if (!this.proxy.data.closesOnDrain || this.isOver || !this.proxy.asksToGo) return;
    this.proxy.scope.counter('downstream_cx_drain_close').inc();
    this.outcome.downstreamLocalCloseReason = 'tcp_proxy_drain_close';
    this.endWith(DownstreamLocalClose);
  }

  onDrain(): void {
    if (!this.isUpstreamPaused) return;
    this.isUpstreamPaused = false;
    this.proxy.scope.counter('downstream_flow_control_resumed_reading_total').inc();
    this.upstream?.connection.resume();
  }

  onEnd(): void {
    this.isDownstreamEnded = true;
    if (this.upstream === null) {
      // What it has said is still told, if it has said anything.
      if (this.early !== null && !this.early.isEmpty) return;
      // Nobody to talk to any more before the upstream was reached.
      this.downstream.destroy(DownstreamRemoteClose);
      return;
    }
    this.upstream.connection.end();
  }

  onClosed(failure: Failure): void {
    if (this.isOver) return;
    this.isOver = true;
    const { outcome, proxy } = this;
    // The handshake is over by now.
    outcome.peer = this.downstream.peer;
    if (failure.kind === DownstreamTransportFailure.kind) outcome.downstreamTransportFailureReason = failure.detail;
    proxy.timers.cancel(this);
    if (this.wanted !== '') proxy.clusters.onDemand?.cancel(this.wanted, this);
    this.pool?.cancel(this);
    this.pool = null;
    const upstream = this.upstream;
    this.upstream = null;
    if (upstream !== null) this.countUpstream(upstream.connection);
    if (upstream !== null) this.leave(upstream.connection, failure);
    outcome.endMs = proxy.clock.now;
    outcome.wireBytesReceived = this.downstream.bytesRead;
    outcome.wireBytesSent = this.downstream.bytesWritten;
    this.countBytes();
    this.notes?.finish(outcome);
    this.log('TcpConnectionEnd');
    proxy.removed(this);
  }

  // ---- time

  tick(now: number): void {
    if (this.retryAt <= now) {
      this.retryAt = Infinity;
      this.connect();
    }
    if (this.isOver) return;
    if (this.durationAt <= now) {
      this.proxy.scope.counter('max_downstream_connection_duration').inc();
      this.outcome.flags |= ResponseFlag.DurationTimeout;
      this.outcome.downstreamLocalCloseReason = 'max_connection_duration_reached';
      this.endWith(DownstreamLocalClose);
      return;
    }
    if (this.idleAt <= now) {
      this.proxy.scope.counter('idle_timeout').inc();
      this.outcome.downstreamLocalCloseReason = 'tcp_session_idle_timeout';
      this.endWith(DownstreamLocalClose);
      return;
    }
    if (this.flushAt <= now) {
      this.flushAt = now + this.proxy.data.accessLogFlushMs;
      this.log('TcpPeriodic');
    }
    this.wake();
  }

  private connect(): void {
    if (!this.chooseCluster()) return;
    const cluster = this.cluster!;
    this.attempts++;
    this.outcome.attemptCount = this.attempts;
    // A connection of its own is needed, and whoever has one keeps it: there is nothing to wait for.
    if (!cluster.breakers(0).connections.canCreate) {
      cluster.stats.scope.counter('upstream_cx_overflow').inc();
      this.outcome.flags |= ResponseFlag.UpstreamOverflow;
      this.endWith(DownstreamLocalClose);
      return;
    }
    const host = cluster.pick(this);
    if (host === null) {
      cluster.stats.cxNoneHealthy.inc();
      this.outcome.flags |= ResponseFlag.NoHealthyUpstream;
      this.endWith(DownstreamLocalClose);
      return;
    }
    this.askedAtMs = this.proxy.clock.now;
    const pool = this.proxy.poolOf(cluster, host, this.outcome);
    this.pool = pool;
    this.tunnel = pool instanceof TunnelDialing ? pool : null;
    pool.newConnection(this);
  }

  private endWith(failure: Failure): void {
    this.retryAt = Infinity;
    const upstream = this.upstream;
    this.upstream = null;
    if (upstream !== null) this.countUpstream(upstream.connection);
    if (upstream === null) {
      this.downstream.destroy(failure);
      return;
    }
    upstream.connection.end();
    this.downstream.closeAfterFlush(this.stallMs, failure);
  }

  /** What a client that has gone had sent still reaches the upstream, as in Envoy. */
  private leave(upstream: Connection, failure: Failure): void {
    const isRemote = failure.kind === ClosedByPeer.kind || failure.kind === DownstreamRemoteClose.kind;
    if (!isRemote || upstream.bufferedBytes === 0) {
      upstream.destroy(failure);
      return;
    }
    this.isFlushing = true;
    this.proxy.upstreamFlushTotal.inc();
    this.proxy.upstreamFlushActive.inc();
    upstream.closeAfterFlush(this.stallMs, failure);
  }

  private countUpstream(connection: Connection): void {
    if (this.tunnel !== null) {
      this.tunnel.count();
      return;
    }
    this.outcome.upstreamWireBytesReceived = connection.bytesRead;
    this.outcome.upstreamWireBytesSent = connection.bytesWritten;
  }

  /** A client that no longer takes the last bytes is given up when it would have been for silence. */
  private get stallMs(): number {
    return this.idleMs > 0 ? this.idleMs : flushStallMs;
  }

  private backOffMs(): number {
    const { backOffBaseMs, backOffMaxMs } = this.proxy.data;
    return Math.random() * Math.min(backOffBaseMs * 2 ** (this.attempts - 1), backOffMaxMs);
  }

  private touch(): void {
    if (this.idleMs > 0) this.idleAt = this.proxy.clock.now + this.idleMs;
  }

  private wake(): void {
    const next = Math.min(this.idleAt, this.durationAt, this.retryAt, this.flushAt);
    this.proxy.timers.schedule(this, next);
  }

  private log(type: string): void {
    const { outcome, proxy } = this;
    if (Number.isNaN(outcome.endMs)) outcome.endMs = proxy.clock.now;
    outcome.accessLogType = type;
    for (const log of proxy.accessLogs) log.log(outcome);
    if (type !== 'TcpConnectionEnd') outcome.endMs = NaN;
  }

  private countBytes(): void {
    const { rxBytes, txBytes } = this.proxy;
    const { bytesRead, bytesWritten } = this.downstream;
    rxBytes.add(bytesRead - this.countedRead);
    txBytes.add(bytesWritten - this.countedWritten);
    this.countedRead = bytesRead;
    this.countedWritten = bytesWritten;
  }
}
