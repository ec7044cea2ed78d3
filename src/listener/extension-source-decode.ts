import { digestOf } from '../core/digest.ts';
import type { ExtensionData, Extensions } from '../core/extension.ts';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { decodeConfigSource } from '../identity/decode/config-source-decode.ts';
import {
  ExtensionConfigSourceSchema,
  type ExtensionConfigSource,
} from '../proto/envoy/config/core/v3/config_source_pb.js';
import { toBinary } from '../proto/protobuf.js';
import { orderFault } from './filter-chain/filter-order.ts';
import { ExtensionSources, type ExtensionRefData } from './extension-sources.ts';

const supported = new SupportedFields(ExtensionConfigSourceSchema, [
  'config_source',
  'default_config',
  'apply_default_config_without_warming',
  'type_urls',
]);

/**
 * `config_discovery` of a filter: says that its configuration is needed. Null: reasons were added.
 * @param name of the filter
 * @param category where such filters stand: `envoy.filters.http`
 * @param isLast of a network filter: whether it is the last of its chain
 */
export function decodeExtensionSource(
  message: ExtensionConfigSource,
  name: string,
  category: string,
  reasons: Reasons,
  extensions: Extensions,
  isLast?: boolean,
): ExtensionRefData | null {
  supported.check(message, reasons);
  const before = reasons.list.length;
  const at = reasons.at('config_source');
  const source = message.configSource === undefined ? null : decodeConfigSource(message.configSource, at, name);
  const kinds = message.typeUrls.map(messageName);
  for (const [i, kind] of kinds.entries())
    if (extensions.knows?.(kind) === false)
      reasons.at('type_urls', i).add(`extension '${name}' (${category}) of type '${kind}' is not supported by sekisho`);
  const { defaultConfig, applyDefaultConfigWithoutWarming: startsWithFallback } = message;
  const fallback =
    defaultConfig === undefined ? null : extensions.open(category, name, defaultConfig, reasons, 'default_config');
  if (startsWithFallback && defaultConfig === undefined)
    reasons.add(`Error: filter config ${name} applied without warming but has no default config.`);
  if (fallback !== null) checkFallback(fallback, kinds, isLast, reasons.at('default_config'));
  const sources = ExtensionSources.of(extensions);
  if (sources === null) at.add('configurations of filters by ECDS are not supported by sekisho here');
  if (source === null || sources === null || reasons.list.length > before) return null;
  const digest = digestOf(toBinary(ExtensionConfigSourceSchema, message));
  const place = isLast === undefined ? {} : { isLast };
  const key = `ecds/${category}/${name}/${digest}${isLast === true ? '/last' : ''}`;
  sources.need({ key, name, category, source, kinds, fallback, startsWithFallback, ...place });
  return { key, kinds };
}

function checkFallback(
  { name, kind }: ExtensionData,
  kinds: readonly string[],
  isLast: boolean | undefined,
  reasons: Reasons,
): void {
  if (!kinds.includes(kind)) reasons.add(wrongKind(kind, kinds));
  const fault = isLast === undefined ? '' : orderFault(name, kind, isLast);
  if (fault !== '') reasons.add(`Error: ${fault}`);
}

/** Envoy's words. */
export function wrongKind(kind: string, kinds: readonly string[]): string {
  return `Error: filter config has type URL ${kind} but expect ${kinds.join(', ')}.`;
}

function messageName(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}
