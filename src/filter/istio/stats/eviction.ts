import type { Clock, Timed, Timers } from '../../../core/clock.ts';
import type { StatsScope } from '../../../observe/stats/stats.ts';
import { StatsRegistry } from './registry.ts';

/** `stats_eviction_interval` in one worker: stats with tags go that nothing has been counted by for that long. */
export class StatsEviction implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly root: StatsScope;
  private readonly timers: Timers;
  private readonly intervalMs: number;

  private constructor(root: StatsScope, timers: Timers, intervalMs: number) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.root = root;
    this.timers = timers;
    this.intervalMs = intervalMs;
  }

  /** `root`: of all stats. */
  static begin(root: StatsScope, timers: Timers, { now }: Clock, intervalMs: number): void {
    timers.schedule(new StatsEviction(root, timers, intervalMs), now + intervalMs);
  }

  tick(now: number): void {
    StatsRegistry.find(this.root)?.evict();
    this.timers.schedule(this, now + this.intervalMs);
  }
}
