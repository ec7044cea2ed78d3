import type { Clusters } from '../../cluster/cluster.ts';
import type { Clock, Timers } from '../../core/clock.ts';
import type { OverloadView } from '../../core/overload-view.ts';
import type { RuntimeView } from '../../core/runtime-view.ts';
import type { FilterBuilder, FilterContext, TrafficDirection } from '../../filter/filter.ts';
import type { NameLookups } from '../../filter/network/network-filter.ts';
import { Discovered } from '../../listener/discovered.ts';
import { Drain, type DrainOptions } from '../../listener/drain.ts';
import type { DiscoveredExtension } from '../../listener/extension-sources.ts';
import type { AccessLogData } from '../../observe/access-log/access-log-data.ts';
import { buildAccessLogFilter, type FilterTools } from '../../observe/access-log/filter.ts';
import type { AccessLog } from '../../observe/access-log/access-log.ts';
import type { StatsScope } from '../../observe/stats/stats.ts';
import type { TracerData, TracingData } from '../../observe/trace/trace-data.ts';
import type { Tracer } from '../../observe/trace/tracer.ts';
import type { RouteConfigurationData } from '../../route/route-data.ts';
import type { RouteTable } from '../../route/route.ts';
import { ClusterCallOuts } from '../call-outs.ts';
import { HttpTracing } from '../trace/http-tracing.ts';
import { HttpConnectionManager } from './connection-manager.ts';
import type { HcmData } from './hcm-data.ts';
import { HcmStats } from './stats/hcm-stats.ts';
import { LocalReplies } from './response/local-reply.ts';
import { hostQuestions, MissingRoutes, type QuestionOf } from './on-demand/missing-routes.ts';
import type { RouteLookups } from './on-demand/route-lookups.ts';
import { ManagerChains } from './manager-chains.ts';
import { HttpOverload } from './overload/http-overload.ts';
import { ManagerScopes } from './scopes/manager-scopes.ts';
import type { DiscoveredScopes } from './scopes/scoped-routes-data.ts';
import { RequestPreparation } from './request/preparation.ts';
import { RouteStatsDirectory } from './stats/route-stats.ts';
import { runtimePath } from './request/runtime-path.ts';
import { ServerCodecs } from './connection/server-codecs.ts';
import { ResponsePreparation } from './response/preparation.ts';

export { routerKind } from './manager-chains.ts';

/** What all filters of one connection manager are built with. */
export type BuildContext = Omit<FilterContext, 'filterName'>;

/** What a worker hands to the connection managers that it builds. */
export interface HttpEnvironment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly clusters: Clusters;
  /** The DNS caches of dynamic forward proxies; absent: there are none. */
  readonly lookups?: NameLookups | undefined;
  /** The root scope. */
  readonly stats: StatsScope;
  /** `listener.<address>`. */
  readonly listenerStats: StatsScope;
  readonly listenerMetadata: Readonly<Record<string, unknown>> | null;
  readonly runtime: RuntimeView;
  /** Absent, null: no overload manager is configured, or the listener bypasses it. */
  readonly overload?: OverloadView | null;
  readonly localNode: FilterContext['localNode'];
  /** Of the listener; absent: it says nothing of that. */
  readonly trafficDirection?: TrafficDirection;
  /** Who is at which address; absent: nobody tells. */
  readonly workloads?: FilterContext['workloads'];
  /** `FilterContext.sharedNumber` of the connection manager with this `stat_prefix`. */
  sharedNumber?(statPrefix: string, key: string): ReturnType<NonNullable<FilterContext['sharedNumber']>>;
  /** Absent: nothing is told to collectors. */
  tracer?(data: TracerData): Tracer;
  /** The machine's first address that is not loopback. */
  readonly localAddress: string;
  random(): number;
  filterBuilder(kind: string): FilterBuilder;
  buildRoutes(data: RouteConfigurationData, context: BuildContext): RouteTable;
  /** What has come by RDS and by ECDS; absent: nothing does. */
  readonly discoveredRoutes?: Discovered<RouteConfigurationData>;
  readonly discoveredExtensions?: Discovered<DiscoveredExtension>;
  /** What of routes is asked for when a request needs it; absent: nobody can be asked. */
  readonly routeLookups?: RouteLookups | undefined;
  /** What has come by SRDS; absent: nothing does. */
  readonly discoveredScopes?: Discovered<DiscoveredScopes>;
  buildAccessLog(data: AccessLogData): AccessLog;
  readonly filterTools: FilterTools;
  readonly drain: DrainOptions;
  /** Admin's /healthcheck/fail; absent: never. */
  isHealthFailed?(): boolean;
  /** True while responses are to close their connections. */
  shouldCloseOnResponse(): boolean;
}

export function buildHttpConnectionManager(configured: HcmData, environment: HttpEnvironment): HttpConnectionManager {
  const { clock, timers, stats, runtime, localNode, localAddress } = environment;
  const data = { ...configured, path: runtimePath(configured.path, runtime, () => environment.random()) };
  const scope = stats.scope('http').scope(data.statPrefix);
  const random = (): number => environment.random();
  const callOuts = new ClusterCallOuts({ clusters: environment.clusters, clock, timers, random, localAddress });
  const view = environment.overload ?? null;
  const overload = view === null ? null : new HttpOverload(view, random);
  const context = {
    lookups: environment.lookups,
    onDemand: environment.clusters.onDemand,
    stats: scope,
    rootStats: stats,
    clock,
    timers,
    random,
    runtime,
    localNode,
    requestLimits: data.limits,
    callOuts,
    filterBuilder: (kind: string) => environment.filterBuilder(kind),
    trafficDirection: environment.trafficDirection ?? 'UNSPECIFIED',
    workloads: environment.workloads,
    ...numbersOf(environment, data.statPrefix),
    ...healthOf(environment),
  };
  const chains = new ManagerChains(data, environment, context);
  const manager = new HttpConnectionManager({
    data,
    chain: chains.chain,
    upgrades: chains.upgrades,
    routes: data.routeConfig === null ? null : environment.buildRoutes(data.routeConfig, context),
    clusters: environment.clusters,
    runtime,
    listenerMetadata: environment.listenerMetadata,
    routeStats: new RouteStatsDirectory(stats),
    stats: new HcmStats(scope, environment.listenerStats.scope('http').scope(data.statPrefix)),
    accessLogs: data.accessLogs.map((log) => environment.buildAccessLog(log)),
    requestPreparation: new RequestPreparation(data, { stats: scope, localNode, localAddress }),
    responsePreparation: new ResponsePreparation(data, clock, localNode.id),
    localReplies: new LocalReplies(data, (filter) => {
      const built = buildAccessLogFilter(filter, environment.filterTools);
      return { matches: (outcome) => built.accepts(outcome) };
    }),
    tracing: data.tracing === undefined || data.tracing === null ? null : buildTracing(data.tracing, data, environment),
    localAddress,
    clock,
    timers,
    codecs: new ServerCodecs(data, stats, runtime, overload),
    overload,
    missingRoutes: environment.routeLookups === undefined ? null : new MissingRoutes(environment.routeLookups),
    drain: new Drain(environment.drain, clock, random),
    shouldCloseOnResponse: () => environment.shouldCloseOnResponse(),
  });
  followRoutes(manager, environment, context);
  chains.follow(manager);
  return manager;
}

function numbersOf(environment: HttpEnvironment, statPrefix: string): Pick<FilterContext, 'sharedNumber'> {
  if (environment.sharedNumber === undefined) return {};
  return { sharedNumber: (key: string) => environment.sharedNumber!(statPrefix, key) };
}

/** SRDS, and scopes that are configured. */
function followScopes(manager: HttpConnectionManager, environment: HttpEnvironment, context: BuildContext): void {
  const { scopedRoutes } = manager.data;
  if (scopedRoutes === undefined) return;
  const { discoveredRoutes: routes = new Discovered(), discoveredScopes: scopes = new Discovered() } = environment;
  const build = (data: RouteConfigurationData): RouteTable => environment.buildRoutes(data, context);
  const onChanged = (table: RouteTable, internalOnly: readonly string[], questionOf: QuestionOf): void => {
    manager.takeRoutes(internalOnly, () => table);
    if (manager.missingRoutes !== null) manager.missingRoutes.questionOf = questionOf;
  };
  const followed = new ManagerScopes(scopedRoutes, { routes, scopes, build, onChanged });
  manager.follows(() => followed.release());
}

/** RDS: built when a stream asks for it, since of the many route configurations of a mesh few are ever used. */
function followRoutes(manager: HttpConnectionManager, environment: HttpEnvironment, context: BuildContext): void {
  followScopes(manager, environment, context);
  const { rds } = manager.data;
  const { discoveredRoutes } = environment;
  if (rds === undefined || discoveredRoutes === undefined) return;
  const take = (routes: RouteConfigurationData): void => {
    manager.takeRoutes(routes.internalOnlyHeaders, () => environment.buildRoutes(routes, context));
    if (manager.missingRoutes !== null) manager.missingRoutes.questionOf = hostQuestions(routes, rds.key);
  };
  const now = discoveredRoutes.get(rds.key);
  if (now !== null) take(now);
  manager.follows(discoveredRoutes.follow(rds.key, take));
}

function buildTracing(tracing: TracingData, data: HcmData, environment: HttpEnvironment): HttpTracing {
  const { provider } = tracing;
  return new HttpTracing(tracing, {
    tracer: provider === null ? null : (environment.tracer?.(provider) ?? null),
    stats: environment.stats.scope('http').scope(data.statPrefix),
    runtime: environment.runtime,
    clock: environment.clock,
    requestId: data.requestId,
    isEgress: environment.trafficDirection === 'OUTBOUND',
    node: environment.localNode,
    random: () => environment.random(),
  });
}

/** What filters may know of the health of this process, and of its clusters. */
function healthOf(environment: HttpEnvironment): Pick<BuildContext, 'isHealthFailed' | 'membership'> {
  return {
    isHealthFailed: () => environment.isHealthFailed?.() === true,
    membership: (name) => environment.clusters.get(name)?.membership ?? null,
  };
}
