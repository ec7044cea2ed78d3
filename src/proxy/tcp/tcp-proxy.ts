import type { Cluster, Clusters, Host, TcpPool } from '../../cluster/cluster.ts';
import { behindFilters } from '../../cluster/pool/behind-filters.ts';
import type { ClusterWaiter } from '../../cluster/on-demand/cluster-lookups.ts';
import type { Clock, Timers } from '../../core/clock.ts';
import type { Connection } from '../../core/connection.ts';
import { DownstreamLocalClose } from '../../core/failures.ts';
import { HttpVersion } from '../../core/head.ts';
import { MetadataCriteria } from '../../core/metadata-criteria.ts';
import type { ActiveConnection, ConnectionHandler } from '../../listener/network-filter.ts';
import type { Drain } from '../../listener/drain.ts';
import type { AccessLog } from '../../observe/access-log/access-log.ts';
import { passedNotes, type ConnectionNotes } from '../../observe/connection-notes.ts';
import { stateText } from '../../observe/filter-state.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { Counter, Gauge, StatsScope } from '../../observe/stats/stats.ts';
import { HashPolicy } from '../../route/hash/hash-policy.ts';
import { ProxyTlvs } from './proxy-tlvs.ts';
import type { TcpProxyData } from './tcp-proxy-data.ts';
import { TcpSession } from './tcp-session.ts';
import { TunnelDialing } from './tunnel-dialing.ts';
import { Tunneling } from './tunneling.ts';

export interface TcpProxyParts {
  readonly data: TcpProxyData;
  readonly clusters: Clusters;
  readonly accessLogs: readonly AccessLog[];
  /** `tcp.<stat_prefix>`. */
  readonly scope: StatsScope;
  readonly clock: Clock;
  readonly timers: Timers;
  /** How its listener drains; absent: never for the sake of connections. */
  readonly drain?: Drain;
  /** True while connections are to close, whatever `drain` says; absent: never. */
  shouldClose?(): boolean;
}

/** Where a connection goes. */
interface TcpRoute {
  /** Empty: there is none. */
  readonly name: string;
  /** Null: there is none. */
  readonly cluster: Cluster | null;
  /** Of its hosts; null: any. */
  readonly metadataMatch: MetadataCriteria | null;
}

const nowhere: TcpRoute = { name: '', cluster: null, metadataMatch: null };

/** Filter state by which a filter in front chooses the cluster. Envoy's. */
const clusterKey = 'envoy.tcp_proxy.cluster';
const idleKey = 'envoy.tcp_proxy.per_connection_idle_timeout_ms';

/** Shown from the start, as in Envoy. */
const rareCounterNames = [
  'downstream_cx_drain_close',
  'downstream_cx_no_route',
  'downstream_flow_control_paused_reading_total',
  'downstream_flow_control_resumed_reading_total',
  'early_data_received_count_total',
  'idle_timeout',
  'max_downstream_connection_duration',
  'route_delayed_total',
];

/** Shown where it asks. */
const onDemandCounts = ['attempt', 'missing', 'success', 'timeout'] as const;

/** A filter chain's tcp_proxy in one worker. */
export class TcpProxy implements ConnectionHandler {
  readonly data: TcpProxyData;
  readonly clusters: Clusters;
  readonly accessLogs: readonly AccessLog[];
  readonly scope: StatsScope;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly cxTotal: Counter;
  readonly rxBytes: Counter;
  readonly txBytes: Counter;
  /** Upstream connections that still send what a client that has gone had sent. */
  readonly upstreamFlushTotal: Counter;
  readonly upstreamFlushActive: Gauge;
  /** Null: nothing keeps connections with one host. */
  readonly hashPolicy: HashPolicy | null;
  /** One for each of `data.clusters`; null: any host. */
  private readonly metadataMatches: readonly (MetadataCriteria | null)[];
  private readonly tunneling: Tunneling | null;
  private readonly sessions: Set<TcpSession>;
  private isEnding: boolean;
  private readonly ownDrain: Drain | null;
  private readonly shouldClose: () => boolean;
  /** Null: there are none. */
  private readonly tlvs: ProxyTlvs | null;

  constructor(parts: TcpProxyParts) {
    this.data = parts.data;
    this.clusters = parts.clusters;
    this.accessLogs = parts.accessLogs;
    this.scope = parts.scope;
    this.clock = parts.clock;
    this.timers = parts.timers;
    this.cxTotal = parts.scope.counter('downstream_cx_total');
    this.rxBytes = parts.scope.counter('downstream_cx_rx_bytes_total');
    this.txBytes = parts.scope.counter('downstream_cx_tx_bytes_total');
    this.upstreamFlushTotal = parts.scope.counter('upstream_flush_total');
    this.upstreamFlushActive = parts.scope.gauge('upstream_flush_active');
    for (const name of rareCounterNames) parts.scope.counter(name);
    // Not measured (docs/differences.md).
    for (const name of ['downstream_cx_rx_bytes_buffered', 'downstream_cx_tx_bytes_buffered']) parts.scope.gauge(name);
    const { tunneling, hashPolicy, clusters, onDemand = null } = parts.data;
    if (onDemand !== null) for (const what of onDemandCounts) parts.scope.counter(`on_demand_cluster_${what}`);
    this.hashPolicy = hashPolicy === null ? null : new HashPolicy(hashPolicy);
    this.metadataMatches = clusters.map(({ metadataMatch: match }) =>
      match === null ? null : new MetadataCriteria(match),
    );
    this.tunneling = tunneling === null ? null : new Tunneling(tunneling);
    this.sessions = new Set();
    this.isEnding = false;
    this.ownDrain = parts.drain ?? null;
    this.shouldClose = () => parts.shouldClose?.() === true;
    this.tlvs = parts.data.tlvs === null ? null : new ProxyTlvs(parts.data.tlvs);
  }

  /** With what chance adds. */
  connectionDurationMs(): number {
    const { connectionDurationMaxMs, durationJitterPercent } = this.data;
    return connectionDurationMaxMs * (1 + (durationJitterPercent / 100) * Math.random());
  }

  /** A filter in front may have another for this connection. */
  idleMsOf(notes: ConnectionNotes | null): number {
    const own = stateText(notes?.filterState.get(idleKey));
    return own !== null && /^\d+$/.test(own) ? Number(own) : this.data.idleMs;
  }

  /** Connections are to close. Drawn anew with every call. */
  get asksToGo(): boolean {
    return this.isEnding || this.shouldClose() || this.ownDrain?.asksToGo === true;
  }

  handle(connection: Connection, filterChainName: string, notes: ConnectionNotes | null = null): ActiveConnection {
    this.cxTotal.inc();
    const known = notes ?? passedNotes(connection.peer);
    const session = new TcpSession(this, connection, filterChainName, known);
    this.sessions.add(session);
    session.start();
    return session;
  }

  refused(connection: Connection, filterChainName: string, notes: ConnectionNotes): void {
    this.cxTotal.inc();
    new TcpSession(this, connection, filterChainName, notes).onClosed(DownstreamLocalClose);
  }

  /** TCP has no way to say goodbye: sessions go on until they end or are closed, or when `check_drain_close` says so. */
  drain(atOnce: boolean): void {
    if (atOnce) this.isEnding = true;
    else this.ownDrain?.begin();
  }

  end(): void {}

  closeAll(): void {
    for (const { downstream } of this.sessions) downstream.destroy(DownstreamLocalClose.with('drain_time_is_over'));
  }

  /** The one that a filter in front has chosen; else, as Envoy, a random value modulo the total weight, against the running sum. */
  choose(notes: ConnectionNotes | null): TcpRoute {
    const chosen = stateText(notes?.filterState.get(clusterKey));
    if (chosen !== null) return { name: chosen, cluster: this.clusters.get(chosen) ?? null, metadataMatch: null };
    const { clusters, totalWeight } = this.data;
    let left = Math.floor(Math.random() * totalWeight);
    for (const [i, { name, weight }] of clusters.entries()) {
      if (left < weight)
        return { name, cluster: this.clusters.get(name) ?? null, metadataMatch: this.metadataMatches[i] };
      left -= weight;
    }
    return nowhere;
  }

  /** Where a connection to the host comes from: its own, or a stream of an HTTP connection to it. */
  poolOf(cluster: Cluster, host: Host, outcome: Outcome): TcpPool {
    const peer = this.tlvs === null ? outcome.peer : this.tlvs.of(outcome);
    const options = cluster.transportOptions(host, '', null, outcome.filterState, peer);
    if (this.tunneling === null) return cluster.tcpPool(host, 0, options);
    const { propagation } = this.data.tunneling!;
    const pool = behindFilters(cluster, cluster.httpPool(host, 0, HttpVersion.Http11, options));
    return new TunnelDialing(pool, this.tunneling.request(outcome), outcome, this, propagation);
  }

  /** False: nobody tells the waiter, for the cluster cannot be asked for. */
  wants(cluster: string, waiter: ClusterWaiter): boolean {
    const { onDemand = null } = this.data;
    if (onDemand === null || cluster === '') return false;
    this.countOnDemand('attempt');
    return this.clusters.onDemand?.want(onDemand, cluster, waiter) === 'waiting';
  }

  countOnDemand(what: (typeof onDemandCounts)[number]): void {
    this.scope.counter(`on_demand_cluster_${what}`).inc();
  }

  removed(session: TcpSession): void {
    this.sessions.delete(session);
  }
}
