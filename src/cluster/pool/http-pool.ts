import type { Failure } from '../../core/failure.ts';
import { Overflow } from '../../core/failures.ts';
import { HttpVersion } from '../../core/head.ts';
import type { TransportOptions } from '../../net/transport.ts';
import { ClusterCounter } from '../stats/cluster-stat-names.ts';
import type { HttpPool, StreamWaiter } from '../cluster.ts';
import type { HostPool, UpstreamHost } from '../host/host.ts';
import { PoolProtocol } from '../protocol/client-codecs.ts';
import { ConnectionState, HttpPoolConnection } from './http-connection.ts';
import { PoolAccounts } from './pool-accounts.ts';
import type { PoolContext } from './pool-context.ts';
import { preconnectOf, type Preconnect } from './preconnect.ts';
import { WaitingLine } from './waiting-line.ts';

/** How many connections one event may open at most, however many wait. Source: Envoy `tryCreateNewConnections`. */
const connectionsPerEventMax = 3;

/**
 * The HTTP connections of one host, routing priority, protocol and what is asked of their transport. A stream takes the connection that became ready last,
 * so that those beyond the need idle out; without a ready one it waits in line for a connection that is opened for it or for
 * one that becomes free, whichever is first. Source: Envoy `conn_pool_base.cc`.
 */
export class HttpConnectionPool implements HttpPool, HostPool {
  readonly context: PoolContext;
  readonly host: UpstreamHost;
  readonly accounts: PoolAccounts;
  readonly idleTimeoutMs: number;
  readonly protocol: PoolProtocol;
  readonly options: TransportOptions;
  /** In the host's KeyedPools; empty: it is not there. */
  readonly key: string;
  /** How many streams a connection that is being opened will take. */
  private streamsPerConnection: number;
  /** Number of connections that are being opened. */
  connecting: number;
  private readonly connections: Set<HttpPoolConnection>;
  /** Most recently ready first. */
  private firstReady: HttpPoolConnection | null;
  private pending: WaitingLine<StreamWaiter>;
  /** Those who are being told of a failed connection right now; who is told may come back into `pending`. */
  private purged: WaitingLine<StreamWaiter>;
  private readonly preconnect: Preconnect | null;
  private isDraining: boolean;
  /** Those that stay with their host for ever are not: they are there only where no limit is set to pools. */
  private isCounted: boolean;

  /** `options`: with the ALPN that goes with the protocol. */
  constructor(
    context: PoolContext,
    host: UpstreamHost,
    priority: 0 | 1,
    protocol: PoolProtocol,
    options: TransportOptions,
    key = '',
  ) {
    this.context = context;
    this.host = host;
    this.accounts = new PoolAccounts(context, host, priority);
    this.idleTimeoutMs = context.data.http.idleTimeoutMs || Infinity;
    this.protocol = protocol;
    this.options = options;
    this.key = key;
    this.streamsPerConnection = context.codecs.streamsPerConnection(protocol);
    this.connecting = 0;
    this.connections = new Set();
    this.firstReady = null;
    this.pending = new WaitingLine();
    this.purged = new WaitingLine();
    this.preconnect = preconnectOf(context.data.preconnect, host);
    this.isDraining = false;
    this.isCounted = key !== '';
    if (this.isCounted) this.accounts.poolBegan();
    host.poolOpened(this);
  }

  /** Nobody uses it or waits for it. */
  get isIdle(): boolean {
    if (this.pending.size > 0) return false;
    for (const connection of this.connections) if (connection.isCarrying) return false;
    return true;
  }

  newStream(waiter: StreamWaiter): void {
    const ready = this.nextReady();
    if (ready !== null) {
      this.attach(ready, waiter);
      if (this.preconnect !== null) this.openConnections();
      return;
    }
    const { accounts } = this;
    if (!accounts.mayWait) {
      waiter.onPoolFailure(Overflow, null);
      return;
    }
    this.pending.push(waiter);
    accounts.waitBegan();
    if (!this.openConnections()) this.turnAway(waiter);
  }

  cancel(waiter: StreamWaiter): void {
    if (!this.pending.leave(waiter) && !this.purged.leave(waiter)) return;
    this.accounts.waitEnded();
    this.accounts.count(ClusterCounter.RqCancelled);
    if (this.isDraining) this.closeUnneeded();
    else if (this.key !== '' && this.connections.size === 0 && this.pending.size === 0) {
      this.leaveHost();
      this.sayIfDrained();
    }
  }

  /** Idle connections close now, the others after what they carry and what waits for them. */
  drain(): void {
    this.isDraining = true;
    this.uncount();
    for (const connection of this.connections) connection.drain();
    this.closeUnneeded();
  }

  // For the connections of this pool.

  /** What a new connection speaks: as the pool was made for, or as ALPN chose. */
  versionOf(alpn: string): HttpVersion {
    if (this.protocol !== PoolProtocol.Alpn)
      return this.protocol === PoolProtocol.Http2 ? HttpVersion.Http2 : HttpVersion.Http11;
    const version = alpn === 'h2' ? HttpVersion.Http2 : HttpVersion.Http11;
    this.countVersion(version);
    // The next one will mostly choose alike.
    this.streamsPerConnection = this.context.codecs.streamsPerConnection(
      version === HttpVersion.Http2 ? PoolProtocol.Http2 : PoolProtocol.Http1,
    );
    return version;
  }

  becameReady(connection: HttpPoolConnection): void {
    connection.state = ConnectionState.Ready;
    connection.previous = null;
    connection.next = this.firstReady;
    if (this.firstReady !== null) this.firstReady.previous = connection;
    this.firstReady = connection;
    for (let ready = this.nextReady(); ready !== null; ready = this.nextReady()) {
      const waiter = this.pending.shift();
      if (waiter === null) break;
      this.accounts.waitEnded();
      this.attach(ready, waiter);
    }
    if (this.pending.size > 0) this.openConnections();
    if (this.isDraining && this.pending.size === 0) {
      if (connection.state === ConnectionState.Ready) connection.drain();
      this.closeUnneeded();
    }
  }

  leaveReady(connection: HttpPoolConnection, state: ConnectionState): void {
    if (connection.previous === null) this.firstReady = connection.next;
    else connection.previous.next = connection.next;
    if (connection.next !== null) connection.next.previous = connection.previous;
    connection.previous = null;
    connection.next = null;
    connection.state = state;
  }

  /** All who wait are told: with a host that misbehaves they would be stuck here, and their routes may have others. */
  connectFailed(connection: HttpPoolConnection, failure: Failure): void {
    this.connections.delete(connection);
    const purged = this.pending;
    this.pending = new WaitingLine();
    this.purged = purged;
    for (let waiter = purged.shift(); waiter !== null; waiter = purged.shift()) {
      this.accounts.waitEnded();
      this.accounts.count(ClusterCounter.RqPendingFailureEject);
      waiter.onPoolFailure(failure, this.host);
    }
    this.afterLoss();
  }

  connectionEnded(connection: HttpPoolConnection): void {
    this.connections.delete(connection);
    this.afterLoss();
  }

  /** Within an event the peer may have forbidden more streams of what still counts as ready. */
  private nextReady(): HttpPoolConnection | null {
    let ready = this.firstReady;
    while (ready !== null && !ready.canOpen) {
      this.leaveReady(ready, ConnectionState.Busy);
      ready = this.firstReady;
    }
    return ready;
  }

  private attach(connection: HttpPoolConnection, waiter: StreamWaiter): void {
    if (!this.accounts.mayRequest) {
      waiter.onPoolFailure(Overflow, this.host);
      return;
    }
    this.accounts.requestBegan();
    connection.open(waiter);
  }

  /** As many as those who wait need beyond the ones that are on their way, and ahead of need if so configured. False: overload does not let it open one. */
  private openConnections(): boolean {
    const { newConnections = null } = this.context;
    for (let i = 0; i < connectionsPerEventMax; i++) {
      if (this.pending.size <= this.connecting * this.streamsPerConnection && !this.wantsAnother()) return true;
      if (newConnections !== null && newConnections.shedsLoad()) return false;
      if (!this.accounts.mayConnect(this.connections.size === 0)) return true;
      const connection = new HttpPoolConnection(this);
      this.connections.add(connection);
      this.connecting++;
      this.accounts.connectionBegan();
      if (this.protocol !== PoolProtocol.Alpn) this.countVersion(this.versionOf(''));
      connection.dial();
    }
    return true;
  }

  private wantsAnother(): boolean {
    if (this.preconnect === null || this.isDraining) return false;
    let active = 0;
    let capacity = 0;
    for (const connection of this.connections) {
      active += connection.activeStreams;
      capacity += connection.capacity(this.streamsPerConnection);
    }
    return this.preconnect.wants(this.pending.size, active, capacity);
  }

  private turnAway(waiter: StreamWaiter): void {
    if (!this.pending.leave(waiter)) return;
    this.accounts.waitEnded();
    this.accounts.count(ClusterCounter.RqCancelled);
    waiter.onPoolFailure(Overflow, null);
  }

  private countVersion(version: HttpVersion): void {
    const isHttp2 = version === HttpVersion.Http2;
    this.accounts.count(isHttp2 ? ClusterCounter.CxHttp2Total : ClusterCounter.CxHttp1Total);
  }

  private afterLoss(): void {
    if (this.pending.size > 0) this.openConnections();
    else if (this.key !== '' && this.connections.size === 0) this.leaveHost();
    this.sayIfDrained();
  }

  /** Nobody may ever ask for the like again. */
  private leaveHost(): void {
    this.isDraining = true;
    this.uncount();
    this.host.keyedPools?.dropHttp(this);
  }

  private uncount(): void {
    if (!this.isCounted) return;
    this.isCounted = false;
    this.accounts.poolEnded();
  }

  /** A draining pool opens no connection that nobody waits for. */
  private closeUnneeded(): void {
    if (!this.isDraining || this.pending.size > 0) return;
    for (const connection of this.connections)
      if (connection.state === ConnectionState.Connecting) connection.closeLocally();
    this.sayIfDrained();
  }

  private sayIfDrained(): void {
    if (this.isDraining && this.connections.size === 0 && this.pending.size === 0) this.host.poolDrained(this);
  }
}
