import { expect, test } from 'vitest';
import { DynamicVirtualHosts } from '../../../../../src/control/resources/routes/dynamic-virtual-hosts.ts';
import { DynamicRoutes } from '../../../../../src/control/resources/routes/route-configuration.ts';
import type { OpenedResource } from '../../../../../src/control/xds/resource-kind.ts';
import type { ConfigSourceData } from '../../../../../src/identity/config-source-data.ts';
import type { RouteConfigurationData, VirtualHostData } from '../../../../../src/route/route-data.ts';
import { MemoryNetwork } from '../../../cluster/memory-network.ts';
import { RecordingStats } from '../../../cluster/recording-stats.ts';

function resource(says: string, version = '1', name = 'local'): OpenedResource {
  return { name, packed: Buffer.from(says), version, aliases: [] };
}

/** Of a domain of its own name. */
function host(name: string): VirtualHostData {
  return { name, domains: [name] } as unknown as VirtualHostData;
}

/** `own+vhds`: with a virtual host of its own, and others by VHDS. */
function dataOf(says: string): RouteConfigurationData {
  const own = says.includes('+') ? [host(says.slice(0, says.indexOf('+')))] : [];
  return { name: says, virtualHosts: own } as unknown as RouteConfigurationData;
}

function vhdsOf(says: string): ConfigSourceData | null {
  return says.endsWith('+vhds') ? { initialFetchTimeoutMs: 0, from: { kind: 'ads' } } : null;
}

function world() {
  const stats = new RecordingStats();
  const changed: (string | undefined)[] = [];
  let readies = 0;
  let opened = 0;
  const source = {
    key: 'k',
    name: 'local',
    statPrefix: 'in',
    source: { initialFetchTimeoutMs: 0, from: { kind: 'ads' } },
  } as const;
  const routes = new DynamicRoutes(source, stats.scope('rds'), {
    clock: new MemoryNetwork().clock,
    decode: (packed) =>
      String(packed) === 'broken' ? 'all is wrong' : { data: dataOf(String(packed)), vhds: vhdsOf(String(packed)) },
    openVirtualHosts: (routes) => {
      opened++;
      return new DynamicVirtualHosts('local', stats.scope('vhds'), {
        decode: (packed) => (String(packed) === 'broken' ? 'no' : host(String(packed))),
        onChanged: (hosts) => routes.takeHosts(hosts),
        serves: (name) => routes.serves(name),
        answer: () => {},
        onReady: () => {},
      });
    },
    onChanged: ({ data }) => changed.push(data!.virtualHosts.map((one) => one.name).join() || data!.name),
    onReady: () => readies++,
  });
  return {
    routes,
    changed,
    read: (prefix = 'rds.') => stats.read(prefix),
    readies: () => readies,
    opened: () => opened,
  };
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

test('virtual hosts by VHDS join its own, and are waited for', () => {
  const { routes, changed, read, opened } = world();
  routes.onResources([resource('own+vhds')]);
  expect(routes.isReady).toBe(false);
  const hosts = routes.virtualHosts!;
  expect(hosts.onDelta([resource('a', '1', 'r/a'), resource('', '1', 'r/none')], [])).toBe('');
  expect(routes.isReady).toBe(true);
  expect(hosts.onDelta([resource('b', '2', 'r/b')], [])).toBe('');
  // Its own are others, and those that came stay.
  routes.onResources([resource('new+vhds')]);
  expect(hosts.onDelta([], ['r/a'])).toBe('');
  expect(changed).toEqual(['own', 'own,a', 'own,a,b', 'new,a,b', 'new,b']);
  expect(opened()).toBe(1);
  expect(read('vhds.')).toEqual({ config_reload: 3 });
  // It wants none any more.
  routes.onResources([resource('none')]);
  expect(routes.virtualHosts).toBeNull();
  expect(changed.at(-1)).toBe('none');
});

test.each<[string, string]>([
  ['broken', 'r/a: no'],
  ['own', 'Only unique values for domains are permitted. Duplicate entry of domain own in route own+vhds'],
])('a virtual host %s is refused, and all is as it was', (says, refusal) => {
  const { routes, changed } = world();
  routes.onResources([resource('own+vhds')]);
  expect(routes.virtualHosts!.onDelta([resource(says, '1', 'r/a')], [])).toBe(refusal);
  expect(routes.virtualHosts!.all).toEqual([]);
  expect(changed).toEqual(['own']);
});
