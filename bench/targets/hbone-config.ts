import { outboundPort, serverAddress, serverPort, tunnelPort } from '../hbone/namespaces.ts';
import type { HboneShape, Place } from '../target.ts';
import { type } from './envoy-names.ts';
import { dialsSidecars, servesSidecars } from './envoy-tls.ts';

const originalDst = 'envoy.filters.listener.original_dst';
const httpOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const breakers = {
  circuit_breakers: {
    thresholds: [{ max_connections: 100_000, max_pending_requests: 100_000, max_requests: 100_000 }],
  },
};

/** One of a pair that speaks HBONE, of the parts that istiod puts together: an internal listener on either side. */
export function hboneConfiguration(shape: HboneShape, place: Place): object {
  const { listeners, clusters } = place.side === 'out' ? originating(shape, place) : terminating(place);
  return {
    admin: { address: address('127.0.0.1', place.adminPort) },
    bootstrap_extensions: [
      {
        name: 'envoy.bootstrap.internal_listener',
        typed_config: { '@type': type('extensions.bootstrap.internal_listener.v3.InternalListener') },
      },
    ],
    static_resources: { listeners, clusters },
  };
}

interface Resources {
  readonly listeners: readonly object[];
  readonly clusters: readonly object[];
}

/** What comes goes to an internal listener, which is told a destination by metadata and asks for it by CONNECT. */
function originating(shape: HboneShape, place: Place): Resources {
  const local = `${serverAddress}:${serverPort}`;
  const told = { metadata: { filter_metadata: { [originalDst]: { local } } } };
  const tunnel = tcpProxy('hbone', { tunneling_config: { hostname: '%DOWNSTREAM_LOCAL_ADDRESS%' } });
  const perTunnel = shape === 'hbone-handshakes';
  const http = {
    '@type': `type.googleapis.com/${httpOptions}`,
    ...(perTunnel ? { common_http_protocol_options: { max_requests_per_connection: 1 } } : {}),
    explicit_http_config: { http2_protocol_options: { allow_connect: true } },
  };
  return {
    listeners: [
      {
        name: 'outbound',
        address: address('0.0.0.0', outboundPort),
        filter_chains: [{ filters: [tcpProxy('encap')] }],
      },
      internalListener('connect_originate', tunnel),
    ],
    clusters: [
      toInternal('encap', 'connect_originate', told, [{ kind: { host: {} }, name: originalDst }]),
      {
        ...cluster('hbone', { address: address(serverAddress, tunnelPort) }),
        ...dialsSidecars('mtls-h2', place, perTunnel ? { max_session_keys: 0 } : {}),
        typed_extension_protocol_options: { [httpOptions]: http },
      },
    ],
  };
}

/** CONNECT ends, an internal listener is told the authority, and goes there. */
function terminating(place: Place): Resources {
  const authority = {
    object_key: `${originalDst}.local_ip`,
    format_string: { text_format_source: { inline_string: '%REQ(:AUTHORITY)%' } },
    skip_if_empty: true,
    shared_with_upstream: 'ONCE',
  };
  const route = {
    match: { connect_matcher: {} },
    route: {
      cluster: 'main_internal',
      timeout: '0s',
      upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }],
    },
  };
  const manager = {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
      stat_prefix: 'terminate',
      stream_idle_timeout: '0s',
      upgrade_configs: [{ upgrade_type: 'CONNECT' }],
      http2_protocol_options: { allow_connect: true },
      route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
      http_filters: [
        {
          name: 'connect_authority',
          typed_config: {
            '@type': type('extensions.filters.http.set_filter_state.v3.Config'),
            on_request_headers: [authority],
          },
        },
        {
          name: 'envoy.filters.http.router',
          typed_config: { '@type': type('extensions.filters.http.router.v3.Router') },
        },
      ],
    },
  };
  return {
    listeners: [
      {
        name: 'connect_terminate',
        address: address('0.0.0.0', tunnelPort),
        filter_chains: [{ filters: [manager], ...servesSidecars('mtls-h2', place) }],
      },
      internalListener('main_internal', tcpProxy('original')),
    ],
    clusters: [
      toInternal('main_internal', 'main_internal', {}, []),
      { name: 'original', type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED', connect_timeout: '1s', ...breakers },
    ],
  };
}

function internalListener(name: string, filter: object): object {
  const typed = { '@type': type('extensions.filters.listener.original_dst.v3.OriginalDst') };
  return {
    name,
    internal_listener: {},
    listener_filters: [{ name: originalDst, typed_config: typed }],
    filter_chains: [{ filters: [filter] }],
  };
}

function tcpProxy(to: string, more: object = {}): object {
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: {
      '@type': type('extensions.filters.network.tcp_proxy.v3.TcpProxy'),
      stat_prefix: `to_${to}`,
      cluster: to,
      idle_timeout: '0s',
      ...more,
    },
  };
}

function toInternal(name: string, listener: string, more: object, passed: readonly object[]): object {
  const raw = {
    name: 'envoy.transport_sockets.raw_buffer',
    typed_config: { '@type': type('extensions.transport_sockets.raw_buffer.v3.RawBuffer') },
  };
  const typed = {
    '@type': type('extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport'),
    passthrough_metadata: passed,
    transport_socket: raw,
  };
  return {
    ...cluster(name, { address: { envoy_internal_address: { server_listener_name: listener } } }, more),
    transport_socket: { name: 'envoy.transport_sockets.internal_upstream', typed_config: typed },
  };
}

function cluster(name: string, endpoint: object, more: object = {}): object {
  const endpoints = [{ lb_endpoints: [{ endpoint, ...more }] }];
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints },
    ...breakers,
  };
}

function address(host: string, port: number): object {
  return { socket_address: { address: host, port_value: port } };
}
