import { CodeStats } from '../../observe/stats/code-stats.ts';
import type { Counter, Gauge, Histogram, StatsScope } from '../../observe/stats/stats.ts';
import {
  ClusterCounter,
  clusterCounterNames,
  ClusterGauge,
  clusterGaugeNames,
  ClusterHistogram,
  clusterHistogramNames,
} from './cluster-stat-names.ts';
import type { ClusterStats } from '../cluster.ts';
import { TimeoutBudget } from '../limit/timeout-budget.ts';

/** Answers of one kind (`internal`, `external`, `canary`, `zone.…`): what Envoy counts a second time below that word. */
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
  readonly timeoutBudget: TimeoutBudget | null;
  private readonly counters: (Counter | null)[];
  private readonly gauges: (Gauge | null)[];
  private readonly histograms: (Histogram | null)[];
  private codes: CodeStats | null;
  private internal: OriginStats | null;
  private external: OriginStats | null;
  private canary: OriginStats | null;
  /** Of this process; empty: not known. */
  private readonly ownZone: string;
  /** By the host's zone; null: none yet. */
  private zones: Map<string, OriginStats> | null;

  /** `scope`: of the cluster, `cluster.<statName>`. */
  constructor(scope: StatsScope, ownZone = '', tracksTimeouts = false) {
    this.scope = scope;
    this.timeoutBudget = tracksTimeouts ? new TimeoutBudget(scope) : null;
    this.ownZone = ownZone;
    this.counters = clusterCounterNames.map(() => null);
    this.gauges = clusterGaugeNames.map(() => null);
    this.histograms = clusterHistogramNames.map(() => null);
    this.codes = null;
    this.internal = null;
    this.external = null;
    this.canary = null;
    this.zones = null;
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

  recordCode(status: number, internal: boolean, canary: boolean, hostZone: string): void {
    this.codes ??= new CodeStats(this.scope);
    this.codes.record(status);
    this.origin(internal).codes.record(status);
    if (canary) this.canaryOrigin().codes.record(status);
    if (hostZone !== '' && this.ownZone !== '') this.zone(hostZone).codes.record(status);
  }

  recordTime(milliseconds: number, internal: boolean, canary: boolean, hostZone: string): void {
    this.histogram(ClusterHistogram.RqTime).record(milliseconds);
    this.origin(internal).time.record(milliseconds);
    if (canary) this.canaryOrigin().time.record(milliseconds);
    if (hostZone !== '' && this.ownZone !== '') this.zone(hostZone).time.record(milliseconds);
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

  get flowControlBackedUp(): Counter {
    return this.counter(ClusterCounter.FlowControlBackedUpTotal);
  }

  get flowControlDrained(): Counter {
    return this.counter(ClusterCounter.FlowControlDrainedTotal);
  }

  get flowControlPausedReading(): Counter {
    return this.counter(ClusterCounter.FlowControlPausedReadingTotal);
  }

  get flowControlResumedReading(): Counter {
    return this.counter(ClusterCounter.FlowControlResumedReadingTotal);
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

  private zone(hostZone: string): OriginStats {
    this.zones ??= new Map();
    let stats = this.zones.get(hostZone);
    if (stats === undefined) {
      stats = new OriginStats(this.scope.scope(`zone.${this.ownZone}.${hostZone}`));
      this.zones.set(hostZone, stats);
    }
    return stats;
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
