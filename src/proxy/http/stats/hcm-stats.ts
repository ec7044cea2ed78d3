import type { Counter, Gauge, Histogram, StatsScope } from '../../../observe/stats/stats.ts';
import { idleGaugeNames, rareCounterNames, type RareCounterName } from './hcm-stat-names.ts';

/** `http.<stat_prefix>.*`. The ones that every request or connection touches are fields; rare ones are asked for by name. */
export class HcmStats {
  readonly scope: StatsScope;
  readonly cxTotal: Counter;
  readonly cxHttp1Total: Counter;
  readonly cxHttp2Total: Counter;
  readonly cxSslTotal: Counter;
  readonly cxActive: Gauge;
  readonly cxSslActive: Gauge;
  readonly cxHttp1Active: Gauge;
  readonly cxHttp2Active: Gauge;
  readonly cxUpgradesTotal: Counter;
  readonly cxUpgradesActive: Gauge;
  readonly cxDestroy: Counter;
  readonly cxLengthMs: Histogram;
  readonly cxRxBytes: Counter;
  readonly cxTxBytes: Counter;
  readonly rqTotal: Counter;
  readonly rqHttp1Total: Counter;
  readonly rqHttp2Total: Counter;
  readonly rqActive: Gauge;
  readonly rqCompleted: Counter;
  readonly rqTime: Histogram;
  readonly routerRqTotal: Counter;
  /** Connections past `http1_safe_max_connection_duration` that wait for their last request. */
  readonly cxHttp1SoftDrain: Gauge;
  /** `downstream_rq_1xx` … `5xx`, by class. */
  readonly rqClass: readonly Counter[];
  /** The same below `listener.<address>.`: Envoy counts answers in both places. */
  private readonly listenerRqCompleted: Counter;
  private readonly listenerRqClass: readonly Counter[];

  /** `listenerScope`: `listener.<address>.http.<stat_prefix>`. */
  constructor(scope: StatsScope, listenerScope: StatsScope) {
    this.scope = scope;
    this.cxTotal = scope.counter('downstream_cx_total');
    this.cxHttp1Total = scope.counter('downstream_cx_http1_total');
    this.cxHttp2Total = scope.counter('downstream_cx_http2_total');
    this.cxSslTotal = scope.counter('downstream_cx_ssl_total');
    this.cxActive = scope.gauge('downstream_cx_active');
    this.cxSslActive = scope.gauge('downstream_cx_ssl_active');
    this.cxHttp1Active = scope.gauge('downstream_cx_http1_active');
    this.cxHttp2Active = scope.gauge('downstream_cx_http2_active');
    this.cxUpgradesTotal = scope.counter('downstream_cx_upgrades_total');
    this.cxUpgradesActive = scope.gauge('downstream_cx_upgrades_active');
    this.cxDestroy = scope.counter('downstream_cx_destroy');
    this.cxLengthMs = scope.histogram('downstream_cx_length_ms');
    this.cxRxBytes = scope.counter('downstream_cx_rx_bytes_total');
    this.cxTxBytes = scope.counter('downstream_cx_tx_bytes_total');
    this.rqTotal = scope.counter('downstream_rq_total');
    this.rqHttp1Total = scope.counter('downstream_rq_http1_total');
    this.rqHttp2Total = scope.counter('downstream_rq_http2_total');
    this.rqActive = scope.gauge('downstream_rq_active');
    this.rqCompleted = scope.counter('downstream_rq_completed');
    this.rqTime = scope.histogram('downstream_rq_time');
    this.routerRqTotal = scope.counter('rq_total');
    this.rqClass = classCounters(scope);
    this.cxHttp1SoftDrain = scope.gauge('downstream_cx_http1_soft_drain');
    for (const name of rareCounterNames) scope.counter(name);
    for (const name of idleGaugeNames) scope.gauge(name);
    this.listenerRqCompleted = listenerScope.counter('downstream_rq_completed');
    this.listenerRqClass = classCounters(listenerScope);
  }

  count(name: RareCounterName): void {
    this.scope.counter(name).inc();
  }

  recordStatus(status: number): void {
    const index = ((status / 100) | 0) - 1;
    if (index >= 0 && index < 5) {
      this.rqClass[index].inc();
      this.listenerRqClass[index].inc();
    }
    this.rqCompleted.inc();
    this.listenerRqCompleted.inc();
  }
}

function classCounters(scope: StatsScope): Counter[] {
  return [1, 2, 3, 4, 5].map((digit) => scope.counter(`downstream_rq_${digit}xx`));
}
