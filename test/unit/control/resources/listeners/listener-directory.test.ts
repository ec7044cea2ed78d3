import { describe, expect, test } from 'vitest';
import { ListenerDirectory } from '../../../../../src/control/resources/listeners/listener-directory.ts';
import { ListenerStats } from '../../../../../src/control/resources/listeners/listener-stats.ts';
import type { DecodedListener } from '../../../../../src/control/resources/resource-decoding.ts';
import type { OpenedResource } from '../../../../../src/control/xds/resource-kind.ts';
import type { ListenerData } from '../../../../../src/listener/listener-data.ts';
import { MemoryNetwork } from '../../../cluster/memory-network.ts';
import { RecordingStats } from '../../../cluster/recording-stats.ts';

interface Says {
  readonly port?: number;
  readonly chains?: readonly string[];
  readonly bufferLimit?: number;
}

function data(name: string, { port = 1, chains = ['c'], bufferLimit = 1 }: Says): ListenerData {
  const filterChains = chains.map((chain) => ({ name: chain }));
  const addresses = [{ kind: 'ip', host: '127.0.0.1', port }];
  return { name, addresses, filterChains, defaultFilterChain: null, bufferLimit } as unknown as ListenerData;
}

/** A listener packed: what it says, in JSON, or what is wrong with it. */
function resource(name: string, says: Says | string = {}, version = '1'): OpenedResource {
  return { name, packed: Buffer.from(JSON.stringify(says)), version, aliases: [] };
}

class World {
  readonly network = new MemoryNetwork();
  readonly stats = new RecordingStats();
  readonly published: string[] = [];
  readonly released: string[] = [];
  readonly log: string[] = [];
  /** Owner → ends its wait. */
  readonly waiting = new Map<string, () => void>();
  /** What the workers answer to the next. */
  failure = '';
  answers = 0;
  waits = false;
  readonly directory: ListenerDirectory;

  constructor() {
    const { clock, timers } = this.network;
    const say = (message: string): void => void this.log.push(message);
    this.directory = new ListenerDirectory({
      clock,
      timers,
      log: { debug: say, info: say, warn: say } as never,
      stats: new ListenerStats(this.stats),
      drainTimeMs: 1000,
      decode: (packed) => this.decode(packed),
      statics: () => [data('static', { port: 99 })],
      warm: (owner) => (this.waits ? new Promise((resolve) => this.waiting.set(owner, resolve)) : Promise.resolve()),
      release: (owner) => void this.released.push(owner),
      publish: async ({ set, removed }) => {
        this.published.push(
          ...set.map(({ name, filterChains }) => `${name} ${filterChains.map((c) => c.name).join()}`),
        );
        this.published.push(...removed.map((name) => `-${name}`));
        return this.failure === '' ? [] : [{ listener: set[0].name, message: this.failure }];
      },
      onAnswered: () => this.answers++,
    });
  }

  private decode(packed: Uint8Array): DecodedListener | string {
    const says = JSON.parse(String(packed)) as Says | string;
    if (typeof says === 'string') return says;
    return { data: data(this.decoding, says), secrets: [], needs: { routes: [], scopes: [], extensions: [] } };
  }

  /** Whose message is decoded: a name is no part of these. */
  decoding = '';

  take(...resources: OpenedResource[]): string {
    this.decoding = resources[0]?.name ?? '';
    return this.directory.onResources(resources, resources[0]?.version ?? 'empty');
  }

  read(): Record<string, number> {
    return this.stats.read('listener_manager.');
  }
}

async function serving(says: Says = {}): Promise<World> {
  const world = new World();
  world.take(resource('a', says));
  await world.directory.whenReady();
  world.directory.serve();
  world.directory.opened([]);
  return world;
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('before the start', () => {
  test('all that come are in force at once, and the start waits for what they need', async () => {
    const world = new World();
    world.waits = true;
    expect(world.take(resource('a'))).toBe('');
    expect([...world.directory.active.keys()]).toEqual(['a']);
    let isReady = false;
    void world.directory.whenReady().then(() => (isReady = true));
    await settled();
    expect(isReady).toBe(false);
    world.waiting.get('lds/a/1')!();
    await settled();
    expect(isReady).toBe(true);
    expect(world.read()).toEqual({ listener_added: 1, total_listeners_active: 1 });
  });
});

describe('under way', () => {
  test('another version waits for what it needs, while the one before serves', async () => {
    const world = await serving();
    world.waits = true;
    world.take(resource('a', { bufferLimit: 2 }, '2'));
    expect(world.read()).toMatchObject({ total_listeners_active: 1, total_listeners_warming: 1, listener_modified: 1 });
    expect(world.published).toEqual(['a c']);
    world.waiting.get('lds/a/2')!();
    await settled();
    expect(world.published).toEqual(['a c', 'a c']);
    expect(world.directory.active.get('a')!.version).toBe('2');
    expect(world.released).toEqual(['lds/a/1']);
    expect(world.read()).toMatchObject({ total_listeners_draining: 1, listener_create_success: 2 });
    world.network.advance(1000);
    expect(world.read()['total_listeners_draining']).toBeUndefined();
  });

  test('chains alone are changed in place, under the version of before', async () => {
    const world = await serving({ chains: ['a', 'b'] });
    world.take(resource('a', { chains: ['a', 'c', 'd'] }, '2'));
    await settled();
    expect(world.directory.active.get('a')!.version).toBe('1');
    expect(world.read()).toMatchObject({ listener_in_place_updated: 1, total_filter_chains_draining: 1 });
    expect(world.directory.draining.size).toBe(0);
  });

  test('what is as it was is no change; what was waiting is given up for what serves', async () => {
    const world = await serving();
    world.take(resource('a', {}, '2'));
    expect(world.directory.version).toBe('1');
    world.waits = true;
    world.take(resource('a', { bufferLimit: 2 }, '3'));
    world.take(resource('a', { bufferLimit: 2 }, '4'));
    expect(world.waiting.size).toBe(1);
    world.take(resource('a', {}, '5'));
    expect(world.directory.warming.size).toBe(0);
    expect(world.released).toEqual(['lds/a/2']);
    world.waiting.get('lds/a/2')!();
    await settled();
    expect(world.published).toEqual(['a c']);
  });

  test('those that are not among all go', async () => {
    const world = await serving();
    world.take(resource('b', { port: 2 }));
    await settled();
    expect(world.published).toEqual(['a c', '-a', 'b c']);
    expect(world.log).toContain("lds: remove listener 'a'");
    expect(world.released).toEqual(['lds/a/1']);
    expect(world.directory.onDelta([], ['b', 'unknown'], '3')).toBe('');
    expect(world.read()).toMatchObject({ listener_removed: 2, listener_added: 2, total_listeners_draining: 2 });
  });

  test('what the workers could not do is told of', async () => {
    const world = await serving();
    world.failure = 'no room';
    world.take(resource('a', { bufferLimit: 2 }, '2'));
    await settled();
    expect(world.directory.faults.get('a')!.details).toBe('no room');
    expect(world.read()).toMatchObject({ listener_create_failure: 1, listener_create_success: 1 });
  });
});

describe('refused', () => {
  test.each<[string, OpenedResource[], string]>([
    ['what its decoder refuses', [resource('b', 'all is wrong')], 'b: all is wrong\n'],
    [
      'an address that a listener of the configuration has',
      [resource('b', { port: 99 })],
      "b: error adding listener: 'b' has duplicate address '127.0.0.1:99' as existing listener",
    ],
    ['a name twice', [resource('b', { port: 2 }), resource('b', { port: 3 })], 'b: duplicate listener b found\n'],
  ])('%s', async (_, resources, refusal) => {
    const world = await serving();
    const said = world.take(...resources);
    expect(said).toContain(`Error adding/updating listener(s) ${refusal}`);
    expect(world.directory.lastFaults).toHaveLength(1);
    expect(world.answers).toBe(2);
  });

  test('a name of the configuration is left to it', async () => {
    const world = await serving();
    expect(world.take(resource('a'), resource('static', { port: 2 }))).toBe('');
    expect([...world.directory.active.keys()]).toEqual(['a']);
    world.directory.yieldTo('a');
    await settled();
    expect(world.directory.active.size).toBe(0);
    expect(world.published).toEqual(['a c']);
  });
});
