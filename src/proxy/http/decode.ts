import { durationMs } from '../../core/duration.ts';
import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { emptyRuntime, runtimeInteger } from '../../core/runtime-view.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { defaultMaxProgramSize } from '../../route/regex.ts';
import { decodeAccessLogs } from '../../observe/access-log/decode.ts';
import { SchemeHeaderTransformationSchema } from '../../proto/envoy/config/core/v3/protocol_pb.js';
import {
  HttpConnectionManager_CodecType as CodecType,
  HttpConnectionManager_HcmAccessLogOptionsSchema,
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  HttpConnectionManager_ProxyStatusConfigSchema,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
  HttpConnectionManagerSchema,
  RequestIDExtensionSchema,
  type HttpConnectionManager,
} from '../../proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { UuidRequestIdConfigSchema } from '../../proto/envoy/extensions/request_id/uuid/v3/uuid_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeRouteConfiguration } from '../../route/decode.ts';
import { decodeHeaderMatcher } from '../../route/match/decode.ts';
import { wireText } from '../../route/wire-text.ts';
import { decodeClientAddress } from './decode/client-address-decode.ts';
import { decodeClientCert } from './decode/client-cert-decode.ts';
import { decodeHttpFilters } from './decode/filters-decode.ts';
import { decodeRds } from './decode/rds-decode.ts';
import { decodeLocalReply } from './decode/local-reply-decode.ts';
import { decodeScopedRoutes } from './scopes/decode.ts';
import { decodeUpgrades } from './decode/upgrades-decode.ts';
import { decodeDownstreamHttp2, decodeHttp1, decodeLimits, decodeTimeouts } from './decode/protocol-decode.ts';
import { decodeTracing } from '../trace/decode.ts';
import type {
  AccessLogOptionsData,
  ForwardingData,
  HcmData,
  HostOptionsData,
  PathOptionsData,
  ProxyStatusData,
  RequestIdData,
  ResponseOptionsData,
} from './hcm-data.ts';

const hcmFields = new SupportedFields(
  HttpConnectionManagerSchema,
  [
    'codec_type',
    'append_local_overload',
    'stat_prefix',
    'route_config',
    'rds',
    'scoped_routes',
    'http_filters',
    'add_user_agent',
    'common_http_protocol_options',
    'http1_safe_max_connection_duration',
    'http_protocol_options',
    'http2_protocol_options',
    'server_name',
    'server_header_transformation',
    'scheme_header_transformation',
    'max_request_headers_kb',
    'stream_idle_timeout',
    'stream_flush_timeout',
    'request_timeout',
    'request_headers_timeout',
    'drain_timeout',
    'drain_timeout_jitter',
    'delayed_close_timeout',
    'access_log',
    'access_log_flush_interval',
    'flush_access_log_on_new_request',
    'access_log_options',
    'use_remote_address',
    'xff_num_trusted_hops',
    'original_ip_detection_extensions',
    'internal_address_config',
    'skip_xff_append',
    'via',
    'generate_request_id',
    'preserve_external_request_id',
    'always_set_request_id_in_response',
    'forward_client_cert_details',
    'set_current_client_cert_details',
    'proxy_100_continue',
    'normalize_path',
    'merge_slashes',
    'path_with_escaped_slashes_action',
    'request_id_extension',
    'tracing',
    'local_reply_config',
    'strip_matching_host_port',
    'strip_any_host_port',
    'stream_error_on_invalid_http_message',
    'strip_trailing_host_dot',
    'proxy_status_config',
    'append_x_forwarded_port',
    'upgrade_configs',
  ],
  // Envoy 1.39 reads it and changes nothing by it (observed).
  ['represent_ipv4_remote_address_as_ipv4_mapped_ipv6'],
);
const schemeFields = new SupportedFields(SchemeHeaderTransformationSchema, ['scheme_to_overwrite', 'match_upstream']);
const requestIdFields = new SupportedFields(RequestIDExtensionSchema, ['typed_config']);
const uuidFields = new SupportedFields(UuidRequestIdConfigSchema, [
  'pack_trace_reason',
  'use_request_id_for_trace_sampling',
]);
const proxyStatusFields = new SupportedFields(HttpConnectionManager_ProxyStatusConfigSchema, [
  'remove_details',
  'remove_connection_termination_details',
  'remove_response_flags',
  'set_recommended_response_code',
  'use_node_id',
  'literal_proxy_name',
]);
const logOptionFields = new SupportedFields(HttpConnectionManager_HcmAccessLogOptionsSchema, [
  'access_log_flush_interval',
  'flush_access_log_on_new_request',
  'flush_log_on_tunnel_successfully_established',
]);

const codecTypes: Readonly<Record<CodecType, HcmData['codecType'] | null>> = {
  [CodecType.AUTO]: 'AUTO',
  [CodecType.HTTP1]: 'HTTP1',
  [CodecType.HTTP2]: 'HTTP2',
  [CodecType.HTTP3]: null,
};

/** Null: reasons were added. */
export function decodeHttpConnectionManager(
  message: HttpConnectionManager,
  reasons: Reasons,
  extensions: Extensions,
): HcmData | null {
  const before = reasons.list.length;
  hcmFields.check(message, reasons);
  const codecType = codecTypes[message.codecType];
  if (codecType === null)
    reasons.at('codec_type').add('HTTP3 is not supported by sekisho yet, AUTO, HTTP1 and HTTP2 are');
  const { routeSpecifier, httpProtocolOptions } = message;
  const routeConfig =
    routeSpecifier.case === 'routeConfig'
      ? decodeRouteConfiguration(
          routeSpecifier.value,
          reasons.at('route_config'),
          extensions,
          maxProgramSize(extensions),
        )
      : null;
  const rds =
    routeSpecifier.case === 'rds'
      ? decodeRds(routeSpecifier.value, message.statPrefix, reasons.at('rds'), extensions)
      : null;
  const scopedRoutes =
    routeSpecifier.case === 'scopedRoutes'
      ? decodeScopedRoutes(routeSpecifier.value, message.statPrefix, reasons.at('scoped_routes'), extensions)
      : null;
  if (routeSpecifier.case === undefined) reasons.add('needs route_config, rds or scoped_routes');
  const data = {
    statPrefix: message.statPrefix,
    codecType: codecType!,
    ...(message.appendLocalOverload && { appendLocalOverload: true }),
    routeConfig,
    ...(rds !== null && { rds }),
    ...(scopedRoutes !== null && { scopedRoutes }),
    httpFilters: decodeHttpFilters(message.httpFilters, reasons, extensions),
    upgrades: decodeUpgrades(message.upgradeConfigs, reasons, extensions),
    accessLogs: decodeAccessLogs(message.accessLog, reasons.at('access_log'), extensions, decodeHeaderMatcher),
    accessLogOptions: decodeLogOptions(message, reasons.at('access_log_options')),
    limits: decodeLimits(message, reasons),
    timeouts: decodeTimeouts(message),
    http1: decodeHttp1(httpProtocolOptions, reasons.at('http_protocol_options')),
    http2: decodeDownstreamHttp2(message, reasons.at('http2_protocol_options')),
    path: decodePathOptions(message),
    host: decodeHostOptions(message, reasons),
    client: decodeClientAddress(message, reasons),
    requestId: decodeRequestId(message, reasons.at('request_id_extension')),
    ...(message.tracing !== undefined && {
      tracing: decodeTracing(message.tracing, reasons.at('tracing'), extensions),
    }),
    forwarding: decodeForwarding(message, reasons),
    response: decodeResponseOptions(message, reasons),
    localReply: decodeLocalReply(message.localReplyConfig, reasons.at('local_reply_config')),
    proxy100Continue: message.proxy100Continue,
    streamErrorOnInvalidMessage:
      httpProtocolOptions?.overrideStreamErrorOnInvalidHttpMessage ?? message.streamErrorOnInvalidHttpMessage ?? false,
  };
  return reasons.list.length > before ? null : data;
}

/** The deprecated fields count where `access_log_options` is not set. */
function decodeLogOptions(message: HttpConnectionManager, reasons: Reasons): AccessLogOptionsData {
  const options = message.accessLogOptions;
  if (options !== undefined) logOptionFields.check(options, reasons);
  return {
    flushIntervalMs: durationMs(options?.accessLogFlushInterval ?? message.accessLogFlushInterval, 0),
    flushOnNewRequest: options?.flushAccessLogOnNewRequest ?? message.flushAccessLogOnNewRequest,
    flushOnTunnel: options?.flushLogOnTunnelSuccessfullyEstablished ?? false,
  };
}

/** The size from which on regular expressions of routes are refused. */
export function maxProgramSize({ runtime = emptyRuntime }: Extensions): number {
  return runtimeInteger(runtime, 're2.max_program_size.error_level', defaultMaxProgramSize);
}

const escapedSlashes: Readonly<Record<EscapedSlashes, PathOptionsData['escapedSlashes']>> = {
  [EscapedSlashes.IMPLEMENTATION_SPECIFIC_DEFAULT]: 'IMPLEMENTATION_SPECIFIC_DEFAULT',
  [EscapedSlashes.KEEP_UNCHANGED]: 'KEEP_UNCHANGED',
  [EscapedSlashes.REJECT_REQUEST]: 'REJECT_REQUEST',
  [EscapedSlashes.UNESCAPE_AND_REDIRECT]: 'UNESCAPE_AND_REDIRECT',
  [EscapedSlashes.UNESCAPE_AND_FORWARD]: 'UNESCAPE_AND_FORWARD',
};

function decodePathOptions(message: HttpConnectionManager): PathOptionsData {
  return {
    normalize: message.normalizePath ?? null,
    mergeSlashes: message.mergeSlashes,
    escapedSlashes: escapedSlashes[message.pathWithEscapedSlashesAction],
  };
}

function decodeHostOptions(message: HttpConnectionManager, reasons: Reasons): HostOptionsData {
  const stripsAny = message.stripPortMode.case === 'stripAnyHostPort' && message.stripPortMode.value;
  if (stripsAny && message.stripMatchingHostPort)
    reasons
      .at('strip_any_host_port')
      .add('only one of strip_matching_host_port and strip_any_host_port can be enabled');
  return {
    stripPort: stripsAny ? 'any' : message.stripMatchingHostPort ? 'matching' : 'none',
    stripTrailingDot: message.stripTrailingHostDot,
  };
}

function decodeRequestId(message: HttpConnectionManager, reasons: Reasons): RequestIdData {
  const extension = message.requestIdExtension;
  if (extension !== undefined) requestIdFields.check(extension, reasons);
  const packed = extension?.typedConfig;
  let packTraceReason = true;
  let decidesTracing = true;
  if (packed !== undefined) {
    const at = reasons.at('typed_config');
    if (packed.typeUrl.slice(packed.typeUrl.lastIndexOf('/') + 1) === UuidRequestIdConfigSchema.typeName) {
      const config = fromBinary(UuidRequestIdConfigSchema, packed.value);
      uuidFields.check(config, at);
      packTraceReason = config.packTraceReason ?? true;
      decidesTracing = config.useRequestIdForTraceSampling ?? true;
    } else at.add(`request id extension of type '${packed.typeUrl}' is not supported by sekisho`);
  }
  return {
    generate: message.generateRequestId ?? true,
    preserveExternal: message.preserveExternalRequestId,
    alwaysSetInResponse: message.alwaysSetRequestIdInResponse,
    packTraceReason,
    ...(!decidesTracing && { decidesTracing }),
  };
}

function decodeForwarding(message: HttpConnectionManager, reasons: Reasons): ForwardingData {
  const scheme = message.schemeHeaderTransformation;
  if (scheme !== undefined) schemeFields.check(scheme, reasons.at('scheme_header_transformation'));
  return {
    appendXForwardedPort: message.appendXForwardedPort,
    addUserAgent: message.addUserAgent ?? false,
    via: wireText(message.via),
    clientCert: decodeClientCert(message, reasons),
    schemeToOverwrite: scheme?.transformation.case === 'schemeToOverwrite' ? scheme.transformation.value : '',
    schemeMatchesUpstream: scheme?.matchUpstream ?? false,
  };
}

const serverHeaders: Readonly<Record<ServerHeader, ResponseOptionsData['serverHeader']>> = {
  [ServerHeader.OVERWRITE]: 'OVERWRITE',
  [ServerHeader.APPEND_IF_ABSENT]: 'APPEND_IF_ABSENT',
  [ServerHeader.PASS_THROUGH]: 'PASS_THROUGH',
};

function decodeResponseOptions(message: HttpConnectionManager, reasons: Reasons): ResponseOptionsData {
  return {
    serverName: message.serverName === '' ? 'envoy' : wireText(message.serverName),
    serverHeader: serverHeaders[message.serverHeaderTransformation],
    via: wireText(message.via),
    proxyStatus: decodeProxyStatus(message.proxyStatusConfig, reasons.at('proxy_status_config')),
  };
}

function decodeProxyStatus(
  message: HttpConnectionManager['proxyStatusConfig'],
  reasons: Reasons,
): ProxyStatusData | null {
  if (message === undefined) return null;
  proxyStatusFields.check(message, reasons);
  const { proxyName } = message;
  return {
    removeDetails: message.removeDetails,
    removeConnectionTerminationDetails: message.removeConnectionTerminationDetails,
    removeResponseFlags: message.removeResponseFlags,
    setRecommendedResponseCode: message.setRecommendedResponseCode,
    name: proxyName.case === 'literalProxyName' ? wireText(proxyName.value) : null,
    useNodeId: proxyName.case === 'useNodeId' && proxyName.value,
  };
}
