import type { ClusterEnvironment } from './cluster/cluster-runtime.ts';
import type { Clusters } from './cluster/cluster.ts';
import type { HostCounters } from './cluster/host/host-counters.ts';
import type { NodeData } from './control/bootstrap-data.ts';
import { downstreamConnectionsKey, filterKey, listenerKey, networkFilterKey } from './control/shared-number-keys.ts';
import { NetworkFilterBuilders } from './filter/network/builders.ts';
import type { NameLookups, NetworkFilterFactory, NetworkFilterTools } from './filter/network/network-filter.ts';
import { WorkloadDirectory } from './filter/istio/workload/workload-directory.ts';
import type { HttpFilterBuilders } from './filter/builders.ts';
import type { OverloadView } from './core/overload-view.ts';
import type { RuntimeView } from './core/runtime-view.ts';
import type { FilterContext } from './filter/filter.ts';
import type { ExtensionData } from './core/extension.ts';
import type { DownstreamTlsData } from './identity/tls-context-data.ts';
import { Admission } from './listener/admission.ts';
import { ConnectionLimit, type SharedCount } from './listener/connection-limit.ts';
import { Discovered } from './listener/discovered.ts';
import { Drain, type DrainOptions } from './listener/drain.ts';
import type { DiscoveredExtension } from './listener/extension-sources.ts';
import { chooseByMatch, chooseByName } from './listener/filter-chain/chain-choice.ts';
import { ListenerFilterBuilders } from './listener/filters/build.ts';
import { KnownChains } from './listener/known-chains.ts';
import { Listener, type FilterChain, type ListenerParts } from './listener/listener.ts';
import type { FilterChainData, ListenerData } from './listener/listener-data.ts';
import type { ListenerChoice } from './listener/listeners-by-address.ts';
import type { ConnectionHandler } from './listener/network-filter.ts';
import { ProcessConnections } from './listener/process-connections.ts';
import type { Network } from './net/network.ts';
import type { DownstreamTransport } from './net/transport.ts';
import { buildAccessLog, buildFormat } from './observe/access-log/build.ts';
import type { AccessLogData } from './observe/access-log/access-log-data.ts';
import type { AccessLogFiles } from './observe/access-log/access-log-files.ts';
import type { AccessLog } from './observe/access-log/access-log.ts';
import type { FilterTools } from './observe/access-log/filter.ts';
import { compileFormat } from './observe/format/format.ts';
import type { LogServiceData } from './observe/access-log/log-service-data.ts';
import { OwnCount, type SharedNumbers } from './observe/limit/shared-limit.ts';
import type { StatsScope } from './observe/stats/stats.ts';
import { ClusterCallOuts } from './proxy/call-outs.ts';
import { namesExporters } from './proxy/export/export-kinds.ts';
import type { Exporters } from './proxy/export/exporters.ts';
import { buildHttpConnectionManager, type HttpEnvironment } from './proxy/http/build.ts';
import { hcmKind, type HcmData } from './proxy/http/hcm-data.ts';
import type { RouteLookups } from './proxy/http/on-demand/route-lookups.ts';
import { buildStreamFilters } from './proxy/http/upstream/build.ts';
import type { DiscoveredScopes } from './proxy/http/scopes/scoped-routes-data.ts';
import { directResponseKind, echoKind, type NetworkDirectResponseData } from './proxy/network/answering-data.ts';
import { AnsweringHandler } from './proxy/network/answering-handler.ts';
import { DiscoveredChain } from './proxy/network/discovered-chain.ts';
import { FilteredHandler } from './proxy/network/filtered-handler.ts';
import type { TcpProxyData } from './proxy/tcp/tcp-proxy-data.ts';
import type { TcpProxy } from './proxy/tcp/tcp-proxy.ts';
import { HeaderMatcher } from './route/match/header-matcher.ts';
import type { HeaderMatcherData, StringMatcherData } from './route/match/matcher-data.ts';
import { StringMatcher } from './route/match/string-matcher.ts';
import { buildRouteTable } from './route/build.ts';
import type { RouteConfigurationData } from './route/route-data.ts';
import type { TlsTransports } from './tls-transports.ts';
import { buildUpstreamFilters } from './upstream-filters.ts';

export interface TrafficEnvironment {
  readonly network: Network;
  readonly stats: StatsScope;
  readonly workerName: string;
  readonly runtime: RuntimeView;
  /** Absent, null: no overload manager is configured. */
  readonly overload?: OverloadView | null;
  /** With the filters of whatever is built loaded. */
  readonly filters: HttpFilterBuilders;
  /** Loaded where whatever is built names a TLS context. */
  readonly tls: TlsTransports;
  readonly node: NodeData;
  /** `cluster_manager.local_cluster_name`; absent or empty: none. */
  readonly localCluster?: string;
  readonly localAddress: string;
  readonly files: AccessLogFiles;
  readonly drain: DrainOptions;
  /** The process is ending. */
  readonly isDraining: () => boolean;
  /** Admin's /healthcheck/fail. */
  readonly isHealthFailed: () => boolean;
  /** What of routes is asked for when a request needs it; absent: nobody can be asked. */
  readonly routeLookups?: RouteLookups;
  /** For listeners that hand over; absent: they keep what they have. */
  readonly listeners?: ListenerChoice;
}

export const tcpProxyKind = 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';

const downstreamTlsKind = 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';

function buildStringTest(data: unknown): StringMatcher {
  return new StringMatcher(data as StringMatcherData);
}

/** Plain data → listeners with everything behind them. */
export class ListenerBuilder {
  /** Set once, right after construction: clusters and listeners need each other's surroundings. */
  clusters: Clusters | null;
  /** Likewise. */
  lookups: NameLookups | null;
  /** Counts a number of the configuration that is being built over all workers; this one alone unless told. */
  sharedNumber: (key: string) => SharedCount;
  private readonly networkFilters: NetworkFilterBuilders;
  private readonly listenerFilters: ListenerFilterBuilders;
  /** Who is at which address, as far as a control plane has told. */
  readonly workloads: WorkloadDirectory;
  /** What comes by RDS and ECDS, for what is built and what was. */
  readonly routes: Discovered<RouteConfigurationData>;
  readonly scopes: Discovered<DiscoveredScopes>;
  readonly extensions: Discovered<DiscoveredExtension>;
  private readonly environment: TrafficEnvironment;
  /** Made when something is first to be told to a collector. */
  private exporters: Exporters | null;
  /** Null: nothing has named it. */
  private tcp: typeof import('./proxy/tcp/tcp-proxy.ts') | null;

  constructor(environment: TrafficEnvironment) {
    this.environment = environment;
    this.exporters = null;
    this.clusters = null;
    this.lookups = null;
    this.networkFilters = new NetworkFilterBuilders();
    this.listenerFilters = new ListenerFilterBuilders();
    this.tcp = null;
    this.workloads = new WorkloadDirectory();
    this.routes = new Discovered();
    this.scopes = new Discovered();
    this.extensions = new Discovered();
    this.sharedNumber = () => new OwnCount();
  }

  clusterEnvironment(shared: SharedNumbers, hostCounters: HostCounters): ClusterEnvironment {
    const { network, stats, runtime, overload = null, node } = this.environment;
    return {
      network,
      stats,
      runtime,
      overload,
      ownZone: node.locality.zone,
      localCluster: { name: this.environment.localCluster ?? '', locality: node.locality },
      shared,
      hostCounters,
      random: Math.random,
      buildFilters: (filters) =>
        buildUpstreamFilters(filters, this.networkFilters, { stats, node, workloads: this.workloads }),
      buildStreamFilters: (filters, scope) =>
        buildStreamFilters(filters, this.streamFilterContext(scope), (kind) => this.environment.filters.get(kind)!),
      buildTls: (data, over, scope) => this.environment.tls.upstream(data, over, scope),
    };
  }

  /** Of filters behind the router: nobody's connection manager is theirs. */
  private streamFilterContext(stats: StatsScope): Omit<FilterContext, 'filterName'> {
    const { network, stats: rootStats, runtime, filters, node: localNode } = this.environment;
    const { clock, timers } = network;
    return {
      stats,
      rootStats,
      clock,
      timers,
      runtime,
      localNode,
      random: Math.random,
      filterBuilder: (kind) => filters.get(kind)!,
    };
  }

  build(data: ListenerData): Listener {
    const { network, stats, workerName, runtime, listeners } = this.environment;
    const scope = this.listenerScope(data);
    const parts = {
      filters: this.listenerFilters.build(data.listenerFilters, {
        root: stats,
        runtime,
        clock: network.clock,
        discovered: this.extensions,
      }),
      ...this.buildChains(data, null),
      accessLogs: data.accessLogs.map((log) => this.buildAccessLog(log)),
    };
    return new Listener(data, parts, {
      network,
      scope,
      workerName,
      processActive: stats.scope('server').gauge('total_connections'),
      others: listeners,
      limit: new ConnectionLimit(data.name, this.sharedNumber(listenerKey(data.name)), runtime),
      admission: this.admission(data, scope),
    });
  }

  /** `listener` as `data` says, where its chains alone are others: those that are as they were stay, with their connections. */
  replaceChains(listener: Listener, data: ListenerData, drainTimeMs: number, done: () => void): void {
    listener.replaceChains(data, this.buildChains(data, listener), drainTimeMs, done);
  }

  private listenerScope({ statPrefix }: ListenerData): StatsScope {
    return this.environment.stats.scope('listener').scope(statPrefix.replaceAll(':', '_'));
  }

  /** `before`: whose chains are taken where they are the same; null: nobody's. */
  private buildChains(data: ListenerData, before: Listener | null): Pick<ListenerParts, 'chains' | 'choice'> {
    const scope = this.listenerScope(data);
    const known = before === null ? null : new KnownChains(before);
    const build = (chain: FilterChainData): FilterChain => known?.find(chain) ?? this.buildChain(chain, scope, data);
    const chains = data.filterChains.map(build);
    const defaultChain = data.defaultFilterChain === null ? null : build(data.defaultFilterChain);
    const matches = data.filterChains.map(({ match }, i) => ({ match, chain: chains[i] }));
    return {
      chains: defaultChain === null ? chains : [...chains, defaultChain],
      choice:
        data.filterChainMatcher === null
          ? chooseByMatch(matches, defaultChain)
          : chooseByName(data.filterChainMatcher, chains, defaultChain, buildStringTest),
    };
  }

  /** Of an internal listener: what connects in memory has been let in before. */
  private admission(data: ListenerData, scope: StatsScope): Admission | undefined {
    const { ignoresConnectionsMax, bypassesOverload, backlog, internalBufferBytes } = data;
    if (internalBufferBytes !== undefined) return undefined;
    const { overload = null, runtime, stats } = this.environment;
    const monitor = stats.scope('overload.envoy.resource_monitors.global_downstream_max_connections');
    const max = overload?.connectionsMax ?? 0;
    const monitored = max === 0 ? null : { max, refused: monitor.counter('failed_updates') };
    return new Admission({
      scope,
      limit: new ProcessConnections(this.sharedNumber(downstreamConnectionsKey), monitored, runtime),
      ignoresLimit: ignoresConnectionsMax === true,
      overload: bypassesOverload === true ? null : overload,
      backlog,
      random: Math.random,
    });
  }

  private buildChain(chain: FilterChainData, scope: StatsScope, listener: ListenerData): FilterChain {
    return {
      name: chain.name,
      handler: this.buildFilters(chain, scope, listener),
      transport: chain.transport === null ? null : this.buildTransport(chain.transport, scope),
      handshakeTimeoutMs: chain.transportSocketConnectTimeoutMs,
    };
  }

  private buildFilters(chain: FilterChainData, scope: StatsScope, listener: ListenerData): ConnectionHandler {
    const { filters } = chain;
    const buildTerminal = (config: ExtensionData): ConnectionHandler => this.buildHandler(config, scope, listener);
    const tools = this.networkFilterTools(listener);
    const buildFilter = ({ kind, data }: ExtensionData, i: number): NetworkFilterFactory => {
      const sharedNumber = () => this.sharedNumber(networkFilterKey(listener, chain, i));
      return this.networkFilters.get(kind)!.build(data, { ...tools, sharedNumber });
    };
    const missing = scope.counter('network_extension_config_missing');
    if (filters.some(({ discovery }) => discovery !== undefined))
      return new DiscoveredChain(filters, { discovered: this.extensions, buildTerminal, buildFilter, missing });
    const terminal = buildTerminal(filters[filters.length - 1]);
    return filters.length === 1 ? terminal : new FilteredHandler(filters.slice(0, -1).map(buildFilter), terminal);
  }

  private networkFilterTools({ trafficDirection }: ListenerData): NetworkFilterTools {
    const { network, stats, runtime, localAddress, node } = this.environment;
    const { clock, timers } = network;
    const clusters = this.clusters!;
    return {
      stats,
      runtime,
      clock,
      timers,
      lookups: this.lookups!,
      callOuts: new ClusterCallOuts({ clusters, clock, timers, random: Math.random, localAddress }),
      node,
      nodeMetadata: node.metadata,
      trafficDirection,
      workloads: this.workloads,
    };
  }

  private buildTransport({ kind, data }: ExtensionData, scope: StatsScope): DownstreamTransport {
    if (kind !== downstreamTlsKind) throw new Error(`no transport socket of type ${kind}`);
    const { tls, network } = this.environment;
    return tls.downstream(data as DownstreamTlsData, network, scope);
  }

  private buildHandler({ kind, data }: ExtensionData, scope: StatsScope, listener: ListenerData): ConnectionHandler {
    if (kind === hcmKind) return buildHttpConnectionManager(data as HcmData, this.httpEnvironment(scope, listener));
    if (kind === tcpProxyKind) return this.buildTcpProxy(data as TcpProxyData, listener);
    if (kind === echoKind) return new AnsweringHandler(null);
    if (kind === directResponseKind) return new AnsweringHandler((data as NetworkDirectResponseData).response);
    throw new Error(`no network filter of type ${kind}`);
  }

  private buildTcpProxy(data: TcpProxyData, listener: ListenerData): TcpProxy {
    const { network, stats, drain, isDraining, isHealthFailed } = this.environment;
    return new this.tcp!.TcpProxy({
      data,
      clusters: this.clusters!,
      accessLogs: data.accessLogs.map((log) => this.buildAccessLog(log)),
      scope: stats.scope('tcp').scope(data.statPrefix),
      clock: network.clock,
      timers: network.timers,
      drain: new Drain(drain, network.clock, Math.random),
      shouldClose: () => isDraining() || (listener.drainType === 'DEFAULT' && isHealthFailed()),
    });
  }

  private buildAccessLog(data: AccessLogData): AccessLog {
    const { files } = this.environment;
    const services = { open: (service: LogServiceData) => this.exporters!.open(service) };
    return buildAccessLog(data, files, this.filterTools(), undefined, services);
  }

  /** At the end of the thread: resolves when collectors have been told, or after `timeMaxMs`. */
  async closeExporters(timeMaxMs: number): Promise<void> {
    await this.exporters?.close(timeMaxMs);
  }

  /** What `kinds` need, before anything that names one of them is built. */
  async load(kinds: readonly string[]): Promise<void> {
    await Promise.all([this.networkFilters.load(kinds), this.listenerFilters.load(kinds)]);
    if (kinds.includes(tcpProxyKind)) this.tcp ??= await import('./proxy/tcp/tcp-proxy.ts');
    await this.loadExporters(kinds);
  }

  /** What they need to tell collectors. */
  private async loadExporters(kinds: readonly string[]): Promise<void> {
    if (this.exporters !== null || !namesExporters(kinds)) return;
    const { Exporters } = await import('./proxy/export/exporters.ts');
    const { network, stats, runtime, node, localAddress } = this.environment;
    const { clock, timers } = network;
    const clusters = this.clusters!;
    const random = Math.random;
    const callOuts = new ClusterCallOuts({ clusters, clock, timers, random, localAddress });
    this.exporters = new Exporters({ clusters, callOuts, clock, timers, runtime, stats, node, localAddress, random });
  }

  private filterTools(): FilterTools {
    return {
      headerMatcher: (data) => new HeaderMatcher(data as HeaderMatcherData),
      runtime: this.environment.runtime,
      random: Math.random,
    };
  }

  private httpEnvironment(listenerStats: StatsScope, listener: ListenerData): HttpEnvironment {
    const { network, stats, runtime, overload, filters, node, localAddress, drain, isDraining, isHealthFailed } =
      this.environment;
    const drainsOnFailure = listener.drainType === 'DEFAULT';
    return {
      clock: network.clock,
      timers: network.timers,
      clusters: this.clusters!,
      stats,
      listenerStats,
      lookups: this.lookups ?? undefined,
      listenerMetadata: listener.metadata,
      trafficDirection: listener.trafficDirection,
      workloads: this.workloads,
      tracer: (data) => this.exporters!.tracer(data),
      sharedNumber: (statPrefix, key) => this.sharedNumber(filterKey(statPrefix, key)),
      overload: listener.bypassesOverload === true ? null : (overload ?? null),
      runtime,
      localNode: node,
      localAddress,
      random: () => Math.random(),
      filterBuilder: (kind) => filters.get(kind)!,
      buildRoutes: (data, context) =>
        buildRouteTable(data, {
          compileFormat: (format, omitEmptyValues) => compileFormat(format, { omitEmptyValues }),
          buildFormat: (format) => buildFormat(format),
          buildFilterConfig: (filterName, config) => buildPerRoute(filters, config, { ...context, filterName }),
          runtime,
        }),
      discoveredRoutes: this.routes,
      discoveredScopes: this.scopes,
      routeLookups: this.environment.routeLookups,
      discoveredExtensions: this.extensions,
      buildAccessLog: (data) => this.buildAccessLog(data),
      filterTools: this.filterTools(),
      drain,
      isHealthFailed,
      shouldCloseOnResponse: () => isDraining() || (drainsOnFailure && isHealthFailed()),
    };
  }
}

/** A route's configuration for a filter: of the filter's per-route type, or of its own where it has no other. */
function buildPerRoute(filters: HttpFilterBuilders, config: ExtensionData, context: FilterContext): unknown {
  const builder = filters.get(config.kind);
  if (builder?.buildPerRoute === undefined || config.kind !== (builder.perRouteKind ?? builder.kind))
    throw new Error(`no HTTP filter takes ${config.kind} on a route`);
  return builder.buildPerRoute(config.data, context);
}
