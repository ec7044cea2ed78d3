import { describe, expect, onTestFinished, test } from 'vitest';
import { clusterKind, listenerKind, routeKind, virtualHostKind } from '../../src/control/xds/resource-kinds.ts';
import { ClusterSchema } from '../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { ListenerSchema } from '../../src/proto/envoy/config/listener/v3/listener_pb.js';
import { VirtualHostSchema } from '../../src/proto/envoy/config/route/v3/route_components_pb.js';
import { RouteConfigurationSchema } from '../../src/proto/envoy/config/route/v3/route_pb.js';
import {
  DeltaDiscoveryResponseSchema,
  ResourceSchema,
} from '../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { create, toBinary } from '../../src/proto/protobuf.js';
import { Authority } from '../certificates.ts';
import { ControlPlane } from '../xds/control-plane.ts';
import { XdsServer } from '../xds/xds-server.ts';
import { App } from './app.ts';
import { answer, bootstrap, cluster, httpListener } from './config.ts';
import { getText } from './http.ts';
import { api, http2, node, overAds, pack } from './over-ads.ts';
import { until } from './wait.ts';

type Json = Record<string, unknown>;

function underAds(port: number, apiType: string): Json {
  return bootstrap([], [cluster('xds', [port], http2)], {
    node,
    dynamic_resources: { ads_config: api(apiType), lds_config: overAds },
  });
}

const virtualHost = (name: string, domain: string, body = name): Json => ({
  name,
  domains: [domain],
  routes: [answer('/', body)],
});

/** As `/init_dump` shows it. */
const waitsFor = (listener: string, ...targets: string[]): Json => ({
  name: `init manager Listener-local-init-manager ${listener}`,
  target_names: targets,
});

describe.each(['GRPC', 'DELTA_GRPC'])('listeners over ADS by %s', (apiType) => {
  test('serve on while the next version waits for its routes, and go when they are gone', async () => {
    const plane = await ControlPlane.start();
    const setListener = (json: Json): void =>
      plane.change(listenerKind.typeUrl, { ingress: pack(ListenerSchema, json) });
    setListener(httpListener({ routes: [answer('/', 'first')] }));
    const app = await App.start(underAds(plane.port, apiType));
    const port = await app.port();
    const url = await app.url();
    const late = { route_config_name: 'late', config_source: overAds };
    setListener(httpListener({ port, manager: { route_config: undefined, rds: late } }));
    await app.statIs('listener_manager.total_listeners_warming', 1);
    expect(await getText(url)).toBe('first');
    const { body } = await app.admin('/config_dump?resource=dynamic_listeners');
    expect(Object.keys(JSON.parse(body).configs[0])).toEqual(['@type', 'name', 'active_state', 'warming_state']);
    expect(JSON.parse((await app.admin('/init_dump')).body)).toEqual({
      unready_targets_dumps: [waitsFor('ingress', 'shared target RdsRouteConfigSubscription RDS init late')],
    });
    const routes = { name: 'late', virtual_hosts: [virtualHost('second', '*')] };
    plane.change(routeKind.typeUrl, { late: pack(RouteConfigurationSchema, routes) });
    await until('the second', async () => (await getText(url)) === 'second');
    await app.statIs('listener_manager.total_listeners_warming', 0);
    plane.change(listenerKind.typeUrl, {}, ['ingress']);
    await app.statIs('listener_manager.listener_removed', 1);
    await until('no listener', async () => !(await app.admin('/listeners')).body.includes('ingress'));
    expect(plane.verdicts.filter(({ refusal }) => refusal !== '')).toEqual([]);
  });
});

test('virtual hosts come by VHDS', async () => {
  const told = async (set: Json[], removed: string[] = []): Promise<void> => {
    await vhds.until(() => vhds.peers.some((peer) => peer.requests.length > 0));
    const resources = set.map((json) => {
      const resource = { typeUrl: virtualHostKind.typeUrl, value: pack(VirtualHostSchema, json) };
      return create(ResourceSchema, { name: json['name'] as string, version: '1', resource });
    });
    const fields = { typeUrl: virtualHostKind.typeUrl, nonce: 'n', resources, removedResources: removed };
    const bytes = toBinary(DeltaDiscoveryResponseSchema, create(DeltaDiscoveryResponseSchema, fields));
    for (const peer of vhds.peers) peer.write(bytes);
  };
  const vhds = await XdsServer.start(() => {}, '127.0.0.1:0');
  onTestFinished(() => vhds.stop());
  const plane = await ControlPlane.start();
  const routes = {
    name: 'r',
    virtual_hosts: [virtualHost('own', 'own.test')],
    vhds: {
      config_source: {
        resource_api_version: 'V3',
        initial_fetch_timeout: '0s',
        api_config_source: { ...api('DELTA_GRPC'), grpc_services: [{ envoy_grpc: { cluster_name: 'vhds' } }] },
      },
    },
  };
  plane.change(routeKind.typeUrl, { r: pack(RouteConfigurationSchema, routes) });
  const rds = { route_config_name: 'r', config_source: overAds };
  const listener = httpListener({ manager: { route_config: undefined, rds } });
  const config = bootstrap([listener], [cluster('xds', [plane.port], http2), cluster('vhds', [vhds.port], http2)], {
    node,
    dynamic_resources: { ads_config: api('GRPC') },
  });
  const [app] = await Promise.all([App.start(config), told([virtualHost('r/a', 'a.test')])]);
  const asks = async (host: string): Promise<string> => {
    const { request } = await import('undici');
    const { body } = await request(await app.url(), { headers: { host } });
    return body.text();
  };
  expect(await asks('own.test')).toBe('own');
  expect(await asks('a.test')).toBe('r/a');
  await told([virtualHost('r/b', 'b.test')], ['r/a']);
  await until('the other', async () => (await asks('b.test')) === 'r/b');
  expect(await asks('a.test')).toBe('');
  expect(await asks('own.test')).toBe('own');
});

test('/init_dump tells what listeners wait for before the start, written and discovered ones', async () => {
  const plane = await ControlPlane.start();
  const fault = 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault';
  const found = { name: 'late', config_discovery: { type_urls: [fault], config_source: overAds } };
  const router = {
    name: 'router',
    typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
  };
  const rds = { rds: { route_config_name: 'routes', config_source: overAds } };
  const listener = (name: string): Json => ({
    ...httpListener({ manager: { route_config: undefined, http_filters: [found, router], ...rds } }),
    name,
  });
  plane.change(listenerKind.typeUrl, { told: pack(ListenerSchema, listener('told')) });
  const config = bootstrap([listener('own')], [cluster('xds', [plane.port], http2)], {
    node,
    dynamic_resources: { ads_config: api('GRPC'), lds_config: overAds },
  });
  const app = await App.start(config, { isExpectedToFail: true });
  expect((await plane.verdict(listenerKind.typeUrl)).refusal).toBe('');
  const routes = 'shared target RdsRouteConfigSubscription RDS init routes';
  const filter = 'shared target FilterConfigSubscription init late';
  expect(JSON.parse((await app.admin('/init_dump')).body)).toEqual({
    unready_targets_dumps: [waitsFor('own', routes, filter), waitsFor('told', routes, filter)],
  });
});

test('/certs and the gauges show certificates of what was discovered', async () => {
  const authority = await Authority.root('CN=root');
  const { chainPem, keyPem } = await authority.issue({ dns: ['a.example'] });
  const tls = (kind: 'Downstream' | 'Upstream', common_tls_context: Json): Json => {
    const type = `type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.${kind}TlsContext`;
    return { transport_socket: { name: 'tls', typed_config: { '@type': type, common_tls_context } } };
  };
  const pair = { certificate_chain: { inline_string: chainPem }, private_key: { inline_string: keyPem } };
  const trusted = { validation_context: { trusted_ca: { inline_string: authority.rootPem } } };
  const plane = await ControlPlane.start();
  const listener = httpListener({ routes: [answer('/', 'hello')] }) as { filter_chains: Json[] };
  const [chain] = listener.filter_chains;
  const secured = { ...listener, filter_chains: [{ ...chain, ...tls('Downstream', { tls_certificates: [pair] }) }] };
  const upstream = cluster('found', [1], tls('Upstream', trusted));
  plane.change(clusterKind.typeUrl, { found: pack(ClusterSchema, upstream) });
  plane.change(listenerKind.typeUrl, { ingress: pack(ListenerSchema, secured) });
  const config = bootstrap([], [cluster('xds', [plane.port], http2)], {
    node,
    dynamic_resources: { ads_config: api('GRPC'), lds_config: overAds, cds_config: overAds },
  });
  const app = await App.start(config);
  await app.statIs('listener_manager.listener_create_success', 1);
  const { certificates } = JSON.parse((await app.admin('/certs')).body) as { certificates: Json[] };
  const shown = { path: '<inline>' };
  expect(certificates).toMatchObject([
    { ca_cert: [], cert_chain: [{ ...shown, subject_alt_names: [{ dns: 'a.example' }] }] },
    { ca_cert: [shown], cert_chain: [] },
  ]);
  const gauges = [...(await app.stats()).keys()].filter((name) => name.endsWith('expiration_unix_time_seconds'));
  expect(gauges.map((name) => name.replace(/^(listener\.127\.0\.0\.1_)\d+/, '$1port')).sort()).toEqual([
    'cluster.found.ssl.certificate.unnamed_ca_cert_e3b0c442.expiration_unix_time_seconds',
    'listener.127.0.0.1_port.ssl.certificate.unnamed_cert_e3b0c442.expiration_unix_time_seconds',
  ]);
});
