import { request } from 'undici';
import { address, type Json } from './resources.ts';

const type = (name: string): string => `type.googleapis.com/envoy.extensions.filters.${name}`;

/** How often the request has passed the filters in front. */
const tellsPasses = { response_headers_to_add: [{ header: { key: 'passed', value: '%REQ(passed)%' } }] };

/** A virtual host that answers its name to whoever asks for `/` and what is behind it. */
export function virtualHost(name: string, domains: readonly string[], path = '/', text = name): Json {
  const routes = [{ match: { prefix: path }, direct_response: { status: 200, body: { inline_string: text } } }];
  return { name, domains, routes, ...tellsPasses };
}

/** A route configuration that has some virtual hosts, and others by VHDS. */
export function routesWithHosts(name: string, source: Json, own: readonly Json[] = []): Json {
  return { name, virtual_hosts: own, vhds: { config_source: source } };
}

/** One that answers its name to everyone. */
export function saying(name: string, text = name): Json {
  return { name, virtual_hosts: [virtualHost('all', ['*'], '/', text)] };
}

/** The scope of requests with `scope: <key>`. */
export function scope(name: string, key: string, routes: string, isOnDemand: boolean): Json {
  const fragments = [{ string_key: key }];
  return { name, key: { fragments }, route_configuration_name: routes, ...(isOnDemand && { on_demand: true }) };
}

/** `scoped_routes`: scopes and their routes from `source`. */
export function scopedRoutes(source: Json): Json {
  const extractor = { name: 'scope', index: 0, element_separator: '' };
  const scoped_routes = {
    name: 'scopes',
    scope_key_builder: { fragments: [{ header_value_extractor: extractor }] },
    rds_config_source: source,
    scoped_rds: { scoped_rds_config_source: source },
  };
  return { scoped_routes };
}

export function rds(name: string, source: Json): Json {
  return { rds: { route_config_name: name, config_source: source } };
}

/** The routes themselves: to the cluster that the header `to` names. */
export function toNamed(): Json {
  const routes = [{ match: { prefix: '/' }, route: { cluster_header: 'to' } }];
  return {
    route_config: {
      name: 'named',
      validate_clusters: false,
      virtual_hosts: [{ name: 'all', domains: ['*'], routes, ...tellsPasses }],
    },
  };
}

/**
 * A listener whose requests ask for what they need.
 * @param routing where its routes are from
 * @param odcds where clusters come from; null: they are not asked for
 */
export function listener(port: number, routing: Json, odcds: Json | null = null): Json {
  const settings = odcds === null ? {} : { odcds };
  const header = { key: 'passed', value: '%REQ(passed)%x' };
  const counts = { append: { header, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' } };
  const filters = [
    {
      name: 'counts',
      typed_config: {
        '@type': type('http.header_mutation.v3.HeaderMutation'),
        mutations: { request_mutations: [counts] },
      },
    },
    {
      name: 'envoy.filters.http.on_demand',
      typed_config: { '@type': type('http.on_demand.v3.OnDemand'), ...settings },
    },
    { name: 'router', typed_config: { '@type': type('http.router.v3.Router') } },
  ];
  const manager = {
    '@type': type('network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'peer',
    http_filters: filters,
    ...routing,
  };
  const chains = [{ filters: [{ name: 'http', typed_config: manager }] }];
  return { name: 'l', ...address('127.0.0.1', port), filter_chains: chains };
}

/** A listener whose connections ask for the cluster that they go to. */
export function tcpListener(port: number, cluster: string, source: Json, timeout: string): Json {
  const proxy = {
    '@type': type('network.tcp_proxy.v3.TcpProxy'),
    stat_prefix: 'tcp',
    cluster,
    on_demand: { odcds_config: source, timeout },
  };
  const chains = [{ filters: [{ name: 'tcp', typed_config: proxy }] }];
  return { name: 'l', ...address('127.0.0.1', port), filter_chains: chains };
}

/** A cluster that needs nothing else. */
export function fixedCluster(name: string, port: number): Json {
  const endpoints = [{ lb_endpoints: [{ endpoint: address('127.0.0.1', port) }] }];
  return { name, type: 'STATIC', connect_timeout: '1s', load_assignment: { cluster_name: name, endpoints } };
}

/** Status and text of an answer, and how often the request has passed the filters in front. */
export async function ask(
  port: number,
  headers: Readonly<Record<string, string>>,
  { path = '/', body }: { readonly path?: string; readonly body?: string } = {},
): Promise<string> {
  const method = body === undefined ? 'GET' : 'POST';
  const answer = await request(`http://127.0.0.1:${port}${path}`, { method, headers, ...(body && { body }) });
  return `${answer.statusCode} ${await answer.body.text()} ${String(answer.headers['passed'] ?? '')}`.trimEnd();
}
