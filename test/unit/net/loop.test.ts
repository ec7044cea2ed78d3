import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Loop, type Flushable } from '../../../src/net/loop.ts';

class Writer implements Flushable {
  flushes = 0;
  whenFlushed: () => void = () => {};

  flush(): void {
    this.flushes++;
    this.whenFlushed();
  }
}

it('reads both clocks at every entry', () => {
  const loop = new Loop();
  loop.clock.now = 0;
  loop.clock.epochMs = 0;
  loop.enter();
  expect(Math.abs(loop.clock.now - performance.now())).toBeLessThan(10_000);
  expect(Math.abs(loop.clock.epochMs - Date.now())).toBeLessThan(10_000);
  loop.leave();
});

it('flushes once per turn what was written in several entries, and what a flush has written', async () => {
  const loop = new Loop();
  const [first, second] = [new Writer(), new Writer()];
  first.whenFlushed = () => loop.markDirty(second);
  loop.enter();
  loop.markDirty(first);
  loop.leave();
  expect(first.flushes).toBe(0);
  await turn();
  expect([first.flushes, second.flushes]).toEqual([1, 1]);
  await turn();
  expect([first.flushes, second.flushes]).toEqual([1, 1]);
});

it('flushes what is urgent when the entry ends', () => {
  const loop = new Loop();
  const [first, second] = [new Writer(), new Writer()];
  loop.enter();
  loop.markUrgent(first);
  loop.markUrgent(first);
  loop.markUrgent(second);
  expect(second.flushes).toBe(0);
  loop.leave();
  expect([first.flushes, second.flushes]).toEqual([1, 1]);
  loop.leave();
  expect([first.flushes, second.flushes]).toEqual([1, 1]);
});

it('runs timers, with the time of the entry', async () => {
  const loop = new Loop();
  const asked = loop.clock.now + 5;
  const ticked = await new Promise<number>((resolve) => {
    loop.timers.schedule({ deadline: Infinity, heapIndex: -1, heapKey: Infinity, tick: resolve }, asked);
  });
  expect(ticked).toBeGreaterThanOrEqual(asked);
  expect(ticked).toBe(loop.clock.now);
});
