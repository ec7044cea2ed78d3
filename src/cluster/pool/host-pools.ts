import { noTransportOptions, type TransportOptions } from '../../net/transport.ts';
import { ClusterCounter } from '../stats/cluster-stat-names.ts';
import type { HttpPool, TcpPool } from '../cluster.ts';
import type { UpstreamHost } from '../host/host.ts';
import type { PoolProtocol } from '../protocol/client-codecs.ts';
import { HttpConnectionPool } from './http-pool.ts';
import { KeyedPools } from './keyed-pools.ts';
import { noPool } from './no-pool.ts';
import type { PoolContext } from './pool-context.ts';
import { TcpConnectionPool } from './tcp-pool.ts';

/** What a pool's protocol offers by ALPN where nothing else says what to offer. Index: PoolProtocol. */
const alpnOptions: readonly TransportOptions[] = [['http/1.1'], ['h2'], ['h2', 'http/1.1']].map(
  (applicationProtocolsFallback) => ({ ...noTransportOptions, applicationProtocolsFallback }),
);

/** The pools of a cluster's hosts: each is made when somebody wants one like it. */
export class HostPools {
  private readonly context: PoolContext;
  /** By configuration or runtime: every HTTP pool is counted. */
  private areLimited: boolean;

  constructor(context: PoolContext, areLimited: boolean) {
    this.context = context;
    this.areLimited = areLimited;
  }

  /** Whether they are counted from now on. True: those that are there are not, and must go. */
  limit(areLimited: boolean): boolean {
    const mustGo = areLimited && !this.areLimited;
    this.areLimited = areLimited;
    return mustGo;
  }

  http(host: UpstreamHost, priority: 0 | 1, protocol: PoolProtocol, options: TransportOptions): HttpPool {
    if (options.key !== '' || this.areLimited) return this.keyedHttp(host, priority, protocol, options);
    return (host.httpPools[protocol * 2 + priority] ??= new HttpConnectionPool(
      this.context,
      host,
      priority,
      protocol,
      alpnOptions[protocol],
    ));
  }

  tcp(host: UpstreamHost, priority: 0 | 1, options: TransportOptions): TcpPool {
    if (options.key !== '') return this.keyedTcp(host, priority, options);
    if (priority === 0)
      return (host.tcpPoolDefault ??= new TcpConnectionPool(this.context, host, 0, noTransportOptions));
    return (host.tcpPoolHigh ??= new TcpConnectionPool(this.context, host, 1, noTransportOptions));
  }

  private keyedHttp(host: UpstreamHost, priority: 0 | 1, protocol: PoolProtocol, options: TransportOptions): HttpPool {
    const { context } = this;
    host.keyedPools ??= new KeyedPools();
    const place = protocol * 2 + priority;
    const same = host.keyedPools.sameHttpPool(options, place);
    if (same !== null) return same;
    const key = `${priority}${protocol}${options.key}`;
    const { applicationProtocolsFallback } = alpnOptions[protocol];
    const pool = host.keyedPools.httpPool(
      key,
      context.breakers(priority).connectionPools,
      () =>
        new HttpConnectionPool(context, host, priority, protocol, { ...options, applicationProtocolsFallback }, key),
    );
    if (pool === null) context.stats.counter(ClusterCounter.CxPoolOverflow).inc();
    else host.keyedPools.remember(pool, options, place);
    return pool ?? noPool;
  }

  private keyedTcp(host: UpstreamHost, priority: 0 | 1, options: TransportOptions): TcpPool {
    host.keyedPools ??= new KeyedPools();
    const key = `${priority}${options.key}`;
    return host.keyedPools.tcpPool(key, () => new TcpConnectionPool(this.context, host, priority, options, key));
  }
}
