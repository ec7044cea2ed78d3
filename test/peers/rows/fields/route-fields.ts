import { cluster, http, type HttpParts } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const types = 'type.googleapis.com/envoy';
const mutation = `${types}.extensions.filters.http.header_mutation.v3`;

const group = (
  name: string,
  parts: HttpParts,
  rows: readonly Row[],
  clusters: Parameters<typeof http>[1] = [],
): Group => ({
  name: `fields: ${name}`,
  config: http(parts, clusters),
  rows,
});

const from = (name: string, value: string, path = '/') => ({ path, headers: [[name, value]] as const });

const older = (name: string, match: string): string =>
  `- { match: { prefix: /, headers: [{ name: x-a, ${match} }] }, direct_response: { status: 200, body: { inline_string: ${name} } } }`;

const again = (fields: string): string => `retry_policy: { retry_on: 5xx, ${fields} }`;

const limited = (name: string, ofRoute: string): string =>
  `- { match: { prefix: /${name} }, route: { cluster: one, ${again('num_retries: 2, retry_back_off: { base_interval: 0.001s }')} }, ${ofRoute} }`;

const append = (where: string, name: string, value: string): string =>
  `${where}: [{ append: { header: { key: ${name}, value: '${value}' } } }]`;

/** Fields of routes, virtual hosts and route configurations that users set, in VirtualServices and EnvoyFilters. */
export const routeFields: readonly Group[] = [
  group(
    'header matchers of old',
    {
      routes: [
        older('exact', 'exact_match: one'),
        older('prefix', 'prefix_match: two'),
        older('suffix', 'suffix_match: three'),
        older('contains', 'contains_match: four'),
        older('regex', "safe_regex_match: { google_re2: {}, regex: 'f[ii]ve' }"),
        '- { match: { prefix: /cookie, cookies: [{ name: a, invert_match: true, string_match: { exact: b } }] }, direct_response: { status: 201 } }',
        '- { match: { prefix: /nowhere }, non_forwarding_action: {} }',
        '- { match: { prefix: / }, route: { cluster: one } }',
      ].join('\n'),
    },
    [
      ...['one', 'two-and', 'and-three', 'a-four-b', 'five', 'six'].map((value) => ({
        name: value,
        request: from('x-a', value),
      })),
      { name: 'no cookie', request: { path: '/cookie' } },
      { name: 'another cookie', request: from('cookie', 'a=c', '/cookie') },
      { name: 'that cookie', request: from('cookie', 'a=b', '/cookie') },
    ],
  ),
  group(
    'the route configuration',
    {
      routeConfig: `
internal_only_headers: [x-inner]
request_headers_to_remove: [x-gone]
response_headers_to_remove: [x-back-gone]
max_direct_response_body_size_bytes: 5000
ignore_port_in_host_matching: true
ignore_path_parameters_in_path_matching: true
metadata: { filter_metadata: { a: { b: c } } }
typed_per_filter_config: { mutate: { '@type': ${mutation}.HeaderMutationPerRoute, mutations: { ${append('request_mutations', 'x-level', 'configuration')} } } }`,
      virtualHosts: `
- name: named
  domains: [a.test]
  typed_per_filter_config: { mutate: { '@type': ${mutation}.HeaderMutationPerRoute, mutations: { ${append('request_mutations', 'x-level', 'host')} } } }
  routes:
  - { match: { path: /exact }, route: { cluster: one } }
  - { match: { prefix: /large }, direct_response: { status: 200, body: { inline_string: '${'x'.repeat(4500)}' } } }
  - { match: { prefix: /weighted }, route: { weighted_clusters: { runtime_key_prefix: w, clusters: [{ name: one, weight: 1, request_headers_to_remove: [x-w], response_headers_to_remove: [x-back-w], typed_per_filter_config: { mutate: { '@type': ${mutation}.HeaderMutationPerRoute, mutations: { ${append('request_mutations', 'x-level', 'weight')} } } } }] } } }
- name: rest
  domains: ['*']
  routes: [{ match: { prefix: / }, route: { cluster: two } }]`,
      hcm: 'use_remote_address: true',
      filters: `[{ name: mutate, typed_config: { '@type': ${mutation}.HeaderMutation, most_specific_header_mutations_wins: true, mutations: { ${append('request_mutations', 'x-level', 'filter')}, query_parameter_mutations: [{ append: { record: { key: q, value: 'new' }, action: OVERWRITE_IF_EXISTS_OR_ADD } }, { remove: gone }], response_mutations: [{ remove_on_match: { key_matcher: { prefix: x-back-secret } } }] } } }]`,
    },
    [
      { name: 'a host with a port', request: { path: '/exact', host: 'a.test:8080' } },
      { name: 'another host', request: { path: '/exact', host: 'b.test' } },
      { name: 'a path with parameters', request: { path: '/exact;v=1', host: 'a.test' } },
      { name: 'a large answer of ours', request: { path: '/large', host: 'a.test' } },
      {
        name: 'fields that are taken away',
        request: {
          path: '/weighted',
          host: 'a.test',
          headers: [
            ['x-inner', '1'],
            ['x-gone', '2'],
            ['x-w', '3'],
            ['x-kept', '4'],
          ],
        },
        upstream: [
          {
            headers: [
              ['x-back-gone', '1'],
              ['x-back-w', '2'],
              ['x-back-secret-key', '3'],
              ['x-back', '4'],
            ],
          },
        ],
      },
      { name: 'query parameters', request: { path: '/weighted?a=1&gone=2&q=old', host: 'a.test' } },
      { name: 'no query', request: { path: '/weighted', host: 'a.test' } },
    ],
  ),
  group(
    'virtual hosts by a header',
    {
      routeConfig: 'vhost_header: x-host',
      virtualHosts: `
- { name: a, domains: [a.test], routes: [{ match: { prefix: / }, route: { cluster: one } }] }
- { name: rest, domains: ['*'], routes: [{ match: { prefix: / }, route: { cluster: two } }] }`,
    },
    [
      { name: 'named by it', request: { path: '/', host: 'b.test', headers: [['x-host', 'a.test']] } },
      { name: 'without it', request: { path: '/', host: 'a.test' } },
    ],
  ),
  group(
    'how much of a request is kept',
    {
      routes: [
        limited('few', 'per_request_buffer_limit_bytes: 4'),
        limited('many', 'request_body_buffer_limit: 4000'),
        limited('', ''),
      ].join('\n'),
      virtualHost: 'per_request_buffer_limit_bytes: 10',
    },
    ['few', 'many', 'usual'].flatMap((name) =>
      ['abc', 'abcdef', 'abcdefghijklmnop'].map((body) => ({
        name: `${body.length} bytes: ${name}`,
        request: { path: `/${name}`, body },
        upstream: [{ status: 503 }, {}],
      })),
    ),
  ),
  group(
    'how much of a request is kept, newly',
    { routes: limited('', ''), virtualHost: 'request_body_buffer_limit: 10' },
    ['abcdef', 'abcdefghijklmnop'].map((body) => ({
      name: `${body.length} bytes`,
      request: { path: '/', body },
      upstream: [{ status: 503 }, {}],
    })),
  ),
  group(
    'redirects and cookies',
    {
      routes: `
- { match: { prefix: /follow }, route: { cluster: one, internal_redirect_action: HANDLE_INTERNAL_REDIRECT, max_internal_redirects: 2 } }
- { match: { prefix: /sticky }, route: { cluster: ring, hash_policy: [{ cookie: { name: s, ttl: 10s, path: /p, attributes: [{ name: SameSite, value: Strict }, { name: Secure }] } }] } }
- { match: { prefix: / }, route: { cluster: one } }`,
    },
    [
      ...[1, 2, 3].map((count) => ({
        name: `${count} redirects`,
        logLines: Math.min(count, 2) + 1,
        request: { path: '/follow' },
        upstream: [
          ...Array.from({ length: count }, (_, i) => ({
            status: 302,
            headers: [['location', `http://test.local/follow/${i}`]] as const,
          })),
          {},
        ],
      })),
      { name: 'a cookie', request: { path: '/sticky' }, ignores: /set-cookie/ },
      { name: 'a cookie that is there', request: from('cookie', 's=abc', '/sticky') },
    ],
    [cluster('ring', ['one'], 'lb_policy: RING_HASH')],
  ),
];
