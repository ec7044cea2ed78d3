import { durationMs } from '../../core/duration.ts';
import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { GrpcServiceData } from '../../identity/config-source-data.ts';
import { decodeService } from '../../identity/decode/config-source-decode.ts';
import { ApiVersion } from '../../proto/envoy/config/core/v3/config_source_pb.js';
import {
  RateLimitServiceConfigSchema,
  type RateLimitServiceConfig,
} from '../../proto/envoy/config/ratelimit/v3/rls_pb.js';
import {
  RateLimit_XRateLimitHeadersRFCVersion,
  RateLimitPerRoute_VhRateLimitsOptions,
  RateLimitPerRouteSchema,
  RateLimitSchema,
} from '../../proto/envoy/extensions/filters/http/ratelimit/v3/rate_limit_pb.js';
import { HttpStatusSchema } from '../../proto/envoy/type/v3/http_status_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeHeaderMutations } from '../../route/decode/header-mutations-decode.ts';
import { decodeFilterRateLimits } from '../../route/rate-limit/decode.ts';
import type { VirtualHostLimits } from '../../route/rate-limit/rate-limits.ts';
import { wireText } from '../../route/wire-text.ts';
import { decodeRuntimeFraction } from '../decode-fraction.ts';
import type { RateLimitFilterData, RateLimitPerRouteData } from './ratelimit-data.ts';

const supported = new SupportedFields(RateLimitSchema, [
  'domain',
  'stage',
  'request_type',
  'timeout',
  'failure_mode_deny',
  'rate_limited_as_resource_exhausted',
  'rate_limit_service',
  'enable_x_ratelimit_headers',
  'disable_x_envoy_ratelimited_header',
  'rate_limited_status',
  'response_headers_to_add',
  'status_on_error',
  'stat_prefix',
  'filter_enabled',
  'filter_enforced',
  'failure_mode_deny_percent',
  'rate_limits',
  'metadata_namespace',
]);
const statusFields = new SupportedFields(HttpStatusSchema, ['code']);
const serviceFields = new SupportedFields(RateLimitServiceConfigSchema, ['grpc_service', 'transport_api_version']);
const perRouteFields = new SupportedFields(
  RateLimitPerRouteSchema,
  ['vh_rate_limits', 'rate_limits', 'domain'],
  // Envoy does not read it yet.
  ['override_option'],
);

/** Envoy's. */
const timeoutMsDefault = 20;
const tooManyRequests = 429;
const internalServerError = 500;

export const rateLimitDecoder: ExtensionDecoder = {
  kind: RateLimitSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): RateLimitFilterData | null {
    const message = fromBinary(RateLimitSchema, bytes);
    supported.check(message, reasons);
    const { rateLimitedStatus, statusOnError, requestType } = message;
    if (rateLimitedStatus !== undefined) statusFields.check(rateLimitedStatus, reasons.at('rate_limited_status'));
    if (statusOnError !== undefined) statusFields.check(statusOnError, reasons.at('status_on_error'));
    const service = decodeRateLimitService(message.rateLimitService, reasons.at('rate_limit_service'));
    if (service === null) return null;
    const limited: number = rateLimitedStatus?.code ?? 0;
    return {
      domain: wireText(message.domain),
      stage: message.stage,
      requestType: requestType === 'internal' || requestType === 'external' ? requestType : 'both',
      timeoutMs: durationMs(message.timeout, timeoutMsDefault),
      service,
      failureModeDeny: message.failureModeDeny,
      failureModeDenyFraction: decodeRuntimeFraction(message.failureModeDenyPercent),
      isResourceExhausted: message.rateLimitedAsResourceExhausted,
      hasRateLimitHeaders: message.enableXRatelimitHeaders === RateLimit_XRateLimitHeadersRFCVersion.DRAFT_VERSION_03,
      saysRateLimited: !message.disableXEnvoyRatelimitedHeader,
      status: limited >= 400 ? limited : tooManyRequests,
      responseHeaders: decodeHeaderMutations(message.responseHeadersToAdd, [], 'response_headers_to', reasons),
      statusOnError: statusOnError?.code ?? internalServerError,
      statPrefix: message.statPrefix,
      enabled: decodeRuntimeFraction(message.filterEnabled),
      enforced: decodeRuntimeFraction(message.filterEnforced),
      rateLimits: decodeFilterRateLimits(message.rateLimits, reasons),
      metadataNamespace: message.metadataNamespace || 'envoy.filters.http.ratelimit',
    };
  },
};

/** Null: reasons were added. */
export function decodeRateLimitService(
  config: RateLimitServiceConfig | undefined,
  reasons: Reasons,
): GrpcServiceData | null {
  if (config?.grpcService === undefined) {
    reasons.at('grpc_service').add('a rate limit service must be named');
    return null;
  }
  serviceFields.check(config, reasons);
  if (config.transportApiVersion === ApiVersion.V2) reasons.at('transport_api_version').add('only V3 is supported');
  return decodeService(config.grpcService, reasons.at('grpc_service'));
}

export const rateLimitPerRouteDecoder: ExtensionDecoder = {
  kind: RateLimitPerRouteSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): RateLimitPerRouteData {
    const message = fromBinary(RateLimitPerRouteSchema, bytes);
    perRouteFields.check(message, reasons);
    return {
      virtualHosts: RateLimitPerRoute_VhRateLimitsOptions[message.vhRateLimits] as VirtualHostLimits,
      rateLimits: decodeFilterRateLimits(message.rateLimits, reasons),
      domain: wireText(message.domain),
    };
  },
};
