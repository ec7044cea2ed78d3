import type { SharedNumber, SharedNumberDirectory, SharedNumbers } from '../observe/shared-limit.ts';
import type { BreakerData, ClusterData } from './cluster-data.ts';
import type { CircuitBreakers, ResourceLimit } from './cluster.ts';

/** What is counted, in the order of the indices that travel to the workers. */
const resources = ['cx', 'rq_pending', 'rq', 'rq_retry'] as const;
const routingPriorities = ['default', 'high'] as const;

/** From here on a limit is none: configurations write 2^32−1, and an Int32 cell counts no further. */
const unlimited = 0x7fffffff;

/** Counts over all workers. */
class SharedLimit implements ResourceLimit {
  private readonly number: SharedNumber;
  private readonly max: number;

  constructor(number: SharedNumber, max: number) {
    this.number = number;
    this.max = max;
  }

  get canCreate(): boolean {
    return this.number.load() < this.max;
  }

  inc(): void {
    this.number.inc();
  }

  dec(): void {
    this.number.dec();
  }
}

/** Never reached and read by nobody: not counted. */
const noLimit: ResourceLimit = { canCreate: true, inc: () => {}, dec: () => {} };

/** Retries in proportion to what is under way: `retry_budget`. */
class RetryBudget implements ResourceLimit {
  private readonly retries: SharedNumber;
  private readonly pending: SharedNumber;
  private readonly requests: SharedNumber;
  private readonly percent: number;
  private readonly minConcurrency: number;

  constructor(numbers: readonly SharedNumber[], percent: number, minConcurrency: number) {
    this.pending = numbers[1]!;
    this.requests = numbers[2]!;
    this.retries = numbers[3]!;
    this.percent = percent;
    this.minConcurrency = minConcurrency;
  }

  get canCreate(): boolean {
    const underWay = this.pending.load() + this.requests.load();
    return this.retries.load() < Math.max(Math.floor((this.percent / 100) * underWay), this.minConcurrency);
  }

  inc(): void {
    this.retries.inc();
  }

  dec(): void {
    this.retries.dec();
  }
}

/** The breakers of one routing priority, in a worker. `slots`: the four indices that the main thread allotted. */
export function buildCircuitBreakers(
  data: BreakerData,
  slots: readonly number[],
  shared: SharedNumbers,
): CircuitBreakers {
  const { retryBudget } = data;
  const numbers = slots.map((slot) => shared.slot(slot));
  const isRead = data.trackRemaining || retryBudget !== null;
  const limit = (index: number, max: number): ResourceLimit =>
    max < unlimited || isRead ? new SharedLimit(numbers[index], max) : noLimit;
  return {
    connections: limit(0, data.maxConnections),
    pendingRequests: limit(1, data.maxPendingRequests),
    requests: limit(2, data.maxRequests),
    retries:
      retryBudget === null
        ? limit(3, data.maxRetries)
        : new RetryBudget(numbers, retryBudget.percent, retryBudget.minConcurrency),
  };
}

/** Main thread: the eight indices of a cluster's counts, default priority first. The same name keeps its indices. */
export function allotBreakerSlots(directory: SharedNumberDirectory, cluster: string): number[] {
  return breakerKeys(cluster).map((key) => directory.allot(key));
}

function breakerKeys(cluster: string): string[] {
  return routingPriorities.flatMap((priority) =>
    resources.map((resource) => `cluster/${cluster}/${priority}/${resource}`),
  );
}

/** Main thread, when stats are asked for: the `circuit_breakers.*` gauges below `cluster.<statName>.`. */
export function breakerGauges(data: ClusterData, directory: SharedNumberDirectory): [name: string, value: number][] {
  const gauges: [string, number][] = [];
  for (const [index, priority] of routingPriorities.entries()) {
    const breaker = data.breakers[index];
    const [cx, pending, rq, retries] = resources.map((name) =>
      directory.load(`cluster/${data.name}/${priority}/${name}`),
    );
    const budget = breaker.retryBudget;
    const maxRetries =
      budget === null
        ? breaker.maxRetries
        : Math.max(Math.floor((budget.percent / 100) * (pending + rq)), budget.minConcurrency);
    const prefix = `circuit_breakers.${priority}.`;
    gauges.push(
      [`${prefix}cx_open`, Number(cx >= breaker.maxConnections)],
      [`${prefix}cx_pool_open`, 0],
      [`${prefix}rq_pending_open`, Number(pending >= breaker.maxPendingRequests)],
      [`${prefix}rq_open`, Number(rq >= breaker.maxRequests)],
      [`${prefix}rq_retry_open`, Number(retries >= maxRetries)],
    );
    if (!breaker.trackRemaining) continue;
    gauges.push(
      [`${prefix}remaining_cx`, Math.max(0, breaker.maxConnections - cx)],
      [`${prefix}remaining_pending`, Math.max(0, breaker.maxPendingRequests - pending)],
      [`${prefix}remaining_rq`, Math.max(0, breaker.maxRequests - rq)],
      [`${prefix}remaining_retries`, budget === null ? Math.max(0, breaker.maxRetries - retries) : 0],
    );
  }
  return gauges;
}
