import type { Extensions } from '../core/extension.ts';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { decodeConfigSource } from '../identity/decode/config-source-decode.ts';
import type { ConfigSourceData } from '../identity/config-source-data.ts';
import type { InternalSupport } from '../listener/internal-decode.ts';
import { TypedExtensionConfigSchema, type TypedExtensionConfig } from '../proto/envoy/config/core/v3/extension_pb.js';
import { InternalListenerSchema } from '../proto/envoy/extensions/bootstrap/internal_listener/v3/internal_listener_pb.js';
import { BootstrapExtensionSchema } from '../proto/istio/workload_discovery_pb.js';
import { fromBinary } from '../proto/protobuf.js';

const supportedConfig = new SupportedFields(TypedExtensionConfigSchema, ['name', 'typed_config']);
const supportedWorkloads = new SupportedFields(BootstrapExtensionSchema, ['config_source']);
const supportedInternal = new SupportedFields(InternalListenerSchema, ['buffer_size_kb']);

/** Envoy's default of `buffer_size_kb`. */
const bufferKb = 1024;

const category = 'envoy.bootstrap';

/** What `bootstrap_extensions` ask for. */
export interface BootstrapExtensionsData {
  /** Null: internal listeners are not asked for. */
  readonly internal: InternalSupport | null;
  /** Where it is told who is at which address; null: nowhere. */
  readonly workloads: ConfigSourceData | null;
}

/** What else is named is refused. `hasAds`: there is an ads_config. */
export function decodeBootstrapExtensions(
  configs: readonly TypedExtensionConfig[],
  reasons: Reasons,
  extensions: Extensions,
  hasAds: boolean,
): BootstrapExtensionsData {
  let internal: InternalSupport | null = null;
  let workloads: ConfigSourceData | null = null;
  for (const [i, config] of configs.entries()) {
    const at = reasons.at('bootstrap_extensions', i);
    supportedConfig.check(config, at);
    const opened = extensions.open(category, config.name, config.typedConfig, at);
    if (opened?.kind === InternalListenerSchema.typeName) internal = opened.data as InternalSupport;
    else if (opened !== null) workloads = opened.data as ConfigSourceData;
    if (opened !== null && workloads?.from.kind === 'ads' && !hasAds)
      at.at('typed_config').at('config_source').add('ads is named, and there is no ads_config');
  }
  return { internal, workloads };
}

/** Istio's `envoy.bootstrap.workload_discovery`. */
export const workloadDiscoveryDecoder = {
  kind: BootstrapExtensionSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): ConfigSourceData | null {
    const message = fromBinary(BootstrapExtensionSchema, bytes);
    supportedWorkloads.check(message, reasons);
    const at = reasons.at('config_source');
    if (message.configSource !== undefined) return decodeConfigSource(message.configSource, at);
    at.add("field 'config_source' is required");
    return null;
  },
};

/** `envoy.bootstrap`: internal listeners and how much their connections hold. */
export const internalListenerDecoder = {
  kind: InternalListenerSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): InternalSupport {
    const message = fromBinary(InternalListenerSchema, bytes);
    supportedInternal.check(message, reasons);
    return { bufferBytes: (message.bufferSizeKb ?? bufferKb) * 1024 };
  },
};
