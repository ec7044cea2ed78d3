import { hostsOf, isEqualButForHosts, type HostChanges } from './cluster/cluster-changes.ts';
import type { ClusterData } from './cluster/cluster-data.ts';
import type { ClusterEnvironment } from './cluster/cluster-runtime.ts';
import type { Cluster } from './cluster/cluster.ts';
import { WorkerClusters } from './cluster/clusters.ts';
import type { HealthMemory } from './cluster/health/health-memory.ts';
import { HostCounters, type HostBlockMessage } from './cluster/host/host-counters.ts';
import { DirectoryWatches } from './control/xds/directory-watches.ts';
import type { SetText } from './control/xds/subscription-stats.ts';
import { Subscriptions } from './control/xds/subscriptions.ts';
import type { RuntimeView } from './core/runtime-view.ts';
import { HttpFilterBuilders } from './filter/builders.ts';
import { NetworkFilterBuilders } from './filter/network/builders.ts';
import type { FilterBuilder } from './filter/filter.ts';
import type { UpstreamFilterTools } from './filter/network/network-filter.ts';
import { SecretStore } from './identity/secret-store.ts';
import { firstPublicAddress } from './net/local-address.ts';
import type { Loop } from './net/loop.ts';
import { NodeNetwork } from './net/node-network.ts';
import type { Log } from './observe/log/log.ts';
import { SharedNumbers, type SharedNumbersData } from './observe/limit/shared-limit.ts';
import type { StatsScope } from './observe/stats/stats.ts';
import type { Node } from './proto/envoy/config/core/v3/base_pb.js';
import { buildStreamFilters } from './proxy/http/upstream/build.ts';
import { TlsTransports } from './tls-transports.ts';
import { buildUpstreamFilters } from './upstream-filters.ts';

/** The one filter that clusters have. */
const exchangeKind = 'envoy.tcp.metadataexchange.config.MetadataExchange';
/** Where it is named, clusters may have HTTP filters. */
const upstreamCodecKind = 'envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec';

/** What of the process its own clusters are made with. */
export interface OwnEnvironment {
  readonly loop: Loop;
  readonly log: Log;
  /** The main thread's root scope. */
  readonly stats: StatsScope;
  readonly setText: SetText;
  readonly runtime: RuntimeView;
  readonly shared: SharedNumbersData;
  readonly health: HealthMemory;
  readonly ownZone: string;
  readonly ticketKeys: readonly Uint8Array[];
  onHostCounters(message: HostBlockMessage): void;
  /** Loads what decoding of these message types needs. */
  prepare(kinds: readonly string[]): Promise<void>;
  node(): Node;
}

/**
 * The clusters as the main thread uses them itself, for calls that belong to the process: to control planes and to
 * collectors; and the one door to what control planes and files have. Loaded where anything needs it.
 */
export class OwnClusters {
  /** As the main thread's own connections use them. */
  readonly secrets: SecretStore;
  readonly watches: DirectoryWatches;
  readonly subscriptions: Subscriptions;
  private readonly tls: TlsTransports;
  private readonly filters: NetworkFilterBuilders;
  private readonly httpFilters: HttpFilterBuilders;
  private readonly clusters: WorkerClusters;
  private readonly known: Map<string, ClusterData>;

  constructor(environment: OwnEnvironment) {
    const { loop, log } = environment;
    const { clock, timers } = loop;
    this.secrets = new SecretStore();
    this.tls = new TlsTransports(loop, this.secrets, environment.ticketKeys, log);
    this.filters = new NetworkFilterBuilders();
    this.httpFilters = new HttpFilterBuilders();
    const surroundings = clusterEnvironment(environment, this.tls, this.filters, this.httpFilters);
    this.clusters = new WorkerClusters(surroundings, 'main_thread');
    this.known = new Map();
    this.watches = new DirectoryWatches(clock, timers, () => loop.enter(), log);
    this.subscriptions = new Subscriptions({
      clock,
      timers,
      random: () => Math.random(),
      log,
      watches: this.watches,
      localAddress: firstPublicAddress(),
      node: () => environment.node(),
      cluster: (name) => this.clusters.get(name),
      stats: environment.stats,
      setText: environment.setText,
      enter: () => loop.enter(),
      leave: () => loop.leave(),
      prepare: async (kinds) => {
        await Promise.all([this.load(kinds), environment.prepare(kinds)]);
      },
    });
  }

  get(name: string): Cluster | undefined {
    return this.clusters.get(name);
  }

  /** What clusters are made with, before they are given. `kinds`: message names that a configuration has. */
  async load(kinds: readonly string[]): Promise<void> {
    await Promise.all([
      this.tls.load(kinds),
      this.filters.load(kinds.filter((kind) => kind === exchangeKind)),
      this.httpFilters.load(kinds.includes(upstreamCodecKind) ? kinds : []),
    ]);
  }

  /** New, or another than before. May not be warm: to get warm, one cluster may need another. */
  set(data: ClusterData): void {
    const known = this.known.get(data.name);
    this.known.set(data.name, data);
    if (known !== undefined && isEqualButForHosts(known, data)) this.updateHosts({ name: data.name, ...hostsOf(data) });
    else this.clusters.apply({ set: [data], removed: [], hosts: [] });
  }

  remove(name: string): void {
    if (this.known.delete(name)) this.clusters.apply({ set: [], removed: [name], hosts: [] });
  }

  updateHosts(change: HostChanges): void {
    const known = this.known.get(change.name);
    if (known === undefined) return;
    this.known.set(change.name, { ...known, ...change });
    this.clusters.apply({ set: [], removed: [], hosts: [change] });
  }

  onHealthChanged(name: string): void {
    this.clusters.onHealthChanged(name);
  }

  onRuntimeChanged(): void {
    this.clusters.onRuntimeChanged();
  }

  close(): void {
    this.clusters.drain();
  }
}

/** The main thread has few connections: `node:net` will do. */
function clusterEnvironment(
  environment: OwnEnvironment,
  tls: TlsTransports,
  builders: NetworkFilterBuilders,
  httpFilters: HttpFilterBuilders,
): ClusterEnvironment {
  const { loop, stats, runtime, shared, ownZone } = environment;
  return {
    network: new NodeNetwork(loop),
    random: Math.random,
    ownZone,
    stats,
    runtime,
    shared: new SharedNumbers(shared),
    health: environment.health,
    hostCounters: new HostCounters((message) => environment.onHostCounters(message)),
    buildFilters: (filters) => buildUpstreamFilters(filters, builders, { stats, node: nodeOf(environment.node()) }),
    buildStreamFilters: (filters, scope) => {
      const { id, cluster, metadata } = environment.node();
      const { clock, timers } = loop;
      const localNode = { id, cluster, ...(metadata !== undefined && { metadata }) };
      const context = { stats: scope, rootStats: stats, clock, timers, runtime, localNode, random: Math.random };
      const builder = (kind: string): FilterBuilder => httpFilters.get(kind)!;
      return buildStreamFilters(filters, { ...context, filterBuilder: builder }, builder);
    },
    buildTls: (data, network, scope) => tls.upstream(data, network, scope),
  };
}

function nodeOf({ id, metadata, locality }: Node): NonNullable<UpstreamFilterTools['node']> {
  const where = { region: locality?.region ?? '', zone: locality?.zone ?? '' };
  return { id, locality: where, ...(metadata !== undefined && { metadata }) };
}
