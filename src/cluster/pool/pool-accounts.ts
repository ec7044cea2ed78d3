import { ConnectionTimeout, LocalConnectionFailure } from '../../core/failures.ts';
import type { Failure } from '../../core/failure.ts';
import { ClusterCounter, ClusterGauge, ClusterHistogram } from '../stats/cluster-stat-names.ts';
import type { UpstreamStats } from '../stats/cluster-stats.ts';
import type { CircuitBreakers, ResourceLimit } from '../cluster.ts';
import { HostStat } from '../host/host-counters.ts';
import type { UpstreamHost } from '../host/host.ts';
import type { PoolContext } from './pool-context.ts';
import type { Counter, Gauge } from '../../observe/stats/stats.ts';

/**
 * What the life of connections, of requests and of those who wait for one adds to stats, host counters and circuit
 * breakers. One per pool; HTTP and TCP pools count alike, as Envoy's do.
 */
export class PoolAccounts {
  readonly rxBytes: Counter;
  readonly txBytes: Counter;
  private readonly stats: UpstreamStats;
  private readonly host: UpstreamHost;
  private readonly priority: 0 | 1;
  private readonly counters: Float64Array;
  private readonly requests: ResourceLimit;
  private readonly connections: ResourceLimit;
  private readonly pendingRequests: ResourceLimit;
  private readonly pools: ResourceLimit;
  /** Connections leave from an address that is configured. */
  private readonly isBound: boolean;
  private readonly rqTotal: Counter;
  private readonly rqActive: Gauge;

  constructor(context: PoolContext, host: UpstreamHost, priority: 0 | 1) {
    const { stats } = context;
    const breakers: CircuitBreakers = context.breakers(priority);
    this.rxBytes = stats.counter(ClusterCounter.CxRxBytesTotal);
    this.txBytes = stats.counter(ClusterCounter.CxTxBytesTotal);
    this.stats = stats;
    this.host = host;
    this.priority = priority;
    this.counters = host.counters;
    this.requests = breakers.requests;
    this.connections = breakers.connections;
    this.pendingRequests = breakers.pendingRequests;
    this.pools = breakers.connectionPools;
    this.isBound = context.data.bindAddress !== null;
    this.rqTotal = stats.counter(ClusterCounter.RqTotal);
    this.rqActive = stats.gauge(ClusterGauge.RqActive);
  }

  count(stat: ClusterCounter): void {
    this.stats.counter(stat).inc();
  }

  poolBegan(): void {
    this.pools.inc();
  }

  poolEnded(): void {
    this.pools.dec();
  }

  get mayWait(): boolean {
    if (this.pendingRequests.canCreate) return true;
    this.count(ClusterCounter.RqPendingOverflow);
    return false;
  }

  waitBegan(): void {
    this.count(ClusterCounter.RqPendingTotal);
    this.stats.gauge(ClusterGauge.RqPendingActive).inc();
    this.pendingRequests.inc();
    this.add(HostStat.RqPendingActive, 1);
  }

  waitEnded(): void {
    this.stats.gauge(ClusterGauge.RqPendingActive).dec();
    this.pendingRequests.dec();
    this.add(HostStat.RqPendingActive, -1);
  }

  get mayRequest(): boolean {
    if (this.requests.canCreate) return true;
    this.count(ClusterCounter.RqActiveOverflow);
    return false;
  }

  requestBegan(): void {
    this.rqTotal.inc();
    this.rqActive.inc();
    this.requests.inc();
    this.host.activeRequests++;
    this.host.load.active++;
    const counters = this.counters;
    counters[HostStat.RqTotal] = counters[HostStat.RqTotal] + 1;
    counters[HostStat.RqActive] = counters[HostStat.RqActive] + 1;
  }

  requestEnded(): void {
    this.rqActive.dec();
    this.requests.dec();
    this.host.activeRequests--;
    this.host.load.active--;
    const counters = this.counters;
    counters[HostStat.RqActive] = counters[HostStat.RqActive] - 1;
  }

  /** A host may always have one connection, or those who wait for it would wait for ever. */
  mayConnect(hasNone: boolean): boolean {
    const ofHost = this.host.connections;
    if (this.connections.canCreate && (ofHost === null || ofHost.mayConnect(this.priority))) return true;
    this.count(ClusterCounter.CxOverflow);
    return hasNone;
  }

  connectionBegan(): void {
    this.count(ClusterCounter.CxTotal);
    this.stats.gauge(ClusterGauge.CxActive).inc();
    this.connections.inc();
    this.host.connections?.inc();
    this.add(HostStat.CxTotal, 1);
    this.add(HostStat.CxActive, 1);
  }

  connected(milliseconds: number): void {
    this.stats.histogram(ClusterHistogram.CxConnectMs).record(milliseconds);
  }

  connectFailed(failure: Failure): void {
    if (failure.kind === ConnectionTimeout.kind) this.count(ClusterCounter.CxConnectTimeout);
    // Without words it was an option of the socket.
    if (failure.kind === LocalConnectionFailure.kind && this.isBound && failure.detail !== '')
      this.count(ClusterCounter.BindErrors);
    this.count(ClusterCounter.CxConnectFail);
    this.add(HostStat.CxConnectFail, 1);
    const isLocal = failure.kind === ConnectionTimeout.kind || failure.kind === LocalConnectionFailure.kind;
    this.destroyed(isLocal, false);
  }

  /** A connection, open or not yet, has gone. */
  connectionEnded(milliseconds: number): void {
    this.stats.histogram(ClusterHistogram.CxLengthMs).record(milliseconds);
    this.stats.gauge(ClusterGauge.CxActive).dec();
    this.connections.dec();
    this.host.connections?.dec();
    this.add(HostStat.CxActive, -1);
  }

  destroyed(isLocal: boolean, hadActiveRequest: boolean): void {
    this.count(ClusterCounter.CxDestroy);
    this.count(isLocal ? ClusterCounter.CxDestroyLocal : ClusterCounter.CxDestroyRemote);
    if (!hadActiveRequest) return;
    this.count(ClusterCounter.CxDestroyWithActiveRq);
    this.count(isLocal ? ClusterCounter.CxDestroyLocalWithActiveRq : ClusterCounter.CxDestroyRemoteWithActiveRq);
  }

  requestsPerConnection(count: number): void {
    this.stats.histogram(ClusterHistogram.RqPerCx).record(count);
  }

  private add(stat: HostStat, amount: number): void {
    this.counters[stat] = this.counters[stat] + amount;
  }
}
