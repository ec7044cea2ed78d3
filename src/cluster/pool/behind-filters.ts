import type { Cluster, HttpPool } from '../cluster.ts';

/** `pool` of `cluster` for a request of our own: behind the cluster's filters. */
export function behindFilters({ streamFilters = null }: Cluster, pool: HttpPool): HttpPool {
  return streamFilters === null ? pool : streamFilters.before(pool, null);
}
