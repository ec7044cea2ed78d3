import { join } from 'node:path';
import type { PairShape, Place, Shape } from '../target.ts';
import { describesClients, dialsSidecars, servesClients, servesSidecars } from './envoy-tls.ts';
import { type } from './envoy-names.ts';
import { hboneConfiguration } from './hbone-config.ts';
import { manyStaticHosts, routesToMany } from './hosts-config.ts';
import { withPolicy } from './policy-config.ts';
import { traced } from './traced-config.ts';
import { withTraffic } from './traffic-config.ts';
import { accessLogFields, clusterOf, large, realistic } from './workload.ts';

const HCM = 'extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'extensions.filters.http.router.v3.Router';

/** The configuration that Envoy and sekisho are both given, byte for byte the same. */
export function envoyConfiguration(shape: Shape, place: Place): object {
  switch (shape) {
    case 'plain':
    case 'h2':
      return bootstrap(place, manager(plainRoutes()), [cluster('backend', place)]);
    case 'h2-h2':
      return bootstrap(place, manager(plainRoutes()), [cluster('backend', place, speaksHttp2)]);
    case 'traced-zipkin':
    case 'traced-opentelemetry':
      return bootstrap(place, manager(plainRoutes(), traced(shape)), [cluster('backend', place)]);
    case 'realistic':
      return realisticConfiguration(place);
    case 'realistic-traffic':
      return withTraffic(realisticConfiguration(place));
    case 'realistic-rbac':
    case 'realistic-jwt':
    case 'realistic-jwt-cached':
    case 'realistic-ext-authz':
      return withPolicy(realisticConfiguration(place), shape, place);
    case 'tcp':
      return bootstrap(place, tcpProxy(), [cluster('backend', place)]);
    case 'large':
      return largeConfiguration(place);
    case 'tls':
      return bootstrap(place, manager(plainRoutes()), [cluster('backend', place)], servesClients(place));
    case 'mtls-h1':
    case 'mtls-h2':
      return sidecar(shape, place);
    case 'hbone':
    case 'hbone-handshakes':
      return hboneConfiguration(shape, place);
    default:
      return bootstrap(place, manager(routesToMany(shape)), [manyStaticHosts(shape, place)]);
  }
}

/** One of two that speak TLS with each other. */
function sidecar(shape: PairShape, place: Place) {
  if (place.side === 'in') {
    const filter = manager(plainRoutes(), describesClients);
    return bootstrap(place, filter, [cluster('backend', place)], servesSidecars(shape, place));
  }
  const more = { ...(shape === 'mtls-h2' ? speaksHttp2 : {}), ...dialsSidecars(shape, place) };
  return bootstrap(place, manager(plainRoutes()), [cluster('backend', place, more)]);
}

/** Every switch that makes Envoy cheaper without changing what it forwards. */
export function tunedEnvoyConfiguration(shape: Shape, place: Place): object {
  const whole = envoyConfiguration(shape, place) as ReturnType<typeof bootstrap>;
  for (const filter of whole.static_resources.listeners[0].filter_chains[0].filters) {
    const settings = filter.typed_config as Record<string, unknown>;
    if (settings['@type'] !== type(HCM)) continue;
    settings.generate_request_id = shape.startsWith('realistic');
    settings.server_header_transformation = 'PASS_THROUGH';
    const others = (settings.http_filters as object[]).slice(0, -1);
    settings.http_filters = [...others, routerFilter({ dynamic_stats: false, suppress_envoy_headers: true })];
  }
  const { admin: _admin, ...rest } = whole;
  return { ...rest, stats_config: { stats_matcher: { reject_all: true } } };
}

/** `transport`: with the filter chain's `transport_socket`. */
function bootstrap(place: Place, filter: object, clusters: readonly object[], transport: object = {}) {
  return {
    admin: { address: address('127.0.0.1', place.adminPort) },
    static_resources: {
      listeners: [
        {
          name: 'ingress',
          address: address('127.0.0.1', place.listenPort),
          filter_chains: [{ filters: [filter as { name: string; typed_config: object }], ...transport }],
        },
      ],
      clusters,
    },
  };
}

function address(host: string, port: number): object {
  return { socket_address: { address: host, port_value: port } };
}

function manager(routes: object, more: object = {}): object {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': type(HCM),
      stat_prefix: 'ingress',
      route_config: routes,
      http_filters: [routerFilter({})],
      ...more,
    },
  };
}

function routerFilter(settings: object): object {
  return { name: 'envoy.filters.http.router', typed_config: { '@type': type(ROUTER), ...settings } };
}

function tcpProxy(): object {
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: {
      '@type': type('extensions.filters.network.tcp_proxy.v3.TcpProxy'),
      stat_prefix: 'tcp',
      cluster: 'backend',
    },
  };
}

function plainRoutes(): object {
  const route = { match: { prefix: '/' }, route: { cluster: 'backend' } };
  return { name: 'local', virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] };
}

function cluster(name: string, place: Place, more: object = {}, hosts: readonly string[] = ['127.0.0.1']): object {
  const endpoints = hosts.map((host) => ({ endpoint: { address: address(host, place.upstreamPort) } }));
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: endpoints }] },
    ...more,
  };
}

const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const speaksHttp2 = {
  typed_extension_protocol_options: {
    [options]: {
      '@type': `type.googleapis.com/${options}`,
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

function realisticConfiguration(place: Place) {
  const limit = { max_connections: 10000, max_pending_requests: 10000, max_requests: 10000, max_retries: 100 };
  const breakers = { circuit_breakers: { thresholds: [{ ...limit, track_remaining: true }] } };
  const clusters = Array.from({ length: realistic.clusters }, (_, index) => cluster(clusterOf(index), place, breakers));
  const log = {
    name: 'envoy.access_loggers.file',
    typed_config: {
      '@type': type('extensions.access_loggers.file.v3.FileAccessLog'),
      path: join(place.directory, 'access.log'),
      log_format: { json_format: accessLogFields },
    },
  };
  const more = { use_remote_address: true, normalize_path: true, merge_slashes: true, access_log: [log] };
  const routes = { name: 'local', virtual_hosts: realistic.hosts.map(realisticHost) };
  return bootstrap(place, manager(routes, more), clusters);
}

function realisticHost(host: string, index: number): object {
  const route = {
    cluster: clusterOf(index),
    timeout: '5s',
    retry_policy: { retry_on: '5xx,connect-failure,reset', num_retries: realistic.retries, per_try_timeout: '2s' },
  };
  const header = (key: string, value: string) => ({
    header: { key, value },
    append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
  });
  return {
    name: host,
    domains: [host],
    routes: [
      ...realistic.exactPaths.map((path) => ({ name: path.slice(1), match: { path }, route })),
      {
        name: 'beta',
        match: { prefix: '/api/', headers: [{ name: 'x-channel', string_match: { exact: 'beta' } }] },
        route,
      },
      ...realistic.prefixes.map((prefix, n) => ({
        name: `resource-${n}`,
        match: { prefix },
        route: { ...route, prefix_rewrite: `/api/${n}/` },
      })),
      { name: 'default', match: { prefix: '/' }, route },
    ],
    request_headers_to_add: [
      header('x-gateway', 'bench'),
      header('x-client-address', '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%'),
    ],
    request_headers_to_remove: ['x-internal-secret'],
    response_headers_to_add: [header('strict-transport-security', 'max-age=31536000')],
    response_headers_to_remove: ['x-powered-by'],
  };
}

function largeConfiguration(place: Place): object {
  const hosts = Array.from({ length: large.endpoints }, (_, index) => `127.0.0.${index + 1}`);
  const names = Array.from({ length: large.clusters }, (_, index) => `backend_${index}`);
  const virtualHosts = names.map((name, index) => ({
    name,
    domains: [`service-${index}.example.com`],
    routes: Array.from({ length: large.routesPerHost }, (_, route) => ({
      name: `${name}_${route}`,
      match: { prefix: route === large.routesPerHost - 1 ? '/' : `/api/v1/resource-${route}/` },
      route: { cluster: name, timeout: '5s' },
    })),
  }));
  const clusters = names.map((name) => cluster(name, place, {}, hosts));
  return bootstrap(place, manager({ name: 'local', virtual_hosts: virtualHosts }), clusters);
}
