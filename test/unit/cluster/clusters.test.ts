import { describe, expect, it } from 'vitest';
import { hostsOf, isEqualButForHosts } from '../../../src/cluster/cluster-changes.ts';
import { WorkerClusters } from '../../../src/cluster/clusters.ts';
import { HealthCell } from '../../../src/cluster/health/health-memory.ts';
import { HealthFlag } from '../../../src/cluster/host/host-health.ts';
import type { UpstreamHost } from '../../../src/cluster/host/host.ts';
import { anyHost, hostData, runtimeOf, World } from './cluster-fixture.ts';

describe('WorkerClusters', () => {
  it('builds a cluster when it is first asked for, once', () => {
    const world = new World();
    const clusters = new WorkerClusters(world.environment);
    const list = Array.from({ length: 2000 }, (_, i) => world.data({ name: `c${i}`, statName: `c${i}` }));
    clusters.apply({ set: list, removed: [], hosts: [] });
    const named = () => world.stats.names.filter((name) => name.startsWith('cluster.'));
    expect(named()).toEqual([]);
    const cluster = clusters.get('c7');
    expect(clusters.get('c7')).toBe(cluster);
    expect(clusters.get('none')).toBeUndefined();
    expect(named().every((name) => name.startsWith('cluster.c7.'))).toBe(true);
    expect(world.stats.read('thread_local_cluster_manager.worker_0.')).toEqual({ clusters_inflated: 1 });
    expect(world.messages).toEqual([]);
  });

  it('makes a changed cluster anew before the old one drains', () => {
    const world = new World();
    const clusters = new WorkerClusters(world.environment);
    clusters.apply({ set: [world.data()], removed: [], hosts: [] });
    const before = clusters.get('c')!;
    clusters.apply({ set: [world.data({ connectTimeoutMs: 1 })], removed: [], hosts: [] });
    const after = clusters.get('c')!;
    expect(after).not.toBe(before);
    // Who holds the old one can still finish with it.
    expect(before.pick(anyHost)).not.toBeNull();
    expect(after.pick(anyHost)).not.toBe(before.pick(anyHost));
  });

  it('takes hosts in place', () => {
    const world = new World();
    const clusters = new WorkerClusters(world.environment);
    clusters.apply({ set: [world.data()], removed: [], hosts: [] });
    const cluster = clusters.get('c')!;
    const host = cluster.pick(anyHost);
    clusters.apply({
      set: [],
      removed: [],
      hosts: [{ name: 'c', hosts: [hostData('10.0.0.1', { priority: 1 }), hostData('10.0.0.9')] }],
    });
    expect(clusters.get('c')).toBe(cluster);
    expect(cluster.pick(anyHost)!.addressText).toBe('10.0.0.9:80');
    expect(host!.priority).toBe(1);
  });

  it('takes hosts of a cluster that was not used yet', () => {
    const world = new World();
    const clusters = new WorkerClusters(world.environment);
    clusters.apply({ set: [world.data({ hosts: [] })], removed: [], hosts: [] });
    clusters.apply({ set: [], removed: [], hosts: [{ name: 'c', hosts: [hostData('10.0.0.9')] }] });
    expect(clusters.get('c')!.pick(anyHost)!.addressText).toBe('10.0.0.9:80');
  });

  describe('when the runtime changes', () => {
    it('sends no one to sick hosts that were in use only out of panic, and the other way round', () => {
      const world = new World();
      const clusters = new WorkerClusters(world.environment);
      const hosts = [
        hostData('10.0.0.1'),
        hostData('10.0.0.2', { health: 'UNHEALTHY' }),
        hostData('10.0.0.3', { health: 'UNHEALTHY' }),
      ];
      clusters.apply({ set: [world.data({ hosts })], removed: [], hosts: [] });
      const cluster = clusters.get('c')!;
      const reached = () => new Set(Array.from({ length: 30 }, () => cluster.pick(anyHost)!.addressText)).size;
      expect(reached()).toBe(3);
      world.runtime.update(runtimeOf({ 'upstream.healthy_panic_threshold': '10' }));
      clusters.onRuntimeChanged();
      expect(reached()).toBe(1);
      world.runtime.update(runtimeOf({}));
      clusters.onRuntimeChanged();
      expect(reached()).toBe(3);
    });

    it('gives clusters that are in use other limits', () => {
      const world = new World();
      const clusters = new WorkerClusters(world.environment);
      clusters.apply({ set: [world.data()], removed: [], hosts: [] });
      const { requests } = clusters.get('c')!.breakers(0);
      world.runtime.update(runtimeOf({ 'circuit_breakers.c.default.max_requests': '0' }));
      clusters.onRuntimeChanged();
      expect(requests.canCreate).toBe(false);
    });

    it('takes a share of the requests for maintenance', () => {
      const world = new World();
      const clusters = new WorkerClusters(world.environment);
      clusters.apply({ set: [world.data()], removed: [], hosts: [] });
      const cluster = clusters.get('c')!;
      const refused = () => Array.from({ length: 1000 }, () => cluster.isInMaintenance).filter(Boolean).length;
      expect(refused()).toBe(0);
      world.runtime.update(runtimeOf({ 'upstream.maintenance_mode.c': '30' }));
      clusters.onRuntimeChanged();
      expect(Math.round(refused() / 100)).toBe(3);
      world.runtime.update(runtimeOf({ 'upstream.maintenance_mode.c': '100' }));
      expect(refused()).toBe(1000);
    });
  });

  it('forgets what is removed', () => {
    const world = new World();
    const clusters = new WorkerClusters(world.environment);
    clusters.apply({ set: [world.data()], removed: [], hosts: [] });
    clusters.apply({ set: [], removed: ['c'], hosts: [] });
    expect(clusters.get('c')).toBeUndefined();
  });

  it('keeps two hosts with one address apart', () => {
    const world = new World();
    const cluster = world.cluster({
      hosts: [hostData('10.0.0.1', { weight: 1 }), hostData('10.0.0.1', { weight: 3 })],
    });
    const counts = new Map<unknown, number>();
    for (let i = 0; i < 400; i++) {
      const host = cluster.pick(anyHost);
      counts.set(host, (counts.get(host) ?? 0) + 1);
    }
    expect([...counts.values()].sort((a, b) => a - b)).toEqual([100, 300]);
  });

  it('knows the health of hosts from the start', () => {
    const world = new World();
    world.health.store(1, HealthCell.Flags, HealthFlag.FailedOutlierCheck);
    const cluster = world.cluster({ hosts: [1, 2].map((i) => hostData(`10.0.0.${i}`, { healthSlot: i })) });
    expect(new Set([1, 2, 3, 4].map(() => cluster.pick(anyHost)!.addressText))).toEqual(new Set(['10.0.0.2:80']));
  });

  it('hears of health that changed', () => {
    const world = new World();
    const hosts = [1, 2].map((i) => hostData(`10.0.0.${i}`, { healthSlot: i }));
    const cluster = world.cluster({ hosts });
    const host = cluster.pick(anyHost)!;
    world.health.store((host as UpstreamHost).healthSlot, HealthCell.Flags, HealthFlag.FailedActiveCheck);
    cluster.onHealthChanged();
    expect(new Set([1, 2, 3, 4].map(() => cluster.pick(anyHost))).has(host)).toBe(false);
  });
});

describe('a version of a cluster', () => {
  it('is other than another but for what may change while its pools go on', () => {
    const world = new World();
    const data = world.data({ name: 'c' });
    const hosts = [hostData('10.0.0.2')];
    const assignment = { overprovisioningFactor: 100, weightedPriorityHealth: true };
    expect(isEqualButForHosts(data, { ...structuredClone(data), hosts, assignment })).toBe(true);
    expect(isEqualButForHosts(data, { ...data, connectTimeoutMs: 1 })).toBe(false);
    expect(hostsOf({ ...data, hosts, assignment })).toEqual({ hosts, assignment });
  });
});
