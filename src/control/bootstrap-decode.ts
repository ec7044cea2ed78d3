import { decodeAdmin } from '../admin/decode.ts';
import { decodeCluster, type ClusterSurroundings } from '../cluster/decode.ts';
import type { DecodeProbeWords } from '../cluster/health/probe/http-decode.ts';
import type { ClusterData } from '../cluster/cluster-data.ts';
import { durationMs } from '../core/duration.ts';
import type { Extensions } from '../core/extension.ts';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { collectStaticSecrets } from '../identity/decode/static-secrets-decode.ts';
import type { SecretSourceData } from '../identity/secret-source-data.ts';
import { SecretSources } from '../identity/secret-sources.ts';
import { decodeListener } from '../listener/decode.ts';
import type { ListenerData } from '../listener/listener-data.ts';
import { DEFAULT_FORMAT, type AccessLogData } from '../observe/access-log-data.ts';
import { decodeAccessLogs } from '../observe/access-log-decode.ts';
import { decodeLogPattern } from '../observe/log/decode.ts';
import type { StatsConfigData } from '../observe/stats-data.ts';
import { decodeStatsConfig } from '../observe/stats-decode.ts';
import {
  Bootstrap_StaticResourcesSchema,
  BootstrapSchema,
  ClusterManager_OutlierDetectionSchema,
  ClusterManagerSchema,
  type Admin,
  type Bootstrap,
  type ClusterManager,
} from '../proto/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { decodeHeaderMutations } from '../route/decode/header-mutations-decode.ts';
import { decodeHeaderMatcher, decodeStringMatcher } from '../route/match/decode.ts';
import { decodeBootstrapExtensions } from './bootstrap-extensions-decode.ts';
import type { BootstrapData, NodeData, SecretNeeds } from './bootstrap-data.ts';
import { decodeOverloadManager } from './overload/decode.ts';
import type { RuntimeLayerData } from './runtime-data.ts';
import { RuntimeValues } from './runtime-view.ts';
import { decodeLayeredRuntime } from './runtime-decode.ts';
import type { StringMatcher } from '../proto/envoy/type/matcher/v3/string_pb.js';
import type { StringMatcher as XdsStringMatcher } from '../proto/xds/type/matcher/v3/string_pb.js';

const supported = new SupportedFields(
  BootstrapSchema,
  [
    'node',
    'static_resources',
    'admin',
    'layered_runtime',
    'overload_manager',
    'stats_config',
    'stats_flush_interval',
    'application_log_config',
    'default_regex_engine',
    'bootstrap_extensions',
    'cluster_manager',
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

/** Null: reasons were added. */
export function decodeBootstrap(
  bootstrap: Bootstrap,
  overrides: BootstrapOverrides,
  reasons: Reasons,
  extensions: Extensions,
): BootstrapData | null {
  supported.check(bootstrap, reasons);
  const node = decodeNode(bootstrap, overrides);
  const resources = bootstrap.staticResources;
  const at = reasons.at('static_resources');
  if (resources !== undefined) supportedResources.check(resources, at);
  const surroundings = decodeSurroundings(bootstrap.clusterManager, reasons.at('cluster_manager'));
  const runtimeLayers = decodeLayeredRuntime(bootstrap.layeredRuntime, node.cluster, reasons.at('layered_runtime'));
  extensions.runtime = staticRuntime(runtimeLayers);
  extensions.dnsCaches = new Map();
  const secrets = new NeededSecrets(node, extensions);
  collectStaticSecrets(resources?.secrets ?? [], at, secrets.pending);
  const clusters: ClusterData[] = [];
  for (const [i, cluster] of (resources?.clusters ?? []).entries()) {
    const data = decodeCluster(cluster, at.at('clusters', i), extensions, surroundings);
    if (data !== null) clusters.push(data);
    secrets.take(cluster.name, secrets.ofClusters, at.at('clusters', i));
  }
  const listeners: ListenerData[] = [];
  const internal = decodeBootstrapExtensions(bootstrap.bootstrapExtensions, reasons, extensions);
  for (const [i, listener] of (resources?.listeners ?? []).entries()) {
    const here = at.at('listeners', i);
    const data = decodeListener(listener, here, extensions, decodeHeaderMatcher, decodeXdsString, internal);
    if (data !== null) listeners.push(data);
    secrets.take(listener.name, secrets.ofListeners, at.at('listeners', i));
  }
  const data: BootstrapData = {
    node,
    listeners,
    clusters,
    localCluster: bootstrap.clusterManager?.localClusterName ?? '',
    secrets,
    admin: decodeAdmin(bootstrap.admin, reasons.at('admin')),
    adminAccessLogs: decodeAdminLogs(bootstrap.admin, reasons.at('admin'), extensions),
    runtimeLayers,
    overload: decodeOverloadManager(bootstrap.overloadManager, reasons.at('overload_manager'), extensions),
    stats: withTags(decodeStatsConfig(bootstrap.statsConfig, reasons.at('stats_config')), overrides.statsTags),
    statsFlushMs: durationMs(bootstrap.statsFlushInterval, statsFlushMs),
    logPattern: decodeLogPattern(
      bootstrap.applicationLogConfig,
      overrides.hasLogFormat,
      reasons.at('application_log_config'),
    ),
  };
  return reasons.isEmpty ? data : null;
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

/** Asks behind each resource what secrets it needs. */
class NeededSecrets implements SecretNeeds {
  readonly sources: SecretSourceData[];
  readonly ofClusters: Map<string, readonly string[]>;
  readonly ofListeners: Map<string, readonly string[]>;
  private readonly node: NodeData;
  readonly pending: SecretSources;

  constructor(node: NodeData, extensions: Extensions) {
    this.sources = [];
    this.ofClusters = new Map();
    this.ofListeners = new Map();
    this.node = node;
    this.pending = new SecretSources();
    extensions.secrets = this.pending;
  }

  take(name: string, into: Map<string, readonly string[]>, reasons: Reasons): void {
    const taken = this.pending.take();
    if (taken.length === 0) return;
    this.sources.push(...taken);
    into.set(
      name,
      taken.map(({ key }) => key),
    );
    for (const { name, from } of taken) {
      if (from.kind === 'sds' && from.source.from.kind === 'ads')
        reasons.add(`secret '${name}' is to come over ADS, which is not supported by sekisho`);
    }
    const isNamed = this.node.id !== '' && this.node.cluster !== '';
    // Envoy's words: control planes would not know whom they talk to.
    if (!isNamed && taken.some(({ from }) => from.kind === 'sds'))
      reasons.add(
        "SDS: node 'id' and 'cluster' are required. Set it either in 'node' config or via --service-node and --service-cluster options.",
      );
  }
}

/** What stands in the configuration itself: which files it accepts must not depend on folders and on the admin. */
function staticRuntime(layers: readonly RuntimeLayerData[]): RuntimeValues {
  return new RuntimeValues(new Map(layers.flatMap((layer) => (layer.kind === 'static' ? [...layer.entries] : []))));
}

/** The newer list, and the older path beside it: Envoy writes to both. */
function decodeAdminLogs(admin: Admin | undefined, reasons: Reasons, extensions: Extensions): AccessLogData[] {
  if (admin === undefined) return [];
  const logs = decodeAccessLogs(admin.accessLog, reasons.at('access_log'), extensions, decodeHeaderMatcher);
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

/** xDS has a string matcher of its own, whose fields are Envoy's. */
function decodeXdsString(message: XdsStringMatcher, reasons: Reasons): unknown {
  return decodeStringMatcher(message as unknown as StringMatcher, reasons);
}
