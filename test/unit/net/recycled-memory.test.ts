import { expect, it } from 'vitest';
import { RecycledMemory } from '../../../src/net/recycled-memory.ts';

const size = 1024 * 1024;

function memories(): RecycledMemory {
  let next = 0n;
  return new RecycledMemory(size, () => next++);
}

it('gives what came back last, with its address', () => {
  const recycled = memories();
  const [first, second] = [recycled.take(), recycled.take()];
  expect([first.address, second.address, first.bytes.length]).toEqual([0n, 1n, size]);
  first.giveBack();
  second.giveBack();
  expect([recycled.take(), recycled.take()]).toEqual([second, first]);
  expect(recycled.take().address).toBe(2n);
});

it('gives more where that is asked for, and does not keep it', () => {
  const recycled = memories();
  const large = recycled.take(size + 1);
  expect(large.bytes.length).toBe(size + 1);
  large.giveBack();
  expect(recycled.take()).not.toBe(large);
  expect(recycled.take(size).bytes.length).toBe(size);
});

it('keeps 16 MiB', () => {
  const recycled = memories();
  const taken = Array.from({ length: 20 }, () => recycled.take());
  for (const memory of taken) memory.giveBack();
  const again = Array.from({ length: 20 }, () => recycled.take());
  expect(again.filter((memory) => taken.includes(memory)).length).toBe(16);
});
