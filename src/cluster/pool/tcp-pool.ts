import type { Failure } from '../../core/failure.ts';
import { ClosedLocally, Overflow } from '../../core/failures.ts';
import type { TransportOptions } from '../../net/transport.ts';
import { ClusterCounter } from '../cluster-stat-names.ts';
import type { ConnectionWaiter, TcpPool } from '../cluster.ts';
import type { HostPool, UpstreamHost } from '../host.ts';
import { PoolAccounts } from './pool-accounts.ts';
import type { PoolContext } from './pool-context.ts';
import type { TcpPoolConnection } from './tcp-connection.ts';
import { TcpPoolDial } from './tcp-connection.ts';
import { WaitingLine } from './waiting-line.ts';

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
  private readonly connections: Set<TcpPoolConnection>;
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
    this.pending = new WaitingLine();
    this.purged = new WaitingLine();
    this.isDraining = false;
    host.poolOpened(this);
  }

  newConnection(waiter: ConnectionWaiter): void {
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
    if (this.dials.size > this.pending.size) this.cancelDial();
    this.afterLoss();
  }

  /** Open connections belong to their users and go on; whoever waits still gets one. */
  drain(): void {
    this.isDraining = true;
    this.afterLoss();
  }

  closeConnections(): void {
    for (const connection of this.connections) connection.destroy(ClosedLocally);
  }

  // For the connections of this pool.

  dialSucceeded(dial: TcpPoolDial, connection: TcpPoolConnection): void {
    this.dials.delete(dial);
    const waiter = this.pending.shift();
    if (waiter === null) {
      connection.discard();
      this.afterLoss();
      return;
    }
    this.accounts.waitEnded();
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
    this.connections.delete(connection);
    this.afterLoss();
  }

  /** False: overload does not let it open one. */
  private openConnections(): boolean {
    const { newConnections = null } = this.context;
    while (this.pending.size > this.dials.size) {
      if (newConnections !== null && newConnections.shedsLoad()) return false;
      if (!this.accounts.mayConnect(this.dials.size + this.connections.size === 0)) return true;
      const dial = new TcpPoolDial(this);
      this.dials.add(dial);
      this.accounts.connectionBegan();
      dial.dial();
    }
    return true;
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
    if (this.dials.size > 0 || this.connections.size > 0) return;
    // Nobody may ever ask for the like again.
    if (this.key !== '' && this.pending.size === 0) {
      this.isDraining = true;
      this.host.keyedPools?.dropTcp(this);
    }
    if (this.isDraining) this.host.poolDrained(this);
  }
}
