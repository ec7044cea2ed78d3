import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { decodeApi, decodeConfigSource } from '../identity/decode/config-source-decode.ts';
import {
  Bootstrap_DynamicResourcesSchema,
  type Bootstrap_DynamicResources,
} from '../proto/envoy/config/bootstrap/v3/bootstrap_pb.js';
import type { ConfigSource } from '../proto/envoy/config/core/v3/config_source_pb.js';
import type { ConfigSourceData } from '../identity/config-source-data.ts';
import type { DynamicResourcesData } from './bootstrap-data.ts';

const supported = new SupportedFields(Bootstrap_DynamicResourcesSchema, ['lds_config', 'cds_config', 'ads_config']);

/** Nothing acts on it yet. */
function isAwaited({ ldsConfig, cdsConfig, adsConfig }: Bootstrap_DynamicResources, field: string): boolean {
  if (field === 'lds_config') return ldsConfig !== undefined;
  return field === 'cds_config' ? cdsConfig !== undefined : adsConfig !== undefined;
}

/** `dynamic_resources`: where what is not written in the configuration comes from. */
export function decodeDynamicResources(
  message: Bootstrap_DynamicResources | undefined,
  reasons: Reasons,
): DynamicResourcesData {
  if (message === undefined) return { lds: null, cds: null, ads: null };
  supported.check(message, reasons);
  for (const field of ['lds_config', 'cds_config', 'ads_config'] as const)
    if (isAwaited(message, field)) reasons.unsupported(field);
  const { ldsConfig, cdsConfig, adsConfig } = message;
  const ads = adsConfig === undefined ? null : decodeApi(adsConfig, reasons.at('ads_config'));
  const source = (config: ConfigSource | undefined, at: Reasons): ConfigSourceData | null => {
    const data = config === undefined ? null : decodeConfigSource(config, at);
    // Envoy has a stream that nothing comes over.
    if (data?.from.kind === 'ads' && adsConfig === undefined) at.add('there is no ads_config for it to come over');
    return data;
  };
  return { lds: source(ldsConfig, reasons.at('lds_config')), cds: source(cdsConfig, reasons.at('cds_config')), ads };
}
