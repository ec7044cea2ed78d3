import { cluster, endpoint, http } from '../config.ts';
import type { Group } from '../row.ts';

const choosing: Group = {
  name: 'choosing a cluster',
  config: http({
    routes: `
- name: by-header
  match: { prefix: /weighted }
  route: { weighted_clusters: { header_name: x-number, clusters: [{ name: one, weight: 10 }, { name: two, weight: 30 }, { name: three, weight: 60 }] } }
- name: headers
  match: { prefix: /with-headers }
  route:
    weighted_clusters:
      clusters:
      - name: one
        weight: 1
        request_headers_to_add: [{ header: { key: x-w, value: request } }]
        response_headers_to_add: [{ header: { key: x-w, value: response } }]
        host_rewrite_literal: weighted.test
      - { name: two, weight: 0 }
- { name: by-cluster-header, match: { prefix: /named }, route: { cluster_header: x-cluster } }
- { name: weighted-by-cluster-header, match: { prefix: /both }, route: { weighted_clusters: { clusters: [{ cluster_header: x-cluster, weight: 5 }] } } }
- { name: gone, match: { prefix: /code }, route: { cluster_header: x-cluster, cluster_not_found_response_code: NOT_FOUND } }
`,
  }),
  rows: [
    ...['0', '9', '10', '39', '40', '99', '100', '1000000007'].map((value) => ({
      name: `weight by header ${value}`,
      request: { path: '/weighted', headers: [['x-number', value]] as const },
    })),
    { name: 'headers of the weighted cluster', request: { path: '/with-headers' } },
    { name: 'cluster from a header', request: { path: '/named', headers: [['x-cluster', 'two']] } },
    { name: 'cluster header is missing', request: { path: '/named' } },
    { name: 'cluster header names nothing', request: { path: '/named', headers: [['x-cluster', 'nowhere']] } },
    { name: 'status of an unknown cluster', request: { path: '/code', headers: [['x-cluster', 'nowhere']] } },
    { name: 'weighted by cluster header', request: { path: '/both', headers: [['x-cluster', 'three']] } },
  ],
};

const balancing: Group = {
  name: 'endpoints',
  config: http(
    {
      routes: `
- { match: { prefix: /priorities }, route: { cluster: priorities } }
- { match: { prefix: /first-empty }, route: { cluster: first-empty } }
- { match: { prefix: /weighted }, route: { cluster: weighted } }
- { match: { prefix: /dns }, route: { cluster: dns } }
- { match: { prefix: /logical }, route: { cluster: logical } }
- { match: { prefix: /nowhere }, route: { cluster: nowhere } }`,
    },
    [
      {
        ...cluster('priorities', []),
        load_assignment: {
          cluster_name: 'priorities',
          endpoints: [
            { priority: 0, lb_endpoints: [endpoint('one')] },
            { priority: 1, lb_endpoints: [endpoint('two')] },
          ],
        },
      },
      {
        ...cluster('first-empty', []),
        load_assignment: {
          cluster_name: 'first-empty',
          endpoints: [
            { priority: 0, lb_endpoints: [endpoint('one', 'health_status: UNHEALTHY')] },
            { priority: 1, lb_endpoints: [endpoint('two')] },
          ],
        },
      },
      {
        ...cluster('weighted', []),
        load_assignment: {
          cluster_name: 'weighted',
          endpoints: [
            {
              lb_endpoints: [endpoint('one', 'load_balancing_weight: 3'), endpoint('two', 'load_balancing_weight: 1')],
            },
          ],
        },
      },
      named('dns', 'STRICT_DNS', 'localhost'),
      named('logical', 'LOGICAL_DNS', 'localhost'),
      named('nowhere', 'STRICT_DNS', 'does-not-exist.invalid'),
    ],
  ),
  rows: [
    {
      name: 'the first priority takes all',
      request: [{ path: '/priorities' }, { path: '/priorities' }, { path: '/priorities' }],
    },
    { name: 'an unhealthy priority is passed over', request: [{ path: '/first-empty' }, { path: '/first-empty' }] },
    {
      name: 'weights 3 and 1 over eight requests',
      request: Array.from({ length: 8 }, () => ({ path: '/weighted' })),
      // Where the round begins is random, so only the shares are compared: six and two.
      ignores: /^client.*body|^upstream\[|^log.*host|upstream_cx/,
    },
    { name: 'STRICT_DNS', request: { path: '/dns' }, ignores: /\.update_/ },
    { name: 'LOGICAL_DNS', request: { path: '/logical' }, ignores: /\.update_/ },
    { name: 'a name that does not resolve', request: { path: '/nowhere' }, ignores: /\.update_/ },
  ],
};

function named(name: string, type: string, host: string): Record<string, unknown> {
  const address = { socket_address: { address: host, port_value: '{{one}}' } };
  return {
    ...cluster(name, [], `{ type: ${type}, dns_lookup_family: V4_ONLY }`),
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

/** Who is asked where a cluster does not say: nobody answers at the one of the bootstrap. */
const resolvers: Group = {
  name: 'clusters: the resolver of the bootstrap',
  config: http(
    {
      routes: ['own', 'none']
        .map((name) => `- { match: { prefix: /${name} }, route: { cluster: ${name} } }`)
        .join('\n'),
      bootstrap: `
typed_dns_resolver_config:
  name: envoy.network.dns_resolver.cares
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig
    resolvers: [{ socket_address: { address: 127.0.0.1, port_value: '{{dead}}' } }]
    query_timeout_seconds: 1
    query_tries: 1`,
    },
    [
      {
        ...named('own', 'STRICT_DNS', 'localhost'),
        typed_dns_resolver_config: {
          name: 'envoy.network.dns_resolver.getaddrinfo',
          typed_config: {
            '@type':
              'type.googleapis.com/envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig',
          },
        },
      },
      named('none', 'STRICT_DNS', 'any.test'),
    ],
  ),
  rows: [
    { name: 'its own', request: { path: '/own' }, ignores: /\.update_/ },
    { name: 'that of all', request: { path: '/none' }, ignores: /\.update_/ },
  ],
};

export const clusters: readonly Group[] = [choosing, balancing, resolvers];
