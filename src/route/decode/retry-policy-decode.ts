import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  RetryPolicy_RateLimitedRetryBackOffSchema,
  RetryPolicy_ResetHeaderFormat,
  RetryPolicy_ResetHeaderSchema,
  RetryPolicy_RetryBackOffSchema,
  RetryPolicy_RetryHostPredicateSchema,
  RetryPolicy_RetryPrioritySchema,
  RetryPolicySchema,
  type RetryPolicy,
  type RetryPolicy_RetryHostPredicate,
  type RetryPolicy_RetryPriority,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { OmitHostMetadataConfigSchema } from '../../proto/envoy/extensions/retry/host/omit_host_metadata/v3/omit_host_metadata_config_pb.js';
import { PreviousPrioritiesConfigSchema } from '../../proto/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeHeaderMatchers } from '../match/decode.ts';
import { parseRetryOn } from '../retry-on.ts';
import { lowerAscii, wireText } from '../wire-text.ts';
import type { MetadataData, RateLimitedBackOffData, RetryPolicyData } from '../route-data.ts';
import { decodeMetadataMatch, wholeMs, type RouteDecoding } from './field-decode.ts';

const retryFields = new SupportedFields(RetryPolicySchema, [
  'retry_on',
  'num_retries',
  'per_try_timeout',
  'per_try_idle_timeout',
  'retry_host_predicate',
  'host_selection_retry_max_attempts',
  'retriable_status_codes',
  'retry_back_off',
  'retriable_headers',
  'retriable_request_headers',
  'rate_limited_retry_back_off',
  'refresh_cluster_on_retry',
  'retry_priority',
]);
const backOffFields = new SupportedFields(RetryPolicy_RetryBackOffSchema, ['base_interval', 'max_interval']);
const rateLimitedFields = new SupportedFields(RetryPolicy_RateLimitedRetryBackOffSchema, [
  'reset_headers',
  'max_interval',
]);
const resetHeaderFields = new SupportedFields(RetryPolicy_ResetHeaderSchema, ['name', 'format']);
const omitFields = new SupportedFields(OmitHostMetadataConfigSchema, ['metadata_match']);
const predicateFields = new SupportedFields(RetryPolicy_RetryHostPredicateSchema, ['name', 'typed_config']);

const priorityFields = new SupportedFields(RetryPolicy_RetryPrioritySchema, ['name', 'typed_config']);
const previousPrioritiesFields = new SupportedFields(PreviousPrioritiesConfigSchema, ['update_frequency']);

const predicates: ReadonlyMap<string, string> = new Map([
  ['envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate', 'previous_hosts'],
  ['envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate', 'omit_canary_hosts'],
]);

const omitHostMetadata = '/envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig';

/** Envoy's. */
const resetIntervalMaxMs = 300_000;

export function decodeRetryPolicy(message: RetryPolicy, reasons: Reasons, decoding: RouteDecoding): RetryPolicyData {
  retryFields.check(message, reasons);
  const { maxProgramSize } = decoding;
  const attempts = Number(message.hostSelectionRetryMaxAttempts);
  return {
    retryOn: parseRetryOn(message.retryOn),
    maxRetries: message.numRetries ?? 1,
    perTryTimeoutMs: wholeMs(message.perTryTimeout, 0, 'per_try_timeout', reasons),
    perTryIdleTimeoutMs: wholeMs(message.perTryIdleTimeout, 0, 'per_try_idle_timeout', reasons),
    ...decodeBackOff(message, reasons),
    retriableStatusCodes: message.retriableStatusCodes,
    retriableHeaders: decodeHeaderMatchers(message.retriableHeaders, 'retriable_headers', reasons, maxProgramSize),
    retriableRequestHeaders: decodeHeaderMatchers(
      message.retriableRequestHeaders,
      'retriable_request_headers',
      reasons,
      maxProgramSize,
    ),
    hostPredicates: message.retryHostPredicate.flatMap((predicate, i) =>
      decodePredicate(predicate, reasons.at('retry_host_predicate', i)),
    ),
    hostSelectionAttempts: attempts === 0 ? 1 : attempts,
    omittedMetadata: decodeOmitted(message, reasons),
    rateLimited: decodeRateLimited(message, reasons),
    refreshesCluster: message.refreshClusterOnRetry,
    priorityUpdateFrequency: decodePriority(message.retryPriority, reasons.at('retry_priority')),
  };
}

/** Shorter than a millisecond counts as one, as in Envoy. */
function decodeBackOff(message: RetryPolicy, reasons: Reasons): { backOffBaseMs: number; backOffMaxMs: number } {
  const backOff = message.retryBackOff;
  if (backOff === undefined) return { backOffBaseMs: 0, backOffMaxMs: 0 };
  const at = reasons.at('retry_back_off');
  backOffFields.check(backOff, at);
  const backOffBaseMs = Math.max(1, wholeMs(backOff.baseInterval, 1, 'base_interval', at));
  if (backOff.maxInterval === undefined) return { backOffBaseMs, backOffMaxMs: backOffBaseMs * 10 };
  const backOffMaxMs = Math.max(1, wholeMs(backOff.maxInterval, 1, 'max_interval', at));
  if (backOffMaxMs < backOffBaseMs) {
    at.add('retry_policy.max_interval must greater than or equal to the base_interval');
  }
  return { backOffBaseMs, backOffMaxMs };
}

function decodePredicate(message: RetryPolicy_RetryHostPredicate, reasons: Reasons): string[] {
  predicateFields.check(message, reasons);
  const typeUrl = message.configType.case === 'typedConfig' ? message.configType.value.typeUrl : '';
  const predicate = predicates.get(typeUrl.slice(typeUrl.lastIndexOf('/') + 1));
  if (predicate !== undefined) return [predicate];
  if (typeUrl.endsWith(omitHostMetadata)) return [];
  reasons.add(`retry host predicate '${message.name}' with type URL '${typeUrl}' is not supported by sekisho`);
  return [];
}

/** 0: tries do not change the priority. */
function decodePriority(message: RetryPolicy_RetryPriority | undefined, reasons: Reasons): number {
  if (message === undefined) return 0;
  priorityFields.check(message, reasons);
  const any = message.configType.case === 'typedConfig' ? message.configType.value : null;
  if (any === null || !any.typeUrl.endsWith(`/${PreviousPrioritiesConfigSchema.typeName}`)) {
    reasons.add(`retry priority '${message.name}' with type URL '${any?.typeUrl ?? ''}' is not supported by sekisho`);
    return 0;
  }
  const config = fromBinary(PreviousPrioritiesConfigSchema, any.value);
  const at = reasons.at('typed_config');
  previousPrioritiesFields.check(config, at);
  if (config.updateFrequency <= 0) at.at('update_frequency').add('value must be greater than 0');
  return config.updateFrequency;
}

/** Null: no host is passed over for its metadata. */
function decodeOmitted(message: RetryPolicy, reasons: Reasons): readonly MetadataData[] | null {
  const omitted: MetadataData[] = [];
  message.retryHostPredicate.forEach(({ configType }, i) => {
    if (configType.case !== 'typedConfig' || !configType.value.typeUrl.endsWith(omitHostMetadata)) return;
    const at = reasons.at('retry_host_predicate', i).at('typed_config');
    const config = fromBinary(OmitHostMetadataConfigSchema, configType.value.value);
    omitFields.check(config, at);
    const match = decodeMetadataMatch(config.metadataMatch, at);
    if (match !== null) omitted.push(match);
  });
  return omitted.length === 0 ? null : omitted;
}

function decodeRateLimited(message: RetryPolicy, reasons: Reasons): RateLimitedBackOffData | null {
  const { rateLimitedRetryBackOff: backOff } = message;
  if (backOff === undefined) return null;
  const at = reasons.at('rate_limited_retry_back_off');
  rateLimitedFields.check(backOff, at);
  return {
    maxIntervalMs: wholeMs(backOff.maxInterval, resetIntervalMaxMs, 'max_interval', at),
    resetHeaders: backOff.resetHeaders.map((header, i) => {
      resetHeaderFields.check(header, at.at('reset_headers', i));
      const isTimestamp = header.format === RetryPolicy_ResetHeaderFormat.UNIX_TIMESTAMP;
      return { name: lowerAscii(wireText(header.name)), isTimestamp };
    }),
  };
}
