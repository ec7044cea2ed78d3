import type { Extensions } from '../core/extension.ts';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import type { InternalSupport } from '../listener/internal-decode.ts';
import { TypedExtensionConfigSchema, type TypedExtensionConfig } from '../proto/envoy/config/core/v3/extension_pb.js';
import { InternalListenerSchema } from '../proto/envoy/extensions/bootstrap/internal_listener/v3/internal_listener_pb.js';
import { fromBinary } from '../proto/protobuf.js';

const supportedConfig = new SupportedFields(TypedExtensionConfigSchema, ['name', 'typed_config']);
const supportedInternal = new SupportedFields(InternalListenerSchema, ['buffer_size_kb']);

/** Envoy's default of `buffer_size_kb`. */
const bufferKb = 1024;

const category = 'envoy.bootstrap';

/** `envoy.bootstrap.internal_listener`; what else is named is refused. Null: internal listeners are not asked for. */
export function decodeBootstrapExtensions(
  configs: readonly TypedExtensionConfig[],
  reasons: Reasons,
  extensions: Extensions,
): InternalSupport | null {
  let support: InternalSupport | null = null;
  for (const [i, config] of configs.entries()) {
    const at = reasons.at('bootstrap_extensions', i);
    supportedConfig.check(config, at);
    const opened = extensions.open(category, config.name, config.typedConfig, at);
    if (opened !== null) support = opened.data as InternalSupport;
  }
  return support;
}

/** `envoy.bootstrap`: internal listeners and how much their connections hold. */
export const internalListenerDecoder = {
  kind: InternalListenerSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): InternalSupport {
    const message = fromBinary(InternalListenerSchema, bytes);
    supportedInternal.check(message, reasons);
    return { bufferBytes: (message.bufferSizeKb ?? bufferKb) * 1024 };
  },
};
