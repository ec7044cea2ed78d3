import { describe, expect, it } from 'vitest';
import { HostSet } from '../../src/cluster/host/host-set.ts';
import { EdfScheduler } from '../../src/cluster/lb/edf.ts';
import { priorityAt, priorityLoads } from '../../src/cluster/lb/priority.ts';
import { clusterData, hostData, makeHost } from '../unit/cluster/cluster-fixture.ts';
import * as fc from './chance.ts';

describe('EdfScheduler', () => {
  it('picks every entry as often as its weight says, to within one turn', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(weights, (list) => {
        const scheduler = new EdfScheduler(list);
        const sum = list.reduce((all, weight) => all + weight, 0);
        const counts = list.map(() => 0);
        const rounds = 3;
        for (let i = 0; i < rounds * sum; i++) {
          const entry = scheduler.next();
          counts[entry]++;
          scheduler.refile(list[entry]);
        }
        for (const [i, weight] of list.entries()) expect(Math.abs(counts[i] - rounds * weight)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 200 },
    );
  });
});

describe('priorityLoads', () => {
  it('always gives away exactly 100 %, and only where somebody is unless nobody is anywhere', () => {
    const health = fc.constantFrom('HEALTHY', 'UNHEALTHY', 'DEGRADED', 'DRAINING' as const);
    const sets = fc.array(fc.array(health, { maxLength: 8 }), { minLength: 1, maxLength: 4 });
    const lb = clusterData().lb;
    fc.assert(
      fc.property(sets, fc.integer({ min: 0, max: 100 }), (lists, panicThreshold) => {
        const made = lists.map(
          (list) => new HostSet(list.map((state, i) => makeHost(hostData(`10.0.0.${i}`, { health: state })))),
        );
        const loads = priorityLoads(made, { ...lb, panicThreshold });
        const all = [...loads.healthy, ...loads.degraded];
        expect(all.every((load) => load >= 0)).toBe(true);
        expect(all.reduce((sum, load) => sum + load, 0)).toBe(100);
        for (let point = 1; point <= 100; point++) {
          const choice = priorityAt(loads, point);
          expect(all[choice]).toBeGreaterThan(0);
        }
        const anybody = made.some((set) => set.hosts.length > 0);
        if (anybody && loads.panic.every((is) => is))
          for (const [i, load] of loads.healthy.entries())
            if (load > 0) expect(made[i].hosts.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });
});
