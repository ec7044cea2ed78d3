import type { LbData } from './lb-data.ts';
import type { HostSet } from '../host/host-set.ts';

/** How the traffic of a cluster is spread over its priorities. Percent; healthy and degraded sum to 100 together. */
export interface PriorityLoads {
  readonly healthy: readonly number[];
  readonly degraded: readonly number[];
  /** The priority's hosts are used whatever their health. */
  readonly panic: readonly boolean[];
}

/** Source: Envoy `load_balancer_impl.cc`, recalculatePerPriorityState and recalculatePerPriorityPanic. */
export function priorityLoads(sets: readonly HostSet[], lb: LbData): PriorityLoads {
  const { healthy: health, degraded: degradation } = priorityAvailability(sets, lb);
  const total = Math.min(100, sum(health) + sum(degradation));
  if (total === 0 && lb.panicThreshold === 0) {
    // Nobody may be used; the whole load stands at priority 0, where nobody will be found.
    return { healthy: sets.map((_, i) => (i === 0 ? 100 : 0)), degraded: zeros(sets), panic: sets.map(() => false) };
  }
  const panic = sets.map((set) => total < 100 && isInPanic(set, lb.panicThreshold));
  if (panic.every((is) => is)) return { healthy: loadsByCount(sets), degraded: zeros(sets), panic };
  const healthy = distribute(health, 100, total);
  const degraded = distribute(degradation, 100 - sum(healthy), total);
  // What rounding left over goes to the first that may take it.
  const rest = 100 - sum(healthy) - sum(degraded);
  const first = health.findIndex((percent) => percent > 0);
  if (first >= 0) healthy[first] = healthy[first] + rest;
  else if (rest > 0) degraded[degradation.findIndex((percent) => percent > 0)] += rest;
  return { healthy, degraded, panic };
}

/** How much each priority can take, percent, by its fit hosts and by its degraded ones. */
export function priorityAvailability(
  sets: readonly HostSet[],
  lb: LbData,
): { readonly healthy: number[]; readonly degraded: number[] } {
  return {
    healthy: sets.map((set) => availability(set, set.healthy, lb)),
    degraded: sets.map((set) => availability(set, set.degraded, lb)),
  };
}

/** The priority at `point` of 1 … 100: its index, or, where degraded hosts are meant, the index plus the number of priorities. */
export function priorityAt(loads: PriorityLoads, point: number): number {
  const { healthy, degraded } = loads;
  let reached = 0;
  for (let i = 0; i < healthy.length; i++) {
    reached += healthy[i];
    if (point <= reached) return i;
  }
  for (let i = 0; i < degraded.length; i++) {
    reached += degraded[i];
    if (point <= reached) return healthy.length + i;
  }
  return 0;
}

/** 0 … 100: the fit share of the priority, times the overprovisioning factor. */
function availability(set: HostSet, fit: HostSet['hosts'], lb: LbData): number {
  const count = set.hosts.length - set.excludedCount;
  if (count <= 0) return 0;
  if (!lb.weightedPriorityHealth) return Math.min(100, Math.floor((lb.overprovisioningFactor * fit.length) / count));
  const all = weight(set.hosts) - weight(set.hosts.filter((host) => host.isExcluded));
  return Math.min(100, Math.floor((lb.overprovisioningFactor * weight(fit)) / all));
}

function isInPanic(set: HostSet, threshold: number): boolean {
  const count = set.hosts.length - set.excludedCount;
  const percent = count <= 0 ? 0 : (100 * (set.healthy.length + set.degraded.length)) / count;
  return percent < threshold;
}

/** As much as each priority can take, the preferred ones first, until `load` is spent. */
function distribute(available: readonly number[], load: number, total: number): number[] {
  let left = load;
  return available.map((percent) => {
    const taken = Math.min(left, Math.floor((percent * 100) / total));
    left -= taken;
    return taken;
  });
}

/** Total panic: by the number of hosts. */
function loadsByCount(sets: readonly HostSet[]): number[] {
  const count = sets.reduce((all, set) => all + set.hosts.length, 0);
  if (count === 0) return sets.map((_, i) => (i === 0 ? 100 : 0));
  const loads = sets.map((set) => Math.floor((100 * set.hosts.length) / count));
  const first = sets.findIndex((set) => set.hosts.length > 0);
  loads[first] = loads[first] + 100 - sum(loads);
  return loads;
}

function weight(hosts: HostSet['hosts']): number {
  return hosts.reduce((all, host) => all + host.weight, 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0);
}

function zeros(sets: readonly HostSet[]): number[] {
  return sets.map(() => 0);
}
