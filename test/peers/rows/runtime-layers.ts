import { http } from '../config.ts';
import type { Group, Row } from '../row.ts';

const routes = '[{ match: { prefix: / }, route: { cluster: one } }]';
const maintenance = 'upstream.maintenance_mode.one';
const runtimeStats = /^(http|cluster|runtime)\./;

const modify = (name: string, query: string, more: Partial<Row> = {}): Row => ({
  name,
  admin: `/runtime_modify${query}`,
  adminMethod: 'POST',
  ...more,
});

/** Keys that come and go while traffic flows. */
const admin: Group = {
  name: 'runtime layers: admin',
  config: http({
    routes,
    bootstrap: `
layered_runtime:
  layers:
  - { name: static, static_layer: { ${maintenance}: 0, big: 1234567, small: 0.00001, nested: { text: abc, flag: true } } }
  - { name: admin, admin_layer: {} }`,
  }),
  stats: runtimeStats,
  rows: [
    { name: 'the page', admin: '/runtime' },
    { name: 'the stats', admin: '/stats?filter=^runtime' },
    modify('nothing to modify', ''),
    { name: 'GET does not modify', admin: '/runtime_modify?a=1' },
    modify('a key is set', `?${maintenance}=100`),
    { name: 'and holds at once', request: { path: '/' } },
    { name: 'the page shows both', admin: '/runtime' },
    { name: 'an override is active', admin: '/stats?filter=^runtime' },
    modify('a fraction', `?${maintenance}=numerator:%200%0Adenominator:%20MILLION`),
    { name: 'a fraction holds', request: { path: '/' } },
    modify('what is no number counts as absent', `?${maintenance}=much`),
    { name: 'and the layer below does not count either', request: { path: '/' } },
    modify('an empty value takes it away', `?${maintenance}=`),
    { name: 'and the layer below holds again', request: { path: '/' } },
    modify('several keys, escaped', '?a%20b=c%2Fd&e=f'),
    { name: 'several keys on the page', admin: '/runtime' },
    { name: 'the stats at the end', admin: '/stats?filter=^runtime' },
  ],
};

const noAdmin: Group = {
  name: 'runtime layers: none of the admin',
  config: http({ routes, bootstrap: 'layered_runtime: { layers: [{ name: s, static_layer: { a: 1 } }] }' }),
  stats: runtimeStats,
  rows: [modify('cannot be modified', '?a=2'), { name: 'stays as it is', admin: '/runtime' }],
};

/** Folders; each change of the admin's has them read anew. */
const disk: Group = {
  name: 'runtime layers: disk',
  config: http({
    routes,
    bootstrap: `
node: { id: here, cluster: mine }
layered_runtime:
  layers:
  - { name: static, static_layer: { ${maintenance}: 100 } }
  - { name: folder, disk_layer: { symlink_root: '{{directory}}', subdirectory: ./ } }
  - { name: of the cluster, disk_layer: { symlink_root: '{{directory}}', subdirectory: nowhere, append_service_cluster: true } }
  - { name: admin, admin_layer: {} }`,
  }),
  files: { [maintenance]: '# comment\n0\n' },
  stats: /^(http|cluster)\./,
  rows: [
    { name: 'a file holds over a static layer', request: { path: '/' } },
    modify('another file', '?other=1', { files: { [maintenance]: '100' } }),
    { name: 'holds once it is read', request: { path: '/' } },
    modify('the admin holds over files', `?${maintenance}=0`),
    { name: 'whatever they say', request: { path: '/' } },
    { name: 'layers that are there', admin: '/stats?filter=^runtime.(num_layers%7Coverride_dir)' },
  ],
};

const guards: Group = {
  name: "runtime layers: guards of Envoy's code",
  config: http({
    routes,
    bootstrap: `
layered_runtime:
  layers:
  - name: s
    static_layer: { envoy.reloadable_features.no_such_guard: true, envoy.restart_features.no_such_guard: false }`,
  }),
  stats: runtimeStats,
  rows: [{ name: 'those that nobody knows are taken', request: { path: '/' } }],
};

export const runtimeLayers: readonly Group[] = [admin, noAdmin, disk, guards];
