import type { Timed } from '../../core/clock.ts';
import { ClusterCounter } from '../stats/cluster-stat-names.ts';
import type { TcpPoolConnection } from './tcp-connection.ts';
import type { TcpConnectionPool } from './tcp-pool.ts';

/** How long a connection that was opened ahead waits for its user. */
export class IdleWait implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly connection: TcpPoolConnection;
  private readonly pool: TcpConnectionPool;

  /** `idleMs` 0: for ever. */
  constructor(connection: TcpPoolConnection, pool: TcpConnectionPool, idleMs: number) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.connection = connection;
    this.pool = pool;
    const { clock, timers } = pool.context.network;
    if (idleMs > 0) timers.schedule(this, clock.now + idleMs);
  }

  end(): void {
    this.pool.context.network.timers.cancel(this);
  }

  tick(): void {
    this.pool.accounts.count(ClusterCounter.CxIdleTimeout);
    this.pool.discard(this.connection);
  }
}
