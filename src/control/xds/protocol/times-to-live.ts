import type { Clock, Timed, Timers } from '../../../core/clock.ts';

/** One resource that goes unless it is heard of again in time. */
class Mortal implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly name: string;
  private readonly onExpired: (name: string) => void;

  constructor(name: string, onExpired: (name: string) => void) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.name = name;
    this.onExpired = onExpired;
  }

  tick(): void {
    this.onExpired(this.name);
  }
}

/** The resources of one type that their control plane has given a time to live. */
export class TimesToLive {
  private readonly clock: Clock;
  private readonly timers: Timers;
  private readonly mortals: Map<string, Mortal>;
  private readonly onExpired: (name: string) => void;

  constructor(clock: Clock, timers: Timers, onExpired: (name: string) => void) {
    this.clock = clock;
    this.timers = timers;
    this.mortals = new Map();
    this.onExpired = (name) => {
      this.mortals.delete(name);
      onExpired(name);
    };
  }

  /** `ms` from now on; 0: for ever. */
  set(name: string, ms: number): void {
    const known = this.mortals.get(name);
    if (ms <= 0) {
      if (known !== undefined) this.delete(name, known);
      return;
    }
    const mortal = known ?? new Mortal(name, this.onExpired);
    this.mortals.set(name, mortal);
    this.timers.schedule(mortal, this.clock.now + ms);
  }

  clear(): void {
    for (const [name, mortal] of this.mortals) this.delete(name, mortal);
  }

  private delete(name: string, mortal: Mortal): void {
    this.timers.cancel(mortal);
    this.mortals.delete(name);
  }
}
