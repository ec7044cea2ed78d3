/**
 * Time as data. `net/` refreshes it once per event-loop entry; everyone else reads it.
 * A plain object with two numbers, so that a test sets the time by assigning it.
 */
export class Clock {
  /** Monotonic milliseconds, with fractions. */
  now: number;
  /** Wall clock: milliseconds since the Unix epoch, with fractions. */
  epochMs: number;

  constructor(now = 0, epochMs = 0) {
    this.now = now;
    this.epochMs = epochMs;
  }
}

/** Anything with a next moment. One timer heap serves them all. */
export interface Timed {
  /** Monotonic milliseconds at which `tick` is due; Infinity: none. */
  deadline: number;
  /** Place in the heap; -1 outside. Owned by the heap. */
  heapIndex: number;
  /** The deadline under which the heap filed it; at or before `deadline`. Owned by the heap. */
  heapKey: number;
  tick(now: number): void;
}

/** The heap's face to those who may not know `net/`. */
export interface Timers {
  /**
   * Sets `timed.deadline`. Moving a deadline later costs an assignment: the entry stays where it is filed and is
   * filed anew when that moment comes. `Infinity` cancels.
   */
  schedule(timed: Timed, deadline: number): void;
  /** Takes `timed` out at once. For objects that go away. */
  cancel(timed: Timed): void;
}
