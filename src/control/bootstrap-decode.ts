import { decodeAdmin } from '../admin/decode.ts';
import type { ClusterSurroundings } from '../cluster/decode.ts';
import type { DecodeProbeWords } from '../cluster/health/probe/http-decode.ts';
import type { ClusterData } from '../cluster/cluster-data.ts';
import { durationMs } from '../core/duration.ts';
import type { Extensions } from '../core/extension.ts';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { collectStaticSecrets } from '../identity/decode/static-secrets-decode.ts';
import type { SecretSourceData } from '../identity/secret-source-data.ts';
import { SecretSources } from '../identity/secret-sources.ts';
import { ExtensionSources } from '../listener/extension-sources.ts';
import type { ListenerData } from '../listener/listener-data.ts';
import { DEFAULT_FORMAT, type AccessLogData } from '../observe/access-log/access-log-data.ts';
import { decodeAccessLogs } from '../observe/access-log/decode.ts';
import { decodeLogPattern } from '../observe/log/decode.ts';
import type { StatsConfigData } from '../observe/stats/stats-data.ts';
import { decodeStatsConfig } from '../observe/stats/decode.ts';
import {
  Bootstrap_StaticResourcesSchema,
  BootstrapSchema,
  ClusterManager_OutlierDetectionSchema,
  ClusterManagerSchema,
  type Admin,
  type Bootstrap,
  type Bootstrap_StaticResources,
  type ClusterManager,
} from '../proto/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { ScopeSources } from '../proxy/http/scopes/scope-sources.ts';
import { RouteSources } from '../proxy/http/route-sources.ts';
import { TracingSchema } from '../proto/envoy/config/trace/v3/http_tracer_pb.js';
import { decodeProvider } from '../proxy/trace/decode.ts';
import { decodeHeaderMutations } from '../route/decode/header-mutations-decode.ts';
import { decodeHeaderMatcher, decodeStringMatcher } from '../route/match/decode.ts';
import { decodeResolution, decodeResolver } from '../cluster/discovery/resolver-decode.ts';
import { decodeBootstrapExtensions } from './bootstrap-extensions-decode.ts';
import type { BootstrapData, ListenerNeeds, NodeData } from './bootstrap-data.ts';
import { decodeOverloadManager } from './overload/decode.ts';
import { decodeDynamicResources } from './resources/dynamic-resources-decode.ts';
import { ResourceDecoding } from './resources/resource-decoding.ts';
import type { RuntimeLayerData } from './runtime-data.ts';
import { RuntimeValues } from './runtime-view.ts';
import { decodeLayeredRuntime } from './runtime-decode.ts';

const supported = new SupportedFields(
  BootstrapSchema,
  [
    'node',
    'static_resources',
    'dynamic_resources',
    'admin',
    'layered_runtime',
    'overload_manager',
    'stats_config',
    'stats_flush_interval',
    'stats_eviction_interval',
    'application_log_config',
    'default_regex_engine',
    'bootstrap_extensions',
    'tracing',
    'cluster_manager',
    'typed_dns_resolver_config',
    'dns_resolution_config',
  ],
  // What only tells Envoy's own inside, or asks for what is always so here.
  [
    'enable_dispatcher_stats',
    'deferred_stat_options',
    'memory_allocator_manager',
    'perf_tracing_file_path',
    'node_context_params',
    'watchdog',
    'watchdogs',
    'enable_worker_cpu_affinity',
    'use_tcp_for_dns_lookups',
  ],
);
const supportedResources = new SupportedFields(Bootstrap_StaticResourcesSchema, ['listeners', 'clusters', 'secrets']);
const supportedClusterManager = new SupportedFields(
  ClusterManagerSchema,
  ['outlier_detection', 'local_cluster_name', 'upstream_bind_config'],
  ['enable_deferred_cluster_creation'],
);
const supportedTracing = new SupportedFields(TracingSchema, ['http']);
const supportedOutlierDetection = new SupportedFields(ClusterManager_OutlierDetectionSchema, ['event_log_path']);

/** What the command line adds to or overrides in a bootstrap. */
export interface BootstrapOverrides {
  /** Empty: the bootstrap's. */
  readonly serviceNode: string;
  readonly serviceCluster: string;
  readonly serviceZone: string;
  /** `--log-format` was given, so that `application_log_config` may not be. */
  readonly hasLogFormat: boolean;
  /** `--stats-tag`: tags that every stat has. */
  readonly statsTags: readonly { readonly name: string; readonly value: string }[];
}

/** Envoy's default of stats_flush_interval. */
const statsFlushMs = 5000;

/** A bootstrap as plain data, and how resources are decoded that come to it later. */
export interface DecodedBootstrap {
  readonly data: BootstrapData;
  readonly decoding: ResourceDecoding;
}

/** `extensions`: of this configuration alone. Null: reasons were added. */
export function decodeBootstrap(
  bootstrap: Bootstrap,
  overrides: BootstrapOverrides,
  reasons: Reasons,
  extensions: Extensions,
): DecodedBootstrap | null {
  supported.check(bootstrap, reasons);
  const node = decodeNode(bootstrap, overrides);
  const at = reasons.at('static_resources');
  if (bootstrap.staticResources !== undefined) supportedResources.check(bootstrap.staticResources, at);
  decodeBootstrapTracer(bootstrap, reasons.at('tracing'), extensions);
  const surroundings = {
    ...decodeSurroundings(bootstrap.clusterManager, reasons.at('cluster_manager')),
    ...decodeDefaultResolver(bootstrap, reasons),
  };
  const hasAds = bootstrap.dynamicResources?.adsConfig !== undefined;
  const runtimeLayers = decodeLayeredRuntime(bootstrap.layeredRuntime, node, hasAds, reasons.at('layered_runtime'));
  extensions.runtime = staticRuntime(runtimeLayers);
  extensions.dnsCaches = new Map();
  const sources = new SecretSources();
  extensions.secrets = sources;
  extensions.routes = new RouteSources();
  extensions.scopes = new ScopeSources();
  extensions.configs = new ExtensionSources();
  collectStaticSecrets(bootstrap.staticResources?.secrets ?? [], at, sources);
  const asked = decodeBootstrapExtensions(bootstrap.bootstrapExtensions, reasons, extensions, hasAds);
  const decoding = new ResourceDecoding(extensions, node, surroundings, asked.internal, hasAds);
  const data: BootstrapData = {
    node,
    ...decodeStaticResources(bootstrap.staticResources, at, decoding),
    dynamic: decodeDynamicResources(bootstrap.dynamicResources, node, reasons.at('dynamic_resources')),
    workloads: asked.workloads,
    localCluster: bootstrap.clusterManager?.localClusterName ?? '',
    admin: decodeAdmin(bootstrap.admin, reasons.at('admin')),
    adminAccessLogs: decodeAdminLogs(bootstrap.admin, reasons.at('admin'), extensions),
    runtimeLayers,
    overload: decodeOverloadManager(bootstrap.overloadManager, reasons.at('overload_manager'), extensions),
    stats: withTags(decodeStatsConfig(bootstrap.statsConfig, reasons.at('stats_config')), overrides.statsTags),
    ...decodeStatsIntervals(bootstrap, reasons),
    logPattern: decodeLogPattern(
      bootstrap.applicationLogConfig,
      overrides.hasLogFormat,
      reasons.at('application_log_config'),
    ),
  };
  return reasons.isEmpty ? { data, decoding } : null;
}

function decodeStaticResources(
  resources: Bootstrap_StaticResources | undefined,
  reasons: Reasons,
  decoding: ResourceDecoding,
): Pick<BootstrapData, 'clusters' | 'listeners' | 'secrets' | 'listenerNeeds'> {
  const clusters: ClusterData[] = [];
  const listeners: ListenerData[] = [];
  const ofClusters = new Map<string, readonly SecretSourceData[]>();
  const ofListeners = new Map<string, readonly SecretSourceData[]>();
  const listenerNeeds = new Map<string, ListenerNeeds>();
  for (const [i, cluster] of (resources?.clusters ?? []).entries()) {
    const decoded = decoding.cluster(cluster, reasons.at('clusters', i));
    if (decoded === null) continue;
    clusters.push(decoded.data);
    if (decoded.secrets.length > 0) ofClusters.set(cluster.name, decoded.secrets);
  }
  for (const [i, listener] of (resources?.listeners ?? []).entries()) {
    const decoded = decoding.listener(listener, reasons.at('listeners', i));
    if (decoded === null) continue;
    listeners.push(decoded.data);
    const { needs } = decoded;
    if (decoded.secrets.length > 0) ofListeners.set(listener.name, decoded.secrets);
    const { routes, scopes, extensions } = needs;
    if (routes.length + scopes.length + extensions.length > 0) listenerNeeds.set(decoded.data.name, needs);
  }
  return { clusters, listeners, secrets: { ofClusters, ofListeners }, listenerNeeds };
}

/** For connection managers whose `tracing` names no provider. */
function decodeBootstrapTracer({ tracing }: Bootstrap, reasons: Reasons, extensions: Extensions): void {
  if (tracing === undefined) return;
  supportedTracing.check(tracing, reasons);
  if (tracing.http !== undefined) extensions.tracer = decodeProvider(tracing.http, reasons.at('http'), extensions);
}

function decodeSurroundings(manager: ClusterManager | undefined, reasons: Reasons): ClusterSurroundings {
  if (manager !== undefined) supportedClusterManager.check(manager, reasons);
  const outlier = manager?.outlierDetection;
  if (outlier !== undefined) supportedOutlierDetection.check(outlier, reasons.at('outlier_detection'));
  const words: DecodeProbeWords = {
    headers: (add, remove, at, field) => decodeHeaderMutations(add, remove, field, at),
    string: decodeStringMatcher,
  };
  return { words, outlierLog: outlier?.eventLogPath ?? '', bind: manager?.upstreamBindConfig };
}

/** The newer field wins, as in Envoy. */
function decodeDefaultResolver(
  { typedDnsResolverConfig: typed, dnsResolutionConfig: older }: Bootstrap,
  reasons: Reasons,
): Pick<ClusterSurroundings, 'resolver'> {
  if (typed !== undefined) return { resolver: decodeResolver(typed, reasons.at('typed_dns_resolver_config')) };
  return older === undefined ? {} : { resolver: decodeResolution(older, reasons.at('dns_resolution_config')) };
}

/** What stands in the configuration itself: which files it accepts must not depend on folders and on the admin. */
function staticRuntime(layers: readonly RuntimeLayerData[]): RuntimeValues {
  return new RuntimeValues(new Map(layers.flatMap((layer) => (layer.kind === 'static' ? [...layer.entries] : []))));
}

/** The newer list, and the older path beside it: Envoy writes to both. */
function decodeAdminLogs(admin: Admin | undefined, reasons: Reasons, extensions: Extensions): AccessLogData[] {
  if (admin === undefined) return [];
  const logs = decodeAccessLogs(admin.accessLog, reasons.at('access_log'), extensions, decodeHeaderMatcher);
  for (const [i, { sink }] of logs.entries()) {
    if (sink.kind === 'service')
      reasons.at('access_log', i).add('logs of the admin to services are not supported by sekisho; files are');
  }
  if (admin.accessLogPath === '') return logs;
  return [
    ...logs,
    { name: '', filter: null, sink: { kind: 'file', path: admin.accessLogPath }, format: DEFAULT_FORMAT },
  ];
}

function withTags(stats: StatsConfigData, tags: BootstrapOverrides['statsTags']): StatsConfigData {
  if (tags.length === 0) return stats;
  const fixed = tags.map(({ name, value }) => ({ name, regex: null, fixedValue: value }));
  return { ...stats, tags: [...fixed, ...stats.tags] };
}

function decodeNode(bootstrap: Bootstrap, overrides: BootstrapOverrides): NodeData {
  const { node } = bootstrap;
  return {
    id: overrides.serviceNode === '' ? (node?.id ?? '') : overrides.serviceNode,
    cluster: overrides.serviceCluster === '' ? (node?.cluster ?? '') : overrides.serviceCluster,
    locality: {
      region: node?.locality?.region ?? '',
      zone: overrides.serviceZone === '' ? (node?.locality?.zone ?? '') : overrides.serviceZone,
      subZone: node?.locality?.subZone ?? '',
    },
    ...(node?.metadata === undefined ? {} : { metadata: node.metadata }),
  };
}

function decodeStatsIntervals(
  bootstrap: Bootstrap,
  reasons: Reasons,
): Pick<BootstrapData, 'statsFlushMs' | 'statsEvictionMs'> {
  const flushMs = durationMs(bootstrap.statsFlushInterval, statsFlushMs);
  if (bootstrap.statsEviction.case !== 'statsEvictionInterval') return { statsFlushMs: flushMs };
  const statsEvictionMs = durationMs(bootstrap.statsEviction.value, 0);
  if (statsEvictionMs % flushMs !== 0)
    reasons.at('stats_eviction_interval').add('stats_eviction_interval must be a multiple of stats_flush_interval');
  return { statsFlushMs: flushMs, statsEvictionMs };
}
