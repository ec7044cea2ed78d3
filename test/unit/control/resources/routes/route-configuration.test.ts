import { expect, test } from 'vitest';
import { DynamicRoutes } from '../../../../../src/control/resources/routes/route-configuration.ts';
import type { OpenedResource } from '../../../../../src/control/xds/resource-kind.ts';
import type { RouteConfigurationData } from '../../../../../src/route/route-data.ts';
import { MemoryNetwork } from '../../../cluster/memory-network.ts';
import { RecordingStats } from '../../../cluster/recording-stats.ts';

function resource(says: string, version = '1', name = 'local'): OpenedResource {
  return { name, packed: Buffer.from(says), version, aliases: [] };
}

function world() {
  const stats = new RecordingStats();
  const changed: (string | undefined)[] = [];
  let readies = 0;
  const source = {
    key: 'k',
    name: 'local',
    statPrefix: 'in',
    source: { initialFetchTimeoutMs: 0, from: { kind: 'ads' } },
  } as const;
  const routes = new DynamicRoutes(source, stats.scope('rds'), {
    clock: new MemoryNetwork().clock,
    decode: (packed) =>
      String(packed) === 'broken' ? 'all is wrong' : ({ name: String(packed) } as RouteConfigurationData),
    onChanged: ({ data }) => changed.push(data?.name),
    onReady: () => readies++,
  });
  return { routes, changed, read: () => stats.read('rds.'), readies: () => readies };
}

test('each other one is told, and what is as it was is not', () => {
  const { routes, changed, read, readies } = world();
  expect(routes.isReady).toBe(false);
  expect(routes.onResources([resource('a', '1')])).toBe('');
  expect(routes.onResources([resource('a', '2')])).toBe('');
  expect(routes.version).toBe('1');
  expect(routes.onResources([resource('b', '3')])).toBe('');
  expect(routes.version).toBe('3');
  expect(changed).toEqual(['a', 'b']);
  expect(read()).toMatchObject({ config_reload: 2 });
  expect(readies()).toBe(1);
});

test.each<[string, OpenedResource[], string]>([
  ['more than one', [resource('a'), resource('b')], 'Unexpected RDS resource length: 2'],
  ['another', [resource('a', '1', 'other')], 'Unexpected RDS configuration (expecting local): other'],
  ['what its decoder refuses', [resource('broken')], 'all is wrong'],
])('%s is refused, and the last stays', (_, resources, refusal) => {
  const { routes, changed } = world();
  routes.onResources([resource('a')]);
  expect(routes.onResources(resources)).toBe(refusal);
  expect(changed).toEqual(['a']);
  expect(routes.data?.name).toBe('a');
});

test('none is counted, and nobody waits any longer', () => {
  const { routes, read } = world();
  expect(routes.onResources([])).toBe('');
  expect(routes.isReady).toBe(true);
  expect(read()).toEqual({ update_empty: 1 });
});

test('by delta what is removed stays in force', () => {
  const { routes, changed } = world();
  routes.onDelta([resource('a')]);
  expect(routes.onDelta([])).toBe('');
  expect(changed).toEqual(['a']);
  expect(routes.data?.name).toBe('a');
});

test('nobody waits for what does not come', () => {
  const { routes, readies } = world();
  routes.onGivenUp();
  routes.onGivenUp();
  expect(routes.isReady).toBe(true);
  expect(readies()).toBe(1);
});
