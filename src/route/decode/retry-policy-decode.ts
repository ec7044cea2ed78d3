import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  RetryPolicy_RetryBackOffSchema,
  RetryPolicy_RetryHostPredicateSchema,
  RetryPolicySchema,
  type RetryPolicy,
  type RetryPolicy_RetryHostPredicate,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { decodeHeaderMatchers } from '../match/decode.ts';
import { parseRetryOn } from '../retry-on.ts';
import type { RetryPolicyData } from '../route-data.ts';
import { wholeMs, type RouteDecoding } from './field-decode.ts';

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
]);
const backOffFields = new SupportedFields(RetryPolicy_RetryBackOffSchema, ['base_interval', 'max_interval']);
const predicateFields = new SupportedFields(RetryPolicy_RetryHostPredicateSchema, ['name', 'typed_config']);

const predicates: ReadonlyMap<string, string> = new Map([
  ['envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate', 'previous_hosts'],
  ['envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate', 'omit_canary_hosts'],
]);

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
  reasons.add(`retry host predicate '${message.name}' with type URL '${typeUrl}' is not supported by sekisho`);
  return [];
}
