import type { Counter, Gauge, StatsScope } from '../../observe/stats/stats.ts';

/** `cluster_manager.*`, but for what `MergedChanges` counts. */
export class ClusterStats {
  readonly added: Counter;
  readonly modified: Counter;
  readonly removed: Counter;
  /** Other hosts of a cluster that is in force. */
  readonly updated: Counter;
  /** The same, of changes that were told together. */
  readonly merged: Counter;
  readonly active: Gauge;
  readonly warming: Gauge;

  constructor(root: StatsScope) {
    const scope = root.scope('cluster_manager');
    this.added = scope.counter('cluster_added');
    this.modified = scope.counter('cluster_modified');
    this.removed = scope.counter('cluster_removed');
    this.updated = scope.counter('cluster_updated');
    this.merged = scope.counter('cluster_updated_via_merge');
    this.active = scope.gauge('active_clusters');
    this.warming = scope.gauge('warming_clusters');
    this.warming.set(0);
  }
}
