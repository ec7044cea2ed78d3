import type { Counter, Gauge, Histogram, StatsScope } from '../observe/stats.ts';
import {
  ClusterCounter,
  clusterCounterNames,
  ClusterGauge,
  clusterGaugeNames,
  ClusterHistogram,
  clusterHistogramNames,
} from './cluster-stat-names.ts';
import type { ClusterStats } from './cluster.ts';

/** `_<N>xx` and `_<code>` of one class of statuses. */
class CodeClass {
  /** Null above 5xx: Envoy has no such class. */
  private readonly total: Counter | null;
  private readonly codes: Map<number, Counter>;
  private readonly scope: StatsScope;

  constructor(scope: StatsScope, group: number) {
    this.total = group >= 1 && group <= 5 ? scope.counter(`upstream_rq_${group}xx`) : null;
    this.codes = new Map();
    this.scope = scope;
  }

  record(status: number): void {
    if (this.total !== null) this.total.inc();
    let counter = this.codes.get(status);
    if (counter === undefined) {
      counter = this.scope.counter(`upstream_rq_${status}`);
      this.codes.set(status, counter);
    }
    counter.inc();
  }
}

/** `upstream_rq_completed`, `_<N>xx` and `_<code>` below one prefix; made when they first occur. */
class CodeStats {
  private readonly scope: StatsScope;
  private readonly completed: Counter;
  private readonly classes: (CodeClass | null)[];

  constructor(scope: StatsScope) {
    this.scope = scope;
    this.completed = scope.counter('upstream_rq_completed');
    this.classes = Array.from({ length: 10 }, () => null);
  }

  record(status: number): void {
    this.completed.inc();
    const group = (status / 100) | 0;
    (this.classes[group] ?? this.makeClass(group)).record(status);
  }

  private makeClass(group: number): CodeClass {
    const made = new CodeClass(this.scope, group);
    this.classes[group] = made;
    return made;
  }
}

/** Answers of one origin (`internal`, `external`, `canary`): what Envoy counts a second time below that word. */
class OriginStats {
  readonly codes: CodeStats;
  readonly time: Histogram;

  constructor(scope: StatsScope) {
    this.codes = new CodeStats(scope);
    this.time = scope.histogram('upstream_rq_time');
  }
}

/** A cluster's stats in one worker. Each is allotted when it is first asked for, so that idle clusters hold none. */
export class UpstreamStats implements ClusterStats {
  readonly scope: StatsScope;
  private readonly counters: (Counter | null)[];
  private readonly gauges: (Gauge | null)[];
  private readonly histograms: (Histogram | null)[];
  private codes: CodeStats | null;
  private internal: OriginStats | null;
  private external: OriginStats | null;
  private canary: OriginStats | null;

  /** `scope`: of the cluster, `cluster.<statName>`. */
  constructor(scope: StatsScope) {
    this.scope = scope;
    this.counters = clusterCounterNames.map(() => null);
    this.gauges = clusterGaugeNames.map(() => null);
    this.histograms = clusterHistogramNames.map(() => null);
    this.codes = null;
    this.internal = null;
    this.external = null;
    this.canary = null;
  }

  counter(stat: ClusterCounter): Counter {
    return this.counters[stat] ?? this.makeCounter(stat);
  }

  gauge(stat: ClusterGauge): Gauge {
    return this.gauges[stat] ?? this.makeGauge(stat);
  }

  histogram(stat: ClusterHistogram): Histogram {
    return this.histograms[stat] ?? this.makeHistogram(stat);
  }

  recordCode(status: number, internal: boolean, canary: boolean): void {
    this.codes ??= new CodeStats(this.scope);
    this.codes.record(status);
    this.origin(internal).codes.record(status);
    if (canary) this.canaryOrigin().codes.record(status);
  }

  recordTime(milliseconds: number, internal: boolean, canary: boolean): void {
    this.histogram(ClusterHistogram.RqTime).record(milliseconds);
    this.origin(internal).time.record(milliseconds);
    if (canary) this.canaryOrigin().time.record(milliseconds);
  }

  get rqTimeout(): Counter {
    return this.counter(ClusterCounter.RqTimeout);
  }

  get rqPerTryTimeout(): Counter {
    return this.counter(ClusterCounter.RqPerTryTimeout);
  }

  get rqPerTryIdleTimeout(): Counter {
    return this.counter(ClusterCounter.RqPerTryIdleTimeout);
  }

  get rqMaxDurationReached(): Counter {
    return this.counter(ClusterCounter.RqMaxDurationReached);
  }

  get rqCompleted(): Counter {
    return this.counter(ClusterCounter.RqCompleted);
  }

  get rqTime(): Histogram {
    return this.histogram(ClusterHistogram.RqTime);
  }

  get rqRetry(): Counter {
    return this.counter(ClusterCounter.RqRetry);
  }

  get rqRetryBackoffExponential(): Counter {
    return this.counter(ClusterCounter.RqRetryBackoffExponential);
  }

  get rqRetryLimitExceeded(): Counter {
    return this.counter(ClusterCounter.RqRetryLimitExceeded);
  }

  get rqRetryOverflow(): Counter {
    return this.counter(ClusterCounter.RqRetryOverflow);
  }

  get rqRetrySuccess(): Counter {
    return this.counter(ClusterCounter.RqRetrySuccess);
  }

  get rqRxReset(): Counter {
    return this.counter(ClusterCounter.RqRxReset);
  }

  get rqTxReset(): Counter {
    return this.counter(ClusterCounter.RqTxReset);
  }

  get rqActive(): Gauge {
    return this.gauge(ClusterGauge.RqActive);
  }

  get cxNoneHealthy(): Counter {
    return this.counter(ClusterCounter.CxNoneHealthy);
  }

  get retryOrShadowAbandoned(): Counter {
    return this.counter(ClusterCounter.RetryOrShadowAbandoned);
  }

  private origin(internal: boolean): OriginStats {
    if (internal) return (this.internal ??= new OriginStats(this.scope.scope('internal')));
    return (this.external ??= new OriginStats(this.scope.scope('external')));
  }

  private canaryOrigin(): OriginStats {
    this.canary ??= new OriginStats(this.scope.scope('canary'));
    return this.canary;
  }

  private makeCounter(stat: ClusterCounter): Counter {
    const counter = this.scope.counter(clusterCounterNames[stat]);
    this.counters[stat] = counter;
    return counter;
  }

  private makeGauge(stat: ClusterGauge): Gauge {
    const gauge = this.scope.gauge(clusterGaugeNames[stat]);
    this.gauges[stat] = gauge;
    return gauge;
  }

  private makeHistogram(stat: ClusterHistogram): Histogram {
    const histogram = this.scope.histogram(clusterHistogramNames[stat]);
    this.histograms[stat] = histogram;
    return histogram;
  }
}
