import { describe, expect, it } from 'vitest';
import { EdfScheduler } from '../../../../src/cluster/lb/edf.ts';

function picks(weights: number[], count: number): number[] {
  const scheduler = new EdfScheduler(weights);
  return Array.from({ length: count }, () => {
    const entry = scheduler.next();
    scheduler.refile(weights[entry]);
    return entry;
  });
}

describe('EdfScheduler', () => {
  it('goes round in order with equal weights', () => {
    expect(picks([1, 1, 1], 6)).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it('spreads a heavier entry evenly, ties to the one filed earlier', () => {
    // Deadlines: 0 at 1, 2, 3 …; 1 at ½, 1, 1½ …; the tie at 1 goes to 0, which was filed first.
    expect(picks([1, 2], 6)).toEqual([1, 0, 1, 1, 0, 1]);
  });

  it('takes the weight of the moment', () => {
    const scheduler = new EdfScheduler([1, 1]);
    expect(scheduler.next()).toBe(0);
    scheduler.refile(0.01);
    const later = Array.from({ length: 10 }, () => {
      const entry = scheduler.next();
      scheduler.refile(1);
      return entry;
    });
    expect(later).toEqual(Array.from({ length: 10 }, () => 1));
  });
});
