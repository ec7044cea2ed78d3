import type { Clock, Timed, Timers } from '../../core/clock.ts';
import type { SharedNumber } from '../../observe/limit/shared-limit.ts';

export interface TimeSource {
  readonly clock: Clock;
  readonly timers: Timers;
}

/** The interval slides in so many steps. Source: Envoy `RetryBudgetImpl::NumSlots`. */
const slots = 10;

/**
 * How many requests have begun within an interval, over all workers: each adds its own to one number of the process, and
 * takes them away again when they are too old, a tenth of the interval at a time. Retries are requests.
 * Nothing ticks while there is nothing to take away.
 */
export class RecentRequests implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly number: SharedNumber;
  private readonly slotMs: number;
  private readonly time: TimeSource;
  /** What this worker has added, by slot. */
  private readonly counts: Float64Array;
  private place: number;
  private total: number;
  /** When the next slot begins. */
  private nextMs: number;

  constructor(number: SharedNumber, intervalMs: number, time: TimeSource) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = 0;
    this.number = number;
    this.slotMs = intervalMs / slots;
    this.time = time;
    this.counts = new Float64Array(slots);
    this.place = 0;
    this.total = 0;
    this.nextMs = 0;
  }

  began(): void {
    this.number.inc();
    this.counts[this.place] = this.counts[this.place] + 1;
    if (this.total++ > 0) return;
    this.nextMs = this.time.clock.now + this.slotMs;
    this.time.timers.schedule(this, this.nextMs);
  }

  tick(now: number): void {
    for (; this.nextMs <= now && this.total > 0; this.nextMs += this.slotMs) this.turn();
    if (this.total > 0) this.time.timers.schedule(this, this.nextMs);
  }

  /** The oldest slot becomes the newest. */
  private turn(): void {
    this.place = (this.place + 1) % slots;
    const old = this.counts[this.place];
    this.counts[this.place] = 0;
    this.total -= old;
    if (old > 0) this.number.add(-old);
  }
}
