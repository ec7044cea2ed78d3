import { describe, expect, it } from 'vitest';
import type { ClusterChanges } from '../../../src/cluster/cluster-changes.ts';
import { rawSocket } from '../../../src/cluster/transport/transport-data.ts';
import type { ClusterData, DiscoveryData, DnsData, HostData } from '../../../src/cluster/cluster-data.ts';
import { ClusterDirectory } from '../../../src/cluster/cluster-directory.ts';
import type { Discovery, DiscoveryListener } from '../../../src/cluster/discovery/discovery.ts';
import { HealthCell, HealthMemory } from '../../../src/cluster/health/health-memory.ts';
import { HealthSlots } from '../../../src/cluster/health/health-slots.ts';
import { SharedNumberDirectory } from '../../../src/observe/limit/shared-limit.ts';
import { replaceClusters } from './directory-fixture.ts';
import { CollectedStats } from './collected-stats.ts';
import { clusterData, hostData } from './cluster-fixture.ts';
import { ScriptedResolver } from './discovery/scripted-resolver.ts';
import { checkData } from './health/health-fixture.ts';
import { MemoryNetwork } from './memory-network.ts';
import { RecordingStats } from './recording-stats.ts';

const dns: DnsData = {
  refreshMs: 5000,
  failureRefresh: null,
  jitterMs: 0,
  respectTtl: false,
  ttlRefreshMinMs: 0,
  family: 'AUTO',
  resolver: { kind: 'getaddrinfo', retries: 0 },
  waitForWarm: true,
};

function discovery(kind: 'strict-dns' | 'logical-dns', names: string[], change: Partial<DnsData> = {}): DiscoveryData {
  const targets = names.map((name) => ({ name, port: 80, host: hostData('', { hostname: name }) }));
  return { kind, dns: { ...dns, ...change }, targets };
}

/** What a control plane tells, as the test says it. */
class Told implements Discovery {
  readonly listener: DiscoveryListener;
  readonly before: Discovery | null;
  isStopped = false;

  constructor(listener: DiscoveryListener, before: Discovery | null) {
    this.listener = listener;
    this.before = before;
  }

  start(): void {}

  stop(): void {
    this.isStopped = true;
  }
}

class Bench {
  readonly network = new MemoryNetwork();
  readonly stats = new RecordingStats();
  readonly resolver = new ScriptedResolver();
  readonly changes: ClusterChanges[] = [];
  readonly told: Told[] = [];
  readonly health = new HealthSlots(new HealthMemory());
  readonly directory = new ClusterDirectory({
    health: this.health,
    clock: this.network.clock,
    timers: this.network.timers,
    random: () => 0.5,
    stats: this.stats,
    limits: new SharedNumberDirectory(),
    openResolver: () => this.resolver,
    openEndpoints: (_cluster, _scope, listener, before) => {
      this.told.push(new Told(listener, before));
      return this.told.at(-1)!;
    },
    onPublished: (change) => this.changes.push({ set: [], removed: [], hosts: [change] }),
  });

  dnsCluster(kind: 'strict-dns' | 'logical-dns', names: string[], change: Partial<DnsData> = {}): void {
    this.replace({ hosts: [], discovery: discovery(kind, names, change) });
  }

  replace(...list: Partial<ClusterData>[]): void {
    replaceClusters(
      this.directory,
      list.map((change) => clusterData(change)),
    );
  }

  get addresses(): string[] {
    return this.directory.hostsOf('c').map(({ address }) => address.host);
  }

  gauge(name: string): number | undefined {
    return this.reported().gauges.get(`cluster.c.${name}`)?.value;
  }

  reported(): CollectedStats {
    return new CollectedStats(this.directory);
  }
}

describe('stats of clusters', () => {
  it('have their names, used or not, for as long as the cluster is there', () => {
    const bench = new Bench();
    bench.replace({ name: 'c', statName: 'c' }, { name: 'd', statName: 'other' });
    const { names, gauges } = bench.reported();
    expect(names).toContain('cluster.other.upstream_rq_total');
    expect(names).toContain('cluster.c.upstream_cx_length_ms');
    expect(gauges.get('cluster.other.circuit_breakers.high.cx_open')).toEqual({ value: 0, isUsed: false });
    bench.replace({ name: 'c', statName: 'c' });
    expect([...bench.reported().names].filter((name) => name.startsWith('cluster.other.'))).toEqual([]);
  });

  it('count hosts by the transport that they have', async () => {
    const bench = new Bench();
    const counts = (): unknown => bench.stats.read('cluster.c.');
    const transports = ['default', 'istio', 'off'].map((name) => ({ name, match: null, socket: rawSocket }));
    const host = (address: string, transport: number): HostData => hostData(address, { transport });
    bench.replace({ transports, hosts: [host('10.0.0.1', 1), host('10.0.0.2', 1), host('10.0.0.3', 0)] });
    const names = ['default', 'istio', 'off'].map((name) => `${name}.total_match_count`);
    expect(counts()).toMatchObject({ [names[0]]: 1, [names[1]]: 2 });
    bench.replace({ transports, hosts: [host('10.0.0.1', 2)] });
    expect(counts()).toMatchObject({ [names[1]]: 2, [names[2]]: 1 });
  });

  it('tell the greatest weight of discovered hosts', async () => {
    const bench = new Bench();
    bench.replace({ hosts: [hostData('10.0.0.1', { weight: 7 })] });
    expect(bench.gauge('max_host_weight')).toBe(0);
    bench.dnsCluster('strict-dns', ['a.test']);
    await bench.resolver.answer('a.test', ['10.0.0.1']);
    expect(bench.gauge('max_host_weight')).toBe(1);
  });
});

describe('the limits of a removed cluster', () => {
  it('serve another', () => {
    const bench = new Bench();
    for (let i = 0; i < 100; i++) bench.replace({ name: `c${i}` });
    expect(bench.directory.takeChanges().set[0].breakerSlots.every((slot) => slot < 30)).toBe(true);
  });
});

describe('static clusters', () => {
  it('are warm at once, and go to the workers with their limits', async () => {
    const bench = new Bench();
    bench.replace({});
    await bench.directory.whenWarm('c');
    const { set } = bench.directory.takeChanges();
    expect(set.map(({ name, breakerSlots }) => [name, breakerSlots])).toEqual([
      ['c', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    ]);
    expect(bench.stats.read()).toEqual({ membership_change: 1, 'default.total_match_count': 1 });
  });

  it('tell their members by health', () => {
    const bench = new Bench();
    bench.replace({
      hosts: [
        hostData('10.0.0.1'),
        hostData('10.0.0.2', { health: 'DRAINING' }),
        hostData('10.0.0.3', { health: 'DEGRADED' }),
      ],
    });
    expect(['total', 'healthy', 'degraded', 'excluded'].map((name) => bench.gauge(`membership_${name}`))).toEqual([
      3, 1, 1, 1,
    ]);
  });

  it('differ only in what has changed', () => {
    const bench = new Bench();
    bench.replace({}, { name: 'd' });
    bench.directory.takeChanges();
    bench.replace({ hosts: [hostData('10.0.0.2')] }, { name: 'd' });
    expect(bench.directory.takeChanges()).toEqual({
      set: [],
      removed: [],
      hosts: [{ name: 'c', hosts: [hostData('10.0.0.2')] }],
    });
    bench.replace({ name: 'd' });
    expect(bench.directory.takeChanges()).toEqual({ set: [], removed: ['c'], hosts: [] });
  });
});

describe('STRICT_DNS', () => {
  it('is warm after the first answer, with all its addresses', async () => {
    const bench = new Bench();
    bench.dnsCluster('strict-dns', ['a.test', 'b.test']);
    let isWarm = false;
    const warm = bench.directory.whenWarm('c').then(() => (isWarm = true));
    await Promise.resolve();
    expect([isWarm, bench.gauge('warming_state')]).toEqual([false, 1]);
    expect(bench.resolver.asked).toEqual(['a.test AUTO', 'b.test AUTO']);
    await bench.resolver.answer('a.test', ['192.0.2.2', '192.0.2.1']);
    await warm;
    expect(bench.gauge('warming_state')).toBe(0);
    await bench.resolver.answer('b.test', ['192.0.2.3']);
    expect(bench.addresses).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3']);
    expect(bench.directory.hostsOf('c')[2]).toEqual(hostData('192.0.2.3', { hostname: 'b.test' }));
    expect(bench.stats.read()).toEqual({
      membership_change: 2,
      'default.total_match_count': 5,
      update_attempt: 2,
      update_success: 2,
    });
    // Nothing was with the workers yet.
    expect(bench.changes).toEqual([]);
  });

  it('asks again after the refresh interval, and tells what has changed', async () => {
    const bench = new Bench();
    bench.dnsCluster('strict-dns', ['a.test']);
    await bench.resolver.answer('a.test', ['192.0.2.1', '192.0.2.2']);
    bench.directory.takeChanges();
    bench.network.advance(4999);
    expect(bench.resolver.asked).toHaveLength(1);
    bench.network.advance(1);
    expect(bench.resolver.asked).toHaveLength(2);
    await bench.resolver.answer('a.test', ['192.0.2.2', '192.0.2.1']);
    expect(bench.stats.read()).toMatchObject({ update_no_rebuild: 1, membership_change: 1 });
    expect(bench.changes).toEqual([]);
    bench.network.advance(5000);
    await bench.resolver.answer('a.test', ['192.0.2.2']);
    expect(bench.changes).toEqual([
      { set: [], removed: [], hosts: [{ name: 'c', hosts: [hostData('192.0.2.2', { hostname: 'a.test' })] }] },
    ]);
  });

  it('keeps a host that passes its checks, whatever the answer, until it fails', async () => {
    const bench = new Bench();
    bench.replace({ hosts: [], discovery: discovery('strict-dns', ['a.test']), healthCheck: checkData() });
    await bench.resolver.answer('a.test', ['192.0.2.1', '192.0.2.2']);
    bench.directory.takeChanges();
    const [{ healthSlot }] = bench.directory.hostsOf('c');
    expect([bench.gauge('membership_total'), bench.gauge('membership_healthy')]).toEqual([2, 0]);
    bench.health.memory.store(healthSlot!, HealthCell.Flags, 0);
    bench.network.advance(5000);
    await bench.resolver.answer('a.test', ['192.0.2.2']);
    expect(bench.addresses).toEqual(['192.0.2.2', '192.0.2.1']);
    bench.directory.removeHost('c', '192.0.2.1:80');
    bench.directory.removeHost('none', '192.0.2.1:80');
    expect(bench.addresses).toEqual(['192.0.2.2']);
    expect(bench.changes.map(({ hosts }) => hosts[0].hosts.length)).toEqual([2, 1]);
  });

  it('loses its hosts to an empty answer, and keeps them through a failure', async () => {
    const bench = new Bench();
    bench.dnsCluster('strict-dns', ['a.test']);
    await bench.resolver.answer('a.test', ['192.0.2.1']);
    bench.network.advance(5000);
    await bench.resolver.fail('a.test');
    expect(bench.addresses).toEqual(['192.0.2.1']);
    bench.network.advance(5000);
    await bench.resolver.answer('a.test', []);
    expect(bench.addresses).toEqual([]);
    expect(bench.stats.read()).toEqual({
      membership_change: 2,
      'default.total_match_count': 1,
      update_attempt: 3,
      update_success: 2,
      update_failure: 1,
    });
  });

  it('is warm after a failure too', async () => {
    const bench = new Bench();
    bench.dnsCluster('strict-dns', ['a.test']);
    await bench.resolver.fail('a.test');
    await bench.directory.whenWarm('c');
    expect(bench.addresses).toEqual([]);
  });

  it('is warm at once without names, or when told not to wait', async () => {
    const bench = new Bench();
    bench.dnsCluster('strict-dns', []);
    await bench.directory.whenWarm('c');
    bench.dnsCluster('strict-dns', ['a.test'], { waitForWarm: false });
    await bench.directory.whenWarm('c');
  });
});

describe('refreshing', () => {
  it('follows the TTL where the configuration says so, not below a floor', async () => {
    const bench = new Bench();
    bench.dnsCluster('strict-dns', ['a.test'], { respectTtl: true, ttlRefreshMinMs: 2000 });
    await bench.resolver.answer('a.test', ['192.0.2.1'], 60);
    bench.network.advance(59_999);
    expect(bench.resolver.asked).toHaveLength(1);
    bench.network.advance(1);
    await bench.resolver.answer('a.test', ['192.0.2.1'], 1);
    bench.network.advance(1999);
    expect(bench.resolver.asked).toHaveLength(2);
    bench.network.advance(1);
    // A TTL of 0 says nothing.
    await bench.resolver.answer('a.test', ['192.0.2.1'], 0);
    bench.network.advance(4999);
    expect(bench.resolver.asked).toHaveLength(3);
    bench.network.advance(1);
    expect(bench.resolver.asked).toHaveLength(4);
  });

  it('adds jitter', async () => {
    const bench = new Bench();
    bench.dnsCluster('strict-dns', ['a.test'], { jitterMs: 1000 });
    await bench.resolver.answer('a.test', ['192.0.2.1']);
    bench.network.advance(5499);
    expect(bench.resolver.asked).toHaveLength(1);
    bench.network.advance(1);
    expect(bench.resolver.asked).toHaveLength(2);
  });

  it('backs off after failures, up to the maximum, and starts over after a success', async () => {
    const bench = new Bench();
    bench.dnsCluster('strict-dns', ['a.test'], { failureRefresh: { baseMs: 100, maxMs: 300 } });
    // Half of the bound, since the random source says 0.5.
    for (const delay of [50, 100, 150, 150]) {
      await bench.resolver.fail('a.test');
      const before = bench.resolver.asked.length;
      bench.network.advance(delay - 1);
      expect(bench.resolver.asked).toHaveLength(before);
      bench.network.advance(1);
      expect(bench.resolver.asked).toHaveLength(before + 1);
    }
    await bench.resolver.answer('a.test', ['192.0.2.1']);
    bench.network.advance(5000);
    await bench.resolver.fail('a.test');
    bench.network.advance(50);
    expect(bench.resolver.asked).toHaveLength(7);
  });

  it('goes on over a new configuration that leaves discovery alone, and stops with the cluster', async () => {
    const bench = new Bench();
    bench.dnsCluster('strict-dns', ['a.test']);
    await bench.resolver.answer('a.test', ['192.0.2.1']);
    bench.directory.takeChanges();
    bench.replace({ hosts: [], connectTimeoutMs: 1, discovery: discovery('strict-dns', ['a.test']) });
    await bench.directory.whenWarm('c');
    expect(bench.resolver.asked).toHaveLength(1);
    expect(bench.directory.takeChanges().set).toMatchObject([{ connectTimeoutMs: 1, hosts: [{ hostname: 'a.test' }] }]);
    bench.replace();
    bench.network.advance(60_000);
    expect(bench.resolver.asked).toHaveLength(1);
    expect(bench.network.timers.size).toBe(0);
  });

  it('does not give the hosts of a warming cluster to the one that is still in place', async () => {
    const bench = new Bench();
    bench.replace({});
    bench.directory.takeChanges();
    bench.dnsCluster('strict-dns', ['a.test']);
    await bench.resolver.answer('a.test', ['192.0.2.1']);
    expect(bench.changes).toEqual([]);
    expect(bench.directory.takeChanges().set).toMatchObject([{ hosts: [{ address: { host: '192.0.2.1' } }] }]);
  });
});

describe('LOGICAL_DNS', () => {
  it('has the first address of the current answer', async () => {
    const bench = new Bench();
    bench.dnsCluster('logical-dns', ['a.test']);
    await bench.resolver.answer('a.test', ['192.0.2.2', '192.0.2.1']);
    expect(bench.addresses).toEqual(['192.0.2.2']);
    bench.network.advance(5000);
    await bench.resolver.answer('a.test', ['192.0.2.2']);
    bench.network.advance(5000);
    await bench.resolver.answer('a.test', ['192.0.2.1', '192.0.2.2']);
    expect(bench.addresses).toEqual(['192.0.2.1']);
    expect(bench.stats.read()).toEqual({
      membership_change: 2,
      'default.total_match_count': 2,
      update_attempt: 3,
      update_success: 3,
      update_no_rebuild: 1,
    });
  });

  it('takes an empty answer for a failure', async () => {
    const bench = new Bench();
    bench.dnsCluster('logical-dns', ['a.test']);
    await bench.resolver.answer('a.test', ['192.0.2.1']);
    bench.network.advance(5000);
    await bench.resolver.answer('a.test', []);
    expect(bench.addresses).toEqual(['192.0.2.1']);
    expect(bench.stats.read()).toMatchObject({ update_success: 1, update_failure: 1 });
  });
});

describe('ORIGINAL_DST', () => {
  it('has the hosts that workers have found, each of which is counted once', () => {
    const bench = new Bench();
    const asked = { metadataPath: null, header: '', port: null, cleanupMs: 5000 };
    bench.replace({ hosts: [], discovery: { kind: 'original-dst', asked } });
    bench.directory.takeChanges();
    for (const host of ['192.0.2.1', '192.0.2.2', '192.0.2.1']) {
      bench.directory.foundHost({ cluster: 'c', address: { kind: 'ip', host, port: 80 } });
      bench.network.advance(20);
    }
    expect(bench.addresses).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(bench.stats.read()).toEqual({ membership_change: 2, 'default.total_match_count': 2 });
    // Nobody uses them, for a second time.
    for (let i = 0; i < 2; i++) bench.network.advance(asked.cleanupMs);
    expect(bench.addresses).toEqual([]);
    expect(bench.stats.read()).toEqual({ membership_change: 3, 'default.total_match_count': 2 });
  });
});

describe('EDS', () => {
  const source = { initialFetchTimeoutMs: 0, from: { kind: 'ads' } } as const;
  const eds = (serviceName = 'c'): Partial<ClusterData> => ({
    hosts: [],
    discovery: { kind: 'eds', serviceName, source },
  });
  const assignment = { overprovisioningFactor: 100, weightedPriorityHealth: false };

  it('has the hosts that are told, and what came with them', async () => {
    const bench = new Bench();
    bench.replace(eds());
    let isWarm = false;
    const warm = bench.directory.whenWarm('c').then(() => (isWarm = true));
    await Promise.resolve();
    expect(isWarm).toBe(false);
    bench.told[0].listener.onHosts([hostData('10.0.0.1')], assignment);
    bench.told[0].listener.onWarm();
    await warm;
    expect(bench.directory.takeChanges().set).toMatchObject([{ hosts: [{ weight: 1 }], assignment }]);
    bench.told[0].listener.onHosts([hostData('10.0.0.2')], assignment);
    expect(bench.changes).toMatchObject([
      { hosts: [{ name: 'c', hosts: [{ address: { host: '10.0.0.2' } }], assignment }] },
    ]);
  });

  it('tells other weights once in a window, the newest', () => {
    const bench = new Bench();
    const hear = (weight: number): void => bench.told[0].listener.onHosts([hostData('10.0.0.1', { weight })]);
    bench.replace(eds());
    hear(1);
    bench.directory.takeChanges();
    for (const weight of [2, 3, 4]) hear(weight);
    bench.network.advance(1000);
    expect(bench.changes.map(({ hosts }) => hosts[0].hosts[0].weight)).toEqual([2, 4]);
  });

  it('goes on where another version asks the same', () => {
    const bench = new Bench();
    bench.replace(eds());
    bench.told[0].listener.onHosts([hostData('10.0.0.1')]);
    bench.directory.takeChanges();
    bench.replace({ ...eds(), connectTimeoutMs: 1 });
    // Both versions hear of others.
    bench.told[0].listener.onHosts([hostData('10.0.0.2')]);
    expect(bench.changes).toHaveLength(1);
    expect(bench.directory.takeChanges().set).toMatchObject([
      { connectTimeoutMs: 1, hosts: [{ address: { host: '10.0.0.2' } }] },
    ]);
    expect(bench.told.map(({ isStopped }) => isStopped)).toEqual([false]);
  });

  it('begins anew where a version asks for others, and the one before serves until that is in force', () => {
    const bench = new Bench();
    bench.replace(eds());
    bench.told[0].listener.onHosts([hostData('10.0.0.1')]);
    bench.directory.takeChanges();
    bench.replace(eds('other'));
    expect(bench.told[1].before).toBe(bench.told[0]);
    bench.told[0].listener.onHosts([hostData('10.0.0.2')]);
    expect(bench.addresses).toEqual(['10.0.0.2']);
    bench.told[1].listener.onHosts([hostData('10.0.0.3')]);
    expect(bench.changes).toHaveLength(1);
    expect(bench.directory.latest('c')!.hosts).toHaveLength(1);
    bench.directory.takeChanges();
    expect(bench.addresses).toEqual(['10.0.0.3']);
    expect(bench.told.map(({ isStopped }) => isStopped)).toEqual([true, false]);
  });

  it('ends with the cluster, whichever version there is', () => {
    const bench = new Bench();
    bench.replace(eds());
    bench.directory.takeChanges();
    bench.replace(eds('other'));
    bench.directory.remove('c');
    expect(bench.told.map(({ isStopped }) => isStopped)).toEqual([true, true]);
    expect(bench.directory.takeChanges().removed).toEqual(['c']);
    expect(bench.directory.has('c')).toBe(false);
  });
});
