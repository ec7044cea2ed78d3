import { dump, load } from 'js-yaml';

export type Yaml = Record<string, unknown>;

/** Parts of an HTTP configuration, each YAML in Envoy's words; what is left out is the least that works. */
export interface HttpParts {
  /** Routes of the one virtual host `all`, or with `virtualHosts` none. */
  readonly routes?: string;
  /** Further fields of that virtual host. */
  readonly virtualHost?: string;
  /** The whole list of virtual hosts. */
  readonly virtualHosts?: string;
  /** Further fields of the route configuration. */
  readonly routeConfig?: string;
  /** Instead of all these: where the route configuration comes from. */
  readonly rds?: string;
  /** Likewise: `scoped_routes`. */
  readonly scoped?: string;
  /** Further fields of the connection manager. */
  readonly hcm?: string;
  /** HTTP filters in front of the router. */
  readonly filters?: string;
  /** Fields of the router's configuration. */
  readonly router?: string;
  /** Clusters besides the standard ones: `one`, `two`, `three` (origins) and `dead` (refuses connections). */
  readonly clusters?: string;
  /** Fields of the listener. */
  readonly listener?: string;
  /** What its one filter chain speaks: `serverTls()` of tls/config.ts. */
  readonly transport?: Yaml;
  /** Listeners besides. */
  readonly listeners?: readonly Yaml[];
  /** Further fields of that filter chain. */
  readonly chain?: string;
  /** Instead of it: filter chains around these filters. */
  chains?(filters: readonly Yaml[]): readonly Yaml[];
  /** Access logs besides. */
  readonly accessLogs?: string;
  /** Operators that the access log prints besides. */
  readonly log?: readonly string[];
  /** Operators of the listener's own access log, a line for each connection, in the same file. */
  readonly listenerLog?: readonly string[];
  /** Fields of the bootstrap. */
  readonly bootstrap?: string;
}

/** What every row's access log holds unless its group says otherwise. */
const logFields = {
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  authority: '%REQ(:AUTHORITY)%',
  protocol: '%PROTOCOL%',
  code: '%RESPONSE_CODE%',
  flags: '%RESPONSE_FLAGS%',
  details: '%RESPONSE_CODE_DETAILS%',
  termination: '%CONNECTION_TERMINATION_DETAILS%',
  received: '%BYTES_RECEIVED%',
  sent: '%BYTES_SENT%',
  cluster: '%UPSTREAM_CLUSTER%',
  host: '%UPSTREAM_HOST%',
  attempts: '%UPSTREAM_REQUEST_ATTEMPT_COUNT%',
  route: '%ROUTE_NAME%',
  failure: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
};

export const router = (settings = '{}'): Yaml => ({
  name: 'envoy.filters.http.router',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
    ...(load(settings) as Yaml),
  },
});

/** A STATIC cluster over the named upstreams. */
export function cluster(name: string, upstreams: readonly string[], more = '{}'): Yaml {
  return {
    name,
    type: 'STATIC',
    // Only what never answers is given up: a busy machine must not look like that.
    connect_timeout: upstreams.includes('silent') ? '0.25s' : '5s',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: upstreams.map((upstream) => endpoint(upstream)) }],
    },
    ...(load(more) as Yaml),
  };
}

/** One `lb_endpoints` entry. */
export function endpoint(upstream: string, more = '{}'): Yaml {
  const address = { socket_address: { address: '127.0.0.1', port_value: port(upstream) } };
  return { endpoint: { address }, ...(load(more) as Yaml) };
}

/** A placeholder that stays a number once the port has been filled in. */
const port = (name: string) => `{{${name}}}`;

export function accessLog(format: Yaml): Yaml {
  return {
    name: 'envoy.access_loggers.file',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
      path: '{{log}}',
      log_format: format,
    },
  };
}

/** A whole bootstrap with one HTTP listener. */
export function http(parts: HttpParts, clusters: readonly Yaml[] = []): string {
  const virtualHosts = parts.virtualHosts
    ? parsed(parts.virtualHosts)
    : [{ name: 'all', domains: ['*'], routes: parsed(parts.routes ?? everything), ...fields(parts.virtualHost) }];
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'ingress',
    ...routing(parts, virtualHosts),
    http_filters: [...((parsed(parts.filters) as unknown[] | undefined) ?? []), router(parts.router)],
    access_log: [
      accessLog({ json_format: { ...logFields, ...operatorFields(parts.log) } }),
      ...((parsed(parts.accessLogs) as unknown[] | undefined) ?? []),
    ],
    ...fields(parts.hcm),
  };
  const filter = { name: 'envoy.filters.network.http_connection_manager', typed_config: manager };
  return bootstrap([filter], [...clusters, ...((parsed(parts.clusters) as Yaml[] | undefined) ?? [])], parts);
}

/** Where a connection manager has its routes from. */
function routing({ rds, scoped, routeConfig }: HttpParts, virtualHosts: unknown): Yaml {
  if (rds !== undefined) return { rds: parsed(rds) };
  if (scoped !== undefined) return { scoped_routes: parsed(scoped) };
  return { route_config: { name: 'local', virtual_hosts: virtualHosts, ...fields(routeConfig) } };
}

/** A whole bootstrap with one listener that proxies TCP. */
export function tcp(settings: string, clusters: readonly Yaml[], parts: HttpParts = {}): string {
  const format = {
    ...operatorFields(parts.log),
    flags: '%RESPONSE_FLAGS%',
    details: '%RESPONSE_CODE_DETAILS%',
    termination: '%CONNECTION_TERMINATION_DETAILS%',
    received: '%BYTES_RECEIVED%',
    sent: '%BYTES_SENT%',
    cluster: '%UPSTREAM_CLUSTER%',
    host: '%UPSTREAM_HOST%',
    failure: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
  };
  const filter = {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
      stat_prefix: 'tcp',
      access_log: [accessLog({ json_format: format }), ...((parsed(parts.accessLogs) as unknown[] | undefined) ?? [])],
      ...(load(settings) as Yaml),
    },
  };
  return bootstrap([filter], clusters, parts);
}

function bootstrap(filters: readonly Yaml[], clusters: readonly Yaml[], parts: HttpParts): string {
  const standard = [
    cluster('one', ['one']),
    cluster('two', ['two']),
    cluster('three', ['three']),
    cluster('dead', ['dead']),
  ];
  const names = new Set(clusters.map(({ name }) => name));
  const whole = {
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: port('admin') } } },
    static_resources: {
      listeners: [
        {
          name: 'ingress',
          address: { socket_address: { address: '127.0.0.1', port_value: port('listen') } },
          filter_chains: parts.chains?.(filters) ?? [chain(filters, parts)],
          ...(parts.listenerLog === undefined
            ? {}
            : { access_log: [accessLog({ json_format: operatorFields(parts.listenerLog) })] }),
          ...fields(parts.listener),
        },
        ...(parts.listeners ?? []),
      ],
      clusters: [...standard.filter(({ name }) => !names.has(name)), ...clusters],
    },
    ...fields(parts.bootstrap),
  };
  // A quoted placeholder would become a string; both proxies read "123" as a port, but YAML should show a number.
  return dump(whole, { lineWidth: -1 }).replaceAll(/'(\{\{\w+\}\})'/g, '$1');
}

function chain(filters: readonly Yaml[], { transport, chain: more }: HttpParts): Yaml {
  return { filters, ...(transport === undefined ? {} : { transport_socket: transport }), ...fields(more) };
}

/** Each by its own name. */
function operatorFields(operators: readonly string[] = []): Yaml {
  return Object.fromEntries(operators.map((operator) => [`%${operator}%`, `%${operator}%`]));
}

const everything = '[{ match: { prefix: / }, route: { cluster: one } }]';

function parsed(yaml: string | undefined): unknown {
  return yaml === undefined || yaml === '' ? undefined : load(yaml);
}

function fields(yaml: string | undefined): Yaml {
  return (parsed(yaml) as Yaml | undefined) ?? {};
}
