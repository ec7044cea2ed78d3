import { expect, it } from 'vitest';
import { Triggers } from '../../../../src/control/overload/trigger.ts';

it('a threshold is none or all', () => {
  const triggers = new Triggers([{ resource: 'a', from: 0.9, to: 0.9 }]);
  const states = [0.89, 0.9, 1, 0.5].map((pressure) => {
    triggers.update('a', pressure);
    return triggers.state;
  });
  expect(states).toEqual([0, 1, 1, 0]);
});

it('a scaled trigger is in proportion between its two thresholds', () => {
  const triggers = new Triggers([{ resource: 'a', from: 0.5, to: 0.9 }]);
  const states = [0.5, 0.7, 0.9, 0.95].map((pressure) => {
    triggers.update('a', pressure);
    return Math.round(triggers.state * 100);
  });
  expect(states).toEqual([0, 50, 100, 100]);
});

it('of several triggers the one counts that says most, and each hears of its own resource only', () => {
  const triggers = new Triggers([
    { resource: 'a', from: 0, to: 1 },
    { resource: 'b', from: 0.5, to: 0.5 },
  ]);
  triggers.update('a', 0.25);
  expect(triggers.state).toBe(0.25);
  triggers.update('b', 0.6);
  expect(triggers.state).toBe(1);
  triggers.update('b', 0.1);
  expect(triggers.state).toBe(0.25);
  triggers.update('c', 1);
  expect(triggers.state).toBe(0.25);
});
