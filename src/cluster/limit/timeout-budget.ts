import type { Histogram, StatsScope } from '../../observe/stats/stats.ts';
import type { TimeoutBudgetStats } from '../cluster.ts';

/** `track_cluster_stats.timeout_budgets`: how much of their time requests and tries need. Source: Envoy `percentageOfTimeout`. */
export class TimeoutBudget implements TimeoutBudgetStats {
  private readonly ofRequests: Histogram;
  private readonly ofTries: Histogram;

  /** `scope`: of the cluster. */
  constructor(scope: StatsScope) {
    this.ofRequests = scope.histogram('upstream_rq_timeout_budget_percent_used');
    this.ofTries = scope.histogram('upstream_rq_timeout_budget_per_try_percent_used');
  }

  recordRequest(elapsedMs: number, timeoutMs: number): void {
    this.ofRequests.record(percentOf(elapsedMs, timeoutMs));
  }

  recordTry(elapsedMs: number, timeoutMs: number): void {
    this.ofTries.record(percentOf(elapsedMs, timeoutMs));
  }
}

/** Of no limit nothing is ever used. */
function percentOf(elapsedMs: number, timeoutMs: number): number {
  return timeoutMs === 0 ? 0 : Math.floor((Math.floor(elapsedMs) * 100) / timeoutMs);
}
