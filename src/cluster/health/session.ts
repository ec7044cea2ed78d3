import type { Clock, Timed, Timers } from '../../core/clock.ts';
import { HealthFlag } from '../host/host-health.ts';
import type { CheckStats } from './check-stats.ts';
import type { HealthEventLog } from './event-log.ts';
import type { HealthCheckData } from './health-check-data.ts';
import type { FailureType, Probe, ProbeUser } from './probe/probe.ts';
import type { WatchedHost } from './watched-host.ts';

/** What a result does to a host: nothing, perhaps something if more like it follow, or it is another now. */
export const Transition = { None: 0, Pending: 1, Changed: 2 } as const;
export type Transition = (typeof Transition)[keyof typeof Transition];

/** What the sessions of one cluster share. */
export interface SessionContext {
  readonly data: HealthCheckData;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly stats: CheckStats;
  readonly events: HealthEventLog;
  /** Milliseconds until the next check. */
  interval(isHealthy: boolean, transition: Transition): number;
  initialDelay(): number;
  /** Every result. */
  onResult(host: WatchedHost, isHealthy: boolean): void;
}

/** The checks of one host. Source: Envoy `HealthCheckerImplBase::ActiveHealthCheckSession`. */
export class HealthSession implements Timed, ProbeUser {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  readonly host: WatchedHost;
  private readonly context: SessionContext;
  private readonly probe: Probe;
  /** An answer is due; else the next check is. */
  private isChecking: boolean;
  private isFirst: boolean;
  private isStopped: boolean;
  private failuresInRow: number;
  private successesInRow: number;

  constructor(host: WatchedHost, context: SessionContext, makeProbe: (user: ProbeUser) => Probe) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.host = host;
    this.context = context;
    this.isChecking = false;
    this.isFirst = true;
    this.isStopped = false;
    this.failuresInRow = 0;
    this.successesInRow = 0;
    this.probe = makeProbe(this);
    if (!host.has(HealthFlag.FailedActiveCheck)) context.stats.healthy.inc();
    if (host.has(HealthFlag.DegradedActiveCheck)) context.stats.degraded.inc();
  }

  start(): void {
    const delayMs = this.context.initialDelay();
    if (delayMs === 0) this.begin();
    else this.wakeIn(delayMs);
  }

  /** The host has gone, or is checked in another way. */
  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    const { stats, timers } = this.context;
    if (!this.host.has(HealthFlag.FailedActiveCheck)) stats.healthy.dec();
    if (this.host.has(HealthFlag.DegradedActiveCheck)) stats.degraded.dec();
    timers.cancel(this);
    this.probe.close();
  }

  tick(): void {
    if (!this.isChecking) {
      this.begin();
      return;
    }
    this.probe.abort();
    this.fail('NETWORK_TIMEOUT', false, 0);
  }

  // ProbeUser

  onPassed(isDegraded: boolean): void {
    if (this.isStopped) return;
    this.failuresInRow = 0;
    const { host, context } = this;
    const { stats, events, data } = context;
    let transition: Transition = Transition.None;
    if (host.has(HealthFlag.FailedActiveCheck)) transition = this.recover();
    if (transition !== Transition.Changed && data.logsSuccesses) events.succeeded(host);
    transition = this.leavePending(transition);
    if (isDegraded !== host.has(HealthFlag.DegradedActiveCheck)) {
      this.changeDegraded(isDegraded);
      if (transition === Transition.None) transition = Transition.Changed;
    }
    stats.success.inc();
    this.isFirst = false;
    context.onResult(host, true);
    this.rest(true, transition);
  }

  onFailed(type: 'ACTIVE' | 'NETWORK', isRetriable: boolean, status: number): void {
    this.fail(type, isRetriable, status);
  }

  onExcluded(): void {
    this.host.set(HealthFlag.ExcludedByImmediateFailure);
  }

  /** An answer to somebody else has said that no more is to be sent. The next check comes when it is due. */
  failPassively(): void {
    this.onExcluded();
    this.becomeUnhealthy('PASSIVE', false, 0);
  }

  private begin(): void {
    const { stats, data } = this.context;
    this.isChecking = true;
    this.wakeIn(data.timeoutMs);
    stats.attempt.inc();
    this.probe.begin();
  }

  /** As Envoy: the very first success is enough. */
  private recover(): Transition {
    const { host, context } = this;
    if (!this.isFirst && ++this.successesInRow !== context.data.healthyThreshold) return Transition.Pending;
    host.clear(HealthFlag.ActiveCheckTimeout | HealthFlag.ExcludedByImmediateFailure | HealthFlag.FailedActiveCheck);
    context.stats.healthy.inc();
    context.events.added(host, this.isFirst);
    return Transition.Changed;
  }

  private changeDegraded(isDegraded: boolean): void {
    const { host, context } = this;
    const { stats, events } = context;
    if (isDegraded) {
      host.set(HealthFlag.DegradedActiveCheck);
      stats.degraded.inc();
      events.degraded(host);
    } else {
      events.noLongerDegraded(host);
      stats.degraded.dec();
      host.clear(HealthFlag.DegradedActiveCheck);
    }
  }

  private fail(type: FailureType, isRetriable: boolean, status: number): void {
    if (this.isStopped) return;
    const transition = this.becomeUnhealthy(type, isRetriable, status);
    this.rest(false, transition);
  }

  private becomeUnhealthy(type: FailureType, isRetriable: boolean, status: number): Transition {
    this.successesInRow = 0;
    const { host, context } = this;
    const { stats, events, data } = context;
    const isOfNetwork = type === 'NETWORK' || type === 'NETWORK_TIMEOUT';
    let transition: Transition = Transition.None;
    if (!host.has(HealthFlag.FailedActiveCheck)) {
      transition = Transition.Pending;
      if ((!isOfNetwork && !isRetriable) || ++this.failuresInRow === data.unhealthyThreshold) {
        host.set(HealthFlag.FailedActiveCheck);
        stats.healthy.dec();
        transition = Transition.Changed;
        events.ejected(host, type, status);
      }
    }
    if (type === 'NETWORK_TIMEOUT' && host.has(HealthFlag.FailedActiveCheck)) host.set(HealthFlag.ActiveCheckTimeout);
    else host.clear(HealthFlag.ActiveCheckTimeout);
    transition = this.leavePending(transition);
    if (this.isFirst || data.logsFailures) events.failed(host, type, this.isFirst, status);
    stats.failure.inc();
    if (isOfNetwork) stats.networkFailure.inc();
    else if (type === 'PASSIVE') stats.passiveFailure.inc();
    this.isFirst = false;
    context.onResult(host, false);
    return transition;
  }

  private leavePending(transition: Transition): Transition {
    if (!this.host.has(HealthFlag.PendingActiveCheck)) return transition;
    this.host.clear(HealthFlag.PendingActiveCheck);
    return Transition.Changed;
  }

  private rest(isHealthy: boolean, transition: Transition): void {
    if (this.isStopped) return;
    this.isChecking = false;
    this.wakeIn(this.context.interval(isHealthy, transition));
  }

  private wakeIn(delayMs: number): void {
    const { timers, clock } = this.context;
    timers.schedule(this, clock.now + delayMs);
  }
}
