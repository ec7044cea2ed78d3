import { expect, it } from 'vitest';
import { WorkerClusters } from '../../../../src/cluster/clusters.ts';
import type { ClusterData, HostData } from '../../../../src/cluster/cluster-data.ts';
import { anyHost, clusterData, hostData, World } from '../cluster-fixture.ts';

const noPanic = { lb: { ...clusterData().lb, panicThreshold: 0 } };

class Members {
  readonly world = new World();
  readonly clusters = new WorkerClusters(this.world.environment);

  constructor(...list: readonly (Partial<ClusterData> & { readonly name: string })[]) {
    const all = {
      name: 'all',
      hosts: [],
      discovery: { kind: 'aggregate', clusters: ['a', 'b', 'c'] },
      ...noPanic,
    } as const;
    const set = [all, ...list].map((data) => this.world.data({ statName: data.name, ...data }));
    this.clusters.apply({ set, removed: [], hosts: [] });
  }

  pick(): string | undefined {
    return this.clusters.get('all')!.pick(anyHost)?.address.host;
  }

  hosts(name: string, ...hosts: HostData[]): void {
    this.clusters.apply({ set: [], removed: [], hosts: [{ name, hosts }] });
  }
}

const ill = { health: 'UNHEALTHY' } as const;

it('takes its members in turn, and follows them', () => {
  const members = new Members(
    { name: 'a', hosts: [hostData('10.0.0.1')], ...noPanic },
    { name: 'b', hosts: [hostData('10.0.0.2', ill), hostData('10.0.0.3', { priority: 1 })], ...noPanic },
  );
  expect(members.pick()).toBe('10.0.0.1');
  members.hosts('a', hostData('10.0.0.1', ill));
  expect(members.pick()).toBe('10.0.0.3');
  members.hosts('b');
  expect(members.pick()).toBeUndefined();
  members.clusters.apply({ set: [], removed: ['a', 'b'], hosts: [] });
  expect(members.pick()).toBeUndefined();
  const late = members.world.data({ name: 'c', statName: 'c', hosts: [hostData('10.0.0.4')] });
  members.clusters.apply({ set: [late], removed: [], hosts: [] });
  expect(members.pick()).toBe('10.0.0.4');
});

it('spreads over members by their health, within four standard deviations', () => {
  // Three of ten are fit: 1.4 times that is 42 %, and the rest goes to the next.
  const hosts = Array.from({ length: 10 }, (_, i) => hostData(`10.0.0.${i}`, i < 3 ? {} : ill));
  const members = new Members({ name: 'a', hosts, ...noPanic }, { name: 'b', hosts: [hostData('10.0.1.1')] });
  const picks = 20_000;
  let first = 0;
  for (let i = 0; i < picks; i++) if (members.pick() !== '10.0.1.1') first++;
  expect(Math.abs(first - 0.42 * picks)).toBeLessThan(4 * Math.sqrt(picks * 0.42 * 0.58));
});

it('uses the pools and limits of the cluster that has the host', () => {
  const members = new Members({ name: 'a', hosts: [hostData('10.0.0.1')] });
  const all = members.clusters.get('all')!;
  const own = members.clusters.get('a')!;
  const host = all.pick(anyHost)!;
  expect(all.httpPool(host, 0)).toBe(own.httpPool(host, 0));
  expect(all.tcpPool(host, 1)).toBe(own.tcpPool(host, 1));
  expect(all.transportOptions(host, 'a.test', null, null, null)).toBe(
    own.transportOptions(host, 'a.test', null, null, null),
  );
});
