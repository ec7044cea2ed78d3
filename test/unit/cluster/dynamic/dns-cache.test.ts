import { describe, expect, it } from 'vitest';
import type { ClusterChanges } from '../../../../src/cluster/cluster-changes.ts';
import { ClusterDirectory } from '../../../../src/cluster/cluster-directory.ts';
import { HealthMemory } from '../../../../src/cluster/health/health-memory.ts';
import { HealthSlots } from '../../../../src/cluster/health/health-slots.ts';
import type { DnsCacheData } from '../../../../src/cluster/dynamic/dns-cache-data.ts';
import { SharedNumberDirectory } from '../../../../src/observe/limit/shared-limit.ts';
import { clusterData } from '../cluster-fixture.ts';
import { replaceClusters } from '../directory-fixture.ts';
import { ScriptedResolver } from '../discovery/scripted-resolver.ts';
import { MemoryNetwork } from '../memory-network.ts';
import { RecordingStats } from '../recording-stats.ts';

const cache: DnsCacheData = {
  name: 'names',
  family: 'AUTO',
  refreshMs: 60_000,
  refreshMinMs: 5000,
  failureRefresh: null,
  forgetsFailures: false,
  hostTtlMs: 300_000,
  maxHosts: 2,
  maxPending: 10,
  queryTimeoutMs: 5000,
  resolver: { kind: 'getaddrinfo', retries: 0 },
  preresolved: [],
};

class Bench {
  readonly network = new MemoryNetwork();
  readonly root = new RecordingStats();
  readonly resolver = new ScriptedResolver();
  readonly changes: ClusterChanges[] = [];
  readonly ends: string[] = [];
  uses = 0;
  readonly directory = new ClusterDirectory({
    health: new HealthSlots(new HealthMemory()),
    clock: this.network.clock,
    timers: this.network.timers,
    random: () => 0.5,
    stats: this.root,
    limits: new SharedNumberDirectory(),
    openResolver: () => this.resolver,
    usesOf: () => this.uses,
    onPublished: (change) => this.changes.push({ set: [], removed: [], hosts: [change] }),
  });

  constructor(change: Partial<DnsCacheData> = {}) {
    this.replace(change);
    this.directory.takeChanges();
  }

  replace(change: Partial<DnsCacheData>): void {
    const discovery = { kind: 'dynamic', cache: { ...cache, ...change } } as const;
    replaceClusters(this.directory, [clusterData({ hosts: [], discovery })]);
  }

  want(name: string): void {
    this.directory.wantName({ cache: 'names', name }, (end, details) =>
      this.ends.push(`${name} ${end}${details === '' ? '' : ` ${details}`}`),
    );
  }

  get hosts(): string[] {
    return this.directory
      .hostsOf('c')
      .map(({ hostname, key, address }) => `${hostname} ${key} ${address.host}:${address.port}`);
  }

  get stats(): Record<string, number> {
    return this.root.read('dns_cache.names.');
  }
}

describe('a name of a DNS cache', () => {
  it('is resolved once for all who want it, and is a host of the cluster before they are told', async () => {
    const bench = new Bench();
    bench.want('a.test:443');
    bench.want('a.test:443');
    expect(bench.ends).toEqual([]);
    await bench.resolver.answer('a.test', ['10.0.0.1', '10.0.0.2']);
    expect(bench.hosts).toEqual(['a.test:443 a.test:443 10.0.0.1:443']);
    expect(bench.changes).toHaveLength(1);
    expect(bench.ends).toEqual(['a.test:443 cached', 'a.test:443 cached']);
    bench.want('a.test:443');
    expect(bench.ends).toHaveLength(3);
    expect(bench.stats).toMatchObject({
      dns_query_attempt: 1,
      dns_query_success: 1,
      host_added: 1,
      host_address_changed: 1,
      num_hosts: 1,
    });
  });

  it('may have no address: those who want it are told, and it is no host', async () => {
    const bench = new Bench();
    bench.want('a.test:443');
    await bench.resolver.answer('a.test', []);
    expect(bench.hosts).toEqual([]);
    const why = 'cares_norecords:Domain name not found';
    expect(bench.ends).toEqual([`a.test:443 unresolved ${why}`]);
    bench.want('a.test:443');
    expect(bench.ends.at(-1)).toBe(`a.test:443 unresolved ${why}`);
  });

  it('finds no room in a full cache, or in one that there is not', () => {
    const bench = new Bench({ maxHosts: 1 });
    bench.want('a.test:1');
    bench.want('b.test:1');
    expect(bench.ends).toEqual(['b.test:1 full']);
    expect(bench.stats).toMatchObject({ host_overflow: 1 });
    bench.directory.wantName({ cache: 'other', name: 'a:1' }, (end) => bench.ends.push(end));
    expect(bench.ends.at(-1)).toBe('full');
  });

  it('is asked for again when its answer is old, and keeps its address through failures', async () => {
    const bench = new Bench();
    bench.want('a.test:443');
    await bench.resolver.answer('a.test', ['10.0.0.1']);
    bench.network.advance(60_000);
    await bench.resolver.answer('a.test', ['10.0.0.2']);
    expect(bench.hosts).toEqual(['a.test:443 a.test:443 10.0.0.2:443']);
    bench.network.advance(60_000);
    await bench.resolver.fail('a.test');
    expect(bench.hosts).toEqual(['a.test:443 a.test:443 10.0.0.2:443']);
    expect(bench.stats).toMatchObject({ dns_query_failure: 1, host_address_changed: 2 });
  });

  it('is forgotten when nobody has used it for long', async () => {
    const bench = new Bench();
    bench.want('a.test:443');
    await bench.resolver.answer('a.test', ['10.0.0.1']);
    for (let minute = 1; minute <= 8; minute++) {
      if (minute === 3) bench.uses = 1;
      bench.network.advance(60_000);
      await bench.resolver.answer('a.test', ['10.0.0.1']);
    }
    expect(bench.hosts).toHaveLength(1);
    bench.network.advance(60_000);
    expect(bench.hosts).toEqual([]);
    expect(bench.stats['host_removed']).toBe(1);
  });

  it('fails when its answer does not come, and a late one does not count', async () => {
    const bench = new Bench();
    bench.want('a.test:443');
    bench.network.advance(5000);
    expect(bench.ends).toEqual(['a.test:443 unresolved resolve_timeout']);
    await bench.resolver.answer('a.test', ['10.0.0.1']);
    expect(bench.hosts).toEqual([]);
    expect(bench.stats).toMatchObject({ dns_query_timeout: 1, dns_query_failure: 1 });
  });

  it('is forgotten at once where failures are not asked for again', async () => {
    const bench = new Bench({ forgetsFailures: true });
    bench.want('a.test:443');
    await bench.resolver.fail('a.test');
    expect(bench.ends).toEqual([expect.stringMatching(/^a.test:443 unresolved cares_failure:/)]);
    expect(bench.stats['num_hosts']).toBeUndefined();
  });

  it('is tried again after a growing time where failures have one', async () => {
    const bench = new Bench({ failureRefresh: { baseMs: 1000, maxMs: 10_000 } });
    bench.want('a.test:443');
    await bench.resolver.fail('a.test');
    bench.network.advance(500);
    await bench.resolver.fail('a.test');
    bench.network.advance(500);
    expect(bench.stats['dns_query_attempt']).toBe(2);
    bench.network.advance(500);
    expect(bench.stats['dns_query_attempt']).toBe(3);
  });
});

describe('a DNS cache', () => {
  it('asks for names from the start', async () => {
    const bench = new Bench({ preresolved: ['a.test:1'] });
    await bench.resolver.answer('a.test', ['10.0.0.1']);
    expect(bench.hosts).toHaveLength(1);
  });

  it('goes with its last cluster, and nobody waits for ever', () => {
    const bench = new Bench();
    bench.want('a.test:1');
    replaceClusters(bench.directory, []);
    expect(bench.ends).toEqual(['a.test:1 full']);
    bench.want('a.test:1');
    expect(bench.ends).toHaveLength(2);
  });

  it('is another when it is configured otherwise', async () => {
    const bench = new Bench();
    bench.want('a.test:1');
    await bench.resolver.answer('a.test', ['10.0.0.1']);
    bench.replace({ maxHosts: 5 });
    bench.directory.takeChanges();
    expect(bench.hosts).toEqual([]);
    bench.want('a.test:1');
    expect(bench.ends).toHaveLength(1);
  });
});
