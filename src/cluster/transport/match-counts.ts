import type { Counter, StatsScope } from '../../observe/stats/stats.ts';
import type { HostData } from '../cluster-data.ts';
import type { TransportData } from './transport-data.ts';

/** `<name of a transport socket>.total_match_count`: how many hosts have come that have it. The main thread's. */
export class MatchCounts {
  /** Same order as the cluster's transports; those with one name count together. */
  private readonly counters: readonly Counter[];

  /** `scope`: of the cluster. */
  constructor(scope: StatsScope, transports: readonly TransportData[]) {
    this.counters = transports.map(({ name }) => scope.scope(name).counter('total_match_count'));
  }

  add(hosts: readonly HostData[]): void {
    for (const { transport } of hosts) this.counters[transport].inc();
  }
}
