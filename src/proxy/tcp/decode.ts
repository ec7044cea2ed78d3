import { durationMs } from '../../core/duration.ts';
import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  TcpProxy_TcpAccessLogOptionsSchema,
  TcpProxy_TunnelingConfigSchema,
  TcpProxy_WeightedCluster_ClusterWeightSchema,
  TcpProxySchema,
  type TcpProxy,
  type TcpProxy_TunnelingConfig,
} from '../../proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import {
  HashPolicy_FilterStateSchema,
  HashPolicySchema,
  type HashPolicy,
} from '../../proto/envoy/type/v3/hash_policy_pb.js';
import { decodeAccessLogs } from '../../observe/access-log-decode.ts';
import { formatProblem } from '../../observe/format/format.ts';
import { decodeMetadataMatch } from '../../route/decode/field-decode.ts';
import { decodeHeaderAddition } from '../../route/decode/header-mutations-decode.ts';
import { decodeHeaderMatcher } from '../../route/match/decode.ts';
import { wireText } from '../../route/wire-text.ts';
import type { HashPolicyData } from '../../route/hash/hash-policy-data.ts';
import type { TcpProxyData, TunnelingData, WeightedClusterData } from './tcp-proxy-data.ts';

const supported = new SupportedFields(TcpProxySchema, [
  'stat_prefix',
  'cluster',
  'weighted_clusters',
  'idle_timeout',
  'access_log',
  'max_connect_attempts',
  'backoff_options',
  'max_downstream_connection_duration',
  'access_log_flush_interval',
  'flush_access_log_on_connected',
  'access_log_options',
  'tunneling_config',
  'hash_policy',
  'metadata_match',
]);
const supportedTunneling = new SupportedFields(TcpProxy_TunnelingConfigSchema, [
  'hostname',
  'use_post',
  'headers_to_add',
  'post_path',
  'propagate_response_headers',
  'propagate_response_trailers',
]);
const supportedWeight = new SupportedFields(TcpProxy_WeightedCluster_ClusterWeightSchema, [
  'name',
  'weight',
  'metadata_match',
]);
const supportedHash = new SupportedFields(HashPolicySchema, ['source_ip', 'filter_state']);
const supportedHashState = new SupportedFields(HashPolicy_FilterStateSchema, ['key']);
const supportedLogOptions = new SupportedFields(TcpProxy_TcpAccessLogOptionsSchema, [
  'access_log_flush_interval',
  'flush_access_log_on_connected',
]);

const hourMs = 3_600_000;

export function decodeTcpProxy(message: TcpProxy, reasons: Reasons, extensions: Extensions): TcpProxyData {
  supported.check(message, reasons);
  const options = message.accessLogOptions;
  if (options !== undefined) supportedLogOptions.check(options, reasons.at('access_log_options'));
  const clusters = decodeClusters(message, reasons);
  const baseMs = durationMs(message.backoffOptions?.baseInterval, 0);
  return {
    statPrefix: message.statPrefix,
    clusters,
    totalWeight: clusters.reduce((sum, cluster) => sum + cluster.weight, 0),
    idleMs: durationMs(message.idleTimeout, hourMs),
    connectAttemptsMax: message.maxConnectAttempts ?? 1,
    backOffBaseMs: baseMs,
    backOffMaxMs: durationMs(message.backoffOptions?.maxInterval, baseMs * 10),
    connectionDurationMaxMs: durationMs(message.maxDownstreamConnectionDuration, 0),
    accessLogs: decodeAccessLogs(message.accessLog, reasons.at('access_log'), extensions, decodeHeaderMatcher),
    accessLogFlushMs: durationMs(options?.accessLogFlushInterval ?? message.accessLogFlushInterval, 0),
    logOnConnected: options?.flushAccessLogOnConnected ?? message.flushAccessLogOnConnected,
    tunneling:
      message.tunnelingConfig === undefined
        ? null
        : decodeTunneling(message.tunnelingConfig, reasons.at('tunneling_config')),
    hashPolicy: decodeHashPolicy(message.hashPolicy, reasons),
  };
}

function decodeTunneling(message: TcpProxy_TunnelingConfig, reasons: Reasons): TunnelingData {
  supportedTunneling.check(message, reasons);
  const problem = formatProblem(message.hostname);
  if (problem !== null) reasons.at('hostname').add(problem);
  if (message.postPath !== '') {
    if (!message.usePost) reasons.at('post_path').add("Can't set a post path when POST method isn't used");
    if (!message.postPath.startsWith('/')) reasons.at('post_path').add("post_path must start with '/'");
  }
  return {
    hostname: message.hostname,
    usePost: message.usePost,
    postPath: message.postPath === '' ? '/' : wireText(message.postPath),
    headersToAdd: message.headersToAdd.map((option, i) =>
      decodeHeaderAddition(option, reasons.at('headers_to_add', i)),
    ),
    propagation: { headers: message.propagateResponseHeaders, trailers: message.propagateResponseTrailers },
  };
}

function decodeClusters(message: TcpProxy, reasons: Reasons): WeightedClusterData[] {
  const specifier = message.clusterSpecifier;
  const wanted = decodeMetadataMatch(message.metadataMatch, reasons);
  if (specifier.case === 'cluster') return [{ name: specifier.value, weight: 1, metadataMatch: wanted }];
  if (specifier.case !== 'weightedClusters') return [];
  return specifier.value.clusters.map((cluster, i) => {
    const at = reasons.at('weighted_clusters').at('clusters', i);
    supportedWeight.check(cluster, at);
    const own = decodeMetadataMatch(cluster.metadataMatch, at);
    return { name: cluster.name, weight: cluster.weight, metadataMatch: own === null ? wanted : { ...wanted, ...own } };
  });
}

function decodeHashPolicy(messages: readonly HashPolicy[], reasons: Reasons): HashPolicyData[] | null {
  if (messages.length === 0) return null;
  return messages.flatMap((message, i): HashPolicyData[] => {
    const at = reasons.at('hash_policy', i);
    supportedHash.check(message, at);
    const { policySpecifier: choice } = message;
    if (choice.case === 'sourceIp') return [{ kind: 'sourceIp', terminal: false }];
    if (choice.case === undefined) return [];
    supportedHashState.check(choice.value, at.at('filter_state'));
    return [{ kind: 'filterState', key: choice.value.key, terminal: false }];
  });
}
