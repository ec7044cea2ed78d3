type Json = Record<string, unknown>;

const type = (name: string): string => `type.googleapis.com/envoy.${name}`;

/** What the access log of a scenario holds. */
const logFormat: Json = {
  method: '%REQ(:METHOD)%',
  path: '%REQ(:PATH)%',
  code: '%RESPONSE_CODE%',
  flags: '%RESPONSE_FLAGS%',
  details: '%RESPONSE_CODE_DETAILS%',
  host: '%UPSTREAM_HOST%',
  sent: '%BYTES_SENT%',
  received: '%BYTES_RECEIVED%',
};

export const fileLog = (name = 'access.log'): Json => ({
  name: 'envoy.access_loggers.file',
  typed_config: {
    '@type': type('extensions.access_loggers.file.v3.FileAccessLog'),
    path: `{{folder}}/${name}`,
    log_format: { json_format: logFormat },
  },
});

export interface HttpListenerParts {
  readonly name?: string;
  readonly port?: number;
  readonly routes?: readonly Json[];
  /** Further fields of the connection manager. */
  readonly manager?: Json;
  /** Further fields of the listener. */
  readonly listener?: Json;
}

export function httpListener(parts: HttpListenerParts = {}): Json {
  const name = parts.name ?? 'ingress';
  const manager = {
    '@type': type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: name,
    route_config: {
      name: 'local',
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: parts.routes ?? [route('/', 'origin')] }],
    },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': type('extensions.filters.http.router.v3.Router') },
      },
    ],
    ...parts.manager,
  };
  return listener(name, 'http_connection_manager', manager, parts);
}

export function tcpListener(cluster: string, parts: Pick<HttpListenerParts, 'name' | 'port' | 'listener'> = {}): Json {
  const name = parts.name ?? 'ingress';
  const proxy = { '@type': type('extensions.filters.network.tcp_proxy.v3.TcpProxy'), stat_prefix: name, cluster };
  return listener(name, 'tcp_proxy', { ...proxy, access_log: [fileLog()] }, parts);
}

function listener(name: string, filter: string, config: Json, parts: HttpListenerParts): Json {
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: parts.port ?? 0 } },
    filter_chains: [{ filters: [{ name: `envoy.filters.network.${filter}`, typed_config: config }] }],
    ...parts.listener,
  };
}

export function route(prefix: string, cluster: string, action: Json = {}): Json {
  return { match: { prefix }, route: { cluster, ...action } };
}

export function answer(prefix: string, body: string): Json {
  return { match: { prefix }, direct_response: { status: 200, body: { inline_string: body } } };
}

/** A STATIC cluster of this machine's ports. */
export function cluster(name: string, ports: readonly number[], more: Json = {}): Json {
  const endpoint = (port: number): Json => ({
    endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
  });
  return {
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: ports.map(endpoint) }] },
    ...more,
  };
}

/** Thresholds of the default priority. */
export function limits(thresholds: Json): Json {
  return { circuit_breakers: { thresholds: [thresholds] } };
}

export function bootstrap(listeners: readonly Json[], clusters: readonly Json[], more: Json = {}): Json {
  return {
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
    static_resources: { listeners, clusters },
    ...more,
  };
}
