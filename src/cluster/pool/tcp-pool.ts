import type { Failure } from '../../core/failure.ts';
import { ClosedLocally, Overflow } from '../../core/failures.ts';
import type { TransportOptions } from '../../net/transport.ts';
import { ClusterCounter } from '../stats/cluster-stat-names.ts';
import type { ConnectionWaiter, TcpPool } from '../cluster.ts';
import type { HostPool, UpstreamHost } from '../host/host.ts';
import { PoolAccounts } from './pool-accounts.ts';
import type { PoolContext } from './pool-context.ts';
import { preconnectOf, type Preconnect } from './preconnect.ts';
import type { TcpPoolConnection } from './tcp-connection.ts';
import { TcpPoolDial } from './tcp-connection.ts';
import { WaitingLine } from './waiting-line.ts';

/** How many connections one event may open ahead of need. Source: Envoy `tryCreateNewConnections`. */
const aheadPerEventMax = 3;

/**
 * Connections without HTTP to one host and routing priority that ask the same of their transport. Each serves one user and is never used again, so this is a line
 * of those who wait, and the limits. Counts a connection's user as one request, as Envoy does.
 */
export class TcpConnectionPool implements TcpPool, HostPool {
  readonly context: PoolContext;
  readonly host: UpstreamHost;
  readonly accounts: PoolAccounts;
  readonly options: TransportOptions;
  /** In the host's KeyedPools; empty: it is not there. */
  readonly key: string;
  private readonly dials: Set<TcpPoolDial>;
  /** In the hands of their users. */
  private readonly connections: Set<TcpPoolConnection>;
  /** Opened ahead, without a user yet; the last is the newest. */
  private readonly ready: TcpPoolConnection[];
  private readonly preconnect: Preconnect | null;
  private pending: WaitingLine<ConnectionWaiter>;
  /** Those who are being told of a failed connection right now. */
  private purged: WaitingLine<ConnectionWaiter>;
  private isDraining: boolean;

  constructor(context: PoolContext, host: UpstreamHost, priority: 0 | 1, options: TransportOptions, key = '') {
    this.context = context;
    this.host = host;
    this.accounts = new PoolAccounts(context, host, priority);
    this.options = options;
    this.key = key;
    this.dials = new Set();
    this.connections = new Set();
    this.ready = [];
    this.preconnect = preconnectOf(context.data.preconnect, host);
    this.pending = new WaitingLine();
    this.purged = new WaitingLine();
    this.isDraining = false;
    host.poolOpened(this);
  }

  newConnection(waiter: ConnectionWaiter): void {
    const ready = this.ready.pop();
    if (ready !== undefined) {
      this.attach(ready, waiter);
      this.openConnections();
      return;
    }
    if (!this.accounts.mayWait) {
      waiter.onConnectFailure(Overflow, null);
      return;
    }
    this.pending.push(waiter);
    this.accounts.waitBegan();
    if (!this.openConnections()) this.turnAway(waiter);
  }

  cancel(waiter: ConnectionWaiter): void {
    if (!this.pending.leave(waiter) && !this.purged.leave(waiter)) return;
    this.accounts.waitEnded();
    this.accounts.count(ClusterCounter.RqCancelled);
    if (this.dials.size > this.pending.size && !this.needsAll()) this.cancelDial();
    this.afterLoss();
  }

  /** Open connections belong to their users and go on; whoever waits still gets one. */
  drain(): void {
    this.isDraining = true;
    this.closeReady();
    this.afterLoss();
  }

  closeConnections(): void {
    this.closeReady();
    for (const connection of this.connections) connection.destroy(ClosedLocally);
  }

  // For the connections of this pool.

  dialSucceeded(dial: TcpPoolDial, connection: TcpPoolConnection): void {
    this.dials.delete(dial);
    const waiter = this.pending.shift();
    if (waiter === null) {
      this.keep(connection);
      return;
    }
    this.accounts.waitEnded();
    this.attach(connection, waiter);
  }

  private keep(connection: TcpPoolConnection): void {
    const { preconnect } = this.context.data;
    if (preconnect === undefined || this.isDraining) {
      connection.discard();
      this.afterLoss();
      return;
    }
    this.ready.push(connection);
    connection.keep(preconnect.tcpIdleMs);
  }

  private attach(connection: TcpPoolConnection, waiter: ConnectionWaiter): void {
    // As Envoy: what uses a connection without HTTP counts as a request, and max_requests does not limit it.
    this.accounts.requestBegan();
    this.connections.add(connection);
    waiter.onConnected(connection, this.host, connection.startMs);
  }

  dialFailed(dial: TcpPoolDial, failure: Failure): void {
    this.dials.delete(dial);
    const purged = this.pending;
    this.pending = new WaitingLine();
    this.purged = purged;
    for (let waiter = purged.shift(); waiter !== null; waiter = purged.shift()) {
      this.accounts.waitEnded();
      this.accounts.count(ClusterCounter.RqPendingFailureEject);
      waiter.onConnectFailure(failure, this.host);
    }
    this.afterLoss();
  }

  connectionEnded(connection: TcpPoolConnection): void {
    if (!this.connections.delete(connection)) {
      const place = this.ready.indexOf(connection);
      if (place >= 0) this.ready.splice(place, 1);
    }
    this.afterLoss();
  }

  /** False: overload does not let it open one. */
  private openConnections(): boolean {
    const { newConnections = null } = this.context;
    for (let ahead = 0; ;) {
      if (this.pending.size <= this.dials.size && !(ahead++ < aheadPerEventMax && this.wantsAnother())) return true;
      if (newConnections !== null && newConnections.shedsLoad()) return false;
      if (!this.accounts.mayConnect(this.dials.size + this.connections.size + this.ready.length === 0)) return true;
      const dial = new TcpPoolDial(this);
      this.dials.add(dial);
      this.accounts.connectionBegan();
      dial.dial();
    }
  }

  private wantsAnother(): boolean {
    return this.wants(this.dials.size);
  }

  /** With one of those that are being opened less there would be too few. */
  private needsAll(): boolean {
    return this.wants(this.dials.size - 1);
  }

  private wants(dials: number): boolean {
    if (this.preconnect === null || this.isDraining) return false;
    const active = this.connections.size;
    return this.preconnect.wants(this.pending.size, active, active + this.ready.length + dials);
  }

  /** Nobody has come for it. */
  discard(connection: TcpPoolConnection): void {
    const place = this.ready.indexOf(connection);
    if (place >= 0) this.ready.splice(place, 1);
    // Nobody gets it any more, but it is there until it has closed.
    this.connections.add(connection);
    connection.destroy(ClosedLocally);
  }

  private closeReady(): void {
    while (this.ready.length > 0) this.discard(this.ready[0]);
  }

  private turnAway(waiter: ConnectionWaiter): void {
    if (!this.pending.leave(waiter)) return;
    this.accounts.waitEnded();
    this.accounts.count(ClusterCounter.RqCancelled);
    waiter.onConnectFailure(Overflow, null);
  }

  private cancelDial(): void {
    const dial = this.dials.values().next().value!;
    this.dials.delete(dial);
    dial.cancel();
  }

  private afterLoss(): void {
    if (this.pending.size > 0) this.openConnections();
    if (this.dials.size > 0 || this.connections.size > 0 || this.ready.length > 0) return;
    // Nobody may ever ask for the like again.
    if (this.key !== '' && this.pending.size === 0) {
      this.isDraining = true;
      this.host.keyedPools?.dropTcp(this);
    }
    if (this.isDraining) this.host.poolDrained(this);
  }
}
