import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ListenerDrain } from '../../../src/control/listener-drain.ts';

let told: string[];
let drain: ListenerDrain;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  drain = new ListenerDrain(
    4000,
    ({ scope, graceful }) => void told.push(`${graceful ? 'ask' : 'stop'} ${scope}`),
    (scope) => void told.push(`stopped ${scope}`),
  );
});

afterEach(() => void vi.useRealTimers());

it('asks for the drain time, then stops', () => {
  drain.drain('all', false);
  vi.advanceTimersByTime(3999);
  expect(told).toEqual(['ask all']);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(['ask all', 'stop all', 'stopped all']);
});

it('goes on accepting where that is wanted', () => {
  drain.drain('inbound', true);
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual(['ask inbound']);
});

it('does not begin again while it drains', () => {
  drain.drain('inbound', false);
  drain.drain('all', false);
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual(['ask inbound', 'stop inbound', 'stopped inbound']);
});

it('stops at once where no grace is asked for, each listener once', () => {
  drain.stop('inbound');
  drain.stop('inbound');
  drain.stop('all');
  drain.stop('inbound');
  expect(told).toEqual(['stop inbound', 'stopped inbound', 'stop all', 'stopped all']);
});

it('tells a new worker how things stand', () => {
  expect(drain.messages).toEqual([]);
  drain.drain('all', false);
  expect(drain.messages).toEqual([{ kind: 'drain-listeners', scope: 'all', graceful: true }]);
  vi.advanceTimersByTime(4000);
  expect(drain.messages).toEqual([
    { kind: 'drain-listeners', scope: 'all', graceful: true },
    { kind: 'drain-listeners', scope: 'all', graceful: false },
  ]);
});
