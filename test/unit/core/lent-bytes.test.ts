import { describe, expect, it } from 'vitest';
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

describe('memory that somebody holds on to', () => {
  const lender = () => {
    const told = { count: 0, giveBack: () => void told.count++ };
    return told;
  };

  it('comes back when the last of it is settled, in the middle of other loans as well', () => {
    const late = lender();
    const held = new Uint8Array(100);
    lentBytes.lend(held, late);
    lentBytes.settle(held, 30);
    expect(lentBytes.isAwaited(held)).toBe(true);
    expect(lentBytes.end(80)).toBe(false);
    expect([lentBytes.isLent(held), lentBytes.isAwaited(held), lentBytes.isAwaited(elsewhere)]).toEqual([
      false,
      true,
      false,
    ]);
    lentBytes.settle(held.subarray(30, 50), 20);
    lentBytes.lend(memory);
    lentBytes.lendInside(elsewhere, lender());
    lentBytes.settle(held.subarray(50, 79), 29);
    expect(late.count).toBe(0);
    lentBytes.settle(held.subarray(79, 80), 1);
    expect(late.count).toBe(1);
    expect(lentBytes.isAwaited(held)).toBe(false);
    lentBytes.settle(elsewhere, 10);
    expect(lentBytes.endInside(10)).toBe(true);
    lentBytes.settle(memory, 10);
    expect(lentBytes.end(10)).toBe(true);
    expect(late.count).toBe(1);
  });

  it('does not where it is kept, then or later, or where more is settled than there was', () => {
    const late = lender();
    const lend = (): void => lentBytes.lend(memory, late);
    lend();
    lentBytes.keep(memory);
    lentBytes.end(80);
    lentBytes.settle(memory, 80);
    lend();
    lentBytes.end(80);
    lentBytes.keep(memory.subarray(3));
    lentBytes.settle(memory, 80);
    lend();
    lentBytes.settle(memory, 40);
    lentBytes.end(80);
    lentBytes.settle(memory, 41);
    lentBytes.settle(memory, 40);
    lend();
    lentBytes.settle(memory, 81);
    lentBytes.end(80);
    lentBytes.settle(memory, 80);
    expect(late.count).toBe(0);
  });
});
