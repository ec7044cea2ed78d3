import { expect, it } from 'vitest';
import type { Timed } from '../../../src/core/clock.ts';
import { TimerHeap } from '../../../src/net/timer-heap.ts';
import * as fc from '../../property/chance.ts';

class Entry implements Timed {
  deadline = Infinity;
  heapIndex = -1;
  heapKey = Infinity;
  ticks: number[] = [];
  whenTicked: (now: number) => void = () => {};

  tick(now: number): void {
    this.ticks.push(now);
    this.whenTicked(now);
  }
}

function armed(): { heap: TimerHeap; arms: number[] } {
  const arms: number[] = [];
  return { heap: new TimerHeap((key) => arms.push(key)), arms };
}

it('ticks what is due, earliest first, once', () => {
  const { heap } = armed();
  const order: string[] = [];
  for (const [name, at] of Object.entries({ c: 30, a: 10, d: 40, b: 20 })) {
    const entry = new Entry();
    entry.whenTicked = () => order.push(name);
    heap.schedule(entry, at);
  }
  heap.run(30);
  heap.run(30);
  expect(order).toEqual(['a', 'b', 'c']);
  expect(heap.size).toBe(1);
});

it('asks to be woken only when the first moment moves earlier', () => {
  const { heap, arms } = armed();
  const [first, second] = [new Entry(), new Entry()];
  heap.schedule(first, 100);
  heap.schedule(second, 200);
  heap.schedule(first, 150);
  heap.schedule(second, 50);
  expect(arms).toEqual([100, 50]);
});

it('moves a deadline later without touching the heap, and files it anew when the old moment comes', () => {
  const { heap, arms } = armed();
  const entry = new Entry();
  heap.schedule(entry, 100);
  heap.schedule(entry, 500);
  expect(entry).toMatchObject({ deadline: 500, heapKey: 100 });
  heap.run(100);
  expect(entry.ticks).toEqual([]);
  expect(arms).toEqual([100, 500]);
  heap.run(500);
  expect(entry.ticks).toEqual([500]);
});

it('forgets what is scheduled for never, and what is cancelled', () => {
  const { heap } = armed();
  const [never, cancelled] = [new Entry(), new Entry()];
  heap.schedule(never, Infinity);
  expect(heap.size).toBe(0);
  heap.schedule(never, 10);
  heap.schedule(never, Infinity);
  heap.schedule(cancelled, 10);
  heap.cancel(cancelled);
  heap.cancel(cancelled);
  heap.run(1000);
  expect([never.ticks, cancelled.ticks, heap.size]).toEqual([[], [], 0]);
});

it('lets a tick schedule itself and cancel others', () => {
  const { heap } = armed();
  const [killer, victim] = [new Entry(), new Entry()];
  killer.whenTicked = (now) => {
    heap.cancel(victim);
    heap.schedule(killer, now + 10);
  };
  heap.schedule(killer, 10);
  heap.schedule(victim, 11);
  heap.run(15);
  expect([killer.ticks, victim.ticks]).toEqual([[15], []]);
  heap.run(25);
  expect(killer.ticks).toEqual([15, 25]);
});

it('ticks as a list that is searched from end to end would', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('schedule' as const), who: fc.nat(15), in: fc.integer({ min: 1, max: 100 }) }),
    fc.record({ kind: fc.constant('never' as const), who: fc.nat(15), in: fc.constant(0) }),
    fc.record({ kind: fc.constant('cancel' as const), who: fc.nat(15), in: fc.constant(0) }),
    fc.record({ kind: fc.constant('pass' as const), who: fc.constant(0), in: fc.integer({ min: 1, max: 60 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let wake = Infinity;
      let now = 0;
      const heap = new TimerHeap((key) => {
        wake = key;
      });
      const entries = Array.from({ length: 16 }, () => new Entry());
      const model = new Map<number, number>();
      const ticked: number[][] = [];
      for (const [i, entry] of entries.entries()) entry.whenTicked = () => ticked.push([i, entry.ticks.length]);
      for (const { kind, who, in: delay } of steps) {
        if (kind === 'pass') {
          now += delay;
          const due = [...model].filter(([, at]) => at <= now);
          const before = ticked.length;
          // A heap that does not ask to be woken in time does not run.
          if (wake <= now) {
            wake = Infinity;
            heap.run(now);
          }
          for (const [i] of due) model.delete(i);
          const whoTicked = ticked.slice(before).map(([i]) => i);
          expect(whoTicked.toSorted((a, b) => a - b)).toEqual(due.map(([i]) => i).toSorted((a, b) => a - b));
        } else if (kind === 'schedule') {
          heap.schedule(entries[who], now + delay);
          model.set(who, now + delay);
        } else {
          if (kind === 'cancel') heap.cancel(entries[who]);
          else heap.schedule(entries[who], Infinity);
          model.delete(who);
        }
      }
    }),
  );
});
