import { isDeepStrictEqual } from '../core/deep-equal.ts';
import type { Network, DialOptions } from '../net/network.ts';
import type { UpstreamTlsData } from '../identity/tls-context-data.ts';
import { noTransportOptions, type TransportOptions, type UpstreamTransport } from '../net/transport.ts';
import type { SharedNumbers } from '../observe/limit/shared-limit.ts';
import type { Counter, StatsScope } from '../observe/stats/stats.ts';
import type { ExtensionData, StreamFilterData } from '../core/extension.ts';
import { HttpVersion } from '../core/head.ts';
import type { Headers } from '../core/headers.ts';
import type { Address, Peer } from '../core/peer.ts';
import type { LoadShedPoint, OverloadView } from '../core/overload-view.ts';
import { runtimeInteger, runtimePercent, type RuntimeView } from '../core/runtime-view.ts';
import { ClusterBreakers, limitsPools } from './limit/circuit-breaker.ts';
import type { AssignmentData, ClusterData, HostData, LocalityData } from './cluster-data.ts';
import { ClusterDialing } from './cluster-dialing.ts';
import { ClusterCounter } from './stats/cluster-stat-names.ts';
import { UpstreamStats } from './stats/cluster-stats.ts';
import { AggregateBalancer, type Member, type Members } from './aggregate/aggregate-balancer.ts';
import type { Cluster, Host, HttpPool, PickContext, StreamFilters, TcpPool, Tier } from './cluster.ts';
import type { HealthMemory } from './health/health-memory.ts';
import { HostConnections } from './host/host-connections.ts';
import type { HostCounters } from './host/host-counters.ts';
import { hostKeys } from './host/host-key.ts';
import type { HostFinding } from './outlier/outlier-data.ts';
import { ResultMonitor } from './outlier/result-monitor.ts';
import { mayOverride } from './lb/override-health.ts';
import { HostSet } from './host/host-set.ts';
import { UpstreamHost, type HostMonitor } from './host/host.ts';
import type { LbData } from './lb/lb-data.ts';
import type { Balancer, ClusterLoad } from './lb/balancer.ts';
import { buildBalancer } from './lb/build.ts';
import { NamedHosts } from './lb/named-hosts.ts';
import type { RandomSource } from './lb/random-source.ts';
import { runtimeLb } from './lb/runtime-lb.ts';
import type { LocalZone } from './lb/zone/zone-routing.ts';
import type { HostSighting } from './original-dst/host-sighting.ts';
import { OriginalBalancer, originalHost } from './original-dst/original-balancer.ts';
import { HostPools } from './pool/host-pools.ts';
import type { ConnectionFilters, PoolContext } from './pool/pool-context.ts';
import { Channel } from './grpc/channel.ts';
import { ClientCodecs } from './protocol/client-codecs.ts';
import { buildTransports } from './transport/build.ts';
import { namesHost } from './transport/transport-data.ts';
import { TransportWishes } from './transport/transport-wishes.ts';

/** So many addresses one worker reaches at a time through one ORIGINAL_DST cluster: requests may name them. Envoy has no bound. */
const originalHostsMax = 65_536;

/** Percent: no more is dropped than this. */
const dropLimitKey = 'load_balancing_policy.drop_overload_limit';

const noMembers: Members = { version: 0, get: () => undefined };

/** What the clusters of one worker share. */
export interface ClusterEnvironment {
  readonly network: Network;
  readonly random: RandomSource;
  /** Of this process, for `zone.*`; absent: not known. */
  readonly ownZone?: string;
  /** `cluster_manager.local_cluster_name`, and where this process is; absent, or without a name: zones do not count. */
  readonly localCluster?: { readonly name: string; readonly locality: LocalityData };
  /** Of the local cluster, if there is one. */
  readonly localHosts?: () => HostSet;
  /** For clusters that are made of others. */
  readonly members?: Members;
  /** The root: clusters count below `cluster.<statName>`. */
  readonly stats: StatsScope;
  readonly shared: SharedNumbers;
  readonly hostCounters: HostCounters;
  readonly runtime: RuntimeView;
  /** Absent, null: no overload manager is configured. */
  readonly overload?: OverloadView | null;
  /** What the main thread finds out about hosts; absent: nobody watches any. */
  readonly health?: HealthMemory;
  /** Tells the main thread what results have shown. */
  reportHost?(finding: HostFinding): void;
  /** Tells the main thread of a host that was not configured. */
  reportSighting?(sighting: HostSighting): void;
  /** Absent: no cluster has filters. */
  buildFilters?(filters: readonly ExtensionData[]): ConnectionFilters;
  /** Likewise; `scope`: of the cluster. */
  buildStreamFilters?(filters: readonly StreamFilterData[], scope: StatsScope): StreamFilters;
  /** `scope`: of the cluster. */
  buildTls(data: UpstreamTlsData, network: Network, scope: StatsScope): UpstreamTransport;
}

/** A cluster in one worker, as long as its configuration does not change. */
export class ClusterRuntime implements Cluster, Member, PoolContext {
  readonly name: string;
  readonly statName: string;
  readonly data: ClusterData;
  readonly stats: UpstreamStats;
  readonly network: Network;
  private readonly dialing: ClusterDialing;
  readonly codecs: ClientCodecs;
  readonly newConnections: LoadShedPoint | null;
  readonly filters: ConnectionFilters | null;
  readonly streamFilters: StreamFilters | null;
  readonly perConnectionBufferLimit: number;
  readonly namedHostsPort: number;
  readonly answerLimits: NonNullable<Cluster['answerLimits']>;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly channel: Channel | null;
  private readonly environment: ClusterEnvironment;
  private readonly wishes: TransportWishes;
  /** Same order as `data.transports`. */
  private readonly transports: readonly UpstreamTransport[];
  private readonly balancer: Balancer;
  private readonly load: ClusterLoad;
  private readonly maintenanceKey: string;
  private defaultBreakers: ClusterBreakers | null;
  private highBreakers: ClusterBreakers | null;
  private readonly pools: HostPools;
  /** With what the runtime says, and what came with the hosts. */
  private lb: LbData;
  private assignment: AssignmentData | undefined;
  /** The runtime lets some of the requests be refused. */
  private mayBeInMaintenance: boolean;
  /** By key. */
  private hosts: Map<string, UpstreamHost>;
  private monitor: HostMonitor | null;
  /** Hosts that this worker has found itself, and that the main thread has not told it yet, by key. */
  private readonly found: Map<string, HostData>;
  /** Hosts that have gone and still carry something. */
  private leaving: number;
  private isGone: boolean;

  constructor(data: ClusterData, environment: ClusterEnvironment) {
    this.name = data.name;
    this.statName = data.statName;
    this.data = data;
    const scope = environment.stats.scope('cluster').scope(data.statName);
    this.stats = new UpstreamStats(scope, environment.ownZone, data.tracksTimeouts);
    this.network = environment.network;
    this.newConnections = environment.overload?.shedPoint('connection_pool_new_connection') ?? null;
    this.filters = data.filters === undefined ? null : environment.buildFilters!(data.filters);
    const { filters } = data.http;
    this.streamFilters = filters === undefined ? null : environment.buildStreamFilters!(filters, scope);
    this.dialing = new ClusterDialing(data);
    this.codecs = new ClientCodecs(data.http, this.stats.scope);
    this.wishes = new TransportWishes(data.http.names);
    this.transports = buildTransports(data.transports, {
      network: environment.network,
      txBytes: () => this.stats.counter(ClusterCounter.CxTxBytesTotal),
      noMetadata: () => this.stats.scope.scope('internal_upstream').counter('no_metadata'),
      metadata: data.metadata,
      buildTls: (tls, network) => environment.buildTls(tls, network, this.stats.scope),
    });
    this.perConnectionBufferLimit = data.bufferLimit;
    this.namedHostsPort = data.discovery.kind === 'dynamic' ? (this.transports[0].isSecure ? 443 : 80) : 0;
    this.answerLimits = {
      headerBytesMax: data.http.maxResponseHeaderBytes,
      headerCountMax: data.http.maxResponseHeaderCount,
    };
    this.metadata = data.metadata;
    this.channel = data.channel === undefined ? null : new Channel(data.channel, environment.stats);
    this.environment = environment;
    this.maintenanceKey = `upstream.maintenance_mode.${data.name}`;
    this.assignment = data.assignment;
    this.lb = this.currentLb();
    this.mayBeInMaintenance = this.hasMaintenance();
    this.defaultBreakers = null;
    this.highBreakers = null;
    this.pools = new HostPools(this, limitsPools(data, environment.runtime));
    this.monitor = makeMonitor(data, environment);
    this.found = new Map();
    this.leaving = 0;
    this.isGone = false;
    this.load = { active: 0 };
    this.hosts = this.mergeHosts(data.hosts, new Map());
    this.balancer = this.makeBalancer();
  }

  pick(context: PickContext): Host | null {
    const wanted = context.overrideHost ?? null;
    if (wanted !== null) {
      const host = this.hosts.get(wanted.address);
      if (host !== undefined && mayOverride(host.healthFlags, this.lb.overrideHealth)) return host;
      if (wanted.isStrict) return null;
    }
    return this.balancer.pick(context);
  }

  get membership(): { readonly total: number; readonly healthy: number } {
    let healthy = 0;
    for (const host of this.hosts.values()) if (host.isHealthy) healthy++;
    return { total: this.hosts.size, healthy };
  }

  /** As a part of another cluster, which has chosen the priority. */
  pickWithin(context: PickContext, tier: Tier): Host | null {
    return this.balancer.pick(context, tier);
  }

  /** Index: priority. */
  get sets(): readonly HostSet[] {
    return this.hostSets();
  }

  dialOptions(address: Address): DialOptions {
    return this.dialing.to(address);
  }

  get isInMaintenance(): boolean {
    if (!this.mayBeInMaintenance) return false;
    const { runtime, random } = this.environment;
    return runtimePercent(runtime, this.maintenanceKey, 0, random());
  }

  get dropRatio(): number {
    const { dropRatio = 0 } = this.lb;
    if (dropRatio === 0) return 0;
    return Math.min(dropRatio, runtimeInteger(this.environment.runtime, dropLimitKey, 100) / 100);
  }

  breakers(priority: 0 | 1): ClusterBreakers {
    if (priority === 0) return (this.defaultBreakers ??= this.makeBreakers(0));
    return (this.highBreakers ??= this.makeBreakers(1));
  }

  /** `host` is one that this cluster's `pick` gave. */
  httpPool(
    host: Host,
    priority: 0 | 1,
    downstream: HttpVersion = HttpVersion.Http11,
    options: TransportOptions = noTransportOptions,
  ): HttpPool {
    return this.pools.http(host as UpstreamHost, priority, this.codecs.protocolFor(downstream), options);
  }

  upstreamVersion(downstream: HttpVersion): HttpVersion {
    return this.codecs.versionFor(downstream);
  }

  tcpPool(host: Host, priority: 0 | 1, options: TransportOptions = noTransportOptions): TcpPool {
    return this.pools.tcp(host as UpstreamHost, priority, options);
  }

  transportOptions(
    host: Host,
    authority: string,
    headers: Headers | null,
    filterState: ReadonlyMap<string, unknown> | null,
    downstream: Peer | null,
  ): TransportOptions {
    return this.wishes.of((host as UpstreamHost).transport, authority, headers, filterState, downstream);
  }

  /** Discovery has a new list. Hosts that stay keep their pools; those that are gone drain. */
  updateHosts(list: readonly HostData[], assignment?: AssignmentData): void {
    const before = this.hosts;
    if (!isDeepStrictEqual(assignment, this.assignment)) {
      this.assignment = assignment;
      this.lb = this.currentLb();
    }
    this.hosts = this.mergeHosts(this.found.size === 0 ? list : this.withFound(list), before);
    this.updateBalancer();
    const isChanged = before.size !== this.hosts.size || [...before.values()].some((host) => !this.has(host));
    for (const host of before.values()) if (!this.has(host)) this.letGo(host);
    if (isChanged && this.data.lb.closeConnectionsOnHostSetChange) this.drainPools();
  }

  /** Active checks or outlier detection have found hosts to be other than before. */
  onHealthChanged(): void {
    const { health } = this.environment;
    const failed: UpstreamHost[] = [];
    if (health !== undefined) for (const host of this.hosts.values()) if (host.readHealth(health)) failed.push(host);
    this.updateBalancer();
    for (const host of failed) host.failed(this.data.closesConnectionsOfUnfit ?? false);
  }

  /** Hosts of the local cluster have come, gone, or are healthy or not. */
  onLocalHostsChanged(): void {
    this.updateBalancer();
  }

  /** Those of the first priority. */
  get firstHosts(): HostSet {
    return this.hostSets()[0];
  }

  onRuntimeChanged(): void {
    const { runtime } = this.environment;
    this.mayBeInMaintenance = this.hasMaintenance();
    this.defaultBreakers?.update(runtime);
    this.highBreakers?.update(runtime);
    // Those that are not counted make room for pools that are.
    if (this.pools.limit(limitsPools(this.data, runtime))) this.drainPools();
    const lb = this.currentLb();
    if (isDeepStrictEqual(lb, this.lb)) return;
    this.lb = lb;
    this.updateBalancer();
  }

  /** Another configuration has taken this one's place: finish what is under way. */
  drain(): void {
    for (const host of this.hosts.values()) this.letGo(host);
    this.isGone = true;
    this.balancer.stop?.();
    this.releaseTransports();
  }

  /** Connections of all hosts finish what they carry and close; new ones are opened as needed. */
  drainPools(): void {
    for (const host of this.hosts.values()) host.renewPools();
  }

  private letGo(host: UpstreamHost): void {
    this.leaving++;
    host.leave(() => {
      this.leaving--;
      this.releaseTransports();
    });
  }

  /** Whoever waited for a connection has had it. */
  private releaseTransports(): void {
    if (!this.isGone || this.leaving > 0) return;
    for (const transport of this.transports) transport.release?.();
  }

  private has(host: UpstreamHost): boolean {
    return this.hosts.get(host.key) === host;
  }

  private mergeHosts(list: readonly HostData[], before: ReadonlyMap<string, UpstreamHost>): Map<string, UpstreamHost> {
    const hosts = new Map<string, UpstreamHost>();
    const { health } = this.environment;
    const keys = hostKeys(list);
    for (const [index, data] of list.entries()) {
      const key = keys[index];
      const known = before.get(key);
      if (known === undefined || !known.isDescribedBy(data)) {
        hosts.set(key, this.makeHost(key, data));
        continue;
      }
      known.update(data, this.transports[data.transport]);
      const { connectionsSlot } = data;
      if (connectionsSlot !== undefined) known.connections?.share(this.environment.shared.slot(connectionsSlot));
      known.isServerName = this.isServerName(data);
      if (health !== undefined) known.readHealth(health);
      hosts.set(key, known);
    }
    return hosts;
  }

  private makeHost(key: string, data: HostData): UpstreamHost {
    const { health, hostCounters } = this.environment;
    const host = new UpstreamHost(this.name, key, data, hostCounters, this.transports[data.transport]);
    host.monitor = this.monitor;
    host.owner = this;
    host.connections = this.hostConnections(data);
    host.load = this.load;
    if (health !== undefined) host.readHealth(health);
    host.isServerName = this.isServerName(data);
    return host;
  }

  private hostConnections({ connectionsSlot }: HostData): HostConnections | null {
    const { hostConnectionsMax } = this.data;
    if (hostConnectionsMax === undefined) return null;
    const number = connectionsSlot === undefined ? null : this.environment.shared.slot(connectionsSlot);
    return new HostConnections(hostConnectionsMax, number);
  }

  private isServerName({ transport }: HostData): boolean {
    return namesHost(this.data.transports[transport].socket);
  }

  private hostSets(): HostSet[] {
    return HostSet.byPriority([...this.hosts.values()]);
  }

  // For the balancer of a cluster whose hosts are those that are asked for.

  hostAt(key: string): Host | undefined {
    return this.hosts.get(key);
  }

  addHost(key: string, address: Address): Host | null {
    if (this.hosts.size >= originalHostsMax) return null;
    const data = originalHost(this.name, address);
    const host = this.makeHost(key, data);
    this.hosts.set(key, host);
    this.found.set(key, data);
    this.environment.reportSighting?.({ cluster: this.name, address });
    return host;
  }

  /** The main thread may not have heard yet of those that were found here. */
  private withFound(list: readonly HostData[]): readonly HostData[] {
    for (const key of hostKeys(list)) this.found.delete(key);
    return [...list, ...this.found.values()];
  }

  private makeBalancer(): Balancer {
    const { discovery } = this.data;
    if (discovery.kind === 'dynamic') return new NamedHosts(this.hostSets(), this.namedHostsPort);
    if (discovery.kind === 'original-dst')
      return new OriginalBalancer(discovery.asked, this, this.stats.counter(ClusterCounter.OriginalDstHostInvalid));
    const { random, network, members = noMembers } = this.environment;
    if (discovery.kind === 'aggregate') return new AggregateBalancer(discovery.clusters, members, this.lb, random);
    return buildBalancer(this.hostSets(), this.lb, {
      random,
      panics: this.stats.counter(ClusterCounter.LbHealthyPanic),
      scope: this.stats.scope,
      clock: network.clock,
      timers: network.timers,
      load: this.load,
      zone: this.localZone(),
    });
  }

  private localZone(): LocalZone | null {
    const { localCluster, localHosts } = this.environment;
    if (localCluster === undefined || localCluster.name === '' || localHosts === undefined) return null;
    const counter = (stat: ClusterCounter): Counter => this.stats.counter(stat);
    return {
      locality: localCluster.locality,
      hosts: () => (this.name === localCluster.name ? this.firstHosts : localHosts()),
      counters: {
        recalculated: counter(ClusterCounter.LbRecalculateZoneStructures),
        localClusterNotOk: counter(ClusterCounter.LbLocalClusterNotOk),
        clusterTooSmall: counter(ClusterCounter.LbZoneClusterTooSmall),
        allDirectly: counter(ClusterCounter.LbZoneRoutingAllDirectly),
        sampled: counter(ClusterCounter.LbZoneRoutingSampled),
        crossZone: counter(ClusterCounter.LbZoneRoutingCrossZone),
        noCapacityLeft: counter(ClusterCounter.LbZoneNoCapacityLeft),
      },
    };
  }

  private updateBalancer(): void {
    this.balancer.update(this.hostSets(), this.lb);
  }

  private currentLb(): LbData {
    const { assignment, data } = this;
    return runtimeLb(assignment === undefined ? data.lb : { ...data.lb, ...assignment }, this.environment.runtime);
  }

  private hasMaintenance(): boolean {
    return runtimePercent(this.environment.runtime, this.maintenanceKey, 0, 0);
  }

  private makeBreakers(priority: 0 | 1): ClusterBreakers {
    return new ClusterBreakers(this.data, priority, this.environment.shared, this.environment.runtime, this.network);
  }
}

/** Null: nobody asks for the results of its hosts. */
function makeMonitor(data: ClusterData, environment: ClusterEnvironment): HostMonitor | null {
  const { health, runtime } = environment;
  const outlier = data.outlier ?? null;
  const isChecked = (data.healthCheck ?? null) !== null;
  if (health === undefined || (outlier === null && !isChecked)) return null;
  const report = (finding: HostFinding): void => environment.reportHost?.(finding);
  return new ResultMonitor(data.name, outlier, isChecked, { memory: health, runtime, report });
}
