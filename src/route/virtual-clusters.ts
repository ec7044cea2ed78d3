import type { RequestHead } from '../core/head.ts';
import { allMatch, HeaderMatcher } from './match/header-matcher.ts';
import type { VirtualClusterData } from './route-data.ts';

/** What a request counts as. */
export interface VirtualCluster {
  /** As configured; empty: it is none of those. */
  readonly name: string;
  /** In stats: `other` for what is none of several; empty: none is configured. */
  readonly statName: string;
}

export const noVirtualCluster: VirtualCluster = { name: '', statName: '' };
const otherVirtualCluster: VirtualCluster = { name: '', statName: 'other' };

/** Named sorts of requests of one virtual host, for statistics; the first that matches counts. */
export class VirtualClusters {
  private readonly clusters: readonly VirtualCluster[];
  private readonly matchers: readonly (readonly HeaderMatcher[])[];

  constructor(data: readonly VirtualClusterData[]) {
    this.clusters = data.map(({ name }) => ({ name, statName: name }));
    this.matchers = data.map((cluster) => cluster.headers.map((matcher) => new HeaderMatcher(matcher)));
  }

  of(head: RequestHead): VirtualCluster {
    if (this.clusters.length === 0) return noVirtualCluster;
    for (let i = 0; i < this.matchers.length; i++) if (allMatch(this.matchers[i], head)) return this.clusters[i];
    return otherVirtualCluster;
  }
}
