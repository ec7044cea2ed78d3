import { expect, it } from 'vitest';
import { lentBytes } from '../../../src/core/lent-bytes.ts';

const memory = new Uint8Array(100);
const elsewhere = new Uint8Array(100);

it('is free when everything is settled, in pieces', () => {
  lentBytes.lend(memory);
  expect(lentBytes.isLent(memory.subarray(10, 20))).toBe(true);
  lentBytes.settle(memory.subarray(0, 60), 60);
  lentBytes.settle(memory.subarray(60, 80), 20);
  expect(lentBytes.end(80)).toBe(true);
});

it('is kept when a byte is missing', () => {
  lentBytes.lend(memory);
  lentBytes.settle(memory, 79);
  expect(lentBytes.end(80)).toBe(false);
});

it('is kept when somebody says so, whatever is settled', () => {
  lentBytes.lend(memory);
  lentBytes.keep(memory.subarray(0, 1));
  lentBytes.settle(memory, 80);
  expect(lentBytes.isLent(memory)).toBe(false);
  expect(lentBytes.end(80)).toBe(false);
});

it('knows its own memory from other', () => {
  lentBytes.lend(memory);
  expect(lentBytes.isLent(elsewhere)).toBe(false);
  lentBytes.keep(elsewhere);
  lentBytes.settle(elsewhere, 80);
  expect(lentBytes.end(80)).toBe(false);
});

it('knows nothing outside a loan', () => {
  lentBytes.settle(memory, 80);
  lentBytes.keep(memory);
  expect(lentBytes.isLent(memory)).toBe(false);
  expect(lentBytes.end(0)).toBe(false);
});
