import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { ReadMemory } from '../../../src/net/read-memory.ts';

function slot(socket: Socket, name: string): unknown {
  const key = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === name);
  return key === undefined ? undefined : (socket as unknown as Record<symbol, unknown>)[key];
}

it('finds what this Node keeps of `onread`', () => {
  const memory = new ReadMemory(() => null);
  const socket = new Socket({ onread: memory.onread } as object);
  expect(slot(socket, 'kBuffer')).toBe(memory.shared);
  memory.letChange(socket);
  expect(slot(socket, 'kBufferGen')).toBeTypeOf('function');
});

it('does not adopt a socket that has no handle', () => {
  expect(new ReadMemory(() => null).adopt(new Socket())).toBe(false);
});

it('gives a buffer to one at a time', () => {
  const memory = new ReadMemory(() => null);
  const [first, second] = [memory.take()!, memory.take()!];
  expect(new Set([first.buffer, second.buffer, memory.shared.buffer]).size).toBe(3);
  memory.giveBack(first);
  expect(memory.take()).toBe(first);
  expect(memory.take()).not.toBe(first);
});

it('takes back what a closed socket would have read into, once, and never the shared buffer', () => {
  const memory = new ReadMemory(() => null);
  const socket = new Socket({ onread: memory.onread } as object);
  memory.reclaim(socket);
  expect(memory.take()).not.toBe(memory.shared);
  const own = memory.take()!;
  const key = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === 'kBuffer')!;
  (socket as unknown as Record<symbol, unknown>)[key] = own;
  memory.reclaim(socket);
  memory.reclaim(socket);
  expect(memory.take()).toBe(own);
  expect(memory.take()).not.toBe(own);
});

it('has a limit, and room again when one is given back', () => {
  const memory = new ReadMemory(() => null);
  const taken = Array.from({ length: 128 }, () => memory.take()!);
  expect(memory.take()).toBeNull();
  // One that is kept is replaced, limit or not.
  expect(memory.another().length).toBe(taken[0].length);
  memory.giveBack(taken[0]);
  expect(memory.take()).toBe(taken[0]);
  expect(memory.take()).toBeNull();
});
