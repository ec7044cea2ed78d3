import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { bucketMemory, decodeTokenBucket } from '../../observe/limit/token-bucket-decode.ts';
import {
  LocalRateLimitDescriptorSchema,
  RateLimitDescriptor_EntrySchema,
  VhRateLimitsOptions,
  XRateLimitHeadersRFCVersion,
  type LocalRateLimitDescriptor,
} from '../../proto/envoy/extensions/common/ratelimit/v3/ratelimit_pb.js';
import {
  LocalRateLimitSchema,
  type LocalRateLimit,
} from '../../proto/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeHeaderMutations } from '../../route/decode/header-mutations-decode.ts';
import { wireText } from '../../route/wire-text.ts';
import { decodeRuntimeFraction } from '../decode-fraction.ts';
import { decodeFilterRateLimits } from '../../route/rate-limit/decode.ts';
import { cellsOf } from './limits.ts';
import type { LimitDescriptorData, LimitsData, LocalRateLimitData } from './local-ratelimit-data.ts';

const supported = new SupportedFields(LocalRateLimitSchema, [
  'stat_prefix',
  'status',
  'token_bucket',
  'filter_enabled',
  'filter_enforced',
  'request_headers_to_add_when_not_enforced',
  'response_headers_to_add',
  'descriptors',
  'local_rate_limit_per_downstream_connection',
  'enable_x_ratelimit_headers',
  'always_consume_default_token_bucket',
  'rate_limited_as_resource_exhausted',
  'rate_limits',
  'stage',
  'vh_rate_limits',
  'max_dynamic_descriptors',
]);
const descriptorFields = new SupportedFields(LocalRateLimitDescriptorSchema, ['entries', 'token_bucket']);
const entryFields = new SupportedFields(RateLimitDescriptor_EntrySchema, ['key', 'value']);

/** Envoy's. */
const dynamicMaxByDefault = 20;
/** Of ours: each is 16 bytes of shared memory from the start. */
const dynamicMaxMax = 65_536;
const tooManyRequests = 429;

export const localRateLimitDecoder: ExtensionDecoder = {
  kind: LocalRateLimitSchema.typeName,
  decode: (bytes, reasons) => decodeLocalRateLimit(fromBinary(LocalRateLimitSchema, bytes), reasons),
};

export function decodeLocalRateLimit(message: LocalRateLimit, reasons: Reasons): LocalRateLimitData {
  supported.check(message, reasons);
  const status: number = message.status?.code ?? 0;
  const limits = decodeLimits(message, reasons);
  // A filter may have no bucket where its routes have theirs; as Envoy, which knows from where it is asked.
  if (limits.byDefault === null && reasons.path.includes('typed_per_filter_config'))
    reasons.add('local rate limit token bucket must be set for per filter configs');
  return {
    statPrefix: message.statPrefix,
    status: status >= 400 ? status : tooManyRequests,
    enabled: decodeRuntimeFraction(message.filterEnabled),
    enforced: decodeRuntimeFraction(message.filterEnforced),
    requestHeaders: decodeHeaderMutations(
      message.requestHeadersToAddWhenNotEnforced,
      [],
      'request_headers_to',
      reasons,
    ),
    responseHeaders: decodeHeaderMutations(message.responseHeadersToAdd, [], 'response_headers_to', reasons),
    limits,
    memory: bucketMemory(reasons.path, limits, cellsOf(limits)),
    isPerConnection: message.localRateLimitPerDownstreamConnection,
    hasRateLimitHeaders: message.enableXRatelimitHeaders === XRateLimitHeadersRFCVersion.DRAFT_VERSION_03,
    isResourceExhausted: message.rateLimitedAsResourceExhausted,
    rateLimits: decodeFilterRateLimits(message.rateLimits, reasons),
    stage: message.stage,
    virtualHosts: VhRateLimitsOptions[message.vhRateLimits] as LocalRateLimitData['virtualHosts'],
  };
}

function decodeLimits(message: LocalRateLimit, reasons: Reasons): LimitsData {
  const dynamicMax = message.maxDynamicDescriptors ?? dynamicMaxByDefault;
  if (dynamicMax > dynamicMaxMax)
    reasons.at('max_dynamic_descriptors').add(`${dynamicMax} is more than the ${dynamicMaxMax} supported by sekisho`);
  return {
    byDefault:
      message.tokenBucket === undefined ? null : decodeTokenBucket(message.tokenBucket, reasons.at('token_bucket')),
    descriptors: decodeDescriptors(message.descriptors, reasons),
    alwaysByDefault: message.alwaysConsumeDefaultTokenBucket ?? true,
    dynamicMax: Math.min(dynamicMax, dynamicMaxMax),
  };
}

function decodeDescriptors(messages: readonly LocalRateLimitDescriptor[], reasons: Reasons): LimitDescriptorData[] {
  const seen = new Set<string>();
  return messages.map((message, i) => {
    const at = reasons.at('descriptors', i);
    descriptorFields.check(message, at);
    const entries = message.entries.map((entry, j) => {
      entryFields.check(entry, at.at('entries', j));
      return { key: wireText(entry.key), value: wireText(entry.value) };
    });
    const text = entries.map(({ key, value }) => `${key}=${value}`).join(', ');
    if (seen.has(text)) at.add(`duplicate descriptor in the local rate descriptor: ${text}`);
    seen.add(text);
    const what = 'local rate limit descriptor';
    return { entries, bucket: decodeTokenBucket(message.tokenBucket, at.at('token_bucket'), what) };
  });
}
