import { describe, expect, it } from 'vitest';
import { Distribution } from '../../src/distribution.ts';
import type { ToWorker } from '../../src/control/worker-messages.ts';
import type { Workers } from '../../src/control/workers.ts';
import { noChanges } from '../../src/control/snapshot-data.ts';
import type { ListenerData } from '../../src/listener/listener-data.ts';
import { SharedNumberDirectory } from '../../src/observe/limit/shared-limit.ts';
import { clusterData, hostData } from './cluster/cluster-fixture.ts';

const listener = (name: string): ListenerData =>
  ({ name, filterChains: [], defaultFilterChain: null }) as unknown as ListenerData;

const [a, b] = [clusterData({ name: 'a' }), clusterData({ name: 'b' })];
const setting = (...set: (typeof a)[]) => ({ clusters: { ...noChanges.clusters, set } });

/** Two workers that answer when they are told to. */
class World {
  readonly posted: { readonly index: number; readonly message: ToWorker }[] = [];
  readonly distribution: Distribution;

  constructor() {
    const post = (index: number, message: ToWorker): void => void this.posted.push({ index, message });
    const workers = {
      count: 2,
      post,
      postAll: (message: ToWorker) => [0, 1].forEach((index) => post(index, message)),
    } as unknown as Workers;
    this.distribution = new Distribution(workers, new SharedNumberDirectory());
  }

  /** What came since the last look: `worker kind names`. */
  look(): string[] {
    return this.posted.splice(0).map(({ index, message }) => {
      if (message.kind === 'snapshot') {
        const { clusters, listeners, ports, extensions } = message.snapshot;
        const names = [...clusters.set, ...listeners.set].map(({ name }) => name);
        const gone = [...clusters.removed, ...listeners.removed].map((name) => `-${name}`);
        const bound = Object.entries(ports).map(([name, list]) => `${name}:${list.join()}`);
        return [index, 'update', ...names, ...gone, ...bound, ...extensions].join(' ');
      }
      if (message.kind === 'clusters') return `${index} hosts ${message.changes.hosts[0].hosts.length}`;
      return `${index} ${message.kind}`;
    });
  }

  /** What a worker was given last is applied. */
  async applied(index: number, version: number, port?: number): Promise<void> {
    const bound =
      port === undefined ? [] : [{ name: 'l', addresses: [{ kind: 'ip', host: '127.0.0.1', port } as const] }];
    this.distribution.onApplied(index, { kind: 'applied', version, bound, failures: [] });
    await new Promise((resolve) => setImmediate(resolve));
  }

  async open(): Promise<void> {
    const opened = this.distribution.open();
    await this.applied(0, 1);
    await this.applied(1, 1);
    await opened;
    this.look();
  }
}

describe('what is published', () => {
  it('before workers serve comes to them as one', async () => {
    const world = new World();
    expect(await world.distribution.publish(setting(a))).toEqual([]);
    expect(await world.distribution.publish({ ...setting(b), extensions: ['x'] })).toEqual([]);
    world.distribution.updateHosts({ name: 'a', hosts: [hostData('10.0.0.1')] });
    expect(world.look()).toEqual([]);
    void world.distribution.open();
    expect(world.look()).toEqual(['0 update a b x', '1 update a b x']);
    expect(world.distribution.clusters.get('a')!.hosts).toHaveLength(1);
  });

  it('is applied before what was published behind it', async () => {
    const world = new World();
    await world.open();
    const done: string[] = [];
    void world.distribution.publish(setting(a)).then(() => done.push('a'));
    void world.distribution.publish(setting(b)).then(() => done.push('b'));
    world.distribution.updateHosts({ name: 'b', hosts: [] });
    world.distribution.tell({ kind: 'name-found' } as ToWorker, 1);
    expect(world.look()).toEqual(['0 update a', '1 update a']);
    await world.applied(1, 2);
    expect(world.look()).toEqual([]);
    await world.applied(0, 2);
    expect([done, world.look()]).toEqual([['a'], ['0 update b', '1 update b']]);
    await world.applied(0, 3);
    await world.applied(1, 3);
    expect([done, world.look()]).toEqual([
      ['a', 'b'],
      ['0 hosts 0', '1 hosts 0', '1 name-found'],
    ]);
  });

  it('with listeners goes to the first worker first, and the others bind the same ports', async () => {
    const world = new World();
    await world.open();
    void world.distribution.publish({ listeners: { set: [listener('l')], removed: [] } });
    expect(world.look()).toEqual(['0 update l']);
    await world.applied(0, 2, 1234);
    expect(world.look()).toEqual(['1 update l l:1234']);
    await world.applied(1, 2, 1234);
    expect([...world.distribution.bound.keys()]).toEqual(['l']);
    void world.distribution.publish({ listeners: { set: [], removed: ['l'] } });
    expect(world.look()).toEqual(['0 update -l', '1 update -l']);
    expect([...world.distribution.bound.keys()]).toEqual([]);
  });

  it('names an extension once', async () => {
    const world = new World();
    await world.open();
    void world.distribution.publish({ ...setting(a), extensions: ['x'] });
    await world.applied(0, 2);
    await world.applied(1, 2);
    void world.distribution.publish({ ...setting(b), extensions: ['x', 'y'] });
    expect(world.look().filter((line) => line.startsWith('0'))).toEqual(['0 update a x', '0 update b y']);
  });

  it('comes whole to a worker that is started again, whom nobody waits for', async () => {
    const world = new World();
    await world.open();
    const published = world.distribution.publish({ ...setting(a), extensions: ['x'] });
    await world.applied(0, 2);
    world.look();
    world.distribution.restarted(1);
    expect(world.look()).toEqual(['1 update a x']);
    expect(await published).toEqual([]);
  });
});
