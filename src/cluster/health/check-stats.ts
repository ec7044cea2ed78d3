import type { Counter, Gauge, StatsScope } from '../../observe/stats/stats.ts';

/** `cluster.<name>.health_check.*`. */
export class CheckStats {
  readonly attempt: Counter;
  readonly success: Counter;
  readonly failure: Counter;
  readonly passiveFailure: Counter;
  readonly networkFailure: Counter;
  readonly verifyCluster: Counter;
  readonly healthy: Gauge;
  readonly degraded: Gauge;

  /** `scope`: of the cluster. */
  constructor(scope: StatsScope) {
    const below = scope.scope('health_check');
    this.attempt = below.counter('attempt');
    this.success = below.counter('success');
    this.failure = below.counter('failure');
    this.passiveFailure = below.counter('passive_failure');
    this.networkFailure = below.counter('network_failure');
    this.verifyCluster = below.counter('verify_cluster');
    this.healthy = below.gauge('healthy');
    this.degraded = below.gauge('degraded');
  }
}
