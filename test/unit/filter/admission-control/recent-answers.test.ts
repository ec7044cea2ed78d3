import { expect, test } from 'vitest';
import { RecentAnswers } from '../../../../src/filter/admission-control/recent-answers.ts';
import * as fc from '../../../property/chance.ts';

test('count until they are older than the window', () => {
  const answers = new RecentAnswers(3000);
  answers.record(true, 0);
  answers.record(false, 900);
  answers.record(false, 1100);
  expect([answers.requests, answers.successes]).toEqual([3, 1]);
  answers.forget(3000);
  expect([answers.requests, answers.successes]).toEqual([1, 0]);
  answers.forget(10_000);
  expect([answers.requests, answers.successes]).toEqual([0, 0]);
});

test('the rate is that since the oldest', () => {
  const answers = new RecentAnswers(10_000);
  expect(answers.rate(0)).toBe(0);
  for (let i = 0; i < 30; i++) answers.record(true, i * 100);
  expect(answers.rate(2950)).toBe(15);
  expect(answers.rate(5000)).toBe(6);
});

test('never count less than what is younger than the window, nor more than what is a second older', () => {
  const steps = fc.array(fc.record({ after: fc.nat(1500), isSuccess: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 8 }), (list, seconds) => {
      const answers = new RecentAnswers(seconds * 1000);
      const all: { readonly atMs: number; readonly isSuccess: boolean }[] = [];
      let nowMs = 0;
      for (const { after, isSuccess } of list) {
        nowMs += after;
        answers.record(isSuccess, nowMs);
        all.push({ atMs: nowMs, isSuccess });
        const within = (ms: number, of = all): number => of.filter(({ atMs }) => nowMs - atMs < ms).length;
        const good = all.filter((one) => one.isSuccess);
        // A sample leaves as a whole, when its first answer is too old.
        const inner = Math.max(0, seconds - 1) * 1000;
        expect(answers.requests).toBeGreaterThanOrEqual(within(inner));
        expect(answers.requests).toBeLessThanOrEqual(within(seconds * 1000));
        expect(answers.successes).toBeGreaterThanOrEqual(within(inner, good));
        expect(answers.successes).toBeLessThanOrEqual(within(seconds * 1000, good));
      }
    }),
  );
});
