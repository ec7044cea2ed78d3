import { cluster, http } from '../config.ts';
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

/** Of the file that stands for a control plane; the n-th version of it. */
const discovered = (n: number, ...layers: readonly string[]): Readonly<Record<string, string>> => ({
  'rtds.yaml': `
version_info: '${n}'
resources: [${layers.join(', ')}]`,
});
const layer = (values: string, name = 'remote'): string =>
  `{ '@type': type.googleapis.com/envoy.service.runtime.v3.Runtime, name: ${name}, layer: { ${values} } }`;
const rtds = `{ name: remote, rtds_config: { path_config_source: { path: '{{directory}}/rtds.yaml' } } }`;

/** A page once the file has been taken, or refused. */
const after = (name: string, stat: string, files: Readonly<Record<string, string>>, path = '/runtime'): Row => ({
  name,
  admin: path,
  files,
  awaits: { [`runtime.${stat}`]: '+1' },
});

/** Instants, and what is made of the version's text. */
const uncertain = /update_time|update_duration|\.version:/;

const remote: Group = {
  name: 'runtime layers: RTDS from a file',
  config: http({
    routes,
    bootstrap: `
node: { id: here, cluster: mine }
layered_runtime:
  layers:
  - { name: static, static_layer: { ${maintenance}: 100, below: 1 } }
  - { name: discovered, rtds_layer: ${rtds} }
  - { name: admin, admin_layer: {} }`,
  }),
  files: discovered(1, layer(`${maintenance}: 0`)),
  stats: /^(http|cluster)\./,
  rows: [
    { name: 'holds from the start', request: { path: '/' } },
    { name: 'the page', admin: '/runtime' },
    { name: 'the stats', admin: '/stats?filter=^runtime', ignores: uncertain },
    after('another version', 'update_success', discovered(2, layer('nested: { a: x, b: true }'))),
    { name: 'and what is below holds again', request: { path: '/' } },
    after('what is no value is refused', 'update_rejected', discovered(3, layer('wrong: [1]'))),
    after('another name is refused', 'update_rejected', discovered(4, layer('a: 1', 'other'))),
    after('none is refused', 'update_rejected', discovered(5)),
    after('two are refused', 'update_rejected', discovered(6, layer('a: 1'), layer('a: 2', 'other'))),
    after('an empty one is taken', 'update_success', discovered(7, layer(''))),
    modify('the admin holds over it', `?${maintenance}=0`),
    { name: 'the stats at the end', admin: '/stats?filter=^runtime', ignores: uncertain },
  ],
};

/** Nothing comes, and the start goes on without. */
const absent: Group = {
  name: 'runtime layers: RTDS that does not answer',
  config: http({
    routes,
    bootstrap: `
node: { id: here, cluster: mine }
layered_runtime:
  layers:
  - { name: static, static_layer: { below: 1 } }
  - name: discovered
    rtds_layer:
      name: remote
      rtds_config:
        initial_fetch_timeout: 0.2s
        api_config_source:
          api_type: GRPC
          transport_api_version: V3
          grpc_services: [{ envoy_grpc: { cluster_name: dead, retry_policy: { retry_back_off: { base_interval: 0.05s } } } }]`,
    clusters: JSON.stringify([
      {
        ...cluster('dead', ['dead']),
        typed_extension_protocol_options: {
          'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
            '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
            explicit_http_config: { http2_protocol_options: {} },
          },
        },
      },
    ]),
  }),
  stats: /^http\./,
  rows: [
    { name: 'serves', request: { path: '/' } },
    { name: 'the page', admin: '/runtime' },
    {
      name: 'the stats',
      admin: '/stats?filter=^runtime.(num|init|update_(success|rejected)|control_plane.connected)',
    },
  ],
};

export const runtimeLayers: readonly Group[] = [admin, noAdmin, disk, guards, remote, absent];
