import type { Timed, Timers } from '../core/clock.ts';

/**
 * Every deadline of a thread in one binary heap, behind one timer of the event loop.
 *
 * Entries are filed under `heapKey`, which may be earlier than the entry's `deadline`: moving a deadline later is an
 * assignment, and the entry is filed anew when its old moment comes. A keep-alive connection whose requests each set
 * and drop a 15 s timeout therefore touches the heap once per 15 s, not once per request.
 */
export class TimerHeap implements Timers {
  /** The heap array; entry `i` has its children at `2i+1` and `2i+2`. */
  private readonly entries: Timed[];
  /** Called with the key of the earliest entry whenever that moves earlier. */
  private readonly arm: (key: number) => void;
  private armedFor: number;

  constructor(arm: (key: number) => void) {
    this.entries = [];
    this.arm = arm;
    this.armedFor = Infinity;
  }

  get size(): number {
    return this.entries.length;
  }

  /** When the earliest entry is to be looked at; Infinity: there is none. */
  get nextKey(): number {
    return this.entries.length === 0 ? Infinity : this.entries[0].heapKey;
  }

  schedule(timed: Timed, deadline: number): void {
    timed.deadline = deadline;
    if (timed.heapIndex < 0) {
      if (deadline === Infinity) return;
      timed.heapKey = deadline;
      timed.heapIndex = this.entries.length;
      this.entries.push(timed);
      this.siftUp(timed.heapIndex);
    } else if (deadline < timed.heapKey) {
      timed.heapKey = deadline;
      this.siftUp(timed.heapIndex);
    } else {
      return;
    }
    this.armFirst();
  }

  cancel(timed: Timed): void {
    timed.deadline = Infinity;
    const index = timed.heapIndex;
    if (index < 0) return;
    timed.heapIndex = -1;
    const last = this.entries.pop()!;
    if (last === timed) return;
    this.entries[index] = last;
    last.heapIndex = index;
    this.siftDown(index);
    this.siftUp(last.heapIndex);
  }

  /** Ticks everything due at `now`. Entries may schedule and cancel, themselves and each other, meanwhile. */
  run(now: number): void {
    this.armedFor = Infinity;
    while (this.entries.length > 0) {
      const first = this.entries[0];
      if (first.heapKey > now) break;
      if (first.deadline > now) {
        this.refile(first);
        continue;
      }
      this.cancel(first);
      first.tick(now);
    }
    this.armFirst();
  }

  private refile(timed: Timed): void {
    if (timed.deadline === Infinity) {
      this.cancel(timed);
      return;
    }
    timed.heapKey = timed.deadline;
    this.siftDown(timed.heapIndex);
  }

  private armFirst(): void {
    if (this.entries.length === 0) return;
    const key = this.entries[0].heapKey;
    if (key >= this.armedFor) return;
    this.armedFor = key;
    this.arm(key);
  }

  private siftUp(start: number): void {
    const entries = this.entries;
    const timed = entries[start];
    let index = start;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = entries[parentIndex];
      if (parent.heapKey <= timed.heapKey) break;
      entries[index] = parent;
      parent.heapIndex = index;
      index = parentIndex;
    }
    entries[index] = timed;
    timed.heapIndex = index;
  }

  private siftDown(start: number): void {
    const entries = this.entries;
    const size = entries.length;
    const timed = entries[start];
    let index = start;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= size) break;
      if (childIndex + 1 < size && entries[childIndex + 1].heapKey < entries[childIndex].heapKey) childIndex++;
      const child = entries[childIndex];
      if (child.heapKey >= timed.heapKey) break;
      entries[index] = child;
      child.heapIndex = index;
      index = childIndex;
    }
    entries[index] = timed;
    timed.heapIndex = index;
  }
}
