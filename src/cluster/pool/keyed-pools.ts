import type { TransportOptions } from '../../net/transport.ts';
import type { ResourceLimit } from '../cluster.ts';
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

/**
 * The pools of one host for requests and connections that ask something of its transport, by what that is; where the
 * cluster limits its pools, those of all requests.
 */
export class KeyedPools {
  /** Used last, last. */
  private readonly http: Map<string, HttpConnectionPool>;
  private readonly tcp: Map<string, TcpConnectionPool>;
  /** The HTTP pool that was used last, by what was asked of it: in a mesh every request asks, and mostly the same. */
  private last: HttpConnectionPool | null;
  private lastOptions: TransportOptions | null;
  private lastPlace: number;

  constructor() {
    this.http = new Map();
    this.tcp = new Map();
    this.last = null;
    this.lastOptions = null;
    this.lastPlace = -1;
  }

  /** The pool of the request before, if it was for the very same; null: look it up. `place`: priority and protocol. */
  sameHttpPool(options: TransportOptions, place: number): HttpConnectionPool | null {
    return this.lastOptions === options && this.lastPlace === place ? this.last : null;
  }

  /** What `sameHttpPool` gives from now on. */
  remember(pool: HttpConnectionPool, options: TransportOptions, place: number): void {
    this.last = pool;
    this.lastOptions = options;
    this.lastPlace = place;
  }

  /** `key` begins with the digit of the routing priority, whose pools `limit` counts. Null: the limit allows none. */
  httpPool(key: string, limit: ResourceLimit, make: () => HttpConnectionPool): HttpConnectionPool | null {
    const known = this.http.get(key);
    if (known !== undefined) {
      this.http.delete(key);
      this.http.set(key, known);
      return known;
    }
    if (!limit.canCreate && !this.dropIdle(this.http.size, key[0])) return null;
    if (this.http.size >= httpPoolsMax) this.dropIdle(victimsMax, '');
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
    this.forget(pool);
  }

  dropTcp(pool: TcpConnectionPool): void {
    if (this.tcp.get(pool.key) === pool) this.tcp.delete(pool.key);
  }

  clear(): void {
    this.http.clear();
    this.tcp.clear();
    this.last = null;
  }

  private forget(pool: HttpConnectionPool): void {
    if (this.last === pool) this.last = null;
  }

  /** One that nobody uses, of the `lookedMax` oldest whose keys begin with `prefix`. False: there is none. */
  private dropIdle(lookedMax: number, prefix: string): boolean {
    let looked = 0;
    for (const [key, pool] of this.http) {
      if (pool.isIdle && key.startsWith(prefix)) {
        this.http.delete(key);
        this.forget(pool);
        pool.drain();
        return true;
      }
      if (++looked === lookedMax) return false;
    }
    return false;
  }
}
