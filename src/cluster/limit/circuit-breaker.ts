import { runtimeInteger, type RuntimeView } from '../../core/runtime-view.ts';
import type { SharedNumber, SharedNumberDirectory, SharedNumbers } from '../../observe/limit/shared-limit.ts';
import type { StatsReport } from '../../observe/stats/stats-source.ts';
import type { BreakerData, ClusterData } from '../cluster-data.ts';
import type { CircuitBreakers, ResourceLimit } from '../cluster.ts';
import { RecentRequests, type TimeSource } from './recent-requests.ts';
import { RetryBudget } from './retry-budget.ts';

/** What is counted, in the order of the indices that travel to the workers. */
const resources = ['cx', 'rq_pending', 'rq', 'rq_retry', 'cx_pool', 'rq_recent'] as const;
const routingPriorities = ['default', 'high'] as const;

/** From here on a limit is none: configurations write 2^32−1, and an Int32 cell counts no further. */
const unlimited = 0x7fffffff;

/** As Envoy shows what has no limit. */
const unlimitedPools = 2 ** 64;

/** Counted over all workers where it is a limit, or where somebody reads it; else in this worker alone. */
class SharedLimit implements ResourceLimit {
  private readonly number: SharedNumber;
  private max: number;
  private isShared: boolean;
  /** What this worker counts while it is not shared. */
  private own: number;

  constructor(number: SharedNumber, max: number, isRead: boolean) {
    this.number = number;
    this.max = max;
    this.isShared = isRead || max < unlimited;
    this.own = 0;
  }

  get canCreate(): boolean {
    return !this.isShared || this.number.load() < this.max;
  }

  inc(): void {
    if (this.isShared) this.number.inc();
    else this.own++;
  }

  dec(): void {
    if (this.isShared) this.number.dec();
    else this.own--;
  }

  /** The runtime says another limit than before. */
  update(max: number): void {
    this.max = max;
    if (this.isShared || max >= unlimited) return;
    this.isShared = true;
    for (; this.own > 0; this.own--) this.number.inc();
  }
}

/** Of requests whose number in the last while is what retries are measured by. */
class MeasuredRequests extends SharedLimit {
  private readonly recent: RecentRequests;

  constructor(number: SharedNumber, max: number, recent: RecentRequests) {
    super(number, max, true);
    this.recent = recent;
  }

  override inc(): void {
    super.inc();
    this.recent.began();
  }
}

/**
 * The limits of one routing priority as the runtime has them now: `circuit_breakers.<cluster>.<priority>.max_*` over
 * what is configured.
 */
class Limits {
  readonly connections: number;
  readonly pendingRequests: number;
  readonly requests: number;
  readonly connectionPools: number;
  private readonly retries: number;
  private readonly budgetPercent: number;
  private readonly budgetConcurrency: number;

  constructor(data: BreakerData, cluster: string, priority: 0 | 1, runtime: RuntimeView) {
    const prefix = `circuit_breakers.${cluster}.${routingPriorities[priority]}.`;
    const limit = (key: string, configured: number): number => runtimeInteger(runtime, prefix + key, configured);
    this.connections = limit('max_connections', data.maxConnections);
    this.pendingRequests = limit('max_pending_requests', data.maxPendingRequests);
    this.requests = limit('max_requests', data.maxRequests);
    this.connectionPools = limit('max_connection_pools', data.maxConnectionPools ?? unlimitedPools);
    this.retries = limit('max_retries', data.maxRetries);
    const budget = data.retryBudget;
    // A percentage may be broken.
    this.budgetPercent =
      budget === null ? -1 : Math.max(0, runtime.number(`${prefix}retry_budget.budget_percent`, budget.percent));
    this.budgetConcurrency = budget === null ? 0 : limit('retry_budget.min_retry_concurrency', budget.minConcurrency);
  }

  /** So many retries at one time, of so many requests that they are measured by. */
  retriesAmong(requests: number): number {
    if (this.budgetPercent < 0) return this.retries;
    return Math.max(Math.floor((this.budgetPercent / 100) * requests), this.budgetConcurrency);
  }
}

/** The breakers of one routing priority of a cluster in one worker. */
export class ClusterBreakers implements CircuitBreakers {
  readonly connections: SharedLimit;
  readonly pendingRequests: SharedLimit;
  readonly requests: SharedLimit;
  readonly retries: SharedLimit | RetryBudget;
  readonly connectionPools: SharedLimit;
  private readonly data: BreakerData;
  private readonly cluster: string;
  private readonly priority: 0 | 1;

  /** `data.breakerSlots` are the indices that the main thread allotted. */
  constructor(data: ClusterData, priority: 0 | 1, shared: SharedNumbers, runtime: RuntimeView, time: TimeSource) {
    this.data = data.breakers[priority];
    this.cluster = data.name;
    this.priority = priority;
    const first = priority * resources.length;
    const numbers = resources.map((_, i) => shared.slot(data.breakerSlots[first + i]));
    const limits = this.limits(runtime);
    const { retryBudget, trackRemaining } = this.data;
    const isRead = trackRemaining || retryBudget !== null;
    this.connections = new SharedLimit(numbers[0], limits.connections, isRead);
    this.pendingRequests = new SharedLimit(numbers[1], limits.pendingRequests, isRead);
    const { intervalMs = 0 } = retryBudget ?? {};
    this.requests =
      intervalMs === 0
        ? new SharedLimit(numbers[2], limits.requests, isRead)
        : new MeasuredRequests(numbers[2], limits.requests, new RecentRequests(numbers[5], intervalMs, time));
    this.retries =
      retryBudget === null
        ? new SharedLimit(numbers[3], limits.retriesAmong(0), isRead)
        : new RetryBudget(numbers[3], intervalMs === 0 ? [numbers[1], numbers[2]] : [numbers[5]], limits);
    this.connectionPools = new SharedLimit(numbers[4], limits.connectionPools, false);
  }

  /** The runtime has changed. */
  update(runtime: RuntimeView): void {
    const limits = this.limits(runtime);
    this.connections.update(limits.connections);
    this.pendingRequests.update(limits.pendingRequests);
    this.requests.update(limits.requests);
    this.connectionPools.update(limits.connectionPools);
    if (this.retries instanceof RetryBudget) this.retries.update(limits);
    else this.retries.update(limits.retriesAmong(0));
  }

  private limits(runtime: RuntimeView): Limits {
    return new Limits(this.data, this.cluster, this.priority, runtime);
  }
}

/** Whether a limit is set to the pools of either priority: they are counted only then. */
export function limitsPools(data: ClusterData, runtime: RuntimeView): boolean {
  return ([0, 1] as const).some(
    (priority) => new Limits(data.breakers[priority], data.name, priority, runtime).connectionPools < unlimited,
  );
}

/** Main thread: the twelve indices of a cluster's counts, default priority first. The same name keeps its indices. */
export function allotBreakerSlots(directory: SharedNumberDirectory, cluster: string): number[] {
  return breakerKeys(cluster).map((key) => directory.allot(key));
}

/** Main thread: the cluster is gone. Its indices serve others when the last of its requests has ended. */
export function releaseBreakerSlots(directory: SharedNumberDirectory, cluster: string): void {
  for (const key of breakerKeys(cluster)) directory.release(key);
}

function breakerKeys(cluster: string): string[] {
  return routingPriorities.flatMap((_, priority) => keysOf(cluster, priority as 0 | 1));
}

/** In the order of `resources`. */
function keysOf(cluster: string, priority: 0 | 1): string[] {
  return resources.map((resource) => `cluster/${cluster}/${routingPriorities[priority]}/${resource}`);
}

/** Main thread, when stats are asked for: the `circuit_breakers.*` gauges below `prefix`. */
export function reportBreakers(
  data: ClusterData,
  prefix: string,
  directory: SharedNumberDirectory,
  runtime: RuntimeView,
  report: StatsReport,
): void {
  for (const priority of [0, 1] as const) {
    const limits = new Limits(data.breakers[priority], data.name, priority, runtime);
    const keys = keysOf(data.name, priority);
    const used = keys.map((key) => directory.isUsed(key));
    const [cx, pending, rq, retries, pools, recent] = keys.map((key) => directory.load(key));
    const { trackRemaining, retryBudget } = data.breakers[priority];
    const hasBudget = retryBudget !== null;
    const { connections, pendingRequests, requests, connectionPools } = limits;
    const { intervalMs = 0 } = retryBudget ?? {};
    const maxRetries = limits.retriesAmong(intervalMs === 0 ? pending + rq : recent);
    const below = `${prefix}.circuit_breakers.${routingPriorities[priority]}.`;
    report.gauge(`${below}cx_open`, Number(cx >= connections), used[0]);
    report.gauge(`${below}cx_pool_open`, Number(pools >= connectionPools), used[0] || used[4]);
    report.gauge(`${below}rq_open`, Number(rq >= requests), used[2]);
    report.gauge(`${below}rq_pending_open`, Number(pending >= pendingRequests), used[1]);
    report.gauge(`${below}rq_retry_open`, Number(retries >= maxRetries), used[3]);
    if (!trackRemaining) continue;
    report.gauge(`${below}remaining_cx`, Math.max(0, connections - cx), true);
    report.gauge(`${below}remaining_cx_pools`, Math.max(0, connectionPools - pools), true);
    report.gauge(`${below}remaining_pending`, Math.max(0, pendingRequests - pending), true);
    report.gauge(`${below}remaining_retries`, hasBudget ? 0 : Math.max(0, maxRetries - retries), true);
    report.gauge(`${below}remaining_rq`, Math.max(0, requests - rq), true);
  }
}
