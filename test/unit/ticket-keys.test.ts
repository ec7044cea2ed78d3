import { expect, it } from 'vitest';
import { TicketKeys } from '../../src/ticket-keys.ts';

it('makes its keys once, in memory that threads share', () => {
  const keys = new TicketKeys();
  const [key] = keys.shared;
  expect(key.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(key).toHaveLength(80);
  expect(key.every((byte) => byte === 0)).toBe(true);
  keys.make();
  const made = key.slice();
  expect(made.some((byte) => byte !== 0)).toBe(true);
  keys.make();
  expect(key.slice()).toEqual(made);
});
