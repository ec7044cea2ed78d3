import { describe, expect, it } from 'vitest';
import type { ClusterData, HostData } from '../../../../src/cluster/cluster-data.ts';
import { HealthCell, HealthMemory } from '../../../../src/cluster/health/health-memory.ts';
import { HealthSlots } from '../../../../src/cluster/health/health-slots.ts';
import { HealthFlag } from '../../../../src/cluster/host/host-health.ts';
import { clusterData, hostData } from '../cluster-fixture.ts';
import { checkData } from './health-fixture.ts';

const dns = { kind: 'strict-dns' } as unknown as ClusterData['discovery'];
const [a, b] = [hostData('10.0.0.1'), hostData('10.0.0.2')];

function slotsOf(hosts: readonly HostData[]): (number | undefined)[] {
  return hosts.map(({ healthSlot }) => healthSlot);
}

describe('HealthSlots', () => {
  it('gives hosts of watched clusters a place, for as long as they are there', () => {
    const slots = new HealthSlots(new HealthMemory());
    const cluster = clusterData({ healthCheck: checkData() });
    expect(slots.place(clusterData(), [a])).toEqual([a]);
    const first = slots.place(cluster, [a]);
    expect(slotsOf(first)).toEqual([0]);
    expect(slots.flagsOf(first[0])).toBe(HealthFlag.FailedActiveCheck);
    expect(slotsOf(slots.place(cluster, [b, a]))).toEqual([1, 0]);
    expect(slotsOf(slots.place(cluster, [b]))).toEqual([1]);
    expect(slotsOf(slots.place({ ...cluster, name: 'd' }, [a, b]))).toEqual([0, 2]);
    expect(slots.place({ ...cluster, healthCheck: null }, slots.place(cluster, [b]))).toEqual([b]);
    slots.release('d');
    expect(slotsOf(slots.place({ ...cluster, name: 'e' }, [a]))).toEqual([1]);
  });

  it('is one place for a host that two versions of a cluster have', () => {
    const slots = new HealthSlots(new HealthMemory());
    const cluster = clusterData({ healthCheck: checkData() });
    const c = hostData('10.0.0.3');
    slots.place(cluster, [a, b]);
    slots.memory.store(0, HealthCell.Flags, 0);
    // The next version: it knows what is known of `a`, and leaves `b` to the one that serves.
    const next = slots.place(cluster, [a, c], 'warming');
    expect(slotsOf(next)).toEqual([0, 2]);
    expect(slots.flagsOf(next[0])).toBe(0);
    expect(slotsOf(slots.place(cluster, [b, a]))).toEqual([1, 0]);
    slots.promote(cluster.name);
    expect(slotsOf(slots.place({ ...cluster, name: 'd' }, [b]))).toEqual([1]);
    expect(slotsOf(slots.place(cluster, [a, c]))).toEqual([0, 2]);
  });

  it('leaves new hosts out of counts until they have been checked, where the cluster says so', () => {
    const slots = new HealthSlots(new HealthMemory());
    const cluster = clusterData({ healthCheck: checkData({ ignoresNewHosts: true }), discovery: dns });
    const [host] = slots.place(cluster, [a]);
    expect(slots.flagsOf(host)).toBe(HealthFlag.FailedActiveCheck | HealthFlag.PendingActiveCheck);
  });

  it('keeps hosts that pass their checks when discovery knows them no more', () => {
    const memory = new HealthMemory();
    const slots = new HealthSlots(memory);
    const cluster = clusterData({ healthCheck: checkData(), discovery: dns });
    const before = slots.place(cluster, [a, b]);
    memory.store(before[0].healthSlot!, HealthCell.Flags, 0);
    const kept = slots.keepPassing(cluster, before, []);
    expect(kept.map(({ address }) => address.host)).toEqual(['10.0.0.1']);
    expect(slots.flagsOf(kept[0])).toBe(HealthFlag.PendingRemoval);
    const back = slots.keepPassing(cluster, kept, [a]);
    expect(back).toEqual([a]);
    expect(slots.flagsOf(kept[0])).toBe(0);
    const hasty = clusterData({ healthCheck: checkData({ ignoresHealthOnRemoval: true }), discovery: dns });
    expect(slots.keepPassing(hasty, before, [])).toEqual([]);
    expect(slots.keepPassing(clusterData({ healthCheck: checkData() }), before, [])).toEqual([]);
  });
});
