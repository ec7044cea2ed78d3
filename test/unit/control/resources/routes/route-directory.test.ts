import { expect, onTestFinished, test } from 'vitest';
import { RouteDirectory } from '../../../../../src/control/resources/routes/route-directory.ts';
import type { RouteChanges } from '../../../../../src/control/snapshot-data.ts';
import type { RouteSourceData } from '../../../../../src/proxy/http/route-sources.ts';
import { DiscoveryWorld } from '../discovery-world.ts';

const type = 'envoy.config.route.v3.RouteConfiguration';

const goesTo = (cluster: string, more: object = {}): object => ({
  name: 'local',
  virtual_hosts: [{ name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster } }] }],
  ...more,
});

function world() {
  const here = new DiscoveryWorld<RouteChanges>();
  const directory = new RouteDirectory({ ...here.environment, hasCluster: (name) => name === 'known' });
  onTestFinished(() => directory.resources.stop());
  const source: RouteSourceData = { key: 'k', name: 'local', statPrefix: 'in', source: here.source('rds.json') };
  return { here, directory, source };
}

test('a route configuration is told by its key when it has come, and when nobody needs it', async () => {
  const { here, directory, source } = world();
  await here.extensions.load(['envoy.extensions.filters.http.cors.v3.CorsPolicy']);
  const kind = 'envoy.extensions.filters.http.cors.v3.CorsPolicy';
  here.put(
    'rds.json',
    type,
    goesTo('any', { typed_per_filter_config: { a: { '@type': `type.googleapis.com/${kind}` } } }),
  );
  directory.resources.need([source]);
  expect(here.told).toEqual([]);
  directory.resources.start([source]);
  expect(directory.resources.areReady([source])).toBe(true);
  const [{ changes, kinds }] = here.told;
  expect(changes.set.map(({ key, routes }) => [key, routes.name])).toEqual([['k', 'local']]);
  expect(kinds).toEqual([kind]);
  expect(here.stats.read('http.in.rds.local.')).toMatchObject({ config_reload: 1, update_success: 1 });
  directory.resources.drop([source]);
  expect(here.told[1].changes).toEqual({ set: [], removed: ['k'] });
});

test.each<[string, object, string]>([
  [
    'domains that are there twice',
    goesTo('a', { virtual_hosts: [{ name: 'v', domains: ['a', 'A'] }] }),
    'there already',
  ],
  ['clusters where it says so', goesTo('unknown', { validate_clusters: true }), "route: unknown cluster 'unknown'"],
])('%s are refused', (_, routes, said) => {
  const { here, directory, source } = world();
  here.put('rds.json', type, routes);
  directory.resources.need([source]);
  directory.resources.start([source]);
  expect(here.told).toEqual([]);
  expect(here.xds.lines.join()).toContain(said);
  expect(here.stats.read('http.in.rds.local.')).toMatchObject({ update_rejected: 1 });
  expect(directory.resources.areReady([source])).toBe(true);
});
