import { CodeStats } from '../../../observe/stats/code-stats.ts';
import type { Counter, Histogram, StatsScope } from '../../../observe/stats/stats.ts';

/** `vhost.<virtual host>.vcluster.<virtual cluster>.*` or `vhost.<virtual host>.route.<stat_prefix>.*`. */
export class RouteStats {
  readonly total: Counter;
  readonly timeout: Counter;
  readonly retry: Counter;
  readonly retrySuccess: Counter;
  readonly retryOverflow: Counter;
  readonly retryLimitExceeded: Counter;
  private readonly codes: CodeStats;
  private readonly time: Histogram;

  constructor(scope: StatsScope) {
    this.total = scope.counter('upstream_rq_total');
    this.timeout = scope.counter('upstream_rq_timeout');
    this.retry = scope.counter('upstream_rq_retry');
    this.retrySuccess = scope.counter('upstream_rq_retry_success');
    this.retryOverflow = scope.counter('upstream_rq_retry_overflow');
    this.retryLimitExceeded = scope.counter('upstream_rq_retry_limit_exceeded');
    this.codes = new CodeStats(scope);
    this.time = scope.histogram('upstream_rq_time');
  }

  recordCode(status: number): void {
    this.codes.record(status);
  }

  recordTime(milliseconds: number): void {
    this.time.record(milliseconds);
  }
}

const none: readonly RouteStats[] = [];

/** Where else a stream counts, by names that the configuration gives, so that there are few of them. */
export class RouteStatsDirectory {
  private readonly root: StatsScope;
  private readonly byName: Map<string, RouteStats>;

  constructor(root: StatsScope) {
    this.root = root;
    this.byName = new Map();
  }

  /** Empty names: not configured. */
  of(virtualHost: string, virtualCluster: string, routePrefix: string): readonly RouteStats[] {
    if (virtualCluster === '' && routePrefix === '') return none;
    const found: RouteStats[] = [];
    if (virtualCluster !== '') found.push(this.get(`vhost.${virtualHost}.vcluster.${virtualCluster}`));
    if (routePrefix !== '') found.push(this.get(`vhost.${virtualHost}.route.${routePrefix}`));
    return found;
  }

  private get(name: string): RouteStats {
    let stats = this.byName.get(name);
    if (stats === undefined) {
      stats = new RouteStats(this.root.scope(name));
      this.byName.set(name, stats);
    }
    return stats;
  }
}
