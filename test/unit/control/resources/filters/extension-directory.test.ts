import { expect, onTestFinished, test } from 'vitest';
import { ExtensionDirectory } from '../../../../../src/control/resources/filters/extension-directory.ts';
import type { ExtensionChanges } from '../../../../../src/control/snapshot-data.ts';
import type { ExtensionSourceData } from '../../../../../src/listener/extension-sources.ts';
import { DiscoveryWorld } from '../discovery-world.ts';

const type = 'envoy.config.core.v3.TypedExtensionConfig';
const fault = 'envoy.extensions.filters.http.fault.v3.HTTPFault';
const aborts = (status: number): object => ({
  name: 'f',
  typed_config: { '@type': `type.googleapis.com/${fault}`, abort: { http_status: status } },
});

async function world(changes: Partial<ExtensionSourceData> = {}) {
  const here = new DiscoveryWorld<ExtensionChanges>();
  await here.extensions.load([fault]);
  const directory = new ExtensionDirectory(here.environment);
  onTestFinished(() => directory.resources.stop());
  const source: ExtensionSourceData = {
    key: 'k',
    name: 'f',
    category: 'envoy.filters.http',
    source: here.source('ecds.json'),
    kinds: [fault],
    fallback: null,
    startsWithFallback: false,
    ...changes,
  };
  return { here, directory, source };
}

test('a filter is told by its key when it has come, and when nobody needs it', async () => {
  const { here, directory, source } = await world();
  here.put('ecds.json', type, aborts(503));
  directory.resources.need([source]);
  directory.resources.start([source]);
  const [{ changes, kinds }] = here.told;
  expect(changes.set.map(({ key, extension }) => [key, extension.config?.kind])).toEqual([['k', fault]]);
  expect(kinds).toEqual([fault]);
  expect(here.stats.read('extension_config_discovery.http_filter.f.')).toMatchObject({ config_reload: 1 });
  directory.resources.drop([source]);
  expect(here.told[1].changes).toEqual({ set: [], removed: ['k'] });
});

test('the default holds from the start', async () => {
  const fallback = { name: 'f', kind: fault, data: 'default' };
  const { here, directory, source } = await world({ fallback });
  directory.resources.need([source]);
  expect(here.told).toEqual([
    { changes: { set: [{ key: 'k', extension: { config: fallback } }], removed: [] }, kinds: [fault] },
  ]);
});

test('what is of another type than it may be is refused', async () => {
  const { here, directory, source } = await world({ kinds: ['a.B', 'a.C'] });
  here.put('ecds.json', type, aborts(503));
  directory.resources.need([source]);
  directory.resources.start([source]);
  expect(here.told).toEqual([]);
  expect(here.xds.lines.join()).toContain(`Error: filter config has type URL ${fault} but expect a.B, a.C.`);
});

test('a network filter that comes must be one for its place', async () => {
  const { here, directory, source } = await world({ category: 'envoy.filters.network', isLast: true });
  here.put('ecds.json', type, aborts(503));
  directory.resources.need([source]);
  directory.resources.start([source]);
  expect(here.told).toEqual([]);
  expect(here.xds.lines.join()).toContain('Error: non-terminal filter named f of type');
  expect(here.stats.read('extension_config_discovery.network_filter.f.')).toMatchObject({ update_rejected: 1 });
});
