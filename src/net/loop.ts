import { Clock } from '../core/clock.ts';
import { TimerHeap } from './timer-heap.ts';

/** What has bytes to send at the end of the event loop's turn. */
export interface Flushable {
  flush(): void;
}

/** How often the wall clock is looked at: it may be set while we run, the monotonic clock never is. */
const epochCheckMs = 1000;

/**
 * One thread's turn-taking: reads the time once per entry into JavaScript, and sends once per turn of the event loop,
 * after everything that the kernel had for us was read. So a burst leaves in one write per connection, and the peers
 * are woken once for many answers instead of once for each: docs/decisions/0009-send-at-the-end-of-a-turn.md.
 */
export class Loop {
  readonly clock: Clock;
  readonly timers: TimerHeap;
  private dirty: Flushable[];
  private urgent: Flushable | null;
  private timeout: NodeJS.Timeout | null;
  private epochOrigin: number;
  private epochCheckedMs: number;
  private readonly onTimeout: () => void;
  private readonly flushAll: () => void;

  constructor() {
    this.clock = new Clock();
    this.timers = new TimerHeap((key) => this.armTimer(key));
    this.dirty = [];
    this.urgent = null;
    this.timeout = null;
    this.epochOrigin = performance.timeOrigin;
    this.epochCheckedMs = -Infinity;
    this.onTimeout = () => {
      this.timeout = null;
      this.enter();
      this.timers.run(this.clock.now);
      this.leave();
    };
    this.flushAll = () => {
      const dirty = this.dirty;
      // A flush can make more dirty (a destroyed connection answers its stream): the length is read anew.
      for (let i = 0; i < dirty.length; i++) dirty[i].flush();
      dirty.length = 0;
    };
    this.readTime();
  }

  /** Every callback of the operating system begins with this. */
  enter(): void {
    this.readTime();
  }

  /** And ends with this. */
  leave(): void {
    const { urgent } = this;
    if (urgent === null) return;
    this.urgent = null;
    urgent.flush();
  }

  /** Something was written: flush it when the loop's turn ends. */
  markDirty(connection: Flushable): void {
    // setImmediate: Node's phase right after the one that reads sockets.
    if (this.dirty.push(connection) === 1) setImmediate(this.flushAll);
  }

  /** What was written lies in lent memory: flush it when this entry ends. */
  markUrgent(connection: Flushable): void {
    if (this.urgent === connection) return;
    // Two in one entry (bytes that are mirrored): the first goes now, for no order is promised between connections.
    this.urgent?.flush();
    this.urgent = connection;
  }

  private readTime(): void {
    const now = performance.now();
    if (now - this.epochCheckedMs >= epochCheckMs) this.checkEpoch(now);
    this.clock.now = now;
    this.clock.epochMs = this.epochOrigin + now;
  }

  private checkEpoch(now: number): void {
    this.epochCheckedMs = now;
    const epochMs = Date.now();
    // Date.now has no fractions: only a clock that was set makes a difference.
    if (Math.abs(this.epochOrigin + now - epochMs) > 1.5) this.epochOrigin = epochMs - now;
  }

  private armTimer(key: number): void {
    if (this.timeout !== null) clearTimeout(this.timeout);
    // setTimeout takes at most 2^31-1 ms; a longer wait wakes early and is filed anew.
    const delay = Math.min(Math.max(1, Math.ceil(key - this.clock.now)), 0x7fffffff);
    this.timeout = setTimeout(this.onTimeout, delay);
  }
}
