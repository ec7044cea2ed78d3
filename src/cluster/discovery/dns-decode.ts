import { durationMs } from '../../core/duration.ts';
import type { Reasons } from '../../core/rejection.ts';
import type { DnsLookupFamily } from '../../net/dns-resolver.ts';
import { Cluster_DnsLookupFamily, type Cluster_RefreshRate } from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import type { DnsCluster_RefreshRate } from '../../proto/envoy/extensions/clusters/dns/v3/dns_cluster_pb.js';
import type { DnsData } from '../cluster-data.ts';

/** Envoy's default. */
const failureMaxFactor = 10;

/** `reasons`: where `dns_failure_refresh_rate` stands. */
export function decodeFailureRefresh(
  rate: Cluster_RefreshRate | DnsCluster_RefreshRate | undefined,
  reasons: Reasons,
): DnsData['failureRefresh'] {
  if (rate === undefined) return null;
  const baseMs = durationMs(rate.baseInterval, 0);
  const maxMs = durationMs(rate.maxInterval, baseMs * failureMaxFactor);
  if (maxMs < baseMs)
    reasons
      .at('dns_failure_refresh_rate')
      .add('dns_failure_refresh_rate must have max_interval greater than or equal to the base_interval');
  return { baseMs, maxMs };
}

export const lookupFamilies: Readonly<Record<number, DnsLookupFamily>> = {
  [Cluster_DnsLookupFamily.AUTO]: 'AUTO',
  [Cluster_DnsLookupFamily.V4_ONLY]: 'V4_ONLY',
  [Cluster_DnsLookupFamily.V6_ONLY]: 'V6_ONLY',
  [Cluster_DnsLookupFamily.V4_PREFERRED]: 'V4_PREFERRED',
  [Cluster_DnsLookupFamily.ALL]: 'ALL',
};
