import { isDeepStrictEqual } from '../core/deep-equal.ts';
import type { Clock, Timed, Timers } from '../core/clock.ts';
import type { Counter, StatsScope } from '../observe/stats/stats.ts';
import type { AssignmentData, HostData } from './cluster-data.ts';

/** Envoy's, milliseconds. */
const defaultWindowMs = 1000;

/** What is told of a cluster's hosts. */
interface Members {
  readonly hosts: readonly HostData[];
  readonly assignment?: AssignmentData;
}

/** Of one cluster. */
class Window implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  /** When workers were told last. */
  toldMs: number;
  private readonly close: () => void;

  constructor(close: () => void) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.toldMs = -Infinity;
    this.close = close;
  }

  get isOpen(): boolean {
    return this.deadline !== Infinity;
  }

  tick(now: number): void {
    this.toldMs = now;
    this.close();
  }
}

/**
 * Changes that only weigh and describe hosts anew are told together, once in a cluster's window: every worker builds its
 * balancers anew with each. Source of the rules and stats: Envoy `ClusterManagerImpl::scheduleUpdate`, which counts by
 * priority.
 */
export class MergedChanges {
  private readonly clock: Clock;
  private readonly timers: Timers;
  private readonly tell: (cluster: string) => void;
  private readonly cancelled: Counter;
  private readonly outOfWindow: Counter;
  /** One for each cluster that changed, until it is removed. */
  private readonly windows: Map<string, Window>;

  /** @param root of the main thread's stats. @param tell the workers are to be told of all that is new of a cluster */
  constructor(clock: Clock, timers: Timers, root: StatsScope, tell: (cluster: string) => void) {
    const scope = root.scope('cluster_manager');
    this.clock = clock;
    this.timers = timers;
    this.tell = tell;
    this.cancelled = scope.counter('update_merge_cancelled');
    this.outOfWindow = scope.counter('update_out_of_merge_window');
    this.windows = new Map();
  }

  /**
   * @param windowMs of the cluster; 0: nothing waits; absent: Envoy's default
   * @returns it is to be told now, with all that waited; false: later, by `tell`
   */
  isDue(cluster: string, before: Members | null, after: Members, windowMs = defaultWindowMs): boolean {
    if (windowMs === 0) return true;
    let window = this.windows.get(cluster);
    if (window === undefined) this.windows.set(cluster, (window = new Window(() => this.tell(cluster))));
    const { now } = this.clock;
    const isMergeable = before !== null && isMergeableChange(before, after);
    const isLate = now - window.toldMs > windowMs;
    if (isMergeable && !isLate) {
      if (!window.isOpen) this.timers.schedule(window, now + windowMs);
      return false;
    }
    if (isMergeable) this.outOfWindow.inc();
    this.toldNow(window);
    return true;
  }

  /** All of a cluster has been told by other means: nothing waits. */
  told(cluster: string): void {
    const window = this.windows.get(cluster);
    if (window !== undefined) this.timers.cancel(window);
  }

  forget(cluster: string): void {
    this.told(cluster);
    this.windows.delete(cluster);
  }

  private toldNow(window: Window): void {
    if (window.isOpen) {
      this.cancelled.inc();
      this.timers.cancel(window);
    }
    window.toldMs = this.clock.now;
  }
}

/**
 * No host has come or gone, and each may be asked as before. In Envoy health changes wait, too: see differences.
 */
export function isMergeableChange(before: Members, after: Members): boolean {
  if (before.hosts.length !== after.hosts.length) return false;
  if (before.assignment?.dropRatio !== after.assignment?.dropRatio) return false;
  return before.hosts.every((host, i) => host === after.hosts[i] || isAsked(host, after.hosts[i]));
}

/** The same host, asked as before. */
function isAsked(before: HostData, after: HostData): boolean {
  const { weight, localityWeight, metadata, canary } = after;
  return isDeepStrictEqual({ ...before, weight, localityWeight, metadata, canary }, after);
}
