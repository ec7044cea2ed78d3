import { expect, it } from 'vitest';
import { WaitingLine } from '../../src/cluster/pool/waiting-line.ts';
import * as fc from './chance.ts';

interface Waiter {
  readonly number: number;
}

it('behaves as a list, whatever comes', () => {
  const step = fc.oneof(
    fc.constant('push' as const),
    fc.constant('shift' as const),
    fc.nat({ max: 30 }).map((place) => ({ place })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const line = new WaitingLine<Waiter>();
      const model: Waiter[] = [];
      let number = 0;
      for (const action of steps) {
        if (action === 'push') {
          const waiter = { number: number++ };
          line.push(waiter);
          model.push(waiter);
        } else if (action === 'shift') {
          expect(line.shift()).toBe(model.shift() ?? null);
        } else if (action.place < model.length) {
          const [gone] = model.splice(action.place, 1);
          expect(line.leave(gone)).toBe(true);
        }
        expect(line.size).toBe(model.length);
      }
    }),
    { numRuns: 300 },
  );
});
