import type { Outcome } from '../../../observe/outcome.ts';
import type { Workload } from './workload.ts';

/** The workloads that a control plane has told of (workload discovery). */
export interface WorkloadLookup {
  /** `address`: an IP address without its port. Null: nobody there is known. */
  byAddress(address: string): Workload | null;
}

/** Who the upstream of a stream or connection is; null: nobody knows. */
export function upstreamWorkload(
  lookup: WorkloadLookup,
  { upstreamHost, upstreamHostMetadata }: Outcome,
): Workload | null {
  if (upstreamHost === '') return null;
  if (!upstreamHost.startsWith('envoy://')) return lookup.byAddress(hostOf(upstreamHost));
  // A host of another network is a gateway, whoever is behind it.
  if (textAt(upstreamHostMetadata, 'istio', 'double_hbone') !== undefined) return null;
  const local = textAt(upstreamHostMetadata, 'envoy.filters.listener.original_dst', 'local');
  return typeof local === 'string' ? lookup.byAddress(hostOf(local)) : null;
}

function textAt(metadata: Outcome['upstreamHostMetadata'], namespace: string, key: string): unknown {
  return (metadata?.[namespace] as Readonly<Record<string, unknown>> | undefined)?.[key];
}

/** Of `host:port` or `[host]:port`. */
function hostOf(address: string): string {
  if (address.startsWith('[')) return address.slice(1, address.indexOf(']'));
  const colon = address.lastIndexOf(':');
  return colon < 0 ? address : address.slice(0, colon);
}
