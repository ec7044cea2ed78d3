import type { LocalityData } from '../cluster-data.ts';
import type { UpstreamHost } from './host.ts';

/** The hosts of one locality within one priority. */
export interface LocalityHosts {
  readonly locality: LocalityData;
  /** `load_balancing_weight` of the locality; 0: takes no part in locality-weighted balancing. */
  readonly weight: number;
  readonly hosts: readonly UpstreamHost[];
  readonly healthy: readonly UpstreamHost[];
  readonly degraded: readonly UpstreamHost[];
  readonly excludedCount: number;
}

/** The hosts of one priority, sorted by health. Immutable: made anew whenever a host or its health changes. */
export class HostSet {
  readonly hosts: readonly UpstreamHost[];
  readonly healthy: readonly UpstreamHost[];
  readonly degraded: readonly UpstreamHost[];
  readonly excludedCount: number;
  private byLocality: readonly LocalityHosts[] | null;

  constructor(hosts: readonly UpstreamHost[]) {
    this.hosts = hosts;
    this.healthy = hosts.filter((host) => host.isHealthy);
    this.degraded = hosts.filter((host) => host.isDegraded);
    this.excludedCount = hosts.reduce((count, host) => count + (host.isExcluded ? 1 : 0), 0);
    this.byLocality = null;
  }

  /** Index: priority, without gaps; at least priority 0. */
  static byPriority(hosts: readonly UpstreamHost[]): HostSet[] {
    const lists: UpstreamHost[][] = [[]];
    for (const host of hosts) {
      while (lists.length <= host.priority) lists.push([]);
      lists[host.priority].push(host);
    }
    return lists.map((list) => new HostSet(list));
  }

  /** In order of first appearance; made when first asked for. */
  get localities(): readonly LocalityHosts[] {
    this.byLocality ??= groupByLocality(this.hosts);
    return this.byLocality;
  }
}

function groupByLocality(hosts: readonly UpstreamHost[]): LocalityHosts[] {
  const groups = Map.groupBy(hosts, ({ locality: { region, zone, subZone } }) => `${region}\0${zone}\0${subZone}`);
  return Array.from(groups.values(), (members) => {
    const set = new HostSet(members);
    const { locality, localityWeight: weight } = members[0];
    const { healthy, degraded, excludedCount } = set;
    return { locality, weight, hosts: members, healthy, degraded, excludedCount };
  });
}
