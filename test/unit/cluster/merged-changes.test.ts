import { expect, it } from 'vitest';
import type { AssignmentData, HostData } from '../../../src/cluster/cluster-data.ts';
import { isMergeableChange, MergedChanges } from '../../../src/cluster/merged-changes.ts';
import { hostData } from './cluster-fixture.ts';
import { MemoryNetwork } from './memory-network.ts';
import { RecordingStats } from './recording-stats.ts';

const members = (...weights: readonly number[]): { hosts: readonly HostData[] } => ({
  hosts: weights.map((weight, i) => hostData(`10.0.0.${i + 1}`, { weight })),
});

class World {
  readonly network = new MemoryNetwork();
  readonly stats = new RecordingStats();
  readonly later: string[] = [];
  readonly changes: MergedChanges;
  private now = members(1);

  constructor() {
    const { clock, timers } = this.network;
    this.changes = new MergedChanges(clock, timers, this.stats, (name) => void this.later.push(name));
  }

  /** @returns it is told now */
  becomes(weights: readonly number[], windowMs?: number, name = 'c'): boolean {
    const before = this.now;
    this.now = members(...weights);
    return this.changes.isDue(name, before, this.now, windowMs);
  }

  counted(): number[] {
    return ['update_out_of_merge_window', 'update_merge_cancelled'].map(
      (name) => this.stats.counter(`cluster_manager.${name}`).value,
    );
  }
}

it('the first is told at once, those within the window when it is over', () => {
  const world = new World();
  expect(world.becomes([2])).toBe(true);
  expect([world.becomes([3]), world.becomes([4])]).toEqual([false, false]);
  world.network.advance(999);
  expect(world.later).toEqual([]);
  world.network.advance(1);
  expect(world.later).toEqual(['c']);
  // The window begins anew when it was told.
  expect(world.becomes([5])).toBe(false);
  world.network.advance(1000);
  expect(world.later).toEqual(['c', 'c']);
  world.network.advance(1001);
  expect(world.becomes([6])).toBe(true);
  expect(world.counted()).toEqual([2, 0]);
});

it('a host that comes or goes takes with it what waits', () => {
  const world = new World();
  expect([world.becomes([2], 5000), world.becomes([3], 5000)]).toEqual([true, false]);
  expect(world.becomes([3, 1], 5000)).toBe(true);
  world.network.advance(5000);
  expect(world.later).toEqual([]);
  expect(world.becomes([3], 5000)).toBe(true);
  expect(world.counted()).toEqual([1, 1]);
});

it('without a window nothing waits, and each cluster has its own', () => {
  const world = new World();
  expect([world.becomes([2], 0), world.becomes([3], 0), world.becomes([4], 0)]).toEqual([true, true, true]);
  expect([world.becomes([5]), world.becomes([6], 1000, 'd'), world.becomes([7])]).toEqual([true, true, false]);
  expect(world.counted()).toEqual([2, 0]);
});

it('what has been told with the whole cluster, or is of a cluster that has gone, is not told again', () => {
  const world = new World();
  for (const forget of [() => world.changes.told('c'), () => world.changes.forget('c')]) {
    world.network.advance(2000);
    expect([world.becomes([2]), world.becomes([3])]).toEqual([true, false]);
    forget();
    world.network.advance(2000);
  }
  expect(world.later).toEqual([]);
});

const host = hostData('10.0.0.1', { weight: 1 });
const changed = (change: Partial<HostData>): { hosts: readonly HostData[] } => ({ hosts: [{ ...host, ...change }] });
const assignment: AssignmentData = { overprovisioningFactor: 140, weightedPriorityHealth: false };

it.each([
  ['nothing', changed({}), true],
  ['a weight', changed({ weight: 2 }), true],
  ['the weight of its locality', changed({ localityWeight: 2 }), true],
  ['metadata', changed({ metadata: { 'envoy.lb': { a: 'b' } }, canary: true }), true],
  ['health', changed({ health: 'DRAINING' }), false],
  ['an address', changed({ address: { kind: 'ip', host: '10.0.0.2', port: 80 } }), false],
  ['a priority', changed({ priority: 1 }), false],
  ['a locality', changed({ locality: { region: 'r', zone: '', subZone: '' } }), false],
  ['a transport', changed({ metadata: {}, transport: 1 }), false],
  ['how much is dropped', { ...changed({}), assignment: { ...assignment, dropRatio: 0.5 } }, false],
  ['how priorities overflow', { ...changed({}), assignment: { ...assignment, overprovisioningFactor: 200 } }, true],
  ['another besides', { hosts: [host, hostData('10.0.0.2')] }, false],
] as const)('%s is another: may wait', (_, after, expected) => {
  expect(isMergeableChange({ hosts: [host] }, after)).toBe(expected);
});
