import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { HedgePolicySchema, type HedgePolicy } from '../../proto/envoy/config/route/v3/route_components_pb.js';

// Envoy reads the other two and never asks for them.
const hedgeFields = new SupportedFields(
  HedgePolicySchema,
  ['hedge_on_per_try_timeout'],
  ['initial_requests', 'additional_request_chance'],
);

/** Whether a try that takes too long goes on beside the next one. */
export function decodeHedgePolicy(message: HedgePolicy, reasons: Reasons): boolean {
  hedgeFields.check(message, reasons);
  return message.hedgeOnPerTryTimeout;
}
