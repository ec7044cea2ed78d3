/** Clusters that are asked for when a request or a connection needs them. */
import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { clusterKind } from '../../src/control/xds/resource-kinds.ts';
import { ClusterSchema } from '../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { fromJson, toBinary } from '../../src/proto/protobuf.js';
import { ControlPlane } from '../xds/control-plane.ts';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener, tcpListener } from './config.ts';
import { Resources } from './discovered.ts';
import { getText } from './http.ts';
import { Origin } from './origin.ts';

type Json = Record<string, unknown>;

const kind = 'type.googleapis.com/envoy.extensions.filters.http.on_demand.v3';
const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
};

const http2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

const overDelta = {
  api_type: 'DELTA_GRPC',
  transport_api_version: 'V3',
  grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
};
const sources = {
  own: { resource_api_version: 'V3', api_config_source: overDelta },
  ads: { resource_api_version: 'V3', ads: {} },
};

const named = (name: string): Promise<Origin> =>
  Origin.start((incoming, response) => {
    incoming.resume();
    response.end(name);
  });

const packed = (json: Json): Uint8Array => toBinary(ClusterSchema, fromJson(ClusterSchema, json as never));

function setCluster(plane: ControlPlane, name: string, port: number): void {
  plane.change(clusterKind.typeUrl, { [name]: packed(cluster(name, [port])) });
}

/** To the cluster that a header names; `/plain` to `plain`, `/off` to none that could be asked for. */
function onDemand(port: number, source: Json, timeout = '5s'): Json {
  const odcds = { source, timeout };
  const off = { 'envoy.filters.http.on_demand': { '@type': `${kind}.PerRouteConfig` } };
  const routes = [
    { match: { prefix: '/off' }, route: { cluster: 'off' }, typed_per_filter_config: off },
    { match: { prefix: '/plain' }, route: { cluster: 'plain' } },
    { match: { prefix: '/' }, route: { cluster_header: 'to' } },
  ];
  const filter = { name: 'envoy.filters.http.on_demand', typed_config: { '@type': `${kind}.OnDemand`, odcds } };
  const manager = {
    route_config: {
      name: 'local',
      validate_clusters: false,
      virtual_hosts: [{ name: 'all', domains: ['*'], routes }],
    },
    http_filters: [filter, router],
  };
  const node = { id: 'me', cluster: 'mine' };
  const more = 'ads' in source ? { node, dynamic_resources: { ads_config: overDelta } } : { node };
  return bootstrap([httpListener({ manager })], [cluster('xds', [port], http2)], more);
}

describe.each(['own', 'ads'] as const)('clusters on demand, by %s', (which) => {
  test('a request waits for its cluster, and goes on when that has come; others ask for others', async () => {
    const [one, two] = [await named('one'), await named('two')];
    const plane = await ControlPlane.start();
    setCluster(plane, 'one', one.port);
    setCluster(plane, 'plain', two.port);
    const app = await App.start(onDemand(plane.port, sources[which]));
    const url = await app.url();
    expect(await app.stat('cluster_manager.active_clusters')).toBe(1);
    const posted = await request(url, { method: 'POST', headers: { to: 'one' }, body: 'x'.repeat(100_000) });
    expect(await posted.body.text()).toBe('one');
    expect(await getText(`${url}/plain`)).toBe('two');
    expect(await app.stat('cluster_manager.active_clusters')).toBe(3);
    expect(await app.stat('cluster_manager.odcds.update_rejected')).toBe(0);
    const { body: dump } = await app.admin('/config_dump?resource=dynamic_active_clusters');
    expect(dump).toContain('"one"');
    // What has come changes and goes as every other does.
    setCluster(plane, 'one', two.port);
    await app.statIs('cluster_manager.cluster_modified', 1);
    const again = await request(url, { headers: { to: 'one' } });
    expect(await again.body.text()).toBe('two');
    plane.change(clusterKind.typeUrl, {}, ['one']);
    await app.statIs('cluster_manager.active_clusters', 2);
    const gone = await request(url, { headers: { to: 'one' } });
    expect(gone.statusCode).toBe(503);
    // Asked for anew, once it is there again.
    setCluster(plane, 'one', one.port);
    const back = await request(url, { headers: { to: 'one' } });
    expect(await back.body.text()).toBe('one');
  });

  test('what there is not is answered as any other missing cluster, and a route may ask for none', async () => {
    const plane = await ControlPlane.start();
    const app = await App.start(onDemand(plane.port, sources[which]), { concurrency: 2 });
    const url = await app.url();
    const none = await request(url, { headers: { to: 'none' } });
    expect([none.statusCode, await none.body.text()]).toEqual([503, '']);
    setCluster(plane, 'off', (await named('off')).port);
    const off = await request(`${url}/off`);
    expect(off.statusCode).toBe(503);
    await off.body.dump();
    const unnamed = await request(url);
    expect(unnamed.statusCode).toBe(503);
    await unnamed.body.dump();
  });
});

test('a control plane that is away is not waited for longer than the route says', async () => {
  const silent = await ControlPlane.start();
  const app = await App.start(onDemand(silent.port, sources.own, '0.05s'));
  silent.server.stop();
  const late = await request(await app.url(), { headers: { to: 'one' } });
  expect([late.statusCode, await late.body.text()]).toEqual([503, '']);
});

test('a TCP connection waits for its cluster, too, with what its client has said', async () => {
  const origin = await named('by tcp');
  const plane = await ControlPlane.start();
  setCluster(plane, 'raw', origin.port);
  const tcp = (name: string, to: string): Json => {
    const listener = tcpListener(to, { name });
    const [{ filters }] = listener['filter_chains'] as { filters: { typed_config: Json }[] }[];
    filters[0].typed_config['on_demand'] = { odcds_config: sources.own, timeout: '5s' };
    return listener;
  };
  const node = { id: 'me', cluster: 'mine' };
  const listeners = [tcp('there', 'raw'), tcp('gone', 'none')];
  const app = await App.start(bootstrap(listeners, [cluster('xds', [plane.port], http2)], { node }));
  expect(await getText(await app.url('there'))).toBe('by tcp');
  await expect(getText(await app.url('gone'))).rejects.toThrow();
  await app.statIs('tcp.gone.downstream_cx_no_route', 1);
  await app.statIs('tcp.gone.on_demand_cluster_missing', 1);
  await app.statIs('tcp.there.on_demand_cluster_attempt', 1);
  await app.statIs('tcp.there.on_demand_cluster_success', 1);
});

test('clusters of a file come when they are needed', async () => {
  const [one, two] = [await named('one'), await named('two')];
  const resources = new Resources();
  const put = (...clusters: Json[]): void => resources.put('cds.json', 'cluster.v3.Cluster', ...clusters);
  put(cluster('one', [one.port]));
  const app = await App.start(onDemand(1, resources.source('cds.json'), '2s'));
  const asks = async (to: string): Promise<string> => (await request(await app.url(), { headers: { to } })).body.text();
  expect(await app.stat('cluster_manager.active_clusters')).toBe(1);
  expect(await asks('one')).toBe('one');
  const late = asks('two');
  await app.statIs('http.ingress.downstream_rq_active', 1);
  put(cluster('one', [one.port]), cluster('two', [two.port]));
  expect(await late).toBe('two');
});
