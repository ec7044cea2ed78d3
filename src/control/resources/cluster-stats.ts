import type { Counter, Gauge, StatsScope } from '../../observe/stats.ts';

/** Nothing here moves them; Envoy has them from the start. */
const idle = ['cluster_updated_via_merge', 'update_merge_cancelled', 'update_out_of_merge_window'];

/** `cluster_manager.*`. */
export class ClusterStats {
  readonly added: Counter;
  readonly modified: Counter;
  readonly removed: Counter;
  /** Other hosts of a cluster that is in force. */
  readonly updated: Counter;
  readonly active: Gauge;
  readonly warming: Gauge;

  constructor(root: StatsScope) {
    const scope = root.scope('cluster_manager');
    this.added = scope.counter('cluster_added');
    this.modified = scope.counter('cluster_modified');
    this.removed = scope.counter('cluster_removed');
    this.updated = scope.counter('cluster_updated');
    this.active = scope.gauge('active_clusters');
    this.warming = scope.gauge('warming_clusters');
    this.warming.set(0);
    for (const name of idle) scope.counter(name);
  }
}
