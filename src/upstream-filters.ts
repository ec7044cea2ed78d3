import type { ConnectionFilters } from './cluster/pool/pool-context.ts';
import type { ExtensionData } from './core/extension.ts';
import type { NetworkFilterBuilders } from './filter/network/builders.ts';
import type { UpstreamFilterTools } from './filter/network/network-filter.ts';

/** The `filters` of a cluster, in their order: the first one is next to the connection. */
export function buildUpstreamFilters(
  filters: readonly ExtensionData[],
  builders: NetworkFilterBuilders,
  tools: UpstreamFilterTools,
): ConnectionFilters {
  const built = filters.map(({ kind, data }) => {
    const builder = builders.get(kind);
    if (builder?.buildUpstream === undefined) throw new Error(`no filter of clusters of type ${kind}`);
    return builder.buildUpstream(data, tools);
  });
  if (built.length === 1) return built[0];
  return {
    connected: (connection, host, found) =>
      built.reduce((inner, filter) => filter.connected(inner, host, found), connection),
  };
}
