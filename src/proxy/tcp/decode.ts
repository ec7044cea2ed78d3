import { decodeOnDemand } from '../../cluster/on-demand/decode.ts';
import type { OnDemandClustersData } from '../../cluster/on-demand/on-demand-data.ts';
import { durationMs } from '../../core/duration.ts';
import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { TlvEntrySchema } from '../../proto/envoy/config/core/v3/proxy_protocol_pb.js';
import { RequestIDExtensionSchema } from '../../proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import {
  TcpProxy_OnDemandSchema,
  TcpProxy_TcpAccessLogOptionsSchema,
  TcpProxy_TunnelingConfigSchema,
  TcpProxy_WeightedCluster_ClusterWeightSchema,
  ProxyProtocolTlvMergePolicy,
  TcpProxySchema,
  UpstreamConnectMode,
  type TcpProxy,
  type TcpProxy_OnDemand,
  type TcpProxy_TunnelingConfig,
} from '../../proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import {
  HashPolicy_FilterStateSchema,
  HashPolicySchema,
  type HashPolicy,
} from '../../proto/envoy/type/v3/hash_policy_pb.js';
import { UuidRequestIdConfigSchema } from '../../proto/envoy/extensions/request_id/uuid/v3/uuid_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeAccessLogs } from '../../observe/access-log/decode.ts';
import { decodeFormat, decodeFormatters } from '../../observe/format/decode.ts';
import { formatProblem } from '../../observe/format/format.ts';
import { decodeMetadataMatch } from '../../route/decode/field-decode.ts';
import { decodeHeaderAddition } from '../../route/decode/header-mutations-decode.ts';
import { decodeHeaderMatcher } from '../../route/match/decode.ts';
import { wireText } from '../../route/wire-text.ts';
import type { HashPolicyData } from '../../route/hash/hash-policy-data.ts';
import type {
  ProxyTlvData,
  ProxyTlvsData,
  TcpProxyData,
  TunnelingData,
  WeightedClusterData,
} from './tcp-proxy-data.ts';

const supported = new SupportedFields(
  TcpProxySchema,
  [
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
    'max_downstream_connection_duration_jitter_percentage',
    'upstream_connect_mode',
    'max_early_data_bytes',
    'check_drain_close',
    'proxy_protocol_tlvs',
    'proxy_protocol_tlv_merge_policy',
    'on_demand',
  ],
  // Envoy has them without acting on them.
  ['downstream_idle_timeout', 'upstream_idle_timeout'],
);
const supportedTunneling = new SupportedFields(TcpProxy_TunnelingConfigSchema, [
  'hostname',
  'use_post',
  'headers_to_add',
  'post_path',
  'propagate_response_headers',
  'propagate_response_trailers',
  'request_id_extension',
  'request_id_header',
  'request_id_metadata_key',
  'formatters',
]);
const supportedOnDemand = new SupportedFields(TcpProxy_OnDemandSchema, ['odcds_config', 'timeout']);
const supportedRequestId = new SupportedFields(RequestIDExtensionSchema, ['typed_config']);
const supportedUuid = new SupportedFields(
  UuidRequestIdConfigSchema,
  [],
  ['pack_trace_reason', 'use_request_id_for_trace_sampling'],
);
const supportedTlv = new SupportedFields(TlvEntrySchema, ['type', 'value', 'format_string']);
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
  'flush_access_log_on_start',
]);

const hourMs = 3_600_000;
/** Envoy's default of `on_demand.timeout`. */
const onDemandMs = 60_000;

export function decodeTcpProxy(message: TcpProxy, reasons: Reasons, extensions: Extensions): TcpProxyData {
  supported.check(message, reasons);
  const options = message.accessLogOptions;
  if (options !== undefined) supportedLogOptions.check(options, reasons.at('access_log_options'));
  const clusters = decodeClusters(message, reasons);
  const mode = message.upstreamConnectMode;
  if (mode === UpstreamConnectMode.ON_DOWNSTREAM_TLS_HANDSHAKE)
    reasons.unsupported('upstream_connect_mode', 'ON_DOWNSTREAM_TLS_HANDSHAKE is not supported by sekisho');
  if (mode !== UpstreamConnectMode.IMMEDIATE && message.maxEarlyDataBytes === undefined)
    reasons
      .at('max_early_data_bytes')
      .add('max_early_data_bytes must be set when upstream_connect_mode is not IMMEDIATE');
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
    durationJitterPercent: message.maxDownstreamConnectionDurationJitterPercentage?.value ?? 0,
    accessLogs: decodeAccessLogs(message.accessLog, reasons.at('access_log'), extensions, decodeHeaderMatcher),
    accessLogFlushMs: durationMs(options?.accessLogFlushInterval ?? message.accessLogFlushInterval, 0),
    logOnConnected: options?.flushAccessLogOnConnected ?? message.flushAccessLogOnConnected,
    logOnStart: options?.flushAccessLogOnStart ?? false,
    connectsOnData: mode === UpstreamConnectMode.ON_DOWNSTREAM_DATA,
    earlyBytesMax: message.maxEarlyDataBytes ?? null,
    closesOnDrain: message.checkDrainClose ?? false,
    tlvs: decodeTlvs(message, reasons),
    tunneling:
      message.tunnelingConfig === undefined
        ? null
        : decodeTunneling(message.tunnelingConfig, reasons.at('tunneling_config')),
    hashPolicy: decodeHashPolicy(message.hashPolicy, reasons),
    onDemand: message.onDemand === undefined ? null : decodeClustersOnDemand(message.onDemand, reasons.at('on_demand')),
  };
}

function decodeClustersOnDemand(message: TcpProxy_OnDemand, reasons: Reasons): OnDemandClustersData | null {
  supportedOnDemand.check(message, reasons);
  const { odcdsConfig: source, timeout } = message;
  // As in Envoy, where nobody is to be asked nothing is asked for.
  return source === undefined ? null : decodeOnDemand({ source, timeout }, onDemandMs, 'odcds_config', reasons);
}

function decodeTunneling(message: TcpProxy_TunnelingConfig, reasons: Reasons): TunnelingData {
  supportedTunneling.check(message, reasons);
  // What they add is built in already, or, as REQ_WITHOUT_QUERY, is not for connections in Envoy either.
  decodeFormatters(message.formatters, reasons);
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
    requestId: decodeRequestId(message, reasons),
    propagation: { headers: message.propagateResponseHeaders, trailers: message.propagateResponseTrailers },
  };
}

/** The one extension that Envoy has makes UUIDs; what it says of tracing means nothing here. */
function decodeRequestId(message: TcpProxy_TunnelingConfig, reasons: Reasons): TunnelingData['requestId'] {
  const { requestIdExtension: extension } = message;
  if (extension === undefined) return null;
  const at = reasons.at('request_id_extension');
  supportedRequestId.check(extension, at);
  const kind = extension.typedConfig?.typeUrl.split('/').at(-1) ?? '';
  if (kind === UuidRequestIdConfigSchema.typeName)
    supportedUuid.check(fromBinary(UuidRequestIdConfigSchema, extension.typedConfig!.value), at.at('typed_config'));
  else at.unsupported('typed_config', `request id extension of type '${kind}' is not supported by sekisho`);
  return {
    header: wireText(message.requestIdHeader || 'x-request-id').toLowerCase(),
    metadataKey: message.requestIdMetadataKey || 'tunnel_request_id',
  };
}

const mergePolicies = {
  [ProxyProtocolTlvMergePolicy.ADD_IF_ABSENT]: 'add-if-absent',
  [ProxyProtocolTlvMergePolicy.OVERWRITE_BY_TYPE_IF_EXISTS_OR_ADD]: 'overwrite',
  [ProxyProtocolTlvMergePolicy.APPEND_IF_EXISTS_OR_ADD]: 'append',
} as const;

function decodeTlvs(message: TcpProxy, reasons: Reasons): ProxyTlvsData | null {
  const { proxyProtocolTlvs: tlvs } = message;
  if (tlvs.length === 0) return null;
  const entries = tlvs.flatMap((entry, i): ProxyTlvData[] => {
    const at = reasons.at('proxy_protocol_tlvs', i);
    supportedTlv.check(entry, at);
    const { type, value, formatString } = entry;
    if (formatString === undefined) {
      if (value.length === 0) at.add("Invalid TLV configuration: one of 'value' or 'format_string' must be set.");
      return [{ type, value: Uint8Array.from(value) }];
    }
    if (value.length > 0) at.add("Invalid TLV configuration: only one of 'value' or 'format_string' may be set.");
    const format = decodeFormat(formatString, at.at('format_string'));
    return format === null ? [] : [{ type, value: format }];
  });
  // Envoy appends what is formatted to what is fixed.
  const isFixed = ({ value }: ProxyTlvData): boolean => value instanceof Uint8Array;
  const ordered = [...entries.filter(isFixed), ...entries.filter((entry) => !isFixed(entry))];
  return { entries: ordered, merge: mergePolicies[message.proxyProtocolTlvMergePolicy] };
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
