/** Resources as go-control-plane reads them, and the bootstrap of who asks for them. */
type Json = Record<string, unknown>;

export type Protocol = 'GRPC' | 'DELTA_GRPC';

const ads: Json = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };

const http2: Json = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicit_http_config: { http2_protocol_options: {} },
  },
};

export function bootstrap(protocol: Protocol, planePort: number, adminPort: number): Json {
  const load = { cluster_name: 'xds', endpoints: [{ lb_endpoints: [{ endpoint: address('127.0.0.1', planePort) }] }] };
  const cluster = {
    name: 'xds',
    connect_timeout: '1s',
    typed_extension_protocol_options: http2,
    load_assignment: load,
  };
  return {
    node: { id: 'peer', cluster: 'peers' },
    admin: address('127.0.0.1', adminPort),
    dynamic_resources: {
      ads_config: {
        api_type: protocol,
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
      },
      lds_config: ads,
      cds_config: ads,
    },
    static_resources: { clusters: [cluster] },
  };
}

export function cluster(name: string, more: Json = {}): Json {
  return { name, type: 'EDS', connect_timeout: '1s', eds_cluster_config: { eds_config: ads }, ...more };
}

export function endpoints(name: string, port: number, more: Json = {}): Json {
  const one = { lb_endpoints: [{ endpoint: address('127.0.0.1', port) }], ...more };
  return { cluster_name: name, endpoints: [one] };
}

export function route(name: string, to: string): Json {
  const routes = [{ match: { prefix: '/' }, route: { cluster: to } }];
  return { name, virtual_hosts: [{ name: 'all', domains: ['*'], routes }] };
}

export function listener(name: string, port: number, routeName: string): Json {
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'peer',
    rds: { route_config_name: routeName, config_source: ads },
    http_filters: [
      {
        name: 'router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  const chains = [{ filters: [{ name: 'http', typed_config: manager }] }];
  return { name, ...address('127.0.0.1', port), filter_chains: chains };
}

function address(host: string, port: number): Json {
  return { address: { socket_address: { address: host, port_value: port } } };
}
