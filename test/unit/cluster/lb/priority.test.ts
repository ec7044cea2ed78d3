import { describe, expect, it } from 'vitest';
import { HostSet } from '../../../../src/cluster/host/host-set.ts';
import { priorityAt, priorityLoads } from '../../../../src/cluster/lb/priority.ts';
import type { EndpointHealth } from '../../../../src/cluster/cluster-data.ts';
import { clusterData, hostData, makeHost } from '../cluster-fixture.ts';

const { lb } = clusterData();

function set(parts: Partial<Record<EndpointHealth, number>>): HostSet {
  const hosts = Object.entries(parts).flatMap(([health, count]) =>
    Array.from({ length: count }, (_, i) => makeHost(hostData(`10.0.0.${i}`, { health: health as EndpointHealth }))),
  );
  return new HostSet(hosts);
}

const healthy = (percent: number): HostSet => set({ HEALTHY: percent, UNHEALTHY: 100 - percent });

// The tables of Envoy's documentation, "Priority levels", "Degraded endpoints" and "Panic threshold".
describe('priorityLoads', () => {
  it.each([
    [100, [100, 0]],
    [72, [100, 0]],
    [71, [99, 1]],
    [50, [70, 30]],
    [25, [35, 65]],
    [0, [0, 100]],
  ])('gives priority 1, all healthy, what %i %% healthy of priority 0 leaves', (percent, loads) => {
    expect(priorityLoads([healthy(percent), healthy(100)], lb).healthy).toEqual(loads);
  });

  it.each([
    [100, 100, 100, [100, 0, 0]],
    [72, 72, 100, [100, 0, 0]],
    [71, 71, 100, [99, 1, 0]],
    [50, 60, 100, [70, 30, 0]],
    [25, 100, 100, [35, 65, 0]],
    [25, 25, 100, [35, 35, 30]],
  ])('spreads over three priorities, %i/%i/%i %% healthy', (p0, p1, p2, loads) => {
    expect(priorityLoads([p0, p1, p2].map(healthy), lb).healthy).toEqual(loads);
  });

  it('normalises when all together have too few', () => {
    // 28 % + 28 %: half each, and neither has 50 % healthy hosts.
    const loads = priorityLoads([healthy(20), healthy(20)], { ...lb, panicThreshold: 0 });
    expect(loads.healthy).toEqual([50, 50]);
    expect(loads.panic).toEqual([false, false]);
  });

  it.each([
    [72, 72, [100, 0], [false, false]],
    [71, 71, [99, 1], [false, false]],
    [50, 60, [70, 30], [false, false]],
    [25, 100, [35, 65], [false, false]],
    [25, 25, [50, 50], [true, true]],
    // The table says 7 and 93; Envoy's code gives what rounding leaves to the first.
    [5, 65, [8, 92], [true, false]],
  ])('decides on panic by priority, %i/%i %% healthy', (p0, p1, loads, panic) => {
    const found = priorityLoads([healthy(p0), healthy(p1)], lb);
    expect(found.healthy).toEqual(loads);
    expect(found.panic).toEqual(panic);
  });

  it('counts hosts where every priority is in panic', () => {
    const found = priorityLoads([set({ UNHEALTHY: 1 }), set({ UNHEALTHY: 3 })], lb);
    expect(found).toEqual({ healthy: [25, 75], degraded: [0, 0], panic: [true, true] });
  });

  it('leaves the load where nobody is when panic is off', () => {
    const found = priorityLoads([set({ UNHEALTHY: 1 }), set({ UNHEALTHY: 3 })], { ...lb, panicThreshold: 0 });
    expect(found).toEqual({ healthy: [100, 0], degraded: [0, 0], panic: [false, false] });
  });

  it.each([
    [71, 29, [99, 1], [0, 0]],
    [25, 65, [35, 65], [0, 0]],
    [0, 100, [0, 100], [0, 0]],
  ])('asks healthy hosts of the next priority before degraded ones, %i/%i %%', (good, poor, loads, degraded) => {
    const first = set({ HEALTHY: good, DEGRADED: poor, UNHEALTHY: 100 - good - poor });
    const found = priorityLoads([first, healthy(100)], lb);
    expect([found.healthy, found.degraded]).toEqual([loads, degraded]);
  });

  it('lets degraded hosts take what healthy ones leave', () => {
    // The example in Envoy's load_balancer_impl.cc.
    const sets = [
      set({ HEALTHY: 10, DEGRADED: 20, UNHEALTHY: 70 }),
      set({ HEALTHY: 20, DEGRADED: 10, UNHEALTHY: 70 }),
      set({ HEALTHY: 10, UNHEALTHY: 90 }),
    ];
    const found = priorityLoads(sets, { ...lb, panicThreshold: 0 });
    expect([found.healthy, found.degraded]).toEqual([
      [16, 28, 14],
      [28, 14, 0],
    ]);
  });

  it('does not count hosts that drain', () => {
    expect(priorityLoads([set({ HEALTHY: 5, DRAINING: 95 }), healthy(100)], lb).healthy).toEqual([100, 0]);
  });

  it('weighs health where the configuration says so', () => {
    const hosts = [
      makeHost(hostData('10.0.0.1', { weight: 1 })),
      makeHost(hostData('10.0.0.2', { weight: 9, health: 'UNHEALTHY' })),
    ];
    const sets = [new HostSet(hosts), healthy(100)];
    expect(priorityLoads(sets, lb).healthy).toEqual([70, 30]);
    expect(priorityLoads(sets, { ...lb, weightedPriorityHealth: true }).healthy).toEqual([14, 86]);
  });
});

describe('priorityAt', () => {
  it('walks the healthy loads, then the degraded ones', () => {
    const loads = { healthy: [40, 30], degraded: [20, 10], panic: [false, false] };
    expect([1, 40, 41, 70, 71, 90, 91, 100].map((point) => priorityAt(loads, point))).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });
});
