import type { RequestHead } from '../core/head.ts';
import { allMatch, HeaderMatcher } from './match/header-matcher.ts';
import type { VirtualClusterData } from './route-data.ts';

/** Named sorts of requests of one virtual host, for statistics; the first that matches counts. */
export class VirtualClusters {
  private readonly names: readonly string[];
  private readonly matchers: readonly (readonly HeaderMatcher[])[];

  constructor(data: readonly VirtualClusterData[]) {
    this.names = data.map((cluster) => cluster.name);
    this.matchers = data.map((cluster) => cluster.headers.map((matcher) => new HeaderMatcher(matcher)));
  }

  nameFor(head: RequestHead): string {
    if (this.names.length === 0) return '';
    for (let i = 0; i < this.matchers.length; i++) if (allMatch(this.matchers[i], head)) return this.names[i];
    return 'other';
  }
}
