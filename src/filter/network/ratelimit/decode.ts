import { durationMs } from '../../../core/duration.ts';
import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { formatProblem } from '../../../observe/format/format.ts';
import {
  RateLimitDescriptor_EntrySchema,
  RateLimitDescriptorSchema,
  type RateLimitDescriptor,
} from '../../../proto/envoy/extensions/common/ratelimit/v3/ratelimit_pb.js';
import { RateLimitSchema } from '../../../proto/envoy/extensions/filters/network/ratelimit/v3/rate_limit_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import { decodeRateLimitService } from '../../ratelimit/decode.ts';
import type { NetworkRateLimitData } from './network-ratelimit-data.ts';

const supported = new SupportedFields(RateLimitSchema, [
  'stat_prefix',
  'domain',
  'descriptors',
  'timeout',
  'failure_mode_deny',
  'rate_limit_service',
]);
const descriptorFields = new SupportedFields(
  RateLimitDescriptorSchema,
  ['entries'],
  // Envoy does not read them here.
  ['limit', 'hits_addend', 'is_negative_hits'],
);
const entryFields = new SupportedFields(RateLimitDescriptor_EntrySchema, ['key', 'value']);

/** Envoy's. */
const timeoutMsDefault = 20;

export const networkRateLimitDecoder: ExtensionDecoder = {
  kind: RateLimitSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): NetworkRateLimitData | null {
    const message = fromBinary(RateLimitSchema, bytes);
    supported.check(message, reasons);
    const descriptors = message.descriptors.map((one, i) => decodeDescriptor(one, reasons.at('descriptors', i)));
    const service = decodeRateLimitService(message.rateLimitService, reasons.at('rate_limit_service'));
    if (service === null) return null;
    return {
      statPrefix: message.statPrefix,
      domain: message.domain,
      descriptors,
      timeoutMs: durationMs(message.timeout, timeoutMsDefault),
      failureModeDeny: message.failureModeDeny,
      service,
    };
  },
};

function decodeDescriptor(message: RateLimitDescriptor, reasons: Reasons): { key: string; format: string }[] {
  descriptorFields.check(message, reasons);
  return message.entries.map((entry, i) => {
    const at = reasons.at('entries', i);
    entryFields.check(entry, at);
    const problem = formatProblem(entry.value);
    if (problem !== null) at.at('value').add(problem);
    return { key: entry.key, format: entry.value };
  });
}
