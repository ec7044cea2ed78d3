import { expect, test } from 'vitest';
import { ask, askJson, cluster, host, ReportedProcess, resource } from './process.ts';

const clusterType = 'envoy.config.cluster.v3.Cluster';
const listenerType = 'envoy.config.listener.v3.Listener';
const routeType = 'envoy.config.route.v3.RouteConfiguration';
const scopeType = 'envoy.config.route.v3.ScopedRouteConfiguration';
const secretType = 'envoy.extensions.transport_sockets.tls.v3.Secret';
const updated = '2026-01-02T03:04:05.006Z';

const listener = {
  name: 'http',
  address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
  filter_chains: [
    {
      filters: [
        {
          name: 'hcm',
          typed_config: {
            '@type':
              'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
            stat_prefix: 'ingress',
            http_filters: [
              {
                name: 'envoy.filters.http.router',
                typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
              },
            ],
          },
        },
      ],
    },
  ],
};

function source(): ReportedProcess {
  const found = new ReportedProcess();
  found.dump = {
    bootstrap: resource('envoy.config.bootstrap.v3.Bootstrap', {
      node: { id: 'n1', metadata: { a: 1 } },
      static_resources: { secrets: [{ name: 'sec', generic_secret: { secret: { inline_string: 'hush' } } }] },
    }),
    clusters: [
      resource(clusterType, { name: 'one', type: 'STATIC' }),
      resource(clusterType, { name: 'two', type: 'STRICT_DNS' }),
      resource(clusterType, { name: 'three', type: 'EDS' }, { versionInfo: 'v1' }),
      resource(clusterType, { name: 'four', type: 'EDS' }, { versionInfo: 'v2', isWarming: true }),
    ],
    listeners: [resource(listenerType, listener)],
    dynamicListeners: {
      version: 'v3',
      listeners: [
        {
          name: 'dynamic',
          active: resource(listenerType, { name: 'dynamic' }, { versionInfo: 'v1' }),
          warming: resource(listenerType, { name: 'dynamic' }, { versionInfo: 'v2' }),
          draining: null,
          fault: null,
        },
        {
          name: 'broken',
          active: null,
          warming: null,
          draining: null,
          fault: { message: resource(listenerType, { name: 'broken' }).message, details: 'no', attemptedMs: 0 },
        },
      ],
    },
    extensionConfigs: [
      [resource('envoy.config.core.v3.TypedExtensionConfig', { name: 'filter' }, { versionInfo: 'v1' })],
    ],
    scopes: [
      { name: 'own', versionInfo: null, lastUpdatedMs: 0, messages: [resource(scopeType, { name: 'a' }).message] },
      { name: 'told', versionInfo: 'v1', lastUpdatedMs: 0, messages: [] },
    ],
    routes: [resource(routeType, { name: 'local_route' })],
    secrets: [
      resource(secretType, { name: 'sec', generic_secret: { secret: { inline_string: 'hush' } } }),
      resource(
        secretType,
        {
          name: 'tls',
          tls_certificate: {
            certificate_chain: { inline_string: 'public' },
            private_key: { inline_bytes: Buffer.from('hush').toString('base64') },
            password: { filename: '/p' },
          },
        },
        { versionInfo: 'v1' },
      ),
    ],
  };
  return found;
}

test('the whole dump, in the order of Envoy', async () => {
  const { configs } = await askJson(source(), '/config_dump');
  expect(configs.map((config: Record<string, string>) => config['@type'].split('.').at(-1))).toEqual([
    'BootstrapConfigDump',
    'ClustersConfigDump',
    'EcdsConfigDump',
    'ListenersConfigDump',
    'ScopedRoutesConfigDump',
    'RoutesConfigDump',
    'SecretsConfigDump',
  ]);
  const [bootstrap, clusters, filters, listeners, scopes, routes, secrets] = configs;
  expect(bootstrap.bootstrap.node).toEqual({ id: 'n1', metadata: { a: 1 } });
  expect(bootstrap.last_updated).toBe(updated);
  expect(clusters.static_clusters[0]).toEqual({
    cluster: { '@type': `type.googleapis.com/${clusterType}`, name: 'one', type: 'STATIC' },
    last_updated: updated,
  });
  expect(clusters.dynamic_active_clusters).toMatchObject([{ version_info: 'v1', cluster: { name: 'three' } }]);
  expect(clusters.dynamic_warming_clusters).toMatchObject([{ version_info: 'v2', cluster: { name: 'four' } }]);
  expect(listeners.static_listeners[0].listener).toEqual({
    '@type': `type.googleapis.com/${listenerType}`,
    ...listener,
  });
  expect(listeners.version_info).toBe('v3');
  expect(listeners.dynamic_listeners).toMatchObject([
    {
      name: 'dynamic',
      active_state: { version_info: 'v1', listener: { name: 'dynamic' } },
      warming_state: { version_info: 'v2' },
    },
    {
      name: 'broken',
      error_state: {
        failed_configuration: { name: 'broken' },
        last_update_attempt: '1970-01-01T00:00:00.000Z',
        details: 'no',
      },
    },
  ]);
  expect(filters.ecds_filters).toMatchObject([{ version_info: 'v1', ecds_filter: { name: 'filter' } }]);
  expect(scopes.inline_scoped_route_configs).toMatchObject([{ name: 'own', scoped_route_configs: [{ name: 'a' }] }]);
  expect(scopes.dynamic_scoped_route_configs).toMatchObject([{ name: 'told', version_info: 'v1' }]);
  expect(routes.static_route_configs).toMatchObject([{ route_config: { name: 'local_route' } }]);
  expect(secrets.static_secrets[0]).toEqual({
    name: 'sec',
    secret: {
      '@type': `type.googleapis.com/${secretType}`,
      name: 'sec',
      generic_secret: { secret: { inline_string: '[redacted]' } },
    },
  });
});

test('no secret is printed anywhere', async () => {
  const { body } = await ask(source(), '/config_dump');
  expect(body).not.toContain('hush');
  expect(body).not.toContain(Buffer.from('hush').toString('base64'));
  const { dynamic_active_secrets: secrets } = JSON.parse(body).configs.at(-1);
  expect(secrets[0].secret.tls_certificate).toEqual({
    certificate_chain: { inline_string: 'public' },
    private_key: { inline_bytes: Buffer.from('[redacted]').toString('base64') },
    password: { filename: '[redacted]' },
  });
});

test('secrets inside Any and TypedStruct are hidden too', async () => {
  const found = source();
  const context = {
    common_tls_context: { tls_certificates: [{ private_key: { inline_string: 'hush' } }] },
  };
  const type = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';
  const wrapped = { '@type': 'type.googleapis.com/xds.type.v3.TypedStruct', type_url: type, value: context };
  found.dump = {
    ...found.dump,
    clusters: [
      resource(clusterType, {
        name: 'a',
        transport_socket: { name: 't', typed_config: { '@type': type, ...context } },
      }),
      resource(clusterType, { name: 'b', transport_socket: { name: 't', typed_config: wrapped } }),
    ],
  };
  const { body } = await ask(found, '/config_dump?resource=static_clusters');
  expect(body).not.toContain('hush');
  expect(body.match(/\[redacted\]/g)).toHaveLength(2);
});

test('one list', async () => {
  const { configs } = await askJson(source(), '/config_dump?resource=static_clusters');
  expect(configs).toMatchObject([
    { '@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump.StaticCluster', cluster: { name: 'one' } },
    { cluster: { name: 'two' } },
  ]);
});

test('one list with a mask, which leads through the packed resource', async () => {
  const { configs } = await askJson(source(), '/config_dump?resource=static_clusters&mask=cluster.name');
  expect(configs[0]).toEqual({
    '@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump.StaticCluster',
    cluster: { '@type': `type.googleapis.com/${clusterType}`, name: 'one' },
  });
});

test('name_regex is the whole name; the bootstrap always shows', async () => {
  const { configs } = await askJson(source(), '/config_dump?resource=static_clusters&name_regex=o.*&mask=cluster.name');
  expect(configs).toHaveLength(1);
  const all = await askJson(source(), '/config_dump?name_regex=one');
  expect(all.configs[1].static_clusters).toHaveLength(1);
  expect(all.configs[2]).toEqual({ '@type': 'type.googleapis.com/envoy.admin.v3.EcdsConfigDump' });
});

test('a mask over everything keeps the sections that it fits', async () => {
  const { configs } = await askJson(source(), '/config_dump?mask=bootstrap.node.id');
  expect(configs).toEqual([
    { '@type': 'type.googleapis.com/envoy.admin.v3.BootstrapConfigDump', bootstrap: { node: { id: 'n1' } } },
  ]);
  const versions = await askJson(source(), '/config_dump?name_regex=one&mask=version_info');
  expect(versions).toEqual({
    configs: [
      { '@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump' },
      { '@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump', version_info: 'v3' },
    ],
  });
});

test('an empty list is an empty object', async () => {
  const found = source();
  found.dump = { ...found.dump, clusters: [] };
  expect((await ask(found, '/config_dump?resource=dynamic_active_clusters')).body).toBe('{}\n');
});

test('include_eds shows the hosts, a locality at a time', async () => {
  const found = source();
  const hosts = [
    host(19999, { hostname: 'hh', weight: 3, region: 'r', localityWeight: 0 }),
    host(19998, { region: 'r' }),
    host(2, { priority: 1 }),
    host(1),
  ];
  found.clusterReports = [cluster('one', { hosts }), cluster('two', { addedViaApi: true, edsServiceName: 's' })];
  const { configs } = await askJson(found, '/config_dump?include_eds');
  expect(configs[2]['@type']).toBe('type.googleapis.com/envoy.admin.v3.EndpointsConfigDump');
  const [{ endpoint_config: assignment }] = configs[2].static_endpoint_configs;
  expect(assignment.cluster_name).toBe('one');
  expect(assignment.policy).toEqual({ overprovisioning_factor: 140 });
  const [nowhere, region, further] = assignment.endpoints;
  expect([nowhere.locality, further.priority]).toEqual([{}, 1]);
  expect(region).toMatchObject({ locality: { region: 'r' }, load_balancing_weight: 0 });
  expect(region.lb_endpoints[0]).toEqual({
    endpoint: {
      address: { socket_address: { address: '127.0.0.1', port_value: 19999 } },
      health_check_config: {},
      hostname: 'hh',
    },
    health_status: 'HEALTHY',
    load_balancing_weight: 3,
  });
  expect(configs[2].dynamic_endpoint_configs).toMatchObject([{ endpoint_config: { cluster_name: 's' } }]);
});

// Envoy's words, but for RE2's and protobuf's own.
test.each([
  ['resource=bogus', 404, 'bogus not found in config dump'],
  [
    'resource=bootstrap&mask=node.id',
    400,
    'bootstrap is not a repeated field. Use ?mask=bootstrap to get only this field',
  ],
  ['mask=bogus', 400, 'FieldMask bogus could not be successfully applied to any configs.'],
  [
    'mask=clusters.static_clusters',
    400,
    'FieldMask clusters.static_clusters could not be successfully applied to any configs.',
  ],
  ['resource=static_clusters&mask=bogus', 400, 'FieldMask bogus could not be successfully used.'],
  ['resource=static_clusters&mask=cluster.bogus', 400, 'FieldMask cluster.bogus could not be successfully used.'],
  ['name_regex=%5B', 400, 'INVALID_ARGUMENT: Error while parsing name_regex from [: '],
])('%s', async (query, status, words) => {
  const answer = await ask(source(), `/config_dump?${query}`);
  expect([answer.status, answer.contentType]).toEqual([status, 'text/plain']);
  expect(answer.body.startsWith(words)).toBe(true);
});
