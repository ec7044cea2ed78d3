import { describe, expect, it } from 'vitest';
import type { ClusterChanges } from '../../../../src/cluster/cluster-changes.ts';
import type { DiscoveryData } from '../../../../src/cluster/cluster-data.ts';
import { ClusterDirectory } from '../../../../src/cluster/cluster-directory.ts';
import type { PickContext } from '../../../../src/cluster/cluster.ts';
import { HealthMemory } from '../../../../src/cluster/health/health-memory.ts';
import { HealthSlots } from '../../../../src/cluster/health/health-slots.ts';
import type { HostUse } from '../../../../src/cluster/host/host-report.ts';
import type { HostSighting } from '../../../../src/cluster/original-dst/host-sighting.ts';
import { originalHost } from '../../../../src/cluster/original-dst/original-balancer.ts';
import type { OriginalDstData } from '../../../../src/cluster/original-dst/original-dst-data.ts';
import { HttpVersion, RequestHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { Address, Peer } from '../../../../src/core/peer.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';
import { SharedNumberDirectory } from '../../../../src/observe/limit/shared-limit.ts';
import { anyHost, clusterData, World } from '../cluster-fixture.ts';
import { replaceClusters } from '../directory-fixture.ts';
import { ScriptedResolver } from '../discovery/scripted-resolver.ts';
import { MemoryNetwork } from '../memory-network.ts';
import { RecordingStats } from '../recording-stats.ts';

const address = (host: string, port = 80): Address => ({ kind: 'ip', host, port });

function discovery(change: Partial<OriginalDstData> = {}): DiscoveryData {
  const asked = { metadataPath: ['where', 'to'], header: 'x-to', port: null, cleanupMs: 5000, ...change };
  return { kind: 'original-dst', asked };
}

function request(headers: readonly (readonly [string, string])[] = []): PickContext & { outcome: Outcome } {
  const head = new RequestHead('GET', 'a', '/', HttpVersion.Http11, Headers.of(...headers));
  return { ...anyHost, head, outcome: new Outcome() };
}

/** With what only the balancer reads. */
function peer(local: Address, directLocal = local, metadata: Record<string, unknown> | null = null): Peer {
  const dynamicMetadata = metadata === null ? null : new Map(Object.entries(metadata));
  return { local, directLocal, dynamicMetadata } as Peer;
}

describe('a worker', () => {
  const sightings: HostSighting[] = [];
  const worker = (change: Partial<OriginalDstData> = {}) => {
    const world = new World();
    Object.assign(world.environment, { reportSighting: (sighting: HostSighting) => sightings.push(sighting) });
    sightings.length = 0;
    return { world, cluster: world.cluster({ discovery: discovery(change), hosts: [] }) };
  };

  it('asks filter state, metadata, the header and the restored address, in this order', () => {
    const { cluster } = worker();
    const context = request([['x-to', '10.0.0.3:3']]);
    context.outcome.peer = peer(address('10.0.0.4', 4), address('127.0.0.1'));
    context.outcome.dynamicMetadata = new Map([['where', { to: ['10.0.0.2:2'] }]]);
    context.outcome.filterState = new Map([['envoy.network.transport_socket.original_dst_address', '10.0.0.1:1']]);
    const pick = (): string | undefined => cluster.pick(context)?.addressText;
    expect(pick()).toBe('10.0.0.1:1');
    context.outcome.filterState = null;
    expect(pick()).toBe('10.0.0.2:2');
    context.outcome.dynamicMetadata = null;
    expect(pick()).toBe('10.0.0.3:3');
    context.head!.headers.remove('x-to');
    expect(pick()).toBe('10.0.0.4:4');
    context.outcome.peer = peer(address('10.0.0.4', 4), undefined, { where: { to: '10.0.0.5:5' } });
    expect(pick()).toBe('10.0.0.5:5');
    context.outcome.peer = peer(address('10.0.0.4', 4));
    expect(pick()).toBeUndefined();
  });

  it('replaces the port, and counts what is no address', () => {
    const { cluster, world } = worker({ port: 15008 });
    expect(cluster.pick(request([['x-to', '10.0.0.1:80']]))?.addressText).toBe('10.0.0.1:15008');
    expect(cluster.pick(request([['x-to', 'nobody']]))).toBeNull();
    expect(world.stats.read('cluster.c.').original_dst_host_invalid).toBe(1);
  });

  it('tells the main thread of an address once, and keeps it until the main thread has told it', () => {
    const { cluster } = worker();
    const context = request([['x-to', '10.0.0.1:80']]);
    const host = cluster.pick(context);
    expect(cluster.pick(context)).toBe(host);
    expect(sightings).toEqual([{ cluster: 'c', address: address('10.0.0.1') }]);
    cluster.updateHosts([originalHost('c', address('10.0.0.2'))]);
    expect(cluster.pick(context)).toBe(host);
    cluster.updateHosts([originalHost('c', address('10.0.0.1'))]);
    expect(cluster.pick(context)).toBe(host);
    cluster.updateHosts([]);
    expect(cluster.pick(context)).not.toBe(host);
    expect(sightings).toHaveLength(2);
  });
});

describe('a worker that is asked for everything', () => {
  it('reaches so many addresses, and no more until some have gone', () => {
    const cluster = new World().cluster({ discovery: discovery({ port: 80 }), hosts: [] });
    const pick = (i: number): unknown =>
      cluster.pick(request([['x-to', `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:1`]]));
    for (let i = 0; i < 65_536; i++) pick(i);
    expect(pick(65_536)).toBeNull();
    expect(pick(65_535)).not.toBeNull();
  });
});

describe('the main thread', () => {
  const bench = () => {
    const network = new MemoryNetwork();
    const changes: ClusterChanges[] = [];
    const uses = new Map<string, HostUse>();
    const directory = new ClusterDirectory({
      health: new HealthSlots(new HealthMemory()),
      clock: network.clock,
      timers: network.timers,
      random: () => 0.5,
      stats: new RecordingStats(),
      limits: new SharedNumberDirectory(),
      openResolver: () => new ScriptedResolver(),
      onPublished: (change) => changes.push({ set: [], removed: [], hosts: [change] }),
      usesIn: () => uses,
    });
    replaceClusters(directory, [clusterData({ hosts: [], discovery: discovery() })]);
    directory.takeChanges();
    const hosts = (): string[] => directory.hostsOf('c').map((host) => host.address.host);
    const found = (host: string): void => directory.foundHost({ cluster: 'c', address: address(host) });
    return { network, changes, uses, directory, hosts, found };
  };

  it('tells all workers of hosts, those that come together in one go', () => {
    const { network, changes, hosts, found } = bench();
    for (const host of ['10.0.0.1', '10.0.0.2', '10.0.0.1']) found(host);
    network.advance(1);
    expect(hosts()).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(changes).toHaveLength(1);
    found('10.0.0.3');
    network.advance(1);
    expect(changes).toHaveLength(1);
    network.advance(20);
    expect(changes).toHaveLength(2);
  });

  it('lets those go that nobody has used for an interval, nor is connected to', () => {
    const { network, uses, hosts, found } = bench();
    found('10.0.0.1');
    found('10.0.0.2');
    uses.set('10.0.0.1:80', { begun: 2, open: 1 });
    uses.set('10.0.0.2:80', { begun: 2, open: 0 });
    network.advance(5001);
    expect(hosts()).toEqual(['10.0.0.1', '10.0.0.2']);
    network.advance(5001);
    network.advance(5001);
    expect(hosts()).toEqual(['10.0.0.1']);
    uses.set('10.0.0.1:80', { begun: 3, open: 0 });
    network.advance(5001);
    expect(hosts()).toEqual(['10.0.0.1']);
    network.advance(5001);
    expect(hosts()).toEqual([]);
  });

  it('knows nothing of other clusters', () => {
    const { directory } = bench();
    expect(() => directory.foundHost({ cluster: 'gone', address: address('10.0.0.1') })).not.toThrow();
  });
});
