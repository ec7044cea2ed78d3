import { expect, test } from 'vitest';
import { drawOf, reasonIn, TraceReason, withReason } from '../../../../src/observe/trace/trace-reason.ts';

const id = (digit: string): string => `f67ac714-d570-${digit}0e4-b482-5235d1080824`;

test('the reason stands in the id', () => {
  expect(['4', '9', 'a', 'b', '0'].map((digit) => reasonIn(id(digit)))).toEqual([
    TraceReason.NotTraceable,
    TraceReason.Sampling,
    TraceReason.ServiceForced,
    TraceReason.ClientForced,
    TraceReason.NotTraceable,
  ]);
  expect(reasonIn('9')).toBe(TraceReason.NotTraceable);
  expect(withReason(id('4'), TraceReason.ServiceForced)).toBe(id('a'));
  expect(withReason('short', TraceReason.Sampling)).toBe('short');
});

test('ids are drawn from', () => {
  expect([drawOf('0000270f-x'), drawOf('00002711'), drawOf('abc'), drawOf('zzzzzzzz')]).toEqual([9999, 1, -1, -1]);
  expect([drawOf('DEADBEEF'), drawOf('deadbeef')]).toEqual([0xdeadbeef % 10_000, 0xdeadbeef % 10_000]);
  expect(['0000000-', '0000000 ', '0000000g', '0000000\x10', '0000000:'].map((id) => drawOf(id))).toEqual([
    -1, -1, -1, -1, -1,
  ]);
});
