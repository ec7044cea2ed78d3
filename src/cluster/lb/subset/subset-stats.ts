import type { Counter, Gauge, StatsScope } from '../../../observe/stats/stats.ts';

/** Envoy's names; each worker counts its own subsets. */
export class SubsetStats {
  readonly active: Gauge;
  readonly created: Counter;
  readonly removed: Counter;
  readonly selected: Counter;
  readonly fallback: Counter;
  readonly fallbackPanic: Counter;
  readonly duplicates: Gauge;

  /** `scope`: of the cluster. */
  constructor(scope: StatsScope) {
    this.active = scope.gauge('lb_subsets_active');
    this.created = scope.counter('lb_subsets_created');
    this.removed = scope.counter('lb_subsets_removed');
    this.selected = scope.counter('lb_subsets_selected');
    this.fallback = scope.counter('lb_subsets_fallback');
    this.fallbackPanic = scope.counter('lb_subsets_fallback_panic');
    this.duplicates = scope.gauge('lb_subsets_single_host_per_subset_duplicate');
  }
}
