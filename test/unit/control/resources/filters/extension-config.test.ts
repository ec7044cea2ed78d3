import { expect, test } from 'vitest';
import { DynamicExtension } from '../../../../../src/control/resources/filters/extension-config.ts';
import type { ListenerNeeds } from '../../../../../src/control/bootstrap-data.ts';
import type { ConfigSourceData } from '../../../../../src/identity/config-source-data.ts';
import type { OpenedResource } from '../../../../../src/control/xds/resource-kind.ts';
import type { ExtensionSourceData } from '../../../../../src/listener/extension-sources.ts';
import { MemoryNetwork } from '../../../cluster/memory-network.ts';
import { RecordingStats } from '../../../cluster/recording-stats.ts';

function resource(says: string, name = 'f'): OpenedResource {
  return { name, packed: Buffer.from(says), version: '1', aliases: [] };
}

function world(changes: Partial<ExtensionSourceData> = {}) {
  const stats = new RecordingStats();
  const told: unknown[] = [];
  const exchanged: unknown[] = [];
  const come = new Set<string>();
  const source: ExtensionSourceData = {
    key: 'k',
    name: 'f',
    category: 'envoy.filters.http',
    source: { initialFetchTimeoutMs: 0, from: { kind: 'ads' } },
    kinds: ['a.B'],
    fallback: null,
    startsWithFallback: false,
    ...changes,
  };
  const config = new DynamicExtension(source, stats.scope('ecds'), {
    clock: new MemoryNetwork().clock,
    decode: (packed) =>
      String(packed) === 'broken'
        ? 'no'
        : { data: { name: 'f', kind: 'a.B', data: String(packed) }, needs: needs(packed) },
    exchange: (needed, dropped) => exchanged.push([keysOf(needed), keysOf(dropped)]),
    areReady: ({ routes }) => routes.every(({ key }) => come.has(key)),
    onChanged: ({ data }) => told.push(data?.data ?? null),
    onReady: () => {},
  });
  return { config, told, exchanged, come, read: () => stats.read('ecds.') };
}

/** `routes x`: it needs the route configuration of that key. */
function needs(packed: Uint8Array): ListenerNeeds {
  const [, key] = /^routes (.*)$/.exec(String(packed)) ?? [];
  const source: ConfigSourceData = { initialFetchTimeoutMs: 0, from: { kind: 'ads' } };
  const routes = key === undefined ? [] : [{ key, name: key, source, statPrefix: '' }];
  return { routes, scopes: [], extensions: [] };
}

function keysOf({ routes }: ListenerNeeds): string {
  return routes.map(({ key }) => key).join(' ');
}

const fallback = { name: 'f', kind: 'a.B', data: 'default' };

test('each other one is told, and what is as it was is not', () => {
  const { config, told, read } = world();
  expect(config.onResources([resource('one')])).toBe('');
  expect(config.onResources([resource('one')])).toBe('');
  expect(config.onResources([resource('two')])).toBe('');
  expect(told).toEqual(['one', 'two']);
  expect(read()).toEqual({ config_reload: 2 });
});

test.each<[OpenedResource[], string]>([
  [[], 'Unexpected number of resources in ExtensionConfigDS response: 0'],
  [[resource('a'), resource('b')], 'Unexpected number of resources in ExtensionConfigDS response: 2'],
  [[resource('a', 'g')], 'Unexpected resource name in ExtensionConfigDS response: g'],
  [[resource('broken')], 'no'],
])('%j is refused', (resources, refusal) => {
  const { config, told } = world();
  expect(config.onResources(resources)).toBe(refusal);
  expect(told).toEqual([]);
});

test('what is taken back leaves the default, or nothing', () => {
  const { config, told } = world();
  config.onDelta([resource('one')], []);
  config.onDelta([], ['f']);
  expect(told).toEqual(['one', null]);
  const other = world({ fallback });
  other.config.onDelta([resource('one')], []);
  other.config.onDelta([], ['f']);
  expect(other.told).toEqual(['one', 'default']);
});

test('whoever waits for one that there is none of waits on', () => {
  const { config } = world();
  config.onDelta([], ['f']);
  expect(config.isReady).toBe(false);
  config.onDelta([resource('one')], []);
  expect(config.isReady).toBe(true);
});

test('whether the default is waited behind', () => {
  expect(world({ fallback }).config.isReady).toBe(false);
  expect(world({ fallback, startsWithFallback: true }).config.isReady).toBe(true);
});

test('what does not come is counted and not waited for', () => {
  const { config, read } = world({ fallback });
  config.onGivenUp();
  expect(config.isReady).toBe(true);
  expect(config.data).toBe(fallback);
  expect(read()).toEqual({ config_fail: 1 });
});

test('what it needs in its turn is asked for, and it is ready when that has come', () => {
  const { config, exchanged, come } = world();
  config.onResources([resource('routes one')]);
  expect(config.isReady).toBe(false);
  come.add('one');
  expect(config.isReady).toBe(true);
  config.onResources([resource('routes two')]);
  config.onDelta([], ['f']);
  config.stop();
  expect(exchanged).toEqual([
    ['one', ''],
    ['two', 'one'],
    ['', 'two'],
  ]);
});
