import { describe, expect, it } from 'vitest';
import type { ClusterChanges } from '../../../../src/cluster/cluster-changes.ts';
import { ClusterDirectory } from '../../../../src/cluster/cluster-directory.ts';
import { HealthMemory } from '../../../../src/cluster/health/health-memory.ts';
import { HealthSlots } from '../../../../src/cluster/health/health-slots.ts';
import { ClusterRollout } from '../../../../src/control/resources/cluster-rollout.ts';
import { ClusterStats } from '../../../../src/control/resources/cluster-stats.ts';
import { DynamicClusters } from '../../../../src/control/resources/dynamic-clusters.ts';
import type { OpenedResource } from '../../../../src/control/xds/resource-kind.ts';
import { SharedNumberDirectory } from '../../../../src/observe/limit/shared-limit.ts';
import { clusterData } from '../../cluster/cluster-fixture.ts';
import { MemoryNetwork } from '../../cluster/memory-network.ts';
import { RecordingStats } from '../../cluster/recording-stats.ts';

/** A cluster packed: its connect timeout, or a word for what is wrong with it. */
const cluster = (name: string, says: string | number, version = '1'): OpenedResource => ({
  name,
  packed: Buffer.from(String(says)),
  version,
  aliases: [],
});

class World {
  readonly network = new MemoryNetwork();
  readonly stats = new RecordingStats();
  readonly published: ClusterChanges[] = [];
  readonly offered: string[] = [];
  readonly watched: string[] = [];
  readonly holds: boolean[] = [];
  readonly log: string[] = [];
  /** Owner → ends its wait for secrets. */
  readonly secrets = new Map<string, () => void>();
  answers = 0;
  readonly rollout: ClusterRollout;
  readonly clusters: DynamicClusters;
  /** What clusters wait for besides their hosts. */
  needs = false;

  constructor() {
    const { clock, timers } = this.network;
    const directory = new ClusterDirectory({
      health: new HealthSlots(new HealthMemory()),
      clock,
      timers,
      random: () => 0.5,
      stats: this.stats,
      limits: new SharedNumberDirectory(),
      openResolver: () => {
        throw new Error('nothing is resolved');
      },
      onPublished: () => {},
    });
    const say = (message: string): void => void this.log.push(message);
    this.rollout = new ClusterRollout({
      clock,
      timers,
      log: { warn: say },
      directory,
      stats: new ClusterStats(this.stats),
      warmSecrets: (owner, sources) =>
        sources.length === 0 ? Promise.resolve() : new Promise((resolve) => this.secrets.set(owner, resolve)),
      dropSecrets: (owner) => void this.secrets.delete(owner),
      watch: async ({ name, connectTimeoutMs }) => void this.watched.push(`${name} ${connectTimeoutMs}`),
      unwatch: () => {},
      offer: ({ name, connectTimeoutMs }) => void this.offered.push(`${name} ${connectTimeoutMs}`),
      withdraw: () => {},
      publish: (changes) => void this.published.push(changes),
      hold: (isHeld) => void this.holds.push(isHeld),
      turn: (act) => act(),
    });
    this.clusters = new DynamicClusters({
      clock,
      log: { debug: say, info: say, warn: say } as never,
      scope: this.stats.scope('cds'),
      rollout: this.rollout,
      check: (packed) => (String(packed) === 'broken' ? 'name: must not be empty' : ''),
      decode: (packed) => this.decode(String(packed)),
      isStatic: (name) => name === 'static',
      onAnswered: () => this.answers++,
    });
  }

  get inForce(): string[] {
    return Array.from(this.clusters.active(), ({ name, packed, version }) => `${name} ${String(packed)} ${version}`);
  }

  get waiting(): string[] {
    return Array.from(this.clusters.warming(), ({ name, packed }) => `${name} ${String(packed)}`);
  }

  count(name: string): number {
    return this.stats.counter(name).value;
  }

  private decode(says: string) {
    if (says === 'refused') return 'nobody likes it';
    const [name, timeout] = says.split(' ');
    const data = clusterData({ name, statName: name, connectTimeoutMs: Number(timeout) });
    return { data, secrets: this.needs ? ([{ key: 'k' }] as never) : [] };
  }
}

/** Everything that is ready comes into force. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('clusters by CDS', () => {
  it('come into force together, are others, and go', async () => {
    const world = new World();
    expect(world.clusters.onResources([cluster('a', 'a 1'), cluster('b', 'b 1')], 'v1')).toBe('');
    await settled();
    world.rollout.started();
    expect(world.inForce).toEqual(['a a 1 1', 'b b 1 1']);
    expect(world.published.map(({ set }) => set.map(({ name }) => name))).toEqual([['a', 'b']]);
    world.clusters.onResources([cluster('a', 'a 2', '2'), cluster('b', 'b 1', '2')], 'v2');
    await settled();
    expect(world.inForce).toEqual(['a a 2 2', 'b b 1 1']);
    expect(world.published[1].set.map(({ connectTimeoutMs }) => connectTimeoutMs)).toEqual([2]);
    world.clusters.onResources([cluster('b', 'b 1')], 'v3');
    expect(world.published[2].removed).toEqual(['a']);
    expect(world.clusters.version).toBe('v3');
    expect(['added', 'modified', 'removed'].map((what) => world.count(`cluster_manager.cluster_${what}`))).toEqual([
      2, 1, 1,
    ]);
    expect(world.count('cluster_manager.active_clusters')).toBe(1);
    expect(world.answers).toBe(3);
  });

  it('say in Envoy’s words what was done', () => {
    const world = new World();
    world.clusters.onDelta([cluster('a', 'a 1'), cluster('static', 'x')], ['b'], '');
    expect(world.log).toEqual([
      'cds: response indicates 2 added/updated cluster(s), 1 removed cluster(s); applying changes',
      "cds: add/update cluster 'a'",
      "cds: add/update cluster 'static' skipped",
      'cds: added/updated 1 cluster(s) (skipped 1 unmodified cluster(s)); removed 0 cluster(s)',
    ]);
  });

  it('that are refused are named, and the others come', async () => {
    const world = new World();
    const told = [cluster('a', 'refused'), cluster('b', 'b 1'), cluster('b', 'b 2')];
    expect(world.clusters.onResources(told, 'v1')).toBe(
      'Error adding/updating cluster(s) a: nobody likes it, b: duplicate cluster b found',
    );
    await settled();
    expect(world.inForce).toEqual(['b b 1 1']);
    expect(world.count('cds.config_reload')).toBe(0);
    expect(world.clusters.version).toBe('v1');
  });

  it('that break their proto’s rules are refused with all beside them', async () => {
    const world = new World();
    expect(world.clusters.onResources([cluster('a', 'broken'), cluster('b', 'b 1')], 'v1')).toBe(
      'name: must not be empty',
    );
    await settled();
    expect(world.inForce).toEqual([]);
  });

  it('wait for their secrets while the version before serves', async () => {
    const world = new World();
    world.clusters.onResources([cluster('a', 'a 1')], 'v1');
    await settled();
    world.rollout.started();
    world.needs = true;
    world.clusters.onDelta([cluster('a', 'a 2')], [], 'v2');
    await settled();
    expect(world.inForce).toEqual(['a a 1 1']);
    expect(world.waiting).toEqual(['a a 2']);
    expect(world.count('cluster_manager.warming_clusters')).toBe(1);
    expect(world.watched).toEqual(['a 1']);
    world.secrets.get('cluster/a (warming)')!();
    await settled();
    expect(world.inForce).toEqual(['a a 2 1']);
    expect(world.watched).toEqual(['a 1', 'a 2']);
    // No others are asked for meanwhile.
    expect(world.holds).toEqual([true, false]);
  });

  it('that wait for ever do not hold back the others', async () => {
    const world = new World();
    world.rollout.started();
    world.needs = true;
    world.clusters.onDelta([cluster('a', 'a 1')], [], 'v1');
    world.network.advance(10_000);
    world.clusters.onDelta([cluster('b', 'b 1')], [], 'v2');
    world.network.advance(5000);
    // The other has come later.
    expect(world.holds).toEqual([true]);
    world.network.advance(10_000);
    expect(world.holds).toEqual([true, false]);
    expect(world.log.filter((line) => line.startsWith('cm: '))).toEqual([
      "cm: cluster 'a' is still waiting for its hosts, secrets or health checks: others are taken meanwhile",
      "cm: cluster 'b' is still waiting for its hosts, secrets or health checks: others are taken meanwhile",
    ]);
    // They come into force when they can, and the next that is waited for holds back others again.
    world.secrets.get('cluster/a (warming)')!();
    await settled();
    expect(world.inForce).toEqual(['a a 1 1']);
    world.clusters.onDelta([cluster('c', 'c 1')], [], 'v3');
    expect(world.holds).toEqual([true, false, true]);
    world.clusters.onDelta([], ['c'], 'v4');
    expect(world.holds).toEqual([true, false, true, false]);
  });

  it('that wait give way to a newer version, and to their removal', async () => {
    const world = new World();
    world.needs = true;
    world.clusters.onDelta([cluster('a', 'a 1')], [], 'v1');
    world.needs = false;
    world.clusters.onDelta([cluster('a', 'a 2')], [], 'v2');
    await settled();
    expect(world.inForce).toEqual(['a a 2 1']);
    world.needs = true;
    world.clusters.onDelta([cluster('a', 'a 3')], [], 'v3');
    world.clusters.onDelta([], ['a'], 'v4');
    await world.rollout.whenSettled();
    expect([world.inForce, world.waiting]).toEqual([[], []]);
    expect(world.published.at(-1)!.removed).toEqual(['a']);
  });

  it('may be used by the process itself before they are in force, if there is no version that is', async () => {
    const world = new World();
    world.needs = true;
    world.clusters.onDelta([cluster('a', 'a 1')], [], 'v1');
    expect(world.offered).toEqual(['a 1']);
    await settled();
    world.secrets.get('cluster/a (warming)')!();
    await settled();
    world.clusters.onDelta([cluster('a', 'a 2')], [], 'v2');
    expect(world.offered).toEqual(['a 1', 'a 1']);
  });

  it('give way to one of the configuration', () => {
    const world = new World();
    world.clusters.onDelta([cluster('a', 'a 1')], [], 'v1');
    world.clusters.yieldTo('a');
    expect(world.clusters.has('a')).toBe(false);
    world.clusters.onDelta([], ['a'], 'v2');
    expect(world.rollout.has('a')).toBe(true);
  });
});
