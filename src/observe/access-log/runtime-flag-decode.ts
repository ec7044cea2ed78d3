import type { Reasons } from '../../core/rejection.ts';
import type { RuntimeFlagData } from '../../core/runtime-view.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { RuntimeFeatureFlagSchema, type RuntimeFeatureFlag } from '../../proto/envoy/config/core/v3/base_pb.js';

const supported = new SupportedFields(RuntimeFeatureFlagSchema, ['default_value', 'runtime_key']);

/** On unless told; `reasons` stand at the flag. */
export function decodeRuntimeFlag(message: RuntimeFeatureFlag | undefined, reasons: Reasons): RuntimeFlagData {
  if (message === undefined) return { key: '', value: true };
  supported.check(message, reasons);
  return { key: message.runtimeKey, value: message.defaultValue ?? true };
}
