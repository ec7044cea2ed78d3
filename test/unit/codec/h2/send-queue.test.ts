import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { SendQueue } from '../../../../src/codec/h2/flow/send-queue.ts';
import { lentBytes } from '../../../../src/core/lent-bytes.ts';

test('gives bytes in order, in pieces as large as asked for', () => {
  const queue = new SendQueue();
  for (let i = 0; i < 300; i++) queue.push(Buffer.from(`${i},`));
  const taken: string[] = [];
  while (queue.bytes > 0) taken.push(Buffer.from(queue.take(2)).toString());
  expect(taken.join('')).toBe(Array.from({ length: 300 }, (_, i) => `${i},`).join(''));
  expect(Math.max(...taken.map((piece) => piece.length))).toBe(2);
});

test('a large chunk is not copied', () => {
  const queue = new SendQueue();
  const chunk = new Uint8Array(100_000);
  queue.push(chunk);
  queue.settleLast();
  expect(queue.take(60_000).buffer).toBe(chunk.buffer);
  expect(queue.take(60_000).byteOffset).toBe(60_000);
  expect(queue.bytes).toBe(0);
});

test('a small piece of lent memory is copied and given back', () => {
  const memory = new Uint8Array(65536);
  lentBytes.lend(memory);
  const queue = new SendQueue();
  queue.push(memory.subarray(0, 100));
  queue.settleLast();
  expect(lentBytes.end(100)).toBe(true);
  expect(queue.take(100).buffer).not.toBe(memory.buffer);
});

test('a piece that has half left stays where it is', () => {
  const memory = new Uint8Array(65536);
  const queue = new SendQueue();
  queue.push(memory.subarray(0, 100));
  queue.take(50);
  queue.settleLast();
  expect(queue.take(50).buffer).toBe(memory.buffer);
});
