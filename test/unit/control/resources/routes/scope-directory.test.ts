import { expect, onTestFinished, test } from 'vitest';
import { RouteDirectory } from '../../../../../src/control/resources/routes/route-directory.ts';
import { ScopeDirectory } from '../../../../../src/control/resources/routes/scope-directory.ts';
import type { RouteChanges, ScopeChanges } from '../../../../../src/control/snapshot-data.ts';
import { RouteConfigurationSchema } from '../../../../../src/proto/envoy/config/route/v3/route_pb.js';
import { create, toBinary } from '../../../../../src/proto/protobuf.js';
import type { ScopeSourceData } from '../../../../../src/proxy/http/scopes/scope-sources.ts';
import { DiscoveryWorld } from '../discovery-world.ts';

const scopeType = 'envoy.config.route.v3.ScopedRouteConfiguration';
const routeType = 'envoy.config.route.v3.RouteConfiguration';

const scope = (name: string, key: string, routes = 'r'): object => ({
  name,
  route_configuration_name: routes,
  key: { fragments: [{ string_key: key }] },
});

function world() {
  const here = new DiscoveryWorld<ScopeChanges | RouteChanges>();
  const routes = new RouteDirectory({ ...here.environment, hasCluster: () => true });
  const scopes: ScopeChanges[] = [];
  const answers: string[] = [];
  const directory = new ScopeDirectory({
    ...here.environment,
    routes,
    answer: ({ host }, isThere, worker) => answers.push(`${worker}: ${host} ${isThere}`),
    publish: (changes) => void scopes.push(changes),
  });
  onTestFinished(() => {
    directory.resources.stop();
    routes.resources.stop();
  });
  const source: ScopeSourceData = {
    key: 'k',
    name: 's',
    statPrefix: 'in',
    source: here.source('srds.json'),
    rdsSource: here.source('rds.json'),
  };
  return { here, routes, directory, scopes, source, told: () => answers.splice(0) };
}

test('scopes are told by their key, and are ready with the routes that they name', () => {
  const { here, routes, directory, scopes, source } = world();
  here.put('rds.json', routeType, { name: 'r' });
  here.put('srds.json', scopeType, scope('a', '1'), scope('b', '2'));
  directory.resources.need([source]);
  expect(directory.resources.areReady([source])).toBe(false);
  directory.resources.start([source]);
  expect(directory.resources.areReady([source])).toBe(true);
  const rds = [...routes.resources].map((one) => one.source.key);
  expect(rds).toHaveLength(1);
  expect(scopes[0].set[0].scopes).toEqual([
    { key: '1', routes: null, rds: rds[0] },
    { key: '2', routes: null, rds: rds[0] },
  ]);
  expect(here.stats.read('http.in.scoped_rds.s.')).toMatchObject({ config_reload: 1, all_scopes: 2, active_scopes: 2 });
  directory.resources.drop([source]);
  expect(scopes[1]).toEqual({ set: [], removed: ['k'] });
  expect([...routes.resources]).toEqual([]);
});

test.each<[string, object[], string]>([
  ['keys that are there twice', [scope('a', '1'), scope('b', '1')], "scope key conflict found, first scope is 'a'"],
  ['names that are there twice', [scope('a', '1'), scope('a', '2')], "duplicate scoped route configuration 'a' found"],
  ['what its decoder refuses', [{ ...scope('a', '1'), route_configuration_name: '' }], 'route_configuration_name'],
])('%s are refused as a whole', (_, resources, said) => {
  const { here, routes, directory, scopes, source } = world();
  here.put('srds.json', scopeType, ...resources);
  directory.resources.need([source]);
  directory.resources.start([source]);
  expect(here.xds.lines.join()).toContain(said);
  expect(scopes).toEqual([]);
  expect([...routes.resources]).toEqual([]);
  expect(directory.resources.areReady([source])).toBe(true);
});

const onDemand = (name: string, key: string, routes = 'r'): object => ({
  ...scope(name, key, routes),
  on_demand: true,
});

test('the routes of a scope on demand are asked for when a worker needs them, and no sooner', () => {
  const { here, routes, directory, scopes, source, told } = world();
  const counts = { all_scopes: 2, on_demand_scopes: 1 };
  const read = (): object => here.stats.read('http.in.scoped_rds.s.');
  here.put('rds.json', routeType, { name: 'lazy' });
  here.put('srds.json', scopeType, onDemand('a', '1', 'lazy'), scope('b', '2', 'eager'));
  directory.resources.need([source]);
  directory.resources.start([source]);
  expect([...routes.resources].map((one) => one.source.name)).toEqual(['eager']);
  expect(read()).toMatchObject({ ...counts, active_scopes: 1 });
  const hasRoutes = (): boolean[] => scopes.at(-1)!.set[0].scopes.map(({ rds }) => rds !== '');
  expect(hasRoutes()).toEqual([false, true]);
  directory.wantScope('k', '1', 0);
  expect(told()).toEqual(['0: 1 true']);
  expect(read()).toMatchObject({ ...counts, active_scopes: 2 });
  expect(hasRoutes()).toEqual([true, true]);
  // What has come is there for all.
  directory.wantScope('k', '1', 1);
  directory.wantScope('k', 'none', 1);
  directory.wantScope('other', '1', 1);
  expect(told()).toEqual(['1: 1 true', '1: none false', '1: 1 false']);
  directory.resources.drop([source]);
  expect([...routes.resources]).toEqual([]);
});

test('whoever waits for the routes of a scope hears when they come, or when the scope goes', () => {
  const { here, routes, directory, source, told } = world();
  here.put('srds.json', scopeType, onDemand('a', '1', 'lazy'), onDemand('b', '2', 'lazier'));
  directory.resources.need([source]);
  directory.resources.start([source]);
  const [set] = directory.resources;
  directory.wantScope('k', '1', 0);
  directory.wantScope('k', '1', 1);
  directory.wantScope('k', '2', 0);
  expect(told()).toEqual([]);
  const [lazy] = [...routes.resources].filter((one) => one.source.name === 'lazy');
  lazy.onResources([{ name: 'lazy', packed: routeConfiguration('lazy'), version: '1', aliases: [] }]);
  expect(told()).toEqual(['0: 1 true', '1: 1 true']);
  set.onDelta([], ['b'], '2');
  expect(told()).toEqual(['0: 2 false']);
  expect([...routes.resources].map((one) => one.source.name)).toEqual(['lazy']);
});

function routeConfiguration(name: string): Uint8Array {
  return toBinary(RouteConfigurationSchema, create(RouteConfigurationSchema, { name }));
}
