import type { Any } from '@bufbuild/protobuf/wkt';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { FilterConfigSchema } from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { PerFilterData } from '../route-data.ts';
import type { RouteDecoding } from './field-decode.ts';

const filterConfigFields = new SupportedFields(FilterConfigSchema, ['config', 'is_optional', 'disabled']);
const filterConfigType = 'envoy.config.route.v3.FilterConfig';
const category = 'envoy.filters.http';

/** `typed_per_filter_config` of one level; null: none. */
export function decodePerFilter(
  configs: Readonly<Record<string, Any>>,
  reasons: Reasons,
  decoding: RouteDecoding,
): readonly PerFilterData[] | null {
  const entries: PerFilterData[] = [];
  for (const [filter, config] of Object.entries(configs)) {
    const at = reasons.at('typed_per_filter_config', filter);
    const isWrapped = config.typeUrl.endsWith(`/${filterConfigType}`);
    const entry = isWrapped
      ? decodeWrapped(filter, config, at, decoding)
      : decodeConfig(filter, config, false, at, decoding);
    if (entry !== null) entries.push(entry);
  }
  return entries.length === 0 ? null : entries;
}

/** A filter that is switched off ignores its configuration; an empty one only switches it on. */
function decodeWrapped(filter: string, config: Any, reasons: Reasons, decoding: RouteDecoding): PerFilterData | null {
  const message = fromBinary(FilterConfigSchema, config.value);
  filterConfigFields.check(message, reasons);
  if (message.disabled) return { filter, disabled: true, config: null };
  if (message.config === undefined) {
    reasons.add(`Empty route/virtual host per filter configuration for ${filter} filter`);
    return null;
  }
  if (message.config.typeUrl === '') return { filter, disabled: false, config: null };
  return decodeConfig(filter, message.config, message.isOptional, reasons.at('config'), decoding);
}

/** An optional configuration of a type that is not known counts as not there. */
function decodeConfig(
  filter: string,
  config: Any,
  isOptional: boolean,
  reasons: Reasons,
  decoding: RouteDecoding,
): PerFilterData | null {
  const { extensions } = decoding;
  if (isOptional && extensions.knows?.(config.typeUrl) === false) return { filter, disabled: false, config: null };
  const data = extensions.open(category, filter, config, reasons, null);
  return data === null ? null : { filter, disabled: false, config: data };
}
