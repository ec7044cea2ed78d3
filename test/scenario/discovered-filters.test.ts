import type { DescMessage, JsonObject } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { messageTypes } from '../../src/admin/dump/message-types.ts';
import { extensionKind, listenerKind, routeKind } from '../../src/control/xds/resource-kinds.ts';
import { TypedExtensionConfigSchema } from '../../src/proto/envoy/config/core/v3/extension_pb.js';
import { ListenerSchema } from '../../src/proto/envoy/config/listener/v3/listener_pb.js';
import { RouteConfigurationSchema } from '../../src/proto/envoy/config/route/v3/route_pb.js';
import { fromJson, toBinary } from '../../src/proto/protobuf.js';
import { ControlPlane } from '../xds/control-plane.ts';
import { App } from './app.ts';
import { answer, bootstrap, cluster, httpListener } from './config.ts';
import { getText } from './http.ts';
import { RawClient } from './raw-client.ts';
import { until } from './wait.ts';

type Json = Record<string, unknown>;

const overAds = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };
const http2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

const filterType = (name: string): string => `type.googleapis.com/envoy.extensions.filters.${name}`;
const managerType = filterType('network.http_connection_manager.v3.HttpConnectionManager');
const directType = filterType('network.direct_response.v3.Config');
const inspectorType = filterType('listener.http_inspector.v3.HttpInspector');

/** What is undefined is not there. */
function pack(type: DescMessage, json: Json): Uint8Array {
  const plain = JSON.parse(JSON.stringify(json)) as JsonObject;
  return toBinary(type, fromJson(type, plain, { registry: messageTypes }));
}

const found = (name: string, ...types: string[]): Json => ({
  name,
  config_discovery: { type_urls: types, config_source: overAds },
});

/** A process whose control plane is this one, and what tells it of filters. */
async function underPlane(apiType: string) {
  const plane = await ControlPlane.start();
  const config = bootstrap([], [cluster('xds', [plane.port], http2)], {
    node: { id: 'me', cluster: 'mine' },
    dynamic_resources: {
      ads_config: {
        api_type: apiType,
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
      },
      lds_config: overAds,
    },
  });
  const tell = (name: string, type: string, settings: Json = {}): void =>
    plane.change(extensionKind.typeUrl, {
      [name]: pack(TypedExtensionConfigSchema, { name, typed_config: { '@type': type, ...settings } }),
    });
  return { plane, config, tell };
}

const says = (text: string): Json => ({ response: { inline_string: text } });

test.each(['GRPC', 'DELTA_GRPC'])(
  'a listener waits for its filters over ADS by %s, and they are swapped',
  async (apiType) => {
    const { plane, config, tell } = await underPlane(apiType);
    const chains = [{ filters: [found('last', directType)] }];
    const own = httpListener({
      listener: { filter_chains: chains, listener_filters: [found('looks', inspectorType)] },
    });
    plane.change(listenerKind.typeUrl, { ingress: pack(ListenerSchema, own) });
    tell('looks', inspectorType);
    tell('last', directType, says('first'));
    const app = await App.start(config);
    const port = await app.port();
    const hears = async (): Promise<string> => (await RawClient.open(port)).write('GET / HTTP/1.1\r\n\r\n').toEnd();
    expect(await hears()).toBe('first');
    tell('last', directType, says('second'));
    await until('the second', async () => (await hears()) === 'second');
    // One that warms.
    const late = { ...own, listener_filters: [found('late', inspectorType)] };
    plane.change(listenerKind.typeUrl, { ingress: pack(ListenerSchema, late) });
    await app.statIs('listener_manager.total_listeners_warming', 1);
    expect(JSON.parse((await app.admin('/init_dump')).body)).toEqual({
      unready_targets_dumps: [
        {
          name: 'init manager Listener-local-init-manager ingress',
          target_names: ['shared target FilterConfigSubscription init late'],
        },
      ],
    });
    tell('late', inspectorType);
    await app.statIs('listener_manager.total_listeners_warming', 0);
    expect(plane.verdicts.filter(({ refusal }) => refusal !== '')).toEqual([]);
  },
);

test('a filter that is taken back leaves nothing: connections are closed, and those that are open stay', async () => {
  const { plane, config, tell } = await underPlane('DELTA_GRPC');
  const own = httpListener({ listener: { filter_chains: [{ filters: [found('last', managerType)] }] } });
  plane.change(listenerKind.typeUrl, { ingress: pack(ListenerSchema, own) });
  const rds = (name: string): Json => ({
    stat_prefix: 'found',
    rds: { route_config_name: name, config_source: overAds },
    http_filters: [{ name: 'router', typed_config: { '@type': filterType('http.router.v3.Router') } }],
  });
  const routes = (name: string): Uint8Array =>
    pack(RouteConfigurationSchema, {
      name,
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: [answer('/', name)] }],
    });
  tell('last', managerType, rds('one'));
  plane.change(routeKind.typeUrl, { one: routes('one'), two: routes('two') });
  const app = await App.start(config);
  // As any listener's: it did not begin before its routes were there.
  const url = await app.url();
  expect(await getText(url)).toBe('one');
  const client = await RawClient.open(await app.port());
  const asks = async (what: RegExp): Promise<string> => client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n').hears(what);
  await asks(/one$/);
  tell('last', managerType, rds('two'));
  await until('the second', async () => (await getText(url)) === 'two');
  await asks(/one.*one$/s);
  plane.change(extensionKind.typeUrl, {}, ['last']);
  await until('none', () =>
    getText(url).then(
      () => false,
      () => true,
    ),
  );
  await asks(/one.*one.*one$/s);
  expect(plane.verdicts.filter(({ refusal }) => refusal !== '')).toEqual([]);
});
