import type { Http2Data } from '../../../cluster/cluster-data.ts';
import { decodeHttp2 } from '../../../cluster/protocol/http2-decode.ts';
import { durationMs } from '../../../core/duration.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  Http1ProtocolOptions_HeaderKeyFormatSchema,
  Http1ProtocolOptionsSchema,
  HttpProtocolOptions_HeadersWithUnderscoresAction as UnderscoresAction,
  HttpProtocolOptionsSchema,
  type Http1ProtocolOptions,
  type Http1ProtocolOptions_HeaderKeyFormat,
} from '../../../proto/envoy/config/core/v3/protocol_pb.js';
import type { HttpConnectionManager } from '../../../proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { PreserveCaseFormatterConfigSchema } from '../../../proto/envoy/extensions/http/header_formatters/preserve_case/v3/preserve_case_pb.js';
import { StringMatcherSchema, type StringMatcher } from '../../../proto/envoy/type/matcher/v3/string_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import type { DownstreamLimitsData, DownstreamTimeoutsData, Http1Data, StringMatchData } from '../hcm-data.ts';

/** Envoy's default of max_request_headers_kb. */
const headersKbDefault = 60;

const commonFields = new SupportedFields(
  HttpProtocolOptionsSchema,
  [
    'idle_timeout',
    'max_connection_duration',
    'max_connection_duration_jitter',
    'max_headers_count',
    'max_stream_duration',
    'headers_with_underscores_action',
    'max_requests_per_connection',
  ],
  // Of responses: Envoy's downstream side does not read it.
  ['max_response_headers_kb'],
);
const http1Fields = new SupportedFields(
  Http1ProtocolOptionsSchema,
  [
    'allow_absolute_url',
    'accept_http_10',
    'default_host_for_http_10',
    'header_key_format',
    'enable_trailers',
    'allow_chunked_length',
    'override_stream_error_on_invalid_http_message',
    'allow_custom_methods',
    'ignore_http_11_upgrade',
  ],
  // The first is of requests to upstreams, the second chooses between Envoy's two parsers.
  ['send_fully_qualified_url', 'use_balsa_parser'],
);
const keyFormatFields = new SupportedFields(Http1ProtocolOptions_HeaderKeyFormatSchema, [
  'proper_case_words',
  'stateful_formatter',
]);
const preserveCaseFields = new SupportedFields(PreserveCaseFormatterConfigSchema, []);
const upgradeFields = new SupportedFields(StringMatcherSchema, [
  'exact',
  'prefix',
  'suffix',
  'contains',
  'ignore_case',
]);

const underscoreActions: Readonly<Record<UnderscoresAction, DownstreamLimitsData['headersWithUnderscores']>> = {
  [UnderscoresAction.ALLOW]: 'ALLOW',
  [UnderscoresAction.REJECT_REQUEST]: 'REJECT_REQUEST',
  [UnderscoresAction.DROP_HEADER]: 'DROP_HEADER',
};

export function decodeLimits(message: HttpConnectionManager, reasons: Reasons): DownstreamLimitsData {
  const common = message.commonHttpProtocolOptions;
  if (common !== undefined) commonFields.check(common, reasons.at('common_http_protocol_options'));
  return {
    headerBytesMax: (message.maxRequestHeadersKb ?? headersKbDefault) * 1024,
    headerCountMax: common?.maxHeadersCount ?? 100,
    requestsPerConnectionMax: common?.maxRequestsPerConnection ?? 0,
    headersWithUnderscores: underscoreActions[common?.headersWithUnderscoresAction ?? UnderscoresAction.ALLOW],
  };
}

const minute = 60_000;

export function decodeTimeouts(message: HttpConnectionManager): DownstreamTimeoutsData {
  const common = message.commonHttpProtocolOptions;
  const streamIdleMs = durationMs(message.streamIdleTimeout, 5 * minute);
  return {
    idleMs: durationMs(common?.idleTimeout, 60 * minute),
    maxConnectionDurationMs: durationMs(common?.maxConnectionDuration, 0),
    maxConnectionJitter: (common?.maxConnectionDurationJitter?.value ?? 0) / 100,
    http1SafeMaxConnectionDuration: message.http1SafeMaxConnectionDuration,
    maxStreamDurationMs: durationMs(common?.maxStreamDuration, 0),
    streamIdleMs,
    streamFlushMs: durationMs(message.streamFlushTimeout, streamIdleMs),
    requestMs: durationMs(message.requestTimeout, 0),
    requestHeadersMs: durationMs(message.requestHeadersTimeout, 0),
    drainMs: durationMs(message.drainTimeout, 5000),
    drainJitter: (message.drainTimeoutJitter?.value ?? 0) / 100,
    delayedCloseMs: durationMs(message.delayedCloseTimeout, 1000),
  };
}

export function decodeHttp1(options: Http1ProtocolOptions | undefined, reasons: Reasons): Http1Data {
  if (options !== undefined) http1Fields.check(options, reasons);
  return {
    acceptHttp10: options?.acceptHttp10 ?? false,
    defaultHostForHttp10: options?.defaultHostForHttp10 ?? '',
    allowAbsoluteUrl: options?.allowAbsoluteUrl ?? true,
    allowChunkedLength: options?.allowChunkedLength ?? false,
    allowCustomMethods: options?.allowCustomMethods ?? false,
    enableTrailers: options?.enableTrailers ?? false,
    headerKeyFormat: decodeKeyFormat(options?.headerKeyFormat, reasons.at('header_key_format')),
    ignoredUpgrades: (options?.ignoreHttp11Upgrade ?? []).flatMap(
      (matcher, i) => decodeUpgrade(matcher, reasons.at('ignore_http_11_upgrade', i)) ?? [],
    ),
  };
}

/** What the connection manager says of invalid messages counts unless the HTTP/2 options do, as in Envoy. */
export function decodeDownstreamHttp2(message: HttpConnectionManager, reasons: Reasons): Http2Data {
  const { http2ProtocolOptions, streamErrorOnInvalidHttpMessage } = message;
  const data = decodeHttp2(http2ProtocolOptions, reasons);
  const fieldKb = http2ProtocolOptions?.maxHeaderFieldSizeKb ?? 0;
  if (fieldKb > (message.maxRequestHeadersKb ?? headersKbDefault))
    reasons.at('max_header_field_size_kb').add('max_header_field_size_kb must not exceed max_request_headers_kb');
  const isOverridden = http2ProtocolOptions?.overrideStreamErrorOnInvalidHttpMessage !== undefined;
  if (isOverridden || streamErrorOnInvalidHttpMessage === undefined) return data;
  return { ...data, streamErrorOnInvalidHttpMessage };
}

function decodeKeyFormat(
  message: Http1ProtocolOptions_HeaderKeyFormat | undefined,
  reasons: Reasons,
): Http1Data['headerKeyFormat'] {
  if (message === undefined) return 'lower';
  keyFormatFields.check(message, reasons);
  const format = message.headerFormat;
  if (format.case !== 'statefulFormatter') return format.case === 'properCaseWords' ? 'proper-case' : 'lower';
  const at = reasons.at('stateful_formatter');
  const typeUrl = format.value.typedConfig?.typeUrl ?? '';
  if (typeUrl.slice(typeUrl.lastIndexOf('/') + 1) === PreserveCaseFormatterConfigSchema.typeName) {
    const config = fromBinary(PreserveCaseFormatterConfigSchema, format.value.typedConfig!.value);
    preserveCaseFields.check(config, at.at('typed_config'));
  } else at.add(`formatter '${format.value.name}' of type '${typeUrl}' is not supported by sekisho`);
  return 'preserve-case';
}

function decodeUpgrade(message: StringMatcher, reasons: Reasons): StringMatchData | null {
  upgradeFields.check(message, reasons);
  const { matchPattern, ignoreCase } = message;
  switch (matchPattern.case) {
    case 'exact':
    case 'prefix':
    case 'suffix':
    case 'contains':
      return { kind: matchPattern.case, value: matchPattern.value, ignoreCase };
    default:
      return null;
  }
}
