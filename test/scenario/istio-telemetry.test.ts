import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { Authority, type Issued } from '../certificates.ts';
import { ControlPlane } from '../xds/control-plane.ts';
import { WorkloadSchema } from '../../src/proto/istio/workload_pb.js';
import { create, toBinary } from '../../src/proto/protobuf.js';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener, tcpListener } from './config.ts';
import { Origin } from './origin.ts';
import { getText } from './http.ts';
import { until } from './wait.ts';

type Json = Record<string, unknown>;

let root: Authority;
const issued = new Map<string, Issued>();

beforeAll(async () => {
  root = await Authority.root();
  for (const name of ['productpage', 'reviews'])
    issued.set(name, await root.issue({ uris: [`spiffe://cluster.local/ns/default/sa/${name}`] }));
});

/** What istiod says of metrics in every listener of a mesh, and agents in every bootstrap. */
const istioStats = { name: 'istio.stats', typed_config: { '@type': 'type.googleapis.com/stats.PluginConfig' } };

function struct(name: string, type: string, value: Json): Json {
  const wrapper = 'type.googleapis.com/udpa.type.v1.TypedStruct';
  return { name, typed_config: { '@type': wrapper, type_url: `type.googleapis.com/${type}`, value } };
}

const exchange = struct('istio.metadata_exchange', 'envoy.tcp.metadataexchange.config.MetadataExchange', {
  protocol: 'istio-peer-exchange',
  enable_discovery: true,
});
const alpn = {
  name: 'istio.alpn',
  typed_config: {
    '@type': 'type.googleapis.com/istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig',
    alpn_override: [
      { alpn_override: ['istio-http/1.0', 'istio', 'http/1.0'] },
      { upstream_protocol: 'HTTP11', alpn_override: ['istio-http/1.1', 'istio', 'http/1.1'] },
      { upstream_protocol: 'HTTP2', alpn_override: ['istio-h2', 'istio', 'h2'] },
    ],
  },
};
const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
};

function peerMetadata(value: Json): Json {
  return struct('istio.metadata_exchange', 'io.istio.http.peer_metadata.Config', value);
}

function workload(name: string): Json {
  return {
    node: {
      id: `sidecar~127.0.0.1~${name}-v1-abc.default~default.svc.cluster.local`,
      cluster: `${name}.default`,
      metadata: {
        WORKLOAD_NAME: `${name}-v1`,
        NAME: `${name}-v1-abc`,
        NAMESPACE: 'default',
        CLUSTER_ID: 'Kubernetes',
        ISTIO_VERSION: '1.29.6',
        OWNER: `kubernetes://apis/apps/v1/namespaces/default/deployments/${name}-v1`,
        LABELS: {
          app: name,
          version: 'v1',
          'service.istio.io/canonical-name': name,
          'service.istio.io/canonical-revision': 'v1',
        },
      },
    },
    stats_config: {
      use_all_default_tags: false,
      stats_tags: [{ tag_name: 'component', regex: '(component\\.(.+?)\\.)' }],
      stats_matcher: {
        inclusion_list: {
          patterns: [
            { prefix: 'server' },
            { prefix: 'listener_manager' },
            { prefix: 'istio' },
            { prefix: 'metadata_exchange' },
          ],
        },
      },
    },
  };
}

function tls(side: 'Downstream' | 'Upstream', name: string, protocols: readonly string[]): Json {
  const { chainPem, keyPem } = issued.get(name)!;
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': `type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.${side}TlsContext`,
      ...(side === 'Downstream' && { require_client_certificate: true }),
      common_tls_context: {
        alpn_protocols: protocols,
        tls_certificates: [{ certificate_chain: { inline_string: chainPem }, private_key: { inline_string: keyPem } }],
        validation_context: { trusted_ca: { inline_string: root.rootPem } },
      },
    },
  };
}

const toNone = {
  name: 'tls_inspector',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector' },
};

/** The chains of one port that takes HTTP and plain connections of the mesh, as virtualInbound has them. */
async function server(httpPort: number, tcpPort: number): Promise<App> {
  const inbound = peerMetadata({
    downstream_discovery: [{ istio_headers: {} }, { workload_discovery: {} }],
    downstream_propagation: [{ istio_headers: {} }],
  });
  const noFallback = {
    name: 'istio.stats',
    typed_config: { ...istioStats.typed_config, disable_host_header_fallback: true },
  };
  const http = httpListener({
    routes: [{ match: { prefix: '/' }, route: { cluster: 'inbound|80||' } }],
    manager: { http_filters: [inbound, noFallback, router] },
  });
  const tcp = tcpListener('inbound|90||');
  const [httpChain] = http.filter_chains as Json[];
  const [tcpChain] = tcp.filter_chains as { filters: Json[] }[];
  const transport = tls('Downstream', 'reviews', ['istio-peer-exchange', 'h2', 'http/1.1', 'istio-http/1.1', 'istio']);
  const services = (name: string): Json => ({
    metadata: {
      filter_metadata: {
        istio: { services: [{ host: `${name}.default.svc.cluster.local`, name, namespace: 'default' }] },
      },
    },
  });
  return App.start(
    bootstrap(
      [
        {
          ...http,
          traffic_direction: 'INBOUND',
          listener_filters: [toNone],
          filter_chains: [
            {
              ...httpChain,
              filter_chain_match: { application_protocols: ['istio-http/1.0', 'istio-http/1.1', 'istio-h2'] },
              transport_socket: transport,
            },
            {
              filters: [exchange, noFallback, ...tcpChain.filters],
              filter_chain_match: { application_protocols: ['istio-peer-exchange', 'istio'] },
              transport_socket: transport,
            },
          ],
        },
      ],
      [
        cluster('inbound|80||', [httpPort], services('reviews')),
        cluster('inbound|90||', [tcpPort], services('tcp-echo')),
      ],
      workload('reviews'),
    ),
  );
}

function outbound(name: string, port: number, host: string, protocols: readonly string[]): Json {
  const endpoint = {
    endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
    metadata: { filter_metadata: { istio: { workload: `${host}-v1;default;${host};v1;Kubernetes` } } },
  };
  return {
    ...cluster(name, []),
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] },
    filters: [exchange],
    metadata: {
      filter_metadata: {
        istio: { services: [{ host: `${host}.default.svc.cluster.local`, name: host, namespace: 'default' }] },
      },
    },
    transport_socket: tls('Upstream', 'productpage', protocols),
  };
}

async function client(port: number): Promise<App> {
  const discovering = peerMetadata({
    upstream_discovery: [{ istio_headers: {} }, { workload_discovery: {} }],
    upstream_propagation: [{ istio_headers: {} }],
  });
  const http = httpListener({
    name: 'http',
    routes: [{ match: { prefix: '/' }, route: { cluster: 'outbound|80||reviews' } }],
    manager: { http_filters: [discovering, alpn, istioStats, router] },
    listener: { traffic_direction: 'OUTBOUND' },
  });
  const tcp = tcpListener('outbound|90||tcp-echo', { name: 'tcp' });
  const [{ filters }] = tcp.filter_chains as { filters: Json[] }[];
  const mesh = ['istio-peer-exchange', 'istio'];
  return App.start(
    bootstrap(
      [http, { ...tcp, traffic_direction: 'OUTBOUND', filter_chains: [{ filters: [istioStats, ...filters] }] }],
      [
        outbound('outbound|80||reviews', port, 'reviews', mesh),
        outbound('outbound|90||tcp-echo', port, 'tcp-echo', mesh),
      ],
      workload('productpage'),
    ),
  );
}

async function lines(app: App, name: string): Promise<string[]> {
  const { body } = await app.admin('/stats/prometheus');
  return body.split('\n').filter((line) => line.startsWith(name));
}

/** Once there is one. */
async function line(app: App, name: string): Promise<string> {
  let found: string[] = [];
  await until(name, async () => (found = await lines(app, name)).length > 0);
  expect(found).toHaveLength(1);
  return found[0];
}

const echo = (): Promise<number> => listen((socket) => void socket.pipe(socket));

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const listening = createServer((socket) => serve(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  onTestFinished(() => void listening.close());
  await once(listening, 'listening');
  return (listening.address() as AddressInfo).port;
}

async function said(socket: Socket, length: number): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await until('an answer', () => text.length >= length);
  return text;
}

const source =
  'source_workload="productpage-v1",source_canonical_service="productpage",source_canonical_revision="v1",' +
  'source_workload_namespace="default",source_principal="spiffe://cluster.local/ns/default/sa/productpage",' +
  'source_app="productpage",source_version="v1",source_cluster="Kubernetes"';
const destination = (service: string, namespace = 'default'): string =>
  'destination_workload="reviews-v1",destination_workload_namespace="default",' +
  'destination_principal="spiffe://cluster.local/ns/default/sa/reviews",destination_app="reviews",' +
  `destination_version="v1",destination_service="${service}.default.svc.cluster.local",` +
  'destination_canonical_service="reviews",destination_canonical_revision="v1",' +
  `destination_service_name="${service}",destination_service_namespace="${namespace}",destination_cluster="Kubernetes"`;

test('two sidecars tell each other who they are, by HTTP and by TCP, and count by Istio’s labels', async () => {
  const origin = await Origin.start();
  const inbound = await server(origin.port, await echo());
  const outside = await client(await inbound.port());

  for (let i = 0; i < 3; i++) expect(await getText(`${await outside.url('http')}/a`)).toBe('hello');
  const { headers } = origin.requests[0];
  expect(Object.keys(headers).filter((name) => name.startsWith('x-envoy-peer'))).toEqual([]);
  const end = 'request_protocol="http",response_code="200",grpc_response_status="",response_flags="-"';
  await until('both to have counted', async () =>
    (await Promise.all([inbound, outside].map((app) => lines(app, 'istio_requests_total')))).every((found) =>
      found[0]?.endsWith(' 3'),
    ),
  );
  expect(await line(outside, 'istio_requests_total')).toBe(
    `istio_requests_total{reporter="source",${source},${destination('reviews')},${end},connection_security_policy="unknown"} 3`,
  );
  expect(await line(inbound, 'istio_requests_total')).toBe(
    `istio_requests_total{reporter="destination",${source},${destination('reviews')},${end},connection_security_policy="mutual_tls"} 3`,
  );
  expect(await line(inbound, 'istio_build')).toBe('istio_build{component="proxy",tag="1.29.6"} 1');

  const socket = connect(await outside.port('tcp'), '127.0.0.1');
  socket.write('ping');
  expect(await said(socket, 4)).toBe('ping');
  socket.destroy();
  const tcp = 'request_protocol="tcp",response_flags="-"';
  expect(await line(outside, 'istio_tcp_received_bytes_total')).toBe(
    `istio_tcp_received_bytes_total{reporter="source",${source},${destination('tcp-echo')},${tcp},connection_security_policy="unknown"} 4`,
  );
  for (const name of ['sent_bytes', 'received_bytes']) {
    expect(await line(inbound, `istio_tcp_${name}_total`)).toBe(
      `istio_tcp_${name}_total{reporter="destination",${source},${destination('tcp-echo')},${tcp},connection_security_policy="mutual_tls"} 4`,
    );
  }
  for (const app of [inbound, outside]) {
    for (const name of ['opened', 'closed'])
      expect(await line(app, `istio_tcp_connections_${name}_total`)).toMatch(/ 1$/);
    expect(await app.stat('metadata_exchange.alpn_protocol_found')).toBe(1);
  }
  expect(await outside.stat('metadata_exchange.alpn_protocol_not_found')).toBeGreaterThan(0);
});

/** The way to a port, each of whose bytes takes a while. */
async function far(port: number): Promise<number> {
  const slowly = (from: Socket, to: Socket): void => {
    from.on('data', (chunk: Buffer) => setTimeout(() => to.write(chunk), 50));
    from.on('close', () => to.destroy());
  };
  return listen((near) => {
    const there = connect(port, '127.0.0.1').on('error', () => {});
    slowly(near, there);
    slowly(there, near);
  });
}

test('a server that speaks first, before the handshake is over, is told nothing of the exchange', async () => {
  const heard: string[] = [];
  const port = await listen((socket) => {
    socket.write('220 hello\r\n');
    socket.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
  });
  const origin = await Origin.start();
  const inbound = await server(origin.port, port);
  const outside = await client(await far(await inbound.port()));
  const socket = connect(await outside.port('tcp'), '127.0.0.1');
  expect(await said(socket, 11)).toBe('220 hello\r\n');
  socket.write('HELO');
  await until('the client to be heard', () => heard.length > 0);
  expect(heard).toEqual(['HELO']);
  socket.destroy();
  expect(await line(inbound, 'istio_tcp_received_bytes_total')).toContain('source_workload="productpage-v1"');
});

const ads = {
  api_type: 'DELTA_GRPC',
  transport_api_version: 'V3',
  grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
};
const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const http2 = {
  typed_extension_protocol_options: {
    [options]: { '@type': `type.googleapis.com/${options}`, explicit_http_config: { http2_protocol_options: {} } },
  },
};

test('who is at the address of a client is told by the control plane', async () => {
  const plane = await ControlPlane.start();
  const address = Uint8Array.of(127, 0, 0, 1);
  const packed = toBinary(
    WorkloadSchema,
    create(WorkloadSchema, { uid: 'u', workloadName: 'sleep-v1', addresses: [address], canonicalName: 'sleep' }),
  );
  plane.change('type.googleapis.com/istio.workload.Workload', { u: packed });
  const origin = await Origin.start();
  const discovery = struct('envoy.bootstrap.workload_discovery', 'istio.workload.BootstrapExtension', {
    config_source: { ads: {} },
  });
  const filters = [peerMetadata({ downstream_discovery: [{ workload_discovery: {} }] }), istioStats, router];
  const app = await App.start(
    bootstrap(
      [httpListener({ manager: { http_filters: filters }, listener: { traffic_direction: 'INBOUND' } })],
      [cluster('origin', [origin.port]), cluster('xds', [plane.port], http2)],
      { ...workload('reviews'), bootstrap_extensions: [discovery], dynamic_resources: { ads_config: ads } },
    ),
  );
  const url = await app.url();
  const known =
    'source_workload="sleep-v1",source_canonical_service="sleep",source_canonical_revision="latest",source_workload_namespace="default"';
  await until('the workload to be known', async () => {
    await getText(url);
    return (await lines(app, 'istio_requests_total')).some((found) => found.includes(known));
  });
});
