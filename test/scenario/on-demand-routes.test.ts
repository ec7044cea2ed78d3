/** Virtual hosts, and routes of scopes, that are asked for when a request needs them. */
import type { DescMessage, JsonObject } from '@bufbuild/protobuf';
import { request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { messageTypes } from '../../src/admin/dump/message-types.ts';
import { routeKind, scopedRouteKind, virtualHostKind } from '../../src/control/xds/resource-kinds.ts';
import { VirtualHostSchema } from '../../src/proto/envoy/config/route/v3/route_components_pb.js';
import { RouteConfigurationSchema } from '../../src/proto/envoy/config/route/v3/route_pb.js';
import { ScopedRouteConfigurationSchema } from '../../src/proto/envoy/config/route/v3/scoped_route_pb.js';
import { fromJson, toBinary } from '../../src/proto/protobuf.js';
import { ControlPlane } from '../xds/control-plane.ts';
import { namesOf } from '../xds/xds-server.ts';
import { App } from './app.ts';
import { answer, bootstrap, cluster, httpListener } from './config.ts';

type Json = Record<string, unknown>;

const type = (name: string): string => `type.googleapis.com/envoy.extensions.filters.http.${name}`;
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
const overAds = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0.1s' };

function pack(schema: DescMessage, json: Json): Uint8Array {
  return toBinary(schema, fromJson(schema, json as JsonObject, { registry: messageTypes }));
}

/** One that tells who has passed in front: `passed` is as often there as a filter has seen the request. */
const virtualHost = (name: string, domain: string, prefix = '/'): Json => ({
  name,
  domains: [domain],
  routes: [answer(prefix, name)],
  response_headers_to_add: [{ header: { key: 'passed', value: '%REQ(passed)%' } }],
});

/** `routing`: where routes come from. */
async function start(plane: ControlPlane, routing: Json, concurrency = 1): Promise<App> {
  const header = { key: 'passed', value: '%REQ(passed)%x' };
  const marks = { append: { header, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' } };
  const filters = [
    {
      name: 'marks',
      typed_config: {
        '@type': type('header_mutation.v3.HeaderMutation'),
        mutations: { request_mutations: [marks] },
      },
    },
    { name: 'asks', typed_config: { '@type': type('on_demand.v3.OnDemand') } },
    { name: 'router', typed_config: { '@type': type('router.v3.Router') } },
  ];
  const listener = httpListener({ manager: { route_config: undefined, http_filters: filters, ...routing } });
  const config = bootstrap([listener], [cluster('xds', [plane.port], http2)], {
    node: { id: 'me', cluster: 'mine' },
    dynamic_resources: { ads_config: overDelta },
  });
  return App.start(config, { concurrency });
}

async function withHosts(concurrency = 1) {
  const plane = await ControlPlane.start();
  onTestFinished(() => plane.server.stop());
  const routes = { name: 'r', virtual_hosts: [virtualHost('own', 'own.test')], vhds: { config_source: overAds } };
  plane.change(routeKind.typeUrl, { r: pack(RouteConfigurationSchema, routes) });
  const app = await start(plane, { rds: { route_config_name: 'r', config_source: overAds } }, concurrency);
  const url = await app.url();
  const tell = (...hosts: Json[]): void => {
    const named = hosts.map((json) => [json['name'] as string, pack(VirtualHostSchema, json)]);
    plane.change(virtualHostKind.typeUrl, Object.fromEntries(named) as Record<string, Uint8Array>);
  };
  const asks = async (host: string, path = '/', body?: string): Promise<string> => {
    const method = body === undefined ? 'GET' : 'POST';
    const {
      statusCode,
      headers,
      body: text,
    } = await request(url + path, { method, headers: { host }, body: body ?? null });
    return `${statusCode} ${await text.text()} ${String(headers['passed'] ?? '')}`.trimEnd();
  };
  return { plane, app, tell, asks };
}

async function asked({ server }: ControlPlane, name: string): Promise<void> {
  await server.until(() => server.peers.some(({ requests }) => requests.some((one) => namesOf(one).includes(name))));
}

test('a request waits for its virtual host, and then the filters in front see it again, as in Envoy', async () => {
  const { plane, app, tell, asks } = await withHosts(2);
  expect(await asks('own.test')).toBe('200 own x');
  const first = asks('a.test');
  await asked(plane, 'r/a.test');
  tell(virtualHost('r/a.test', 'a.test'));
  expect(await first).toBe('200 r/a.test xx');
  expect(await asks('a.test')).toBe('200 r/a.test x');
  const posted = asks('b.test', '/', 'x'.repeat(50_000));
  await asked(plane, 'r/b.test');
  await app.statIs('http.ingress.downstream_rq_active', 1);
  tell(virtualHost('r/b.test', 'b.test'));
  expect(await posted).toBe('200 r/b.test xx');
  expect(plane.verdicts.filter(({ refusal }) => refusal !== '')).toEqual([]);
});

test('a host that the control plane says there is none of is answered at once', async () => {
  const { plane, app, asks, tell } = await withHosts();
  const waits = asks('none.test');
  await asked(plane, 'r/none.test');
  // A name that has nothing behind it.
  plane.change(virtualHostKind.typeUrl, { 'r/none.test': new Uint8Array() });
  expect(await waits).toBe('404');
  // It is asked for anew.
  const again = asks('none.test');
  await app.statIs('http.ingress.downstream_rq_active', 1);
  tell(virtualHost('r/none.test', 'none.test'));
  expect(await again).toBe('200 r/none.test xx');
});

test('a host that is known is not asked for, whatever of it has no route', async () => {
  const { asks, tell } = await withHosts();
  tell(virtualHost('r/a.test', 'a.test', '/only'));
  expect(await asks('a.test', '/only')).toMatch(/^200 r\/a\.test x+$/);
  expect(await asks('a.test', '/other')).toBe('404');
});

test('the routes of a scope on demand come when a request is of it', async () => {
  const plane = await ControlPlane.start();
  onTestFinished(() => plane.server.stop());
  const scope = (name: string): Uint8Array =>
    pack(ScopedRouteConfigurationSchema, {
      name,
      on_demand: true,
      route_configuration_name: `r-${name}`,
      key: { fragments: [{ string_key: name }] },
    });
  plane.change(scopedRouteKind.typeUrl, { a: scope('a'), b: scope('b') });
  const routes = { name: 'r-a', virtual_hosts: [virtualHost('all', '*')] };
  plane.change(routeKind.typeUrl, { 'r-a': pack(RouteConfigurationSchema, routes) });
  const app = await start(plane, {
    scoped_routes: {
      name: 's',
      scope_key_builder: {
        fragments: [{ header_value_extractor: { name: 'scope', index: 0, element_separator: '' } }],
      },
      rds_config_source: overAds,
      scoped_rds: { scoped_rds_config_source: overAds },
    },
  });
  const url = await app.url();
  const asks = async (of: string): Promise<string> => {
    const { statusCode, headers, body } = await request(url, { headers: { scope: of } });
    return `${statusCode} ${await body.text()} ${String(headers['passed'] ?? '')}`.trimEnd();
  };
  expect(await app.stat('http.ingress.scoped_rds.s.active_scopes')).toBe(0);
  expect(await asks('a')).toBe('200 all xx');
  expect(await asks('a')).toBe('200 all x');
  expect(await asks('none')).toBe('404');
  expect(await app.stat('http.ingress.scoped_rds.s.active_scopes')).toBe(1);
});
