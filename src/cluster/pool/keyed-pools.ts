import type { HttpConnectionPool } from './http-pool.ts';
import type { TcpConnectionPool } from './tcp-pool.ts';

/**
 * So many HTTP pools one host may have that nobody uses at the moment: requests choose their keys. Those in use are as
 * many as the cluster's limits let be. Envoy has no bound unless `max_connection_pools` sets one, but drops a pool with
 * its last connection, as here.
 */
const httpPoolsMax = 1024;

/** How many of the oldest are looked at for one that is idle. */
const victimsMax = 16;

/** The pools of one host for requests and connections that ask something of its transport, by what that is. */
export class KeyedPools {
  /** Used last, last. */
  private readonly http: Map<string, HttpConnectionPool>;
  private readonly tcp: Map<string, TcpConnectionPool>;

  constructor() {
    this.http = new Map();
    this.tcp = new Map();
  }

  httpPool(key: string, make: () => HttpConnectionPool): HttpConnectionPool {
    const known = this.http.get(key);
    if (known !== undefined) {
      this.http.delete(key);
      this.http.set(key, known);
      return known;
    }
    if (this.http.size >= httpPoolsMax) this.dropIdle();
    const pool = make();
    this.http.set(key, pool);
    return pool;
  }

  tcpPool(key: string, make: () => TcpConnectionPool): TcpConnectionPool {
    let pool = this.tcp.get(key);
    if (pool === undefined) this.tcp.set(key, (pool = make()));
    return pool;
  }

  /** It has no connection left. */
  dropHttp(pool: HttpConnectionPool): void {
    if (this.http.get(pool.key) === pool) this.http.delete(pool.key);
  }

  dropTcp(pool: TcpConnectionPool): void {
    if (this.tcp.get(pool.key) === pool) this.tcp.delete(pool.key);
  }

  clear(): void {
    this.http.clear();
    this.tcp.clear();
  }

  private dropIdle(): void {
    let looked = 0;
    for (const [key, pool] of this.http) {
      if (pool.isIdle) {
        this.http.delete(key);
        pool.drain();
        return;
      }
      if (++looked === victimsMax) return;
    }
  }
}
