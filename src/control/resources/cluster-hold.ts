import type { Clock, Timed, Timers } from '../../core/clock.ts';

/** As long as Envoy waits for the first answer of a control plane unless it is told otherwise. */
const holdMsMax = 15_000;

/**
 * Clusters that are waited for hold back the answer to those that brought them, each for so long at most: what one waits
 * for may never come.
 */
export class ClusterHold implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly clock: Clock;
  private readonly timers: Timers;
  private readonly hold: (isHeld: boolean) => void;
  private readonly onOverdue: (name: string) => void;
  /** Name → when it is waited for no longer; the first is due first. */
  private readonly waiting: Map<string, number>;
  private isHeld: boolean;

  /**
   * @param hold told when there is something to wait for, and when there is nothing any more
   * @param onOverdue told of each that has been waited for long enough
   */
  constructor(clock: Clock, timers: Timers, hold: (isHeld: boolean) => void, onOverdue: (name: string) => void) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.clock = clock;
    this.timers = timers;
    this.hold = hold;
    this.onOverdue = onOverdue;
    this.waiting = new Map();
    this.isHeld = false;
  }

  /** It is waited for; a newer version is waited for no longer than the one before. Counts with `settle`. */
  begin(name: string): void {
    if (!this.waiting.has(name)) this.waiting.set(name, this.clock.now + holdMsMax);
  }

  /** It is waited for no longer. Counts with `settle`. */
  end(name: string): void {
    this.waiting.delete(name);
  }

  settle(): void {
    const [first = Infinity] = this.waiting.values();
    if (first === Infinity) this.timers.cancel(this);
    else if (first !== this.deadline) this.timers.schedule(this, first);
    const holds = this.waiting.size > 0;
    if (holds === this.isHeld) return;
    this.isHeld = holds;
    this.hold(holds);
  }

  tick(now: number): void {
    for (const [name, dueMs] of this.waiting) {
      if (dueMs > now) break;
      this.waiting.delete(name);
      this.onOverdue(name);
    }
    this.settle();
  }
}
