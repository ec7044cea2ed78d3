import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { formatProblem } from '../../observe/format/format.ts';
import { RoutingPriority } from '../../proto/envoy/config/core/v3/base_pb.js';
import type { TypedExtensionConfig } from '../../proto/envoy/config/core/v3/extension_pb.js';
import {
  RouteAction_ClusterNotFoundResponseCode,
  RouteAction_MaxStreamDurationSchema,
  RouteActionSchema,
  type RouteAction,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { UriTemplateRewriteConfigSchema } from '../../proto/envoy/extensions/path/rewrite/uri_template/v3/uri_template_rewrite_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeHashPolicies } from '../hash/decode.ts';
import { decodeRegexRewrite } from '../match/decode.ts';
import { decodeMirrors } from '../mirror/decode.ts';
import { decodeRateLimits } from '../rate-limit/decode.ts';
import { decodeInternalRedirects } from '../redirect/decode.ts';
import type { ForwardData, HostRewriteData, PathMatchData, PathRewriteData, RouteTimeoutsData } from '../route-data.ts';
import { rewriteProblem, templateProblem } from '../uri-template.ts';
import { lowerAscii, wireText } from '../wire-text.ts';
import { decodeClusterSpecifier } from './cluster-specifier-decode.ts';
import { checkEarlyData } from './early-data-decode.ts';
import { decodeHedgePolicy } from './hedge-policy-decode.ts';
import { decodeRetryPolicy } from './retry-policy-decode.ts';
import { decodeUpgrades } from './upgrade-decode.ts';
import { decodeMetadataMatch, wholeMs, type RouteDecoding, type RouteDefaults } from './field-decode.ts';

const actionFields = new SupportedFields(
  RouteActionSchema,
  [
    'cluster',
    'cluster_header',
    'weighted_clusters',
    'cluster_not_found_response_code',
    'prefix_rewrite',
    'regex_rewrite',
    'path_rewrite_policy',
    'path_rewrite',
    'host_rewrite_literal',
    'auto_host_rewrite',
    'host_rewrite_header',
    'host_rewrite_path_regex',
    'host_rewrite',
    'append_x_forwarded_host',
    'timeout',
    'idle_timeout',
    'flush_timeout',
    'retry_policy',
    'hedge_policy',
    'priority',
    'max_grpc_timeout',
    'grpc_timeout_offset',
    'upgrade_configs',
    'max_stream_duration',
    'hash_policy',
    'metadata_match',
    'request_mirror_policies',
    'internal_redirect_policy',
    'internal_redirect_action',
    'max_internal_redirects',
    'rate_limits',
    'include_vh_rate_limits',
  ],
  // Of HTTP/3 alone.
  ['early_data_policy'],
);
const durationFields = new SupportedFields(RouteAction_MaxStreamDurationSchema, [
  'max_stream_duration',
  'grpc_timeout_header_max',
  'grpc_timeout_header_offset',
]);
const rewriterFields = new SupportedFields(UriTemplateRewriteConfigSchema, ['path_template_rewrite']);

const defaultTimeoutMs = 15_000;
const NotFound = RouteAction_ClusterNotFoundResponseCode;

const defaultTimeouts: RouteTimeoutsData = {
  timeoutMs: defaultTimeoutMs,
  idleTimeoutMs: -1,
  flushTimeoutMs: -1,
  maxStreamDurationMs: -1,
  grpcTimeoutHeaderMaxMs: -1,
  grpcTimeoutHeaderOffsetMs: 0,
  maxGrpcTimeoutMs: -1,
  grpcTimeoutOffsetMs: 0,
};

/** `non_forwarding_action`: Envoy's router finds no cluster for it. */
export const forwardNowhere: ForwardData = {
  kind: 'forward',
  cluster: { kind: 'fixed', name: '' },
  clusterNotFoundStatus: 503,
  pathRewrite: null,
  hostRewrite: null,
  autoHostRewrite: false,
  appendXForwardedHost: false,
  timeouts: defaultTimeouts,
  retry: null,
  priority: 0,
  requestBufferLimit: -1,
  upgrades: null,
  hashPolicy: null,
  metadataMatch: null,
};

export function decodeForward(
  message: RouteAction,
  match: PathMatchData,
  routeName: string,
  reasons: Reasons,
  decoding: RouteDecoding,
  defaults: RouteDefaults,
): ForwardData {
  actionFields.check(message, reasons);
  if (message.earlyDataPolicy !== undefined) checkEarlyData(message.earlyDataPolicy, reasons.at('early_data_policy'));
  const host = message.hostRewriteSpecifier;
  const { retryPolicy, hedgePolicy } = message;
  return {
    kind: 'forward',
    cluster: decodeClusterSpecifier(message.clusterSpecifier, routeName, reasons, decoding),
    clusterNotFoundStatus: notFoundStatus(message.clusterNotFoundResponseCode),
    pathRewrite: decodePathRewrite(message, match, reasons, decoding),
    hostRewrite: decodeHostRewrite(host, reasons, decoding),
    autoHostRewrite: host.case === 'autoHostRewrite' && host.value.value,
    appendXForwardedHost: message.appendXForwardedHost,
    timeouts: decodeTimeouts(message, reasons),
    retry:
      retryPolicy === undefined ? defaults.retry : decodeRetryPolicy(retryPolicy, reasons.at('retry_policy'), decoding),
    hedgesOnPerTryTimeout:
      hedgePolicy === undefined ? defaults.hedges : decodeHedgePolicy(hedgePolicy, reasons.at('hedge_policy')),
    priority: message.priority === RoutingPriority.HIGH ? 1 : 0,
    requestBufferLimit: defaults.requestBufferLimit,
    upgrades: decodeUpgrades(message.upgradeConfigs, reasons),
    hashPolicy: decodeHashPolicies(message.hashPolicy, reasons, decoding.maxProgramSize),
    metadataMatch: decodeMetadataMatch(message.metadataMatch, reasons),
    redirects: decodeInternalRedirects(message, reasons),
    ...decodeRouteLimits(message, reasons),
    mirrors: decodeMirrors(message.requestMirrorPolicies, reasons),
  };
}

/** Nothing where there is nothing: most routes have none. */
function decodeRouteLimits(
  { rateLimits, includeVhRateLimits }: RouteAction,
  reasons: Reasons,
): Pick<ForwardData, 'rateLimits' | 'includesHostRateLimits'> {
  return {
    ...(rateLimits.length === 0 ? {} : { rateLimits: decodeRateLimits(rateLimits, reasons) }),
    ...(includeVhRateLimits === true ? { includesHostRateLimits: true } : {}),
  };
}

function notFoundStatus(code: RouteAction_ClusterNotFoundResponseCode): number {
  if (code === NotFound.NOT_FOUND) return 404;
  return code === NotFound.INTERNAL_SERVER_ERROR ? 500 : 503;
}

/** With `max_stream_duration`, whatever it says, `timeout` does not count (observed on Envoy 1.39). */
function decodeTimeouts(message: RouteAction, reasons: Reasons): RouteTimeoutsData {
  const { maxStreamDuration: duration } = message;
  const isPlain =
    message.idleTimeout === undefined &&
    message.flushTimeout === undefined &&
    duration === undefined &&
    message.maxGrpcTimeout === undefined;
  const timeoutMs = wholeMs(message.timeout, defaultTimeoutMs, 'timeout', reasons);
  if (isPlain) return timeoutMs === defaultTimeoutMs ? defaultTimeouts : { ...defaultTimeouts, timeoutMs };
  const at = reasons.at('max_stream_duration');
  if (duration !== undefined) durationFields.check(duration, at);
  return {
    timeoutMs: duration === undefined ? timeoutMs : 0,
    idleTimeoutMs: wholeMs(message.idleTimeout, -1, 'idle_timeout', reasons),
    flushTimeoutMs: wholeMs(message.flushTimeout, -1, 'flush_timeout', reasons),
    maxStreamDurationMs: wholeMs(duration?.maxStreamDuration, -1, 'max_stream_duration', at),
    grpcTimeoutHeaderMaxMs: wholeMs(duration?.grpcTimeoutHeaderMax, -1, 'grpc_timeout_header_max', at),
    grpcTimeoutHeaderOffsetMs: wholeMs(duration?.grpcTimeoutHeaderOffset, 0, 'grpc_timeout_header_offset', at),
    maxGrpcTimeoutMs: duration === undefined ? wholeMs(message.maxGrpcTimeout, -1, 'max_grpc_timeout', reasons) : -1,
    grpcTimeoutOffsetMs: wholeMs(message.grpcTimeoutOffset, 0, 'grpc_timeout_offset', reasons),
  };
}

function decodePathRewrite(
  message: RouteAction,
  match: PathMatchData,
  reasons: Reasons,
  decoding: RouteDecoding,
): PathRewriteData | null {
  const found: PathRewriteData[] = [];
  if (message.prefixRewrite !== '') {
    if (match.kind === 'template') reasons.at('prefix_rewrite').add('Cannot use prefix_rewrite with matcher extension');
    found.push({ kind: 'prefix', value: wireText(message.prefixRewrite) });
  }
  if (message.regexRewrite !== undefined) {
    const at = reasons.at('regex_rewrite');
    found.push({ kind: 'regex', ...decodeRegexRewrite(message.regexRewrite, at, decoding.maxProgramSize) });
  }
  if (message.pathRewritePolicy !== undefined) {
    const rewrite = decodeTemplateRewrite(message.pathRewritePolicy, match, reasons.at('path_rewrite_policy'));
    found.push({ kind: 'template', rewrite });
  }
  if (message.pathRewrite !== '') {
    const problem = formatProblem(message.pathRewrite, { omitEmptyValues: true });
    if (problem !== null) reasons.at('path_rewrite').add(`Failed to create path rewrite formatter: ${problem}`);
    found.push({ kind: 'format', format: message.pathRewrite });
  }
  if (found.length > 1) {
    reasons.add('Specify only one of prefix_rewrite, regex_rewrite, path_rewrite_policy or path_rewrite');
  }
  return found[0] ?? null;
}

function decodeTemplateRewrite(config: TypedExtensionConfig, match: PathMatchData, reasons: Reasons): string {
  const any = config.typedConfig;
  if (any === undefined || !any.typeUrl.endsWith(`/${UriTemplateRewriteConfigSchema.typeName}`)) {
    reasons.add(`path rewriter '${config.name}' of type '${any?.typeUrl ?? ''}' is not supported by sekisho`);
    return '';
  }
  const message = fromBinary(UriTemplateRewriteConfigSchema, any.value);
  const at = reasons.at('typed_config');
  rewriterFields.check(message, at);
  if (match.kind !== 'template') {
    at.add(
      'unable to use envoy.path.rewrite.uri_template.uri_template_rewriter extension without envoy.path.match.uri_template.uri_template_matcher extension',
    );
  } else if (templateProblem(match.value) === null) {
    const problem = rewriteProblem(message.pathTemplateRewrite, match.value);
    if (problem !== null) at.at('path_template_rewrite').add(problem);
  }
  return message.pathTemplateRewrite;
}

function decodeHostRewrite(
  specifier: RouteAction['hostRewriteSpecifier'],
  reasons: Reasons,
  decoding: RouteDecoding,
): HostRewriteData | null {
  switch (specifier.case) {
    case 'hostRewriteLiteral':
      return specifier.value === '' ? null : { kind: 'literal', value: wireText(specifier.value) };
    case 'hostRewriteHeader':
      return specifier.value === '' ? null : { kind: 'header', header: lowerAscii(wireText(specifier.value)) };
    case 'hostRewritePathRegex': {
      const at = reasons.at('host_rewrite_path_regex');
      return { kind: 'pathRegex', ...decodeRegexRewrite(specifier.value, at, decoding.maxProgramSize) };
    }
    case 'hostRewrite': {
      if (specifier.value === '') return null;
      const problem = formatProblem(specifier.value);
      if (problem !== null) reasons.at('host_rewrite').add(`Failed to create host rewrite formatter: ${problem}`);
      return { kind: 'format', format: specifier.value };
    }
    default:
      return null;
  }
}
