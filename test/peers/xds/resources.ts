/** Resources as go-control-plane reads them, and the bootstrap of who asks for them. */
export type Json = Record<string, unknown>;

export type Protocol = 'GRPC' | 'DELTA_GRPC';

/** Over the one stream that all share, or each over one of its own. */
export type Sharing = 'ads' | 'own';

function source(sharing: Sharing, protocol: Protocol, patience: string): Json {
  const common = { resource_api_version: 'V3', initial_fetch_timeout: patience };
  return sharing === 'ads' ? { ...common, ads: {} } : { ...common, api_config_source: apiSource(protocol) };
}

function apiSource(protocol: Protocol): Json {
  return {
    api_type: protocol,
    transport_api_version: 'V3',
    set_node_on_first_message_only: true,
    grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
  };
}

const http2: Json = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicit_http_config: { http2_protocol_options: {} },
  },
};

/** `hasRuntime`: the layer `layer` comes from the control plane, too. `hasClusters`: so do all clusters. */
export function bootstrap(
  protocol: Protocol,
  sharing: Sharing,
  hasRuntime: boolean,
  planePort: number,
  adminPort: number,
  hasClusters = true,
): Json {
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
      ...(sharing === 'ads' && { ads_config: apiSource(protocol) }),
      lds_config: source(sharing, protocol, '0s'),
      ...(hasClusters && { cds_config: source(sharing, protocol, '0s') }),
    },
    static_resources: { clusters: [cluster] },
    ...(hasRuntime && { layered_runtime: { layers: [runtimeLayer(source(sharing, protocol, '0s'))] } }),
  };
}

/** Resources that name each other, by one kind of source. */
export class ResourceMaker {
  readonly source: Json;

  /** `patience`: how long is waited for what they name. */
  constructor(protocol: Protocol, sharing: Sharing, patience = '0s') {
    this.source = source(sharing, protocol, patience);
  }

  cluster(name: string, more: Json = {}): Json {
    return { name, type: 'EDS', connect_timeout: '1s', eds_cluster_config: { eds_config: this.source }, ...more };
  }

  /** What its hosts show must be of the authority that is the secret `ca`. */
  tlsCluster(name: string): Json {
    const context = {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      common_tls_context: { validation_context_sds_secret_config: { name: 'ca', sds_config: this.source } },
    };
    return this.cluster(name, { transport_socket: { name: 'tls', typed_config: context } });
  }

  /** `extension`: a resource that is its first filter; empty: none. */
  listener(name: string, port: number, routeName: string, extension = ''): Json {
    const manager = {
      '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      stat_prefix: 'peer',
      rds: { route_config_name: routeName, config_source: this.source },
      http_filters: [
        ...(extension === '' ? [] : [{ name: extension, config_discovery: this.extension() }]),
        {
          name: 'router',
          typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
        },
      ],
    };
    const chains = [{ filters: [{ name: 'http', typed_config: manager }] }];
    return { name, ...address('127.0.0.1', port), filter_chains: chains };
  }

  /** Both what looks at its connections and what answers them are resources: `looks` and `says`. */
  discoveredListener(name: string, port: number): Json {
    const looks = { name: 'looks', config_discovery: this.extension('listener.http_inspector.v3.HttpInspector') };
    const says = { name: 'says', config_discovery: this.extension('network.direct_response.v3.Config') };
    return {
      name,
      ...address('127.0.0.1', port),
      listener_filters: [looks],
      filter_chains: [{ filters: [says] }],
    };
  }

  private extension(type = 'http.fault.v3.HTTPFault'): Json {
    return { config_source: this.source, type_urls: [`type.googleapis.com/envoy.extensions.filters.${type}`] };
  }

  /** Clusters `a` and `b` with a host each, and a listener that goes to `a`. */
  world(port: number): Record<string, Json[]> {
    return {
      Cluster: [this.cluster('a'), this.cluster('b')],
      ClusterLoadAssignment: [endpoints('a', 1001), endpoints('b', 1002)],
      Listener: [this.listener('l', port, 'r')],
      RouteConfiguration: [route('r', 'a')],
    };
  }
}

export function endpoints(name: string, port: number, more: Json = {}): Json {
  const one = { lb_endpoints: [{ endpoint: address('127.0.0.1', port) }], ...more };
  return { cluster_name: name, endpoints: [one] };
}

export function runtime(values: Json): Json {
  return { name: 'layer', layer: values };
}

function runtimeLayer(from: Json): Json {
  return { name: 'discovered', rtds_layer: { name: 'layer', rtds_config: from } };
}

export function authoritySecret(name: string, pem: string): Json {
  return { name, validation_context: { trusted_ca: { inline_string: pem } } };
}

/** Looks at the first bytes of connections. */
export function inspector(name: string): Json {
  const type = 'type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3.HttpInspector';
  return { name, typed_config: { '@type': type } };
}

/** Answers whoever connects. */
export function directResponse(name: string, text: string): Json {
  const type = 'type.googleapis.com/envoy.extensions.filters.network.direct_response.v3.Config';
  return { name, typed_config: { '@type': type, response: { inline_string: text } } };
}

/** A filter that ends every request with this status. */
export function faultFilter(name: string, status: number): Json {
  const config = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
    abort: { http_status: status, percentage: { numerator: 100 } },
  };
  return { name, typed_config: config };
}

export function route(name: string, to: string): Json {
  const routes = [{ match: { prefix: '/' }, route: { cluster: to } }];
  return { name, virtual_hosts: [{ name: 'all', domains: ['*'], routes }] };
}

export function address(host: string, port: number): Json {
  return { address: { socket_address: { address: host, port_value: port } } };
}
