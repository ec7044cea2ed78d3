import { type } from './envoy-names.ts';

type Json = Record<string, unknown>;

/** What is switched on lies in these places of a bootstrap. */
export interface TrafficBootstrap {
  readonly static_resources: {
    readonly listeners: readonly {
      readonly filter_chains: readonly { filters: readonly { typed_config: object }[] }[];
    }[];
    readonly clusters: readonly object[];
  };
}

interface Manager {
  http_filters: object[];
  route_config: { virtual_hosts: (Json & { routes: { match: Json; route: Json }[] })[] };
}

/** Hosts of every cluster; all of them are the one upstream. */
const hosts = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'];

/** A cluster's policy, by its turn. */
const policies: readonly Json[] = [
  {
    lb_policy: 'LEAST_REQUEST',
    least_request_lb_config: { choice_count: 2, slow_start_config: { slow_start_window: '1s' } },
  },
  { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: 1024 } },
  { lb_policy: 'MAGLEV', common_lb_config: { consistent_hashing_lb_config: { hash_balance_factor: 150 } } },
  {
    lb_policy: 'LEAST_REQUEST',
    lb_subset_config: { fallback_policy: 'ANY_ENDPOINT', subset_selectors: [{ keys: ['version'] }] },
  },
  { lb_policy: 'ROUND_ROBIN', common_lb_config: { locality_weighted_lb_config: {} } },
];

/**
 * The realistic configuration with everything switched on that traffic management has and that leaves requests as they
 * are: hash policies, subsets, slow start, health checks, outlier detection, retry budgets, fault at 0 %, a rate limit
 * that nobody reaches, cors, csrf, metadata from headers.
 */
export function withTraffic<Whole extends TrafficBootstrap>(whole: Whole): Whole {
  const clusters = whole.static_resources.clusters as Json[];
  clusters.forEach((cluster, i) => Object.assign(cluster, managed(cluster, policies[i % policies.length])));
  for (const { typed_config } of whole.static_resources.listeners[0].filter_chains[0].filters) {
    const manager = typed_config as Manager;
    manager.http_filters.unshift(...filters);
    manager.route_config.virtual_hosts.forEach((host, i) => {
      host.typed_per_filter_config = perHost;
      for (const { match, route } of host.routes) Object.assign(route, routed(i % policies.length, match));
    });
  }
  return whole;
}

function managed(cluster: Json, policy: Json): Json {
  const [{ endpoint: only }] = (cluster.load_assignment as { endpoints: { lb_endpoints: { endpoint: Json }[] }[] })
    .endpoints[0].lb_endpoints;
  const { port_value: port } = (only.address as { socket_address: { port_value: number } }).socket_address;
  const lbEndpoints = hosts.map((address, i) => ({
    endpoint: { address: { socket_address: { address, port_value: port } } },
    load_balancing_weight: 1 + (i % 2),
    metadata: { filter_metadata: { 'envoy.lb': { version: i % 2 === 0 ? 'v1' : 'v2' } } },
  }));
  const half = (from: number): object => ({
    locality: { zone: `zone-${from}` },
    load_balancing_weight: 50,
    lb_endpoints: lbEndpoints.slice(from, from + 2),
  });
  const [breakers] = (cluster.circuit_breakers as { thresholds: Json[] }).thresholds;
  return {
    ...policy,
    load_assignment: { cluster_name: cluster.name, endpoints: [half(0), half(2)] },
    circuit_breakers: {
      thresholds: [{ ...breakers, retry_budget: { budget_percent: { value: 20 }, min_retry_concurrency: 10 } }],
    },
    outlier_detection: {
      consecutive_5xx: 5,
      consecutive_gateway_failure: 5,
      enforcing_consecutive_gateway_failure: 100,
      interval: '1s',
      success_rate_minimum_hosts: 3,
      failure_percentage_threshold: 85,
      enforcing_failure_percentage: 100,
    },
    health_checks: [
      {
        timeout: '1s',
        interval: '1s',
        no_traffic_interval: '1s',
        unhealthy_threshold: 3,
        healthy_threshold: 1,
        http_health_check: { path: '/healthz' },
      },
    ],
  };
}

function routed(turn: number, match: Json): Json {
  const subset = { metadata_match: { filter_metadata: { 'envoy.lb': { version: 'v1' } } } };
  const isHashed = turn === 1 || turn === 2;
  return {
    idle_timeout: '30s',
    max_stream_duration: { max_stream_duration: '60s' },
    ...(isHashed
      ? {
          hash_policy: [
            { header: { header_name: ':path' }, terminal: true },
            { connection_properties: { source_ip: true } },
          ],
        }
      : {}),
    ...(turn === 3 && match.prefix !== '/' ? subset : {}),
  };
}

const percent = { numerator: 0, denominator: 'HUNDRED' };
const always = { default_value: { numerator: 100, denominator: 'HUNDRED' }, runtime_key: 'bench.always' };

function filter(name: string, kind: string, settings: object): object {
  return {
    name: `envoy.filters.http.${name}`,
    typed_config: { '@type': type(`extensions.filters.http.${kind}`), ...settings },
  };
}

const filters = [
  filter('local_ratelimit', 'local_ratelimit.v3.LocalRateLimit', {
    stat_prefix: 'bench',
    token_bucket: { max_tokens: 1e9, tokens_per_fill: 1e9, fill_interval: '1s' },
    filter_enabled: always,
    filter_enforced: always,
  }),
  filter('fault', 'fault.v3.HTTPFault', {
    delay: { fixed_delay: '1s', percentage: percent },
    abort: { http_status: 503, percentage: percent },
  }),
  filter('cors', 'cors.v3.Cors', {}),
  filter('csrf', 'csrf.v3.CsrfPolicy', { filter_enabled: always }),
  filter('header_to_metadata', 'header_to_metadata.v3.Config', {
    request_rules: [
      { header: 'user-agent', on_header_present: { metadata_namespace: 'bench', key: 'agent', type: 'STRING' } },
    ],
  }),
];

const perHost = {
  'envoy.filters.http.cors': {
    '@type': type('extensions.filters.http.cors.v3.CorsPolicy'),
    allow_origin_string_match: [{ safe_regex: { regex: 'https://.*\\.example\\.com' } }],
    allow_methods: 'GET, POST',
    max_age: '600',
  },
};
