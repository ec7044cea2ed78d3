import { durationMs } from '../core/duration.ts';
import type { Extensions } from '../core/extension.ts';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import {
  CircuitBreakers_Thresholds_RetryBudgetSchema,
  CircuitBreakers_ThresholdsSchema,
  CircuitBreakersSchema,
  type CircuitBreakers,
} from '../proto/envoy/config/cluster/v3/circuit_breaker_pb.js';
import { ClusterSchema, TrackClusterStatsSchema, type Cluster } from '../proto/envoy/config/cluster/v3/cluster_pb.js';
import type { BindConfig } from '../proto/envoy/config/core/v3/address_pb.js';
import { RoutingPriority } from '../proto/envoy/config/core/v3/base_pb.js';
import { decodeBind } from './bind-decode.ts';
import type { DnsResolverOptions } from '../net/dns-resolver.ts';
import type { BreakerData, ClusterData } from './cluster-data.ts';
import { decodeKeepAlive, decodePreconnect } from './connection-decode.ts';
import { decodeDiscovery, withResolver } from './discovery/decode.ts';
import { checkDynamicCluster } from './dynamic/decode.ts';
import { decodeMetadata } from './endpoint/decode.ts';
import { decodeFilters } from './filters-decode.ts';
import { decodeHealthCheck } from './health/decode.ts';
import type { DecodeProbeWords } from './health/probe/http-decode.ts';
import { decodeLb } from './lb/decode.ts';
import { decodeOutlierDetection } from './outlier/decode.ts';
import { decodeUpstreamOptions } from './protocol/decode.ts';
import { decodeTransports, refuseWithoutAlpn } from './transport/decode.ts';
import { decodeTransportMatcher } from './transport/matcher-decode.ts';
import { TransportChoice } from './transport/transport-choice.ts';

/** Envoy's defaults. */
const defaultConnectTimeoutMs = 5000;
const defaultBufferLimit = 1024 * 1024;
const defaultThreshold = 1024;
const defaultRetries = 3;
const defaultBudgetPercent = 20;
const defaultBudgetConcurrency = 3;

const supported = new SupportedFields(ClusterSchema, [
  'track_timeout_budgets',
  'track_cluster_stats',
  'name',
  'alt_stat_name',
  'type',
  'cluster_type',
  'eds_cluster_config',
  'connect_timeout',
  'per_connection_buffer_limit_bytes',
  'lb_policy',
  'original_dst_lb_config',
  'cleanup_interval',
  'load_assignment',
  'max_requests_per_connection',
  'circuit_breakers',
  'common_http_protocol_options',
  'http_protocol_options',
  'http2_protocol_options',
  'upstream_http_protocol_options',
  'protocol_selection',
  'typed_extension_protocol_options',
  'dns_refresh_rate',
  'dns_jitter',
  'dns_failure_refresh_rate',
  'respect_dns_ttl',
  'dns_lookup_family',
  'dns_resolution_config',
  'typed_dns_resolver_config',
  'wait_for_warm_on_init',
  'upstream_bind_config',
  'preconnect_policy',
  'least_request_lb_config',
  'round_robin_lb_config',
  'ring_hash_lb_config',
  'maglev_lb_config',
  'lb_subset_config',
  'common_lb_config',
  'transport_socket',
  'transport_socket_matches',
  'transport_socket_matcher',
  'metadata',
  'filters',
  'upstream_connection_options',
  'load_balancing_policy',
  'health_checks',
  'outlier_detection',
  'ignore_health_on_host_removal',
  'close_connections_on_host_health_failure',
]);
const supportedTracking = new SupportedFields(TrackClusterStatsSchema, ['timeout_budgets']);
const supportedBreakers = new SupportedFields(CircuitBreakersSchema, ['thresholds', 'per_host_thresholds']);
const supportedThresholds = new SupportedFields(CircuitBreakers_ThresholdsSchema, [
  'priority',
  'max_connections',
  'max_pending_requests',
  'max_requests',
  'max_retries',
  'max_connection_pools',
  'retry_budget',
  'track_remaining',
]);
const supportedBudget = new SupportedFields(CircuitBreakers_Thresholds_RetryBudgetSchema, [
  'budget_percent',
  'min_retry_concurrency',
  'budget_interval',
]);

/** What a cluster's decoder needs from elsewhere. */
export interface ClusterSurroundings {
  /** What of health checks other rooms decode. */
  readonly words: DecodeProbeWords;
  /** `cluster_manager.outlier_detection.event_log_path`; empty: none. */
  readonly outlierLog: string;
  /** `cluster_manager.upstream_bind_config`, for clusters that have none of their own. */
  readonly bind?: BindConfig | undefined;
  /** `typed_dns_resolver_config` of the bootstrap; absent: it has none. */
  readonly resolver?: DnsResolverOptions;
}

const plainSurroundings: ClusterSurroundings = {
  words: { headers: () => null, string: () => null },
  outlierLog: '',
};

/** Null: reasons were added. */
export function decodeCluster(
  cluster: Cluster,
  reasons: Reasons,
  extensions: Extensions,
  surroundings: ClusterSurroundings = plainSurroundings,
): ClusterData | null {
  const before = reasons.list.length;
  supported.check(cluster, reasons);
  const transports = decodeTransports(cluster, reasons, extensions);
  const matcher = decodeTransportMatcher(cluster.transportSocketMatcher, reasons.at('transport_socket_matcher'));
  const choice = new TransportChoice(transports, matcher);
  const found = decodeDiscovery(cluster, choice, reasons, extensions);
  const healthCheck = decodeHealthCheck(cluster, choice, reasons, extensions, surroundings.words);
  const options = decodeUpstreamOptions(cluster, reasons, extensions);
  const http = checkDynamicCluster(cluster, options.http, reasons);
  if (http.protocol === 'auto' && reasons.list.length === before) refuseWithoutAlpn(cluster.name, transports, reasons);
  if (healthCheck?.probe.kind === 'grpc' && http.protocol === 'http1')
    reasons.at('health_checks', 0).add(`${cluster.name} cluster must support HTTP/2 for gRPC healthchecking`);
  const data: ClusterData = {
    name: cluster.name,
    statName: statName(cluster.altStatName === '' ? cluster.name : cluster.altStatName),
    discovery:
      surroundings.resolver === undefined ? found.discovery : withResolver(found.discovery, surroundings.resolver),
    hosts: found.hosts,
    breakerSlots: [],
    connectTimeoutMs: durationMs(cluster.connectTimeout, defaultConnectTimeoutMs),
    bufferLimit: cluster.perConnectionBufferLimitBytes ?? defaultBufferLimit,
    lb: decodeLb(cluster, reasons),
    breakers: decodeBreakers(cluster.circuitBreakers, reasons.at('circuit_breakers')),
    ...decodeHostLimits(cluster.circuitBreakers, reasons.at('circuit_breakers')),
    http,
    transports,
    transportMatcher: matcher,
    ...decodeBind(cluster.name, cluster.upstreamBindConfig ?? surroundings.bind, reasons.at('upstream_bind_config')),
    ...decodeKeepAlive(cluster, reasons),
    ...decodePreconnect(cluster, options.tcpIdleMs, reasons),
    metadata: decodeMetadata(cluster.metadata, reasons.at('metadata')),
    ...decodeFilters(cluster.filters, reasons, extensions),
    healthCheck,
    outlier: decodeOutlierDetection(cluster.outlierDetection, surroundings.outlierLog, reasons.at('outlier_detection')),
    ...(tracksTimeouts(cluster, reasons) && { tracksTimeouts: true }),
    closesConnectionsOfUnfit: cluster.closeConnectionsOnHostHealthFailure,
  };
  if (data.socketOptions !== undefined && data.hosts.some(({ address }) => address.kind === 'pipe'))
    reasons.at('upstream_bind_config').at('socket_options').add('are supported by sekisho for IP addresses only');
  return reasons.list.length > before ? null : data;
}

/** The older field, or the newer one. */
function tracksTimeouts(cluster: Cluster, reasons: Reasons): boolean {
  const tracked = cluster.trackClusterStats;
  if (tracked === undefined) return cluster.trackTimeoutBudgets;
  supportedTracking.check(tracked, reasons.at('track_cluster_stats'));
  return tracked.timeoutBudgets;
}

/** As Envoy `sanitizeStatsName`: colons would end a stat's name in statsd. */
function statName(name: string): string {
  return name.replace(/:\/\/|:\/|:/g, '_');
}

function decodeBreakers(breakers: CircuitBreakers | undefined, reasons: Reasons): [BreakerData, BreakerData] {
  const found: [BreakerData | null, BreakerData | null] = [null, null];
  if (breakers !== undefined) supportedBreakers.check(breakers, reasons);
  for (const [i, thresholds] of (breakers?.thresholds ?? []).entries()) {
    const at = reasons.at('thresholds', i);
    supportedThresholds.check(thresholds, at);
    const budget = thresholds.retryBudget;
    if (budget !== undefined) supportedBudget.check(budget, at.at('retry_budget'));
    // Of several for one priority Envoy takes the first.
    const place = thresholds.priority === RoutingPriority.HIGH ? 1 : 0;
    found[place] ??= {
      maxConnections: thresholds.maxConnections ?? defaultThreshold,
      maxPendingRequests: thresholds.maxPendingRequests ?? defaultThreshold,
      maxRequests: thresholds.maxRequests ?? defaultThreshold,
      maxRetries: thresholds.maxRetries ?? defaultRetries,
      maxConnectionPools: thresholds.maxConnectionPools ?? null,
      retryBudget:
        budget === undefined
          ? null
          : {
              percent: budget.budgetPercent?.value ?? defaultBudgetPercent,
              minConcurrency: budget.minRetryConcurrency ?? defaultBudgetConcurrency,
              ...(budget.budgetInterval !== undefined && {
                intervalMs: Math.trunc(durationMs(budget.budgetInterval, 0)),
              }),
            },
      trackRemaining: thresholds.trackRemaining,
    };
  }
  return [found[0] ?? defaultBreaker, found[1] ?? defaultBreaker];
}

/** Envoy takes `track_remaining`, too, and tracks nothing. */
function decodeHostLimits(
  breakers: CircuitBreakers | undefined,
  reasons: Reasons,
): Pick<ClusterData, 'hostConnectionsMax'> {
  const list = breakers?.perHostThresholds ?? [];
  const found: [number | null, number | null] = [null, null];
  for (const [i, thresholds] of list.entries()) {
    const at = reasons.at('per_host_thresholds', i);
    supportedThresholds.check(thresholds, at);
    const { maxPendingRequests, maxRequests, maxRetries, maxConnectionPools, retryBudget } = thresholds;
    if (
      [maxPendingRequests, maxRequests, maxRetries, maxConnectionPools, retryBudget].some(
        (field) => field !== undefined,
      )
    )
      at.add('Unsupported field in per_host_thresholds');
    found[thresholds.priority === RoutingPriority.HIGH ? 1 : 0] ??= thresholds.maxConnections ?? Infinity;
  }
  return list.length === 0 ? {} : { hostConnectionsMax: [found[0] ?? Infinity, found[1] ?? Infinity] };
}

const defaultBreaker: BreakerData = {
  maxConnections: defaultThreshold,
  maxPendingRequests: defaultThreshold,
  maxRequests: defaultThreshold,
  maxRetries: defaultRetries,
  retryBudget: null,
  trackRemaining: false,
};
