import type { HostSet } from '../host/host-set.ts';
import type { TriedPriorities } from '../tried-priorities.ts';
import type { LbData } from './lb-data.ts';
import { priorityAvailability, type PriorityLoads } from './priority.ts';

/**
 * How the chances of a try are spread that follows others; `usual`: those of a first one. Source: Envoy
 * `PreviousPrioritiesRetryPriority`.
 */
export function loadsOfRepeat(
  tried: TriedPriorities,
  sets: readonly HostSet[],
  lb: LbData,
  usual: PriorityLoads,
): PriorityLoads {
  const { attempted, updateFrequency } = tried;
  if (attempted.length < updateFrequency) return usual;
  if (attempted.length % updateFrequency === 0) {
    for (const priority of attempted) tried.excluded.add(priority);
    tried.latest = spread(tried, priorityAvailability(sets, lb));
  }
  return tried.latest === null ? usual : { ...tried.latest, panic: usual.panic };
}

interface Availability {
  readonly healthy: readonly number[];
  readonly degraded: readonly number[];
}

/** Null: nobody is available anywhere. */
function spread(tried: TriedPriorities, whole: Availability): Availability | null {
  const left = without(tried.excluded, whole);
  if (total(left) > 0) return distributed(left);
  // None is left: they begin anew.
  tried.excluded.clear();
  tried.attempted = [];
  return total(whole) === 0 ? null : distributed(whole);
}

function without(excluded: ReadonlySet<number>, { healthy, degraded }: Availability): Availability {
  const kept = (percent: number, priority: number): number => (excluded.has(priority) ? 0 : percent);
  return { healthy: healthy.map(kept), degraded: degraded.map(kept) };
}

/** 100 percent over what is available, the preferred first; what rounding leaves over goes round again. */
function distributed(available: Availability): Availability {
  const { healthy, degraded } = available;
  const all = [...healthy, ...degraded];
  const whole = Math.min(100, total(available));
  const loads = all.map(() => 0);
  let left = 100;
  while (left > 0) {
    for (let i = 0; i < all.length; i++) {
      const taken = Math.min(left, Math.floor((all[i] * 100) / whole));
      loads[i] += taken;
      left -= taken;
    }
  }
  return { healthy: loads.slice(0, healthy.length), degraded: loads.slice(healthy.length) };
}

function total({ healthy, degraded }: Availability): number {
  return [...healthy, ...degraded].reduce((all, percent) => all + percent, 0);
}
