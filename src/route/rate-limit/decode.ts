import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { formatProblem } from '../../observe/format/format.ts';
import {
  RateLimit_HitsAddendSchema,
  RateLimit_Override_DynamicMetadataSchema,
  RateLimit_Override_RateLimitOverrideSchema,
  RateLimit_OverrideSchema,
  RateLimit_XRateLimitOption,
  RateLimitSchema,
  type RateLimit,
  type RateLimit_HitsAddend,
  type RateLimit_Override,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { RateLimitUnit } from '../../proto/envoy/type/v3/ratelimit_unit_pb.js';
import { decodeAction, decodeMetadataKey } from './decode-action.ts';
import type { HitsData, LimitData, LimitUnit, RateLimitData } from './rate-limit-data.ts';

const limitFields = new SupportedFields(RateLimitSchema, [
  'stage',
  'disable_key',
  'actions',
  'limit',
  'hits_addend',
  'apply_on_stream_done',
  'x_ratelimit_option',
]);
const hitsFields = new SupportedFields(RateLimit_HitsAddendSchema, ['number', 'format']);
const overrideFields = new SupportedFields(RateLimit_OverrideSchema, ['dynamic_metadata', 'rate_limit']);
const metadataFields = new SupportedFields(RateLimit_Override_DynamicMetadataSchema, ['metadata_key']);
const fixedFields = new SupportedFields(RateLimit_Override_RateLimitOverrideSchema, ['requests_per_unit', 'unit']);

/**
 * `rate_limits` of a route or of a virtual host. `reasons` stand at the message that has them. As in Envoy requests cost
 * one there, whatever `hits_addend` says.
 */
export function decodeRateLimits(messages: readonly RateLimit[], reasons: Reasons): RateLimitData[] {
  return decodeAll(messages, reasons).map((data) => ({ ...data, hits: oneHit }));
}

const oneHit: HitsData = { number: 1, format: '' };

function decodeAll(messages: readonly RateLimit[], reasons: Reasons): RateLimitData[] {
  return messages.map((message, i) => {
    const at = reasons.at('rate_limits', i);
    limitFields.check(message, at);
    return {
      actions: message.actions.map((action, j) => decodeAction(action, at.at('actions', j))),
      hits: decodeHits(message.hitsAddend, at.at('hits_addend')),
      stage: message.stage ?? 0,
      disableKey: message.disableKey,
      isOnDone: message.applyOnStreamDone,
      ...shown(message.xRatelimitOption),
      limit: message.limit === undefined ? null : decodeLimit(message.limit, at.at('limit')),
    };
  });
}

function shown(option: RateLimit_XRateLimitOption): Pick<RateLimitData, 'isShown'> {
  if (option === RateLimit_XRateLimitOption.UNSPECIFIED) return {};
  return { isShown: option === RateLimit_XRateLimitOption.DRAFT_VERSION_03 };
}

/** Those of a filter itself, which has one stage and no other to switch off. */
export function decodeFilterRateLimits(messages: readonly RateLimit[], reasons: Reasons): RateLimitData[] {
  messages.forEach(({ stage, disableKey, limit }, i) => {
    const at = reasons.at('rate_limits', i);
    if ((stage ?? 0) !== 0 || disableKey !== '') at.add("'stage' field and 'disable_key' field are not supported");
    if (limit !== undefined) at.add("'limit' field is not supported");
  });
  return decodeAll(messages, reasons);
}

function decodeHits(message: RateLimit_HitsAddend | undefined, reasons: Reasons): HitsData {
  if (message === undefined) return oneHit;
  hitsFields.check(message, reasons);
  const { format } = message;
  const problem = format === '' ? null : formatProblem(format);
  if (problem !== null) reasons.at('format').add(problem);
  return { number: Number(message.number ?? 1n), format };
}

function decodeLimit(message: RateLimit_Override, reasons: Reasons): LimitData | null {
  overrideFields.check(message, reasons);
  const limit = message.overrideSpecifier;
  if (limit.case === 'dynamicMetadata') {
    metadataFields.check(limit.value, reasons.at('dynamic_metadata'));
    return { kind: 'metadata', key: decodeMetadataKey(limit.value.metadataKey, reasons.at('dynamic_metadata')) };
  }
  if (limit.case === undefined) return null;
  fixedFields.check(limit.value, reasons.at('rate_limit'));
  const { requestsPerUnit, unit } = limit.value;
  return { kind: 'fixed', requestsPerUnit, unit: RateLimitUnit[unit] as LimitUnit };
}
