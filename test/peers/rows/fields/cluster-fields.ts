import { cluster, http, tcp } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const types = 'type.googleapis.com/envoy.extensions';
const policies = `${types}.load_balancing_policies`;

const slow =
  'slow_start_config: { slow_start_window: 1s, aggression: { default_value: 1.5, runtime_key: a }, min_weight_percent: { value: 20 } }';
const policy = (settings: string): string =>
  `load_balancing_policy: { policies: [{ typed_extension_config: { name: p, typed_config: { '@type': ${policies}.${settings} } } }] }`;
const options = (fields: string): string => `
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    '@type': ${types}.upstreams.http.v3.HttpProtocolOptions
    ${fields}`;

const dns = `load_assignment: { cluster_name: n, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{one}}' } } } }] }] }`;

/** A cluster of one host each, by the name of the route that leads there: what it is told must not stand in the way. */
const one: Readonly<Record<string, string>> = {
  older: `
per_connection_buffer_limit_bytes: 32768
common_http_protocol_options: { idle_timeout: 60s, max_response_headers_kb: 96, max_headers_count: 50 }
http_protocol_options: { send_fully_qualified_url: true, header_key_format: { stateful_formatter: { name: preserve, typed_config: { '@type': ${types}.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig } } } }
cleanup_interval: 1s
wait_for_warm_on_init: true
close_connections_on_host_health_failure: true
ignore_health_on_host_removal: true
track_timeout_budgets: true`,
  least: `lb_policy: LEAST_REQUEST\nleast_request_lb_config: { choice_count: 3, active_request_bias: { default_value: 2.0, runtime_key: b }, ${slow} }`,
  round: `lb_policy: ROUND_ROBIN\nround_robin_lb_config: { ${slow} }`,
  common: `type: STRICT_DNS\ncommon_lb_config: { ignore_new_hosts_until_first_hc: true, close_connections_on_host_set_change: true, override_host_status: { statuses: [HEALTHY, UNKNOWN] }, consistent_hashing_lb_config: { use_hostname_for_hashing: true } }\nlb_policy: RING_HASH`,
  outliers:
    'outlier_detection: { split_external_local_origin_errors: true, success_rate_stdev_factor: 1900, enforcing_consecutive_local_origin_failure: 0, enforcing_local_origin_success_rate: 0, enforcing_failure_percentage_local_origin: 0, max_ejection_time: 300s, max_ejection_time_jitter: 1s, successful_active_health_check_uneject_host: false }',
  names: `type: STRICT_DNS\ndns_jitter: 0.1s\ndns_failure_refresh_rate: { base_interval: 1s, max_interval: 10s }\nrespect_dns_ttl: true\ndns_lookup_family: V4_ONLY\n${dns}`,
  namesByType: `${dns}
cluster_type: { name: dns, typed_config: { '@type': ${types}.clusters.dns.v3.DnsCluster, dns_refresh_rate: 60s, dns_min_refresh_rate: 1s, dns_failure_refresh_rate: { base_interval: 1s, max_interval: 10s }, respect_dns_ttl: true, dns_jitter: 0.1s, dns_lookup_family: V4_ONLY, all_addresses_in_single_endpoint: true, typed_dns_resolver_config: { name: cares, typed_config: { '@type': ${types}.network.dns_resolver.cares.v3.CaresDnsResolverConfig, use_resolvers_as_fallback: true, filter_unroutable_families: true, dns_resolver_options: { no_default_search_domain: true }, resolvers: [{ socket_address: { address: 127.0.0.1, port_value: 53 } }] } } } }`,
  pressed: `load_assignment: { cluster_name: pressed, policy: { overprovisioning_factor: 150, weighted_priority_health: true }, endpoints: [{ load_balancing_weight: 3, lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{one}}' } } } }] }] }`,
  typedLeast: policy(
    `least_request.v3.LeastRequest, choice_count: 3, active_request_bias: { default_value: 2.0, runtime_key: b }, ${slow}`,
  ),
  typedScan: policy('least_request.v3.LeastRequest, selection_method: FULL_SCAN'),
  typedRound: policy(`round_robin.v3.RoundRobin, ${slow}, locality_lb_config: { locality_weighted_lb_config: {} }`),
  typedRing: policy(
    'ring_hash.v3.RingHash, minimum_ring_size: 16, maximum_ring_size: 64, consistent_hashing_lb_config: { use_hostname_for_hashing: true, hash_balance_factor: 150 }, locality_weighted_lb_config: {}',
  ),
  olderRing: policy('ring_hash.v3.RingHash, use_hostname_for_hashing: true, hash_balance_factor: 150'),
  typedMaglev: policy(
    'maglev.v3.Maglev, table_size: 11, consistent_hashing_lb_config: { use_hostname_for_hashing: true, hash_balance_factor: 150 }',
  ),
  typedZones: policy(
    'random.v3.Random, locality_lb_config: { zone_aware_lb_config: { routing_enabled: { value: 100 }, fail_traffic_on_panic: true, min_cluster_size: 2 } }',
  ),
  auto: options(
    'explicit_http_config: { http_protocol_options: {} }\n    common_http_protocol_options: { max_response_headers_kb: 96 }',
  ),
};

const subsets =
  'fallback_policy: DEFAULT_SUBSET, default_subset: { v: a }, subset_selectors: [{ keys: [v], fallback_policy: NO_FALLBACK }, { keys: [w], single_host_per_subset: true }], locality_weight_aware: true, scale_locality_weight: true, panic_mode_any: true, list_as_any: true';
const members = (name: string): string =>
  `load_assignment: { cluster_name: ${name}, endpoints: [{ load_balancing_weight: 1, lb_endpoints: [${[
    ['one', 'a'],
    ['two', 'b'],
  ]
    .map(
      ([port, version]) =>
        `{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{${port}}}' } } }, metadata: { filter_metadata: { envoy.lb: { v: ${version}, w: ${version} } } } }`,
    )
    .join(', ')}] }] }`;

const asked: readonly Row[] = ['a', 'b', 'c'].flatMap((value) =>
  ['v', 'w'].map((key) => ({ name: `${key} is ${value}`, request: { path: `/${key}/${value}` } })),
);

const subsetRoutes = (name: string): string =>
  [
    ...['v', 'w'].flatMap((key) =>
      ['a', 'b', 'c'].map(
        (value) =>
          `- { match: { prefix: /${key}/${value} }, route: { cluster: ${name}, metadata_match: { filter_metadata: { envoy.lb: { ${key}: ${value} } } } } }`,
      ),
    ),
    `- { match: { prefix: / }, route: { cluster: ${name} } }`,
  ].join('\n');

/** `type` and `cluster_type` are one choice. */
function clusterOf(name: string, fields: string): ReturnType<typeof cluster> {
  const { type, ...rest } = cluster(name, ['one'], fields);
  return 'cluster_type' in rest ? rest : { ...rest, type };
}

/** Fields of clusters that DestinationRules become, and EnvoyFilters set. */
export const clusterFields: readonly Group[] = [
  {
    name: 'fields: clusters of one host',
    config: http(
      {
        routes: Object.keys(one)
          .map(
            (name) =>
              `- { match: { prefix: /${name} }, route: { cluster: ${name}, hash_policy: [{ header: { header_name: x-h } }] } }`,
          )
          .join('\n'),
      },
      Object.entries(one).map(([name, fields]) => clusterOf(name, fields)),
    ),
    rows: Object.keys(one).map((name) => ({
      name,
      request: [
        { path: `/${name}/1`, headers: [['X-H', '1']] as const },
        { path: `/${name}/2`, headers: [['X-H', '2']] as const },
      ],
    })),
  },
  {
    name: 'fields: subsets',
    config: http({ routes: subsetRoutes('parts') }, [
      cluster(
        'parts',
        [],
        `${members('parts')}\ncommon_lb_config: { locality_weighted_lb_config: {} }\nlb_subset_config: { ${subsets} }`,
      ),
    ]),
    rows: asked,
  },
  {
    name: 'fields: subsets by type',
    config: http({ routes: subsetRoutes('parts') }, [
      cluster(
        'parts',
        [],
        `${members('parts')}\n${policy(`subset.v3.Subset, fallback_policy: DEFAULT_SUBSET, default_subset: { v: a }, subset_selectors: [{ keys: [v], fallback_policy: NO_FALLBACK }, { keys: [w], single_host_per_subset: true }], panic_mode_any: true, list_as_any: true, subset_lb_policy: { policies: [{ typed_extension_config: { name: p, typed_config: { '@type': ${policies}.round_robin.v3.RoundRobin } } }] }`)}`,
      ),
    ]),
    rows: asked,
  },
  {
    name: 'fields: dropped overload',
    config: http(
      {
        routes:
          '[{ match: { prefix: /some }, route: { cluster: dropping } }, { match: { prefix: / }, route: { cluster: none } }]',
      },
      [
        cluster(
          'dropping',
          [],
          `load_assignment: { cluster_name: dropping, policy: { drop_overloads: [{ category: all, drop_percentage: { numerator: 100 } }] }, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{one}}' } } } }] }] }`,
        ),
        cluster(
          'none',
          [],
          `load_assignment: { cluster_name: none, policy: { drop_overloads: [{ category: few, drop_percentage: { numerator: 0 } }] }, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{one}}' } } } }] }] }`,
        ),
      ],
    ),
    rows: [
      { name: 'dropped', request: { path: '/some' } },
      { name: 'not dropped', request: { path: '/' } },
    ],
  },
  {
    name: 'fields: the override host policy',
    config: http(
      {
        routes:
          '[{ match: { prefix: / }, route: { cluster: chosen, metadata_match: { filter_metadata: { envoy.lb: { host: nowhere } } } } }]',
      },
      [
        cluster(
          'chosen',
          ['one', 'two'],
          policy(
            `override_host.v3.OverrideHost, override_host_sources: [{ header: x-host }, { metadata: { key: envoy.lb, path: [{ key: host }] } }], fallback_policy: { policies: [{ typed_extension_config: { name: p, typed_config: { '@type': ${policies}.ring_hash.v3.RingHash } } }] }`,
          ),
        ),
      ],
    ),
    rows: [
      { name: 'the first', request: { path: '/', headers: [['x-host', '127.0.0.1:{{one}}']] } },
      { name: 'the second', request: { path: '/', headers: [['x-host', '127.0.0.1:{{two}}']] } },
    ],
  },
  {
    name: 'fields: connections',
    config: tcp(
      'weighted_clusters: { clusters: [{ name: echo, weight: 1, metadata_match: { filter_metadata: { envoy.lb: { v: a } } } }] }\nhash_policy: [{ filter_state: { key: x } }]',
      [
        cluster(
          'echo',
          ['echo'],
          `typed_extension_protocol_options: { envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions: { '@type': ${types}.upstreams.tcp.v3.TcpProtocolOptions, idle_timeout: 60s } }\nlb_policy: RING_HASH\ncommon_lb_config: { consistent_hashing_lb_config: { hash_balance_factor: 150 } }`,
        ),
      ],
      {
        listener: `
drain_type: MODIFY_ONLY
connection_balance_config: { exact_balance: {} }
tcp_backlog_size: 64
enable_reuse_port: true
additional_addresses: [{ address: { socket_address: { address: '127.0.0.2', port_value: '{{listen}}' } } }]`,
      },
    ),
    rows: [{ name: 'hello', raw: ['hello', 50, 'end'], until: 'closed', answers: 0, logLines: 1 }],
  },
];
