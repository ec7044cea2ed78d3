import { headersCountMax, responseHeadersBytesMax } from '../../codec/h1/limits.ts';
import { durationMs } from '../../core/duration.ts';
import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { Cluster_ClusterProtocolSelection, type Cluster } from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import {
  Http1ProtocolOptions_HeaderKeyFormatSchema,
  Http1ProtocolOptionsSchema,
  HttpProtocolOptionsSchema,
  UpstreamHttpProtocolOptionsSchema,
  type Http1ProtocolOptions,
  type Http2ProtocolOptions,
  type HttpProtocolOptions,
  type UpstreamHttpProtocolOptions,
} from '../../proto/envoy/config/core/v3/protocol_pb.js';
import { PreserveCaseFormatterConfigSchema } from '../../proto/envoy/extensions/http/header_formatters/preserve_case/v3/preserve_case_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { UpstreamHttp1Data, UpstreamHttpData, UpstreamProtocol } from '../cluster-data.ts';
import { decodeHttp2 } from './http2-decode.ts';

/** Envoy's default: 1 hour. */
const defaultIdleMs = 3_600_000;

const category = 'envoy.upstream_options';
const httpOptionsKind = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const tcpOptionsKind = 'envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions';

// What a server does with requests.
const supportedCommon = new SupportedFields(
  HttpProtocolOptionsSchema,
  [
    'idle_timeout',
    'max_connection_duration',
    'max_headers_count',
    'max_response_headers_kb',
    'max_requests_per_connection',
  ],
  ['headers_with_underscores_action'],
);
// Likewise; and Envoy's choice of a parser.
const supportedHttp1 = new SupportedFields(
  Http1ProtocolOptionsSchema,
  ['header_key_format', 'enable_trailers', 'allow_chunked_length', 'send_fully_qualified_url'],
  [
    'allow_absolute_url',
    'accept_http_10',
    'default_host_for_http_10',
    'override_stream_error_on_invalid_http_message',
    'use_balsa_parser',
    'allow_custom_methods',
    'ignore_http_11_upgrade',
  ],
);
const supportedNames = new SupportedFields(UpstreamHttpProtocolOptionsSchema, [
  'auto_sni',
  'auto_san_validation',
  'override_auto_sni_header',
]);
const supportedKeyFormat = new SupportedFields(Http1ProtocolOptions_HeaderKeyFormatSchema, [
  'proper_case_words',
  'stateful_formatter',
]);
// The spelling of the headers that the proxy adds itself.
const supportedPreserveCase = new SupportedFields(PreserveCaseFormatterConfigSchema, []);

/** What the cluster says of its connections beside where they go. */
export interface UpstreamOptions {
  readonly http: UpstreamHttpData;
  /** `TcpProtocolOptions.idle_timeout`; null: it does not say. */
  readonly tcpIdleMs: number | null;
}

/**
 * What the cluster says of its HTTP connections: in `typed_extension_protocol_options`, or in the older fields of its
 * own, which count only where that has no HttpProtocolOptions.
 */
export function decodeUpstreamOptions(cluster: Cluster, reasons: Reasons, extensions: Extensions): UpstreamOptions {
  let typed: UpstreamHttpData | null = null;
  let tcpIdleMs: number | null = null;
  for (const [name, config] of Object.entries(cluster.typedExtensionProtocolOptions)) {
    const at = reasons.at('typed_extension_protocol_options', name);
    const opened = extensions.open(category, name, config, at, null);
    if (opened?.kind === httpOptionsKind) typed = opened.data as UpstreamHttpData;
    if (opened?.kind === tcpOptionsKind) tcpIdleMs = opened.data as number | null;
  }
  const http = typed ?? decodeOlder(cluster, reasons);
  const own = cluster.maxRequestsPerConnection;
  const isOlder = own === undefined || http.maxRequestsPerConnection > 0;
  return { http: isOlder ? http : { ...http, maxRequestsPerConnection: own }, tcpIdleMs };
}

/** What a cluster says of HTTP, wherever it says it. */
export interface UpstreamHttpParts {
  readonly protocol: UpstreamProtocol;
  readonly common: HttpProtocolOptions | undefined;
  readonly http1: Http1ProtocolOptions | undefined;
  readonly http2: Http2ProtocolOptions | undefined;
  readonly names: UpstreamHttpProtocolOptions | undefined;
}

/** The older fields of the cluster itself. */
function decodeOlder(cluster: Cluster, reasons: Reasons): UpstreamHttpData {
  const { httpProtocolOptions: http1, http2ProtocolOptions: http2 } = cluster;
  const isDownstream = cluster.protocolSelection === Cluster_ClusterProtocolSelection.USE_DOWNSTREAM_PROTOCOL;
  if (!isDownstream && http1 !== undefined && http2 !== undefined)
    reasons.add("Both HTTP1 and HTTP2 options may only be configured with non-default 'protocol_selection' values");
  return decodeUpstreamHttp(
    {
      protocol: isDownstream ? 'downstream' : http2 === undefined ? 'http1' : 'http2',
      common: cluster.commonHttpProtocolOptions,
      http1,
      http2,
      names: cluster.upstreamHttpProtocolOptions,
    },
    reasons,
    reasons,
  );
}

/** `reasons`: where the fields that all protocols share stand; `chosen`: where those of one protocol do. */
export function decodeUpstreamHttp(parts: UpstreamHttpParts, reasons: Reasons, chosen: Reasons): UpstreamHttpData {
  const { common, http1, http2, names } = parts;
  const commonReasons = reasons.at('common_http_protocol_options');
  if (names !== undefined) supportedNames.check(names, reasons.at('upstream_http_protocol_options'));
  if (common !== undefined) supportedCommon.check(common, commonReasons);
  const headersKb = common?.maxResponseHeadersKb;
  // Envoy asks only where both are given.
  if (headersKb !== undefined && (http2?.maxHeaderFieldSizeKb ?? 0) > headersKb) {
    const at = chosen.at('http2_protocol_options').at('max_header_field_size_kb');
    at.add('max_header_field_size_kb must not exceed max_response_headers_kb');
  }
  return {
    idleTimeoutMs: durationMs(common?.idleTimeout, defaultIdleMs),
    maxConnectionDurationMs: durationMs(common?.maxConnectionDuration, 0),
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? 0,
    maxResponseHeaderCount: common?.maxHeadersCount ?? headersCountMax,
    maxResponseHeaderBytes: headersKb === undefined ? responseHeadersBytesMax : headersKb * 1024,
    protocol: parts.protocol,
    names: {
      autoSni: names?.autoSni ?? false,
      autoSanValidation: names?.autoSanValidation ?? false,
      header: (names?.overrideAutoSniHeader ?? '').toLowerCase(),
    },
    http1: decodeHttp1(http1, chosen.at('http_protocol_options')),
    http2: decodeHttp2(http2, chosen.at('http2_protocol_options')),
  };
}

function decodeHttp1(options: Http1ProtocolOptions | undefined, reasons: Reasons): UpstreamHttp1Data {
  if (options !== undefined) supportedHttp1.check(options, reasons);
  return {
    enableTrailers: options?.enableTrailers ?? false,
    allowChunkedLength: options?.allowChunkedLength ?? false,
    sendFullyQualifiedUrl: options?.sendFullyQualifiedUrl ?? false,
    headerKeyFormat: decodeKeyFormat(options, reasons.at('header_key_format')),
  };
}

function decodeKeyFormat(
  options: Http1ProtocolOptions | undefined,
  reasons: Reasons,
): UpstreamHttp1Data['headerKeyFormat'] {
  const format = options?.headerKeyFormat;
  if (format === undefined) return 'lower';
  supportedKeyFormat.check(format, reasons);
  if (format.headerFormat.case === 'properCaseWords') return 'proper-case';
  if (format.headerFormat.case !== 'statefulFormatter') return 'lower';
  const { name, typedConfig } = format.headerFormat.value;
  const at = reasons.at('stateful_formatter').at('typed_config');
  const kind = typedConfig?.typeUrl.split('/').at(-1) ?? '';
  if (kind !== PreserveCaseFormatterConfigSchema.typeName) {
    at.add(`header formatter '${name}' of type '${kind}' is not supported by sekisho`);
    return 'lower';
  }
  supportedPreserveCase.check(fromBinary(PreserveCaseFormatterConfigSchema, typedConfig!.value), at);
  return 'preserve-case';
}
