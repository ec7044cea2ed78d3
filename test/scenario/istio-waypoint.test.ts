import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener, route } from './config.ts';
import { Origin } from './origin.ts';
import { until } from './wait.ts';

type Json = Record<string, unknown>;

const types = 'type.googleapis.com/envoy.extensions.';

function typed(name: string, type: string, value: Json = {}): Json {
  return { name, typed_config: { '@type': type, ...value } };
}

const router = typed('envoy.filters.http.router', `${types}filters.http.router.v3.Router`);

function shared(key: string, text: string): Json {
  return {
    object_key: key,
    factory_key: 'istio.hashable_string',
    format_string: { text_format_source: { inline_string: text } },
    shared_with_upstream: 'ONCE',
  };
}

/** As istiod's waypoint: tunnels end in front, and what was in them goes through an internal listener. */
function waypoint(port: number): Json {
  const peers = typed('waypoint_downstream_peer_metadata', 'type.googleapis.com/io.istio.http.peer_metadata.Config', {
    downstream_discovery: [{ baggage: {} }],
    shared_with_upstream: true,
  });
  const authority = typed('connect_authority', `${types}filters.http.set_filter_state.v3.Config`, {
    on_request_headers: [
      shared('io.istio.peer_principal', 'spiffe://cluster.local/ns/default/sa/%REQ(x-account)%'),
      shared('io.istio.local_principal', 'spiffe://cluster.local/ns/default/sa/waypoint'),
    ],
  });
  const front = httpListener({
    name: 'connect_terminate',
    routes: [
      {
        match: { connect_matcher: {} },
        route: { cluster: 'main_internal', upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }] },
      },
    ],
    manager: { http_filters: [peers, authority, router], upgrade_configs: [{ upgrade_type: 'CONNECT' }] },
  });
  const stats = typed('istio.stats', 'type.googleapis.com/stats.PluginConfig', {
    reporter: 'SERVER_GATEWAY',
    disable_host_header_fallback: true,
  });
  const { address: _, ...inner } = httpListener({
    name: 'main_internal',
    routes: [route('/', 'inbound-vip|80|http|reviews')],
    manager: { http_filters: [stats, router] },
    listener: { internal_listener: {} },
  });
  const service = { host: 'reviews.default.svc.cluster.local', name: 'reviews', namespace: 'default' };
  const raw = typed('raw', `${types}transport_sockets.raw_buffer.v3.RawBuffer`);
  const endpoint = { address: { envoy_internal_address: { server_listener_name: 'main_internal' } } };
  const internal = {
    name: 'main_internal',
    load_assignment: { cluster_name: 'main_internal', endpoints: [{ lb_endpoints: [{ endpoint }] }] },
    transport_socket: typed('internal', `${types}transport_sockets.internal_upstream.v3.InternalUpstreamTransport`, {
      transport_socket: raw,
    }),
  };
  const vip = cluster('inbound-vip|80|http|reviews', [port], {
    metadata: { filter_metadata: { istio: { services: [service] } } },
  });
  return bootstrap([front, inner], [internal, vip], {
    node: {
      id: 'waypoint~10.0.0.1~w.default~default.svc.cluster.local',
      cluster: 'waypoint.default',
      metadata: { WORKLOAD_NAME: 'waypoint', NAMESPACE: 'default', CLUSTER_ID: 'Kubernetes' },
    },
    bootstrap_extensions: [typed('internal', `${types}bootstrap.internal_listener.v3.InternalListener`)],
  });
}

/** One request through a tunnel of its own. */
async function throughTunnel(port: number, account: string): Promise<string> {
  const baggage = `k8s.deployment.name=${account}-v1,service.name=${account},service.version=v1,k8s.namespace.name=default`;
  const asked = request({ port, method: 'CONNECT', path: '10.0.0.9:80', headers: { 'x-account': account, baggage } });
  asked.end();
  const [, socket] = (await once(asked, 'connect')) as [unknown, Socket];
  let said = '';
  socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
  socket.write('GET / HTTP/1.1\r\nhost: reviews\r\nconnection: close\r\n\r\n');
  await once(socket, 'end');
  socket.destroy();
  return said;
}

test('a waypoint counts by who is in the tunnel, for each of them', async () => {
  const origin = await Origin.start();
  const app = await App.start(waypoint(origin.port));
  const port = await app.port('connect_terminate');
  for (const account of ['a', 'b', 'a']) expect(await throughTunnel(port, account)).toMatch(/200 OK[^]*hello$/);
  const counted = async (): Promise<string[]> => {
    const { body } = await app.admin('/stats/prometheus');
    return body.split('\n').filter((line) => line.startsWith('istio_requests_total'));
  };
  await until('all to be counted', async () => (await counted()).some((line) => line.endsWith(' 2')));
  const line = (account: string, count: number): string =>
    `istio_requests_total{reporter="waypoint",source_workload="${account}-v1",source_canonical_service="${account}",` +
    `source_canonical_revision="v1",source_workload_namespace="default",` +
    `source_principal="spiffe://cluster.local/ns/default/sa/${account}",source_app="${account}",source_version="v1",` +
    'source_cluster="unknown",destination_workload="unknown",destination_workload_namespace="unknown",' +
    'destination_principal="unknown",destination_app="unknown",destination_version="unknown",' +
    'destination_service="reviews.default.svc.cluster.local",destination_canonical_service="unknown",' +
    'destination_canonical_revision="unknown",destination_service_name="reviews",' +
    'destination_service_namespace="default",destination_cluster="unknown",request_protocol="http",' +
    'response_code="200",grpc_response_status="",response_flags="-",connection_security_policy="mutual_tls"' +
    `} ${count}`;
  expect(await counted()).toEqual([line('a', 2), line('b', 1)]);
});
