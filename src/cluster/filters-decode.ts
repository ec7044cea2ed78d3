import type { ExtensionData, Extensions } from '../core/extension.ts';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { FilterSchema, type Filter } from '../proto/envoy/config/cluster/v3/filter_pb.js';

const supported = new SupportedFields(FilterSchema, ['name', 'typed_config']);

/** `filters` of a cluster; `reasons` stand at the cluster. */
export function decodeFilters(
  messages: readonly Filter[],
  reasons: Reasons,
  extensions: Extensions,
): { readonly filters?: readonly ExtensionData[] } {
  const filters = messages.flatMap((message, i) => {
    const at = reasons.at('filters', i);
    supported.check(message, at);
    return extensions.open('envoy.filters.upstream_network', message.name, message.typedConfig, at) ?? [];
  });
  return filters.length === 0 ? {} : { filters };
}
