import { expect, it } from 'vitest';
import { happens, TimerScale } from '../../../src/core/overload-view.ts';

it('a timeout becomes the shorter the more its state says so, down to its minimum', () => {
  const state = { value: 0 };
  const byTime = new TimerScale(state, { kind: 'ms', ms: 200 });
  const byShare = new TimerScale(state, { kind: 'share', share: 0.1 });
  expect([byTime.scaled(1000), byShare.scaled(1000)]).toEqual([1000, 1000]);
  state.value = 0.5;
  expect([byTime.scaled(1000), byShare.scaled(1000)]).toEqual([600, 550]);
  state.value = 1;
  expect([byTime.scaled(1000), byShare.scaled(1000)]).toEqual([200, 100]);
});

it('a timeout shorter than its minimum stays as it is', () => {
  const scale = new TimerScale({ value: 1 }, { kind: 'ms', ms: 200 });
  expect([scale.scaled(150), scale.scaled(0)]).toEqual([150, 0]);
});

it('something happens as often as its value says, and nothing is drawn for never and always', () => {
  const none = (): number => {
    throw new Error('nothing is to be drawn');
  };
  expect([happens({ value: 0 }, none), happens({ value: 1 }, none)]).toEqual([false, true]);
  expect([happens({ value: 0.5 }, () => 0.49), happens({ value: 0.5 }, () => 0.5)]).toEqual([true, false]);
});
