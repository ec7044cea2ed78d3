import { createRegistry, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import type { ClusterData } from '../../../src/cluster/cluster-data.ts';
import { decodeCluster } from '../../../src/cluster/decode.ts';
import { ExtensionTable } from '../../../src/control/extension-table.ts';
import { Reasons } from '../../../src/core/rejection.ts';
import { ClusterSchema } from '../../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { ClusterConfigSchema as AggregateSchema } from '../../../src/proto/envoy/extensions/clusters/aggregate/v3/cluster_pb.js';
import { DnsClusterSchema } from '../../../src/proto/envoy/extensions/clusters/dns/v3/dns_cluster_pb.js';
import { LeastRequestSchema } from '../../../src/proto/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js';
import { PickFirstSchema } from '../../../src/proto/envoy/extensions/load_balancing_policies/pick_first/v3/pick_first_pb.js';
import { RandomSchema } from '../../../src/proto/envoy/extensions/load_balancing_policies/random/v3/random_pb.js';
import { RoundRobinSchema } from '../../../src/proto/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js';
import { CaresDnsResolverConfigSchema } from '../../../src/proto/envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver_pb.js';
import { GetAddrInfoDnsResolverConfigSchema } from '../../../src/proto/envoy/extensions/network/dns_resolver/getaddrinfo/v3/getaddrinfo_dns_resolver_pb.js';
import { RawBufferSchema } from '../../../src/proto/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js';
import { breaker, clusterData, hostData } from './cluster-fixture.ts';

const registry = createRegistry(
  AggregateSchema,
  DnsClusterSchema,
  LeastRequestSchema,
  PickFirstSchema,
  RandomSchema,
  RoundRobinSchema,
  CaresDnsResolverConfigSchema,
  GetAddrInfoDnsResolverConfigSchema,
  RawBufferSchema,
);
const extensions = new ExtensionTable([]);

type Json = Record<string, JsonValue>;

function decode(json: Json): { data: ClusterData | null; reasons: string[] } {
  const reasons = new Reasons('cluster');
  const data = decodeCluster(fromJson(ClusterSchema, { name: 'c', ...json }, { registry }), reasons, extensions);
  return { data, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

function accepted(json: Json): ClusterData {
  const { data, reasons } = decode(json);
  expect(reasons).toEqual([]);
  // Plain data: it must survive the way to a worker.
  expect(structuredClone(data)).toEqual(data);
  return data!;
}

function any(schema: { typeName: string }, fields: Json = {}): Json {
  return { '@type': `type.googleapis.com/${schema.typeName}`, ...fields };
}

function assignment(address: string, change: Json = {}, locality: Json = {}): Json {
  const endpoint = { address: { socket_address: { address, port_value: 80 } } };
  return { cluster_name: 'x', endpoints: [{ lb_endpoints: [{ endpoint, ...change }], ...locality }] };
}

describe('a cluster', () => {
  it('has the defaults of Envoy', () => {
    expect(accepted({ load_assignment: assignment('10.0.0.1') })).toEqual(clusterData());
  });

  it('has a name for stats of its own, without colons', () => {
    expect(accepted({ name: 'outbound|80||a' }).statName).toBe('outbound|80||a');
    expect(accepted({ name: 'http://a:80' }).statName).toBe('http_a_80');
    expect(accepted({ alt_stat_name: 'other' }).statName).toBe('other');
  });

  it('has timeouts, limits and an address to dial from', () => {
    const data = accepted({
      connect_timeout: '0.25s',
      per_connection_buffer_limit_bytes: 32768,
      upstream_bind_config: { source_address: { address: '127.0.0.2', port_value: 0 } },
      upstream_connection_options: { tcp_keepalive: { keepalive_time: 30 } },
      metadata: { filter_metadata: { 'com.example': { a: 1 } } },
      transport_socket: { name: 'envoy.transport_sockets.raw_buffer', typed_config: any(RawBufferSchema) },
    });
    expect(data).toMatchObject({
      connectTimeoutMs: 250,
      bufferLimit: 32768,
      bindAddress: { host: '127.0.0.2', port: 0 },
      keepAliveSeconds: 30,
      metadata: { 'com.example': { a: 1 } },
    });
  });

  it('has circuit breakers for each priority, the first of several', () => {
    const { breakers } = accepted({
      circuit_breakers: {
        thresholds: [
          {
            max_connections: 1,
            max_pending_requests: 2,
            max_requests: 3,
            max_retries: 4,
            max_connection_pools: 5,
            track_remaining: true,
          },
          { max_connections: 99 },
          { priority: 'HIGH', retry_budget: { budget_percent: { value: 50 }, budget_interval: '1.5s' } },
        ],
      },
    });
    expect(breakers).toEqual([
      {
        maxConnections: 1,
        maxPendingRequests: 2,
        maxRequests: 3,
        maxRetries: 4,
        maxConnectionPools: 5,
        retryBudget: null,
        trackRemaining: true,
      },
      { ...breaker, maxConnectionPools: null, retryBudget: { percent: 50, minConcurrency: 3, intervalMs: 1500 } },
    ]);
  });
});

it('connections to one host have limits, the first of several for each priority', () => {
  const limits = (...list: Json[]): unknown =>
    accepted({ circuit_breakers: { per_host_thresholds: list } }).hostConnectionsMax;
  expect(limits()).toBeUndefined();
  expect(limits({ max_connections: 1 }, { max_connections: 2 })).toEqual([1, Infinity]);
  expect(limits({ priority: 'HIGH', max_connections: 3 }, {})).toEqual([Infinity, 3]);
});

describe('endpoints', () => {
  it('have everything that balancing needs', () => {
    const data = accepted({
      load_assignment: assignment(
        '10.0.0.1',
        {
          health_status: 'DEGRADED',
          load_balancing_weight: 7,
          metadata: { filter_metadata: { 'envoy.lb': { canary: true } } },
        },
        { priority: 1, load_balancing_weight: 3, locality: { region: 'r', zone: 'z', sub_zone: 's' } },
      ),
    });
    expect(data.hosts).toEqual([
      hostData('10.0.0.1', {
        weight: 7,
        priority: 1,
        localityWeight: 3,
        locality: { region: 'r', zone: 'z', subZone: 's' },
        health: 'DEGRADED',
        canary: true,
        metadata: { 'envoy.lb': { canary: true } },
      }),
    ]);
  });

  it('may be Unix sockets, and have host names', () => {
    const endpoint = { address: { pipe: { path: '/run/x' } }, hostname: 'h' };
    const data = accepted({ load_assignment: { cluster_name: 'x', endpoints: [{ lb_endpoints: [{ endpoint }] }] } });
    expect(data.hosts).toMatchObject([{ address: { kind: 'pipe', host: '/run/x', port: 0 }, hostname: 'h' }]);
  });

  it('are addresses in a static cluster', () => {
    expect(decode({ load_assignment: assignment('web.test') }).reasons).toEqual([
      "cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address: malformed IP address: web.test; a name needs cluster type 'STRICT_DNS' or 'LOGICAL_DNS'",
    ]);
  });

  it('have a policy', () => {
    const policy = { overprovisioning_factor: 100, weighted_priority_health: true };
    expect(accepted({ load_assignment: { ...assignment('10.0.0.1'), policy } }).lb).toMatchObject({
      overprovisioningFactor: 100,
      weightedPriorityHealth: true,
    });
  });
});

describe('load balancing', () => {
  it.each<[Json, object]>([
    [{}, { policy: { kind: 'round-robin' } }],
    [{ lb_policy: 'RANDOM' }, { policy: { kind: 'random' } }],
    [
      { lb_policy: 'LEAST_REQUEST' },
      {
        policy: {
          kind: 'least-request',
          choiceCount: 2,
          activeRequestBias: 1,
          activeRequestBiasKey: '',
          fullScan: false,
        },
      },
    ],
    [
      {
        lb_policy: 'LEAST_REQUEST',
        least_request_lb_config: {
          choice_count: 5,
          active_request_bias: { default_value: 0, runtime_key: 'k' },
        },
      },
      {
        policy: {
          kind: 'least-request',
          choiceCount: 5,
          activeRequestBias: 0,
          activeRequestBiasKey: 'k',
          fullScan: false,
        },
      },
    ],
    [{ common_lb_config: { healthy_panic_threshold: { value: 0 } } }, { panicThreshold: 0 }],
    [{ common_lb_config: { healthy_panic_threshold: { value: 33.5 } } }, { panicThreshold: 34 }],
    [{ common_lb_config: { locality_weighted_lb_config: {} } }, { localityWeighted: true }],
    [{ common_lb_config: { zone_aware_lb_config: { fail_traffic_on_panic: true } } }, { failTrafficOnPanic: true }],
    [{ common_lb_config: { close_connections_on_host_set_change: true } }, { closeConnectionsOnHostSetChange: true }],
  ])('reads %j', (json, expected) => {
    expect(accepted(json).lb).toMatchObject(expected);
  });

  const policies = (...configs: Json[]): Json => ({
    load_balancing_policy: {
      policies: configs.map((config) => ({ typed_extension_config: { name: 'n', typed_config: config } })),
    },
  });

  it('takes the first policy of a list, over lb_policy', () => {
    const least = any(LeastRequestSchema, {
      choice_count: 3,
      selection_method: 'FULL_SCAN',
      locality_lb_config: { locality_weighted_lb_config: {} },
    });
    expect(accepted({ lb_policy: 'RANDOM', ...policies(least, any(RoundRobinSchema)) }).lb).toMatchObject({
      policy: { kind: 'least-request', choiceCount: 3, activeRequestBias: 1, activeRequestBiasKey: '', fullScan: true },
      localityWeighted: true,
    });
    expect(accepted(policies(any(RandomSchema))).lb.policy).toEqual({ kind: 'random' });
  });

  it('refuses by name what is not there', () => {
    expect(decode(policies(any(PickFirstSchema))).reasons[0]).toContain(
      "load balancing policy 'n' of type 'envoy.extensions.load_balancing_policies.pick_first.v3.PickFirst' is not supported",
    );
    expect(decode({ load_balancing_policy: { policies: [] } }).reasons).toEqual([
      "cluster.load_balancing_policy: didn't find a registered load balancer factory with a name from []",
    ]);
  });
});

describe('DNS clusters', () => {
  const target = { name: 'web.test', port: 80, host: hostData('web.test', { hostname: 'web.test' }) };
  const cares = {
    kind: 'cares',
    servers: [],
    serversAreFallback: false,
    noDefaultSearchDomain: false,
    filterUnroutableFamilies: false,
    queryTimeoutMs: 0,
    queryTries: 0,
  };
  const dns = {
    refreshMs: 5000,
    failureRefresh: null,
    jitterMs: 0,
    respectTtl: false,
    ttlRefreshMinMs: 0,
    family: 'AUTO',
    resolver: cares,
    waitForWarm: true,
  };

  it('have defaults', () => {
    const data = accepted({ type: 'STRICT_DNS', load_assignment: assignment('web.test') });
    expect(data.hosts).toEqual([]);
    expect(data.discovery).toEqual({ kind: 'strict-dns', dns, targets: [target] });
  });

  it('read every option', () => {
    const data = accepted({
      type: 'LOGICAL_DNS',
      load_assignment: assignment('web.test', {}, { priority: 2 }),
      dns_refresh_rate: '1s',
      dns_jitter: '0.5s',
      dns_failure_refresh_rate: { base_interval: '0.1s' },
      respect_dns_ttl: true,
      dns_lookup_family: 'V4_PREFERRED',
      wait_for_warm_on_init: false,
      typed_dns_resolver_config: {
        name: 'r',
        typed_config: any(CaresDnsResolverConfigSchema, {
          resolvers: [
            { socket_address: { address: '127.0.0.1', port_value: 5353 } },
            { socket_address: { address: '::1', port_value: 0 } },
          ],
          use_resolvers_as_fallback: true,
          filter_unroutable_families: true,
          dns_resolver_options: { no_default_search_domain: true },
          query_timeout_seconds: '3',
          query_tries: 2,
        }),
      },
    });
    expect(data.discovery).toEqual({
      kind: 'logical-dns',
      targets: [target],
      dns: {
        refreshMs: 1000,
        failureRefresh: { baseMs: 100, maxMs: 1000 },
        jitterMs: 500,
        respectTtl: true,
        ttlRefreshMinMs: 0,
        family: 'V4_PREFERRED',
        waitForWarm: false,
        resolver: {
          kind: 'cares',
          servers: ['127.0.0.1:5353', '[::1]:53'],
          serversAreFallback: true,
          noDefaultSearchDomain: true,
          filterUnroutableFamilies: true,
          queryTimeoutMs: 3000,
          queryTries: 2,
        },
      },
    });
  });

  it('may be configured by the unified type', () => {
    const typed_config = any(DnsClusterSchema, {
      dns_refresh_rate: '2s',
      dns_lookup_family: 'ALL',
      all_addresses_in_single_endpoint: true,
      dns_min_refresh_rate: '1s',
      typed_dns_resolver_config: {
        name: 'g',
        typed_config: any(GetAddrInfoDnsResolverConfigSchema, { num_retries: 1 }),
      },
    });
    const data = accepted({
      cluster_type: { name: 'envoy.clusters.dns', typed_config },
      load_assignment: assignment('web.test'),
    });
    expect(data.discovery).toEqual({
      kind: 'logical-dns',
      targets: [target],
      dns: {
        ...dns,
        refreshMs: 2000,
        family: 'ALL',
        ttlRefreshMinMs: 1000,
        resolver: { kind: 'getaddrinfo', retries: 1 },
      },
    });
  });

  it('are refused where Envoy refuses them', () => {
    expect(decode({ type: 'LOGICAL_DNS' }).reasons).toEqual([
      'cluster.load_assignment: LOGICAL_DNS clusters must have a single locality_lb_endpoint and a single lb_endpoint',
    ]);
    expect(
      decode({
        type: 'STRICT_DNS',
        load_assignment: assignment('web.test'),
        dns_failure_refresh_rate: { base_interval: '2s', max_interval: '1s' },
      }).reasons,
    ).toEqual([
      'cluster.dns_failure_refresh_rate: dns_failure_refresh_rate must have max_interval greater than or equal to the base_interval',
    ]);
  });
});

describe('ORIGINAL_DST', () => {
  it('says where hosts are named', () => {
    const provided = { type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED' };
    const asked = (config: Json): unknown => accepted({ ...provided, ...config }).discovery;
    expect(asked({})).toEqual({
      kind: 'original-dst',
      asked: { metadataPath: null, header: '', port: null, cleanupMs: 5000 },
    });
    expect(asked({ original_dst_lb_config: { use_http_header: true } })).toMatchObject({
      asked: { header: 'x-envoy-original-dst-host' },
    });
    const all = {
      use_http_header: true,
      http_header_name: 'X-To',
      upstream_port_override: 15008,
      metadata_key: { key: 'a', path: [{ key: 'b' }] },
    };
    expect(asked({ original_dst_lb_config: all, cleanup_interval: '1s' })).toEqual({
      kind: 'original-dst',
      asked: { metadataPath: ['a', 'b'], header: 'x-to', port: 15008, cleanupMs: 1000 },
    });
  });
});

it.each<[string, string]>([
  ['static', 'static'],
  ['strict_dns', 'strict-dns'],
  ['logical_dns', 'logical-dns'],
])('a cluster may have its type by name: %s', (name, kind) => {
  const custom = { cluster_type: { name: `envoy.cluster.${name}` } };
  expect(accepted({ ...custom, load_assignment: assignment('10.0.0.1') }).discovery.kind).toBe(kind);
});

it('an ORIGINAL_DST cluster may have its type by name', () => {
  const custom = { cluster_type: { name: 'envoy.cluster.original_dst' }, lb_policy: 'CLUSTER_PROVIDED' };
  expect(accepted(custom).discovery.kind).toBe('original-dst');
});

it('timeouts are tracked where somebody wants to know', () => {
  expect(accepted({}).tracksTimeouts).toBeUndefined();
  expect(accepted({ track_timeout_budgets: true }).tracksTimeouts).toBe(true);
  expect(accepted({ track_cluster_stats: { timeout_budgets: true } }).tracksTimeouts).toBe(true);
});

it('an aggregate names its members', () => {
  const aggregate = { name: 'envoy.clusters.aggregate', typed_config: any(AggregateSchema, { clusters: ['a', 'b'] }) };
  const data = accepted({ cluster_type: aggregate, lb_policy: 'CLUSTER_PROVIDED' });
  expect(data.discovery).toEqual({ kind: 'aggregate', clusters: ['a', 'b'] });
});

describe('what is not supported', () => {
  it.each<[Json, string]>([
    [{ type: 'EDS' }, 'cluster: cannot create an EDS cluster without an EDS config'],
    [
      { type: 'ORIGINAL_DST' },
      "cluster.lb_policy: cluster: LB policy ROUND_ROBIN is not valid for Cluster type ORIGINAL_DST. Only 'CLUSTER_PROVIDED' is allowed with cluster type 'ORIGINAL_DST'",
    ],
    [
      { type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED', load_assignment: { cluster_name: 'c' } },
      'cluster.load_assignment: ORIGINAL_DST clusters must have no load assignment configured',
    ],
    [
      { type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED', original_dst_lb_config: { http_header_name: 'x' } },
      'cluster.original_dst_lb_config.http_header_name: ORIGINAL_DST cluster: invalid config http_header_name=x and use_http_header is false. Set use_http_header to true if http_header_name is desired.',
    ],
    [
      { cluster_type: { name: 'envoy.clusters.redis' } },
      "cluster.cluster_type: cluster type 'envoy.clusters.redis' is not supported by sekisho",
    ],
    [
      { cluster_type: { name: 'envoy.clusters.aggregate', typed_config: any(AggregateSchema, { clusters: ['a'] }) } },
      "cluster: cluster manager: cluster provided LB not specified but cluster 'c' provided one",
    ],
    [
      { track_cluster_stats: { request_response_sizes: true } },
      "cluster.track_cluster_stats.request_response_sizes: field 'request_response_sizes' is not supported by sekisho",
    ],
    [
      { http2_protocol_options: { allow_metadata: true } },
      "cluster.http2_protocol_options.allow_metadata: field 'allow_metadata' is not supported by sekisho",
    ],
    [
      { transport_socket: { name: 'tls' } },
      "cluster.transport_socket.typed_config: extension 'tls' (envoy.transport_sockets.upstream) has no typed_config; name its message by '@type'",
    ],
    [
      { circuit_breakers: { per_host_thresholds: [{ max_requests: 1 }] } },
      'cluster.circuit_breakers.per_host_thresholds[0]: Unsupported field in per_host_thresholds',
    ],
    [
      { circuit_breakers: { per_host_thresholds: [{ max_connection_pools: 1 }] } },
      'cluster.circuit_breakers.per_host_thresholds[0]: Unsupported field in per_host_thresholds',
    ],
    [
      { upstream_connection_options: { set_local_interface_name_on_upstream_connections: true } },
      "cluster.upstream_connection_options.set_local_interface_name_on_upstream_connections: field 'set_local_interface_name_on_upstream_connections' is not supported by sekisho",
    ],
    [
      { preconnect_policy: { predictive_preconnect_ratio: 2 } },
      "cluster.preconnect_policy.predictive_preconnect_ratio: field 'predictive_preconnect_ratio' is not supported by sekisho",
    ],
  ])('is refused by name: %j', (json, reason) => {
    expect(decode(json)).toEqual({ data: null, reasons: [reason] });
  });

  it('is told all at once', () => {
    expect(
      decode({ type: 'EDS', lrs_report_endpoint_metrics: ['a'], lb_policy: 'CLUSTER_PROVIDED' }).reasons,
    ).toHaveLength(3);
  });
});

it('asks the resolver of all clusters where it names none', () => {
  const resolver = { kind: 'getaddrinfo', retries: 3 } as const;
  const surroundings = { words: { headers: () => null, string: () => null }, outlierLog: '', resolver };
  const address = { socket_address: { address: 'a.test', port_value: 1 } };
  const load_assignment = { cluster_name: 'c', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
  const resolverOf = (json: Json): unknown => {
    const message = fromJson(ClusterSchema, { name: 'c', load_assignment, ...json }, { registry });
    const data = decodeCluster(message, new Reasons('cluster'), extensions, surroundings)!;
    return 'dns' in data.discovery ? data.discovery.dns.resolver : null;
  };
  expect(resolverOf({ type: 'STRICT_DNS' })).toEqual(resolver);
  expect(resolverOf({ type: 'STRICT_DNS', dns_resolution_config: { resolvers: [] } })).toMatchObject({ kind: 'cares' });
  expect(resolverOf({ type: 'STATIC', load_assignment: { cluster_name: 'c' } })).toBeNull();
});
