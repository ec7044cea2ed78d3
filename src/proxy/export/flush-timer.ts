import type { Clock, Timed, Timers } from '../../core/clock.ts';

/** Rings once, some time after something has begun to wait. */
export class FlushTimer implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly clock: Clock;
  private readonly timers: Timers;
  isSet: boolean;
  private readonly ring: () => void;

  constructor(clock: Clock, timers: Timers, ring: () => void) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.clock = clock;
    this.timers = timers;
    this.ring = ring;
    this.isSet = false;
  }

  /** Unless it is set already. */
  set(intervalMs: number): void {
    if (this.isSet) return;
    this.isSet = true;
    this.timers.schedule(this, this.clock.now + intervalMs);
  }

  clear(): void {
    if (!this.isSet) return;
    this.isSet = false;
    this.timers.cancel(this);
  }

  tick(): void {
    this.isSet = false;
    this.ring();
  }
}
