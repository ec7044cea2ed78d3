import { Clock } from '../core/clock.ts';
import { TimerHeap } from './timer-heap.ts';

/** What has bytes to send when the current entry into the event loop ends. */
export interface Flushable {
  flush(): void;
}

/**
 * One thread's turn-taking: reads the time once per entry, and sends at the end of it what was written meanwhile, so
 * that a burst leaves in one write per connection.
 */
export class Loop {
  readonly clock: Clock;
  readonly timers: TimerHeap;
  private readonly dirty: Flushable[];
  private isInside: boolean;
  private timeout: NodeJS.Timeout | null;
  private readonly onTimeout: () => void;
  private readonly flushLater: () => void;

  constructor() {
    this.clock = new Clock();
    this.timers = new TimerHeap((key) => this.armTimer(key));
    this.dirty = [];
    this.isInside = false;
    this.timeout = null;
    this.onTimeout = () => {
      this.timeout = null;
      this.enter();
      this.timers.run(this.clock.now);
      this.leave();
    };
    this.flushLater = () => {
      if (!this.isInside) this.flushAll();
    };
    this.readTime();
  }

  /** Every callback of the operating system begins with this. */
  enter(): void {
    this.readTime();
    this.isInside = true;
  }

  /** And ends with this. */
  leave(): void {
    this.isInside = false;
    if (this.dirty.length > 0) this.flushAll();
  }

  /** Something was written: flush it when the entry ends, or, outside one, in a microtask. */
  markDirty(connection: Flushable): void {
    this.dirty.push(connection);
    if (!this.isInside && this.dirty.length === 1) queueMicrotask(this.flushLater);
  }

  private flushAll(): void {
    const dirty = this.dirty;
    // A flush can make more dirty (a destroyed connection answers its stream): the length is read anew.
    for (let i = 0; i < dirty.length; i++) dirty[i]!.flush();
    dirty.length = 0;
  }

  private readTime(): void {
    const now = performance.now();
    this.clock.now = now;
    this.clock.epochMs = performance.timeOrigin + now;
  }

  private armTimer(key: number): void {
    if (this.timeout !== null) clearTimeout(this.timeout);
    // setTimeout takes at most 2^31-1 ms; a longer wait wakes early and is filed anew.
    const delay = Math.min(Math.max(1, Math.ceil(key - this.clock.now)), 0x7fffffff);
    this.timeout = setTimeout(this.onTimeout, delay);
  }
}
