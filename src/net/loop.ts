import { Clock } from '../core/clock.ts';
import { TimerHeap } from './timer-heap.ts';

/** What has bytes to send at the end of the event loop's turn. */
export interface Flushable {
  flush(): void;
}

/** Who says when a thread's turn ends and when its next timer is due. */
export interface Turns {
  /** Something waits for the end of the turn: call `endTurn` then. */
  askForEnd(loop: Loop): void;
  /** Call `runTimers` in `delayMs`, or a little earlier; replaces what was asked before. */
  wakeIn(delayMs: number, loop: Loop): void;
}

/** The turns of Node's event loop. */
class NodeTurns implements Turns {
  private timeout: NodeJS.Timeout | null;

  constructor() {
    this.timeout = null;
  }

  askForEnd(loop: Loop): void {
    // setImmediate: Node's phase right after the one that reads sockets.
    setImmediate(loop.endTurn);
  }

  wakeIn(delayMs: number, loop: Loop): void {
    if (this.timeout !== null) clearTimeout(this.timeout);
    // setTimeout takes at most 2^31-1 ms; a longer wait wakes early and is filed anew.
    const delay = Math.min(Math.max(1, Math.ceil(delayMs)), 0x7fffffff);
    this.timeout = setTimeout(loop.runTimers, delay);
  }
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
  private epochOrigin: number;
  private epochCheckedMs: number;
  private readonly turns: Turns;
  /** Ticks what is due. */
  readonly runTimers: () => void;
  /** Sends what the turn has gathered. */
  readonly endTurn: () => void;

  constructor(turns: Turns = new NodeTurns()) {
    this.clock = new Clock();
    this.turns = turns;
    this.timers = new TimerHeap((key) => turns.wakeIn(key - this.clock.now, this));
    this.dirty = [];
    this.urgent = null;
    this.epochOrigin = performance.timeOrigin;
    this.epochCheckedMs = -Infinity;
    this.runTimers = () => {
      this.enter();
      this.timers.run(this.clock.now);
      this.leave();
    };
    this.endTurn = () => {
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
    if (this.dirty.push(connection) === 1) this.turns.askForEnd(this);
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
}
