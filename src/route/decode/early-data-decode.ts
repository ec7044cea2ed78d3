import type { Reasons } from '../../core/rejection.ts';
import type { TypedExtensionConfig } from '../../proto/envoy/config/core/v3/extension_pb.js';
import { DefaultEarlyDataPolicySchema } from '../../proto/envoy/extensions/early_data/v3/default_early_data_policy_pb.js';

/** `early_data_policy`: requests in the first flight of a QUIC connection, which no upstream here speaks. */
export function checkEarlyData({ name, typedConfig }: TypedExtensionConfig, reasons: Reasons): void {
  const typeUrl = typedConfig?.typeUrl ?? '';
  if (typeUrl.endsWith(`/${DefaultEarlyDataPolicySchema.typeName}`)) return;
  reasons.add(`early data policy '${name}' of type '${typeUrl}' is not supported by sekisho`);
}
