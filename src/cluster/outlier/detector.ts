import type { Clock, Timed, Timers } from '../../core/clock.ts';
import type { RuntimeView } from '../../core/runtime-view.ts';
import type { StatsScope } from '../../observe/stats/stats.ts';
import type { EventLines } from '../health/event-lines.ts';
import { HealthCell } from '../health/health-memory.ts';
import type { WatchedHost } from '../health/watched-host.ts';
import { HealthFlag } from '../host/host-health.ts';
import { OutlierEventLog } from './event-log.ts';
import type { ConsecutiveType, EjectionType, OutlierData } from './outlier-data.ts';
import { OutlierHost } from './outlier-host.ts';
import { OutlierLimits } from './outlier-limits.ts';
import { OutlierStats } from './outlier-stats.ts';
import { noRates, rateOf, successRates, type SuccessRates } from './success-rate.ts';

const rowCells: Readonly<Record<ConsecutiveType, HealthCell>> = {
  consecutive_5xx: HealthCell.Consecutive5xx,
  consecutive_gateway_failure: HealthCell.ConsecutiveGatewayFailure,
  consecutive_local_origin_failure: HealthCell.ConsecutiveLocalOriginFailure,
};

export interface DetectorTools {
  readonly clock: Clock;
  readonly timers: Timers;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly runtime: RuntimeView;
  /** Of the cluster. */
  readonly scope: StatsScope;
  readonly lines: EventLines;
}

/** Success rates of a cluster, for `/clusters`. */
export interface DetectorReport {
  readonly external: SuccessRates;
  readonly local: SuccessRates;
}

interface Measured {
  readonly host: OutlierHost;
  readonly rate: number;
}

/**
 * Ejects hosts of one cluster by what their results of all workers have been, and takes them back; in the main thread.
 * Source: Envoy `DetectorImpl`.
 */
export class OutlierDetector implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly data: OutlierData;
  private readonly tools: DetectorTools;
  private readonly limits: OutlierLimits;
  private readonly stats: OutlierStats;
  private readonly events: OutlierEventLog;
  /** By host key. */
  private hosts: Map<string, OutlierHost>;
  private ejected: number;
  private external: SuccessRates;
  private local: SuccessRates;

  constructor(data: OutlierData, tools: DetectorTools) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.data = data;
    this.tools = tools;
    this.limits = new OutlierLimits(data, tools.runtime);
    this.stats = new OutlierStats(tools.scope);
    this.stats.active.add(0);
    this.events = new OutlierEventLog(tools.lines, tools.clock);
    this.hosts = new Map();
    this.ejected = 0;
    this.external = noRates;
    this.local = noRates;
    this.arm();
  }

  get report(): DetectorReport {
    return { external: this.external, local: this.local };
  }

  hostOf(key: string): OutlierHost | undefined {
    return this.hosts.get(key);
  }

  /** The cluster's hosts are these now. */
  update(hosts: readonly WatchedHost[]): void {
    const before = this.hosts;
    this.hosts = new Map();
    for (const watched of hosts) {
      const known = before.get(watched.key);
      const stays = known?.watched === watched;
      this.hosts.set(watched.key, stays ? known : new OutlierHost(watched));
      if (stays) before.delete(watched.key);
      else watched.clear(HealthFlag.FailedOutlierCheck | HealthFlag.DegradedOutlierDetection);
    }
    for (const { watched } of before.values()) if (isEjected(watched)) this.countEjected(-1);
  }

  /** A worker has seen so many failures in a row. */
  onConsecutive(key: string, type: ConsecutiveType): void {
    const host = this.hosts.get(key);
    if (host === undefined || isEjected(host.watched)) return;
    this.stats.wasDetected(type);
    this.eject(host, type);
    if (type === 'consecutive_5xx') this.stats.consecutive5xx.inc();
    host.watched.resetRow(rowCells[type]);
  }

  /** A worker has had an answer that calls its host degraded. */
  onDegraded(key: string): void {
    const host = this.hosts.get(key);
    if (host === undefined || host.watched.has(HealthFlag.DegradedOutlierDetection)) return;
    this.stats.detectedDegradation.inc();
    host.degradedMs = this.tools.clock.now;
    host.degradedBackoff.grow(this.limits.baseEjectionMs, this.limits.maxEjectionMs);
    host.watched.set(HealthFlag.DegradedOutlierDetection);
    this.events.ejected(host, 'degraded', true, noRates);
  }

  /** It has passed an active check. */
  onCheckPassed(watched: WatchedHost): void {
    if (!this.data.healthCheckUnejects || watched.has(HealthFlag.FailedActiveCheck) || !isEjected(watched)) return;
    const host = this.hosts.get(watched.key);
    if (host?.watched === watched) this.uneject(host);
  }

  /** Nobody detects any more: whoever is ejected is as good as the others. */
  stop(): void {
    this.tools.timers.cancel(this);
    this.stats.active.add(-this.ejected);
    this.ejected = 0;
    for (const { watched } of this.hosts.values())
      watched.clear(HealthFlag.FailedOutlierCheck | HealthFlag.DegradedOutlierDetection);
  }

  /** An interval has ended. */
  tick(now: number): void {
    const { baseEjectionMs, maxEjectionMs, intervalMs } = this.limits;
    for (const host of this.hosts.values()) {
      const ejectionMs = host.backoff.length(baseEjectionMs, maxEjectionMs) + host.jitterMs;
      if (isEjected(host.watched) && ejectionMs <= now - host.ejectedMs) this.uneject(host);
      this.endDegradation(host, now);
      host.endInterval();
    }
    this.external = this.judge('external');
    this.local = this.judge('local');
    for (const host of this.hosts.values()) {
      if (!isEjected(host.watched) && now - host.unejectedMs >= intervalMs) host.backoff.shrink();
      const isDegraded = host.watched.has(HealthFlag.DegradedOutlierDetection);
      if (!isDegraded && now - host.undegradedMs >= intervalMs) host.degradedBackoff.shrink();
    }
    this.arm();
  }

  private arm(): void {
    const { timers, clock } = this.tools;
    timers.schedule(this, clock.now + Math.max(1, this.limits.intervalMs));
  }

  private endDegradation(host: OutlierHost, now: number): void {
    if (!host.watched.has(HealthFlag.DegradedOutlierDetection)) return;
    const lengthMs = host.degradedBackoff.length(this.limits.baseEjectionMs, this.limits.maxEjectionMs);
    if (now - host.degradedMs < lengthMs) return;
    host.undegradedMs = now;
    host.watched.clear(HealthFlag.DegradedOutlierDetection);
    this.events.unejected(host);
  }

  private eject(host: OutlierHost, type: EjectionType, rates = noRates): void {
    const { limits, stats, events, tools } = this;
    const percent = (100 * (this.ejected + 1)) / this.hosts.size;
    const isFirst = this.data.alwaysEjectsOne && this.ejected === 0;
    if (!isFirst && percent > limits.maxEjectionPercent) {
      stats.overflow.inc();
      return;
    }
    if (type === 'consecutive_5xx' || type === 'success_rate') stats.total.inc();
    const isEnforced = limits.enforces(type, tools.random());
    if (isEnforced) {
      this.countEjected(1);
      stats.wasEnforced(type);
      host.ejections++;
      host.ejectedMs = tools.clock.now;
      host.jitterMs = Math.floor(tools.random() * (limits.ejectionJitterMs + 1));
      host.backoff.grow(limits.baseEjectionMs, limits.maxEjectionMs);
      host.watched.set(HealthFlag.FailedOutlierCheck);
    }
    events.ejected(host, type, isEnforced, rates);
  }

  private uneject(host: OutlierHost): void {
    this.countEjected(-1);
    host.watched.clear(HealthFlag.FailedOutlierCheck);
    // Few new failures must not eject it again because of old ones.
    host.resetRows();
    host.unejectedMs = this.tools.clock.now;
    this.events.unejected(host);
  }

  /** By the success rates of the interval that has ended. */
  private judge(origin: 'external' | 'local'): SuccessRates {
    const { limits, hosts } = this;
    const { successRateMinimumHosts: leastHosts, successRateRequestVolume: leastVolume } = limits;
    const { failurePercentageMinimumHosts: leastForFailure, failurePercentageRequestVolume: failureVolume } = limits;
    if (hosts.size < leastHosts && hosts.size < leastForFailure) return noRates;
    const isExternal = origin === 'external';
    const bySuccess: Measured[] = [];
    const byFailure: Measured[] = [];
    for (const host of hosts.values()) {
      const { total } = host[origin];
      const rate = rateOf(host[origin]);
      if (isEjected(host.watched) || Number.isNaN(rate)) continue;
      if (total >= Math.min(leastVolume, failureVolume)) host[isExternal ? 'externalRate' : 'localRate'] = rate;
      if (total >= leastVolume) bySuccess.push({ host, rate });
      if (total >= failureVolume) byFailure.push({ host, rate });
    }
    const rates = this.judgeSuccess(bySuccess, isExternal ? 'success_rate' : 'local_origin_success_rate');
    if (byFailure.length > 0 && byFailure.length >= leastForFailure) {
      const type = isExternal ? 'failure_percentage' : 'local_origin_failure_percentage';
      for (const { host, rate } of byFailure)
        if (100 - rate >= limits.failurePercentageThreshold) this.found(host, type, rates);
    }
    return rates;
  }

  private judgeSuccess(measured: readonly Measured[], type: EjectionType): SuccessRates {
    const { limits, stats } = this;
    if (measured.length === 0 || measured.length < limits.successRateMinimumHosts) return noRates;
    const found = successRates(
      measured.map(({ rate }) => rate),
      limits.successRateStdevFactor,
    );
    for (const { host, rate } of measured) {
      if (rate >= found.threshold) continue;
      stats.successRate.inc();
      this.found(host, type, found);
    }
    return found;
  }

  private found(host: OutlierHost, type: EjectionType, rates: SuccessRates): void {
    this.stats.wasDetected(type);
    if (!isEjected(host.watched)) this.eject(host, type, rates);
  }

  private countEjected(by: 1 | -1): void {
    this.ejected += by;
    this.stats.active.add(by);
  }
}

function isEjected(watched: WatchedHost): boolean {
  return watched.has(HealthFlag.FailedOutlierCheck);
}
