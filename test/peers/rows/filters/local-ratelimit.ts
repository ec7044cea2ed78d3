import { http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const kind = 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit';
const always =
  'filter_enabled: { default_value: { numerator: 100 } }, filter_enforced: { default_value: { numerator: 100 } }';
const hour = 'fill_interval: 3600s';

/** A filter that is never full in the time of a row. */
function limited(name: string, settings: string, rows: readonly Row[], perRoute = ''): Group {
  const route = perRoute === '' ? '' : `, typed_per_filter_config: { local: { '@type': ${kind}, ${perRoute} } }`;
  return {
    name: `local_ratelimit: ${name}`,
    config: http({
      filters: `[{ name: local, typed_config: { '@type': ${kind}, stat_prefix: lrl, ${settings} } }]`,
      routes: `
- { match: { prefix: /route }, route: { cluster: one }${route} }
- { match: { prefix: / }, route: { cluster: one } }`,
    }),
    stats: /http_local_rate_limit|downstream_rq_[1-5]xx/,
    // A second may pass between two requests.
    rows: rows.map((row) => ({ ignores: /x-ratelimit-reset/, ...row })),
  };
}

const get = (path: string, ...headers: [string, string][]) => ({ path, headers });
const grpc = { path: '/s/m', method: 'POST', headers: [['content-type', 'application/grpc']] } as const;

export const localRateLimits: readonly Group[] = [
  limited('the default bucket', `token_bucket: { max_tokens: 2, ${hour} }, ${always}`, [
    { name: 'the third is too many', request: [get('/a'), get('/b'), get('/c'), get('/d')] },
    { name: 'gRPC', request: grpc },
    { name: 'with a body', request: { path: '/', body: 'hello' } },
    { name: 'over HTTP/2', over: 'h2', request: get('/h2') },
  ]),
  limited('without a bucket', `${always}, enable_x_ratelimit_headers: DRAFT_VERSION_03`, [
    { name: 'nothing is limited', request: [get('/'), get('/')] },
  ]),
  limited('off unless told', `token_bucket: { max_tokens: 1, ${hour} }`, [
    { name: 'nothing is counted', request: [get('/'), get('/')] },
  ]),
  limited(
    'not enforced',
    `token_bucket: { max_tokens: 1, ${hour} }, filter_enabled: { default_value: { numerator: 100 } },
    request_headers_to_add_when_not_enforced: [{ header: { key: x-limited, value: '%PROTOCOL%' } }]`,
    [{ name: 'the upstream is told', request: [get('/'), get('/')] }],
  ),
  limited(
    'the answer',
    `token_bucket: { max_tokens: 1, ${hour} }, ${always}, status: { code: ServiceUnavailable },
    response_headers_to_add: [{ header: { key: x-local, value: 'limited %PROTOCOL%' } }],
    rate_limited_as_resource_exhausted: true`,
    [
      { name: 'status and headers', request: [get('/'), get('/')] },
      { name: 'RESOURCE_EXHAUSTED', request: grpc },
    ],
  ),
  limited('a status below 400', `token_bucket: { max_tokens: 0, ${hour} }, ${always}, status: { code: OK }`, [
    { name: 'is 429, and no token is never enough', request: get('/') },
  ]),
  limited(
    'x-ratelimit headers',
    `token_bucket: { max_tokens: 3, tokens_per_fill: 3, ${hour} }, ${always}, enable_x_ratelimit_headers: DRAFT_VERSION_03`,
    [{ name: 'count down', request: [get('/'), get('/'), get('/'), get('/')] }],
  ),
  limited(
    'of a route',
    `token_bucket: { max_tokens: 3, ${hour} }, ${always}`,
    [{ name: 'its own bucket and name', request: [get('/route'), get('/route'), get('/'), get('/')] }],
    `stat_prefix: mine, token_bucket: { max_tokens: 1, ${hour} }, ${always}`,
  ),
  limited(
    'per connection',
    `token_bucket: { max_tokens: 1, ${hour} }, ${always}, local_rate_limit_per_downstream_connection: true`,
    [
      { name: 'two on one', request: [get('/'), get('/')] },
      { name: 'another has its own', request: get('/') },
      { name: 'two connections', mode: 'together', request: [get('/'), get('/')] },
    ],
  ),
  limited('refilled', `token_bucket: { max_tokens: 1, fill_interval: 0.1s }, ${always}`, [
    { name: 'after its interval', request: [get('/'), get('/')], pauseMs: 300 },
  ]),
  ...['OFF', 'DRAFT_VERSION_03'].map((option) =>
    limited(
      `shown by descriptor, ${option}`,
      `token_bucket: { max_tokens: 100, ${hour} }, ${always}, enable_x_ratelimit_headers: ${option},
      descriptors: [
        { entries: [{ key: a }], token_bucket: { max_tokens: 3, ${hour} } },
        { entries: [{ key: b }], token_bucket: { max_tokens: 3, tokens_per_fill: 2, ${hour} } },
        { entries: [{ key: c }], token_bucket: { max_tokens: 3, tokens_per_fill: 3, ${hour} } }],
      rate_limits: [
        { x_ratelimit_option: OFF, actions: [{ request_headers: { header_name: x-a, descriptor_key: a } }] },
        { x_ratelimit_option: DRAFT_VERSION_03, actions: [{ request_headers: { header_name: x-b, descriptor_key: b } }] },
        { actions: [{ request_headers: { header_name: x-c, descriptor_key: c } }] }]`,
      [
        { name: 'none', request: get('/') },
        { name: 'off', request: get('/', ['x-a', '1']) },
        { name: 'on', request: get('/', ['x-b', '1']) },
        { name: 'as the filter', request: get('/', ['x-c', '1']) },
        { name: 'the first of two', request: get('/', ['x-a', '2'], ['x-b', '2']) },
        { name: 'and without it', request: get('/', ['x-b', '3'], ['x-c', '3']) },
        { name: 'too many', request: Array.from({ length: 4 }, () => get('/', ['x-a', '4'])) },
        { name: 'too many that are shown', request: Array.from({ length: 4 }, () => get('/', ['x-b', '4'])) },
      ],
    ),
  ),
  limited(
    'descriptors',
    `token_bucket: { max_tokens: 100, ${hour} }, ${always}, enable_x_ratelimit_headers: DRAFT_VERSION_03,
    descriptors: [
      { entries: [{ key: who, value: foo }], token_bucket: { max_tokens: 1, ${hour} } },
      { entries: [{ key: who, value: bar }, { key: generic_key, value: x }], token_bucket: { max_tokens: 2, ${hour} } },
      { entries: [{ key: header_match, value: yes }], token_bucket: { max_tokens: 1, ${hour} } },
      { entries: [{ key: color, value: 'a b' }], token_bucket: { max_tokens: 1, ${hour} } },
      { entries: [{ key: masked_remote_address, value: 127.0.0.0/8 }, { key: query_match, value: ip }], token_bucket: { max_tokens: 1, ${hour} } },
      { entries: [{ key: remote_address, value: 127.0.0.1 }, { key: destination_cluster, value: one }, { key: query_match, value: q }], token_bucket: { max_tokens: 1, ${hour} } },
      { entries: [{ key: generic_key, value: costly }, { key: cost }], token_bucket: { max_tokens: 5, ${hour} } },
      { entries: [{ key: any, value: '' }], token_bucket: { max_tokens: 1, ${hour} } }],
    rate_limits: [
      { actions: [{ request_headers: { header_name: x-who, descriptor_key: who } }] },
      { actions: [{ request_headers: { header_name: x-who, descriptor_key: who } }, { generic_key: { descriptor_value: x } }] },
      { actions: [{ header_value_match: { descriptor_value: 'yes', headers: [{ name: x-match, string_match: { exact: on } }] } }] },
      { actions: [{ query_parameters: { query_parameter_name: color, descriptor_key: color } }] },
      { actions: [{ masked_remote_address: { v4_prefix_mask_len: 8 } }, { query_parameter_value_match: { descriptor_value: ip, query_parameters: [{ name: ip, present_match: true }] } }] },
      { actions: [{ remote_address: {} }, { destination_cluster: {} }, { query_parameter_value_match: { descriptor_value: q, query_parameters: [{ name: q, present_match: true }] } }] },
      { actions: [{ generic_key: { descriptor_value: costly } }, { request_headers: { header_name: x-cost, descriptor_key: cost } }], hits_addend: { number: 3 } },
      { actions: [{ request_headers: { header_name: x-any, descriptor_key: any } }] }]`,
    [
      { name: 'none', request: get('/') },
      { name: 'a header', request: [get('/', ['x-who', 'foo']), get('/', ['x-who', 'foo'])] },
      { name: 'another value', request: get('/', ['x-who', 'baz']) },
      { name: 'two entries', request: Array.from({ length: 3 }, () => get('/', ['x-who', 'bar'])) },
      { name: 'a header that matches', request: [get('/', ['x-match', 'on']), get('/', ['x-match', 'on'])] },
      { name: 'a query parameter', request: [get('/?color=a%20b'), get('/?color=a%20b')] },
      { name: 'the masked address', request: [get('/?ip'), get('/?ip')] },
      { name: 'address and cluster', request: [get('/?q=1'), get('/?q=1')] },
      { name: 'a request that costs three', request: [get('/', ['x-cost', 'a']), get('/', ['x-cost', 'a'])] },
      { name: 'a wildcard', request: [get('/', ['x-any', 'a']), get('/', ['x-any', 'b']), get('/', ['x-any', 'a'])] },
      { name: 'two descriptors, the first is empty', request: get('/', ['x-any', 'new'], ['x-who', 'foo']) },
    ],
  ),
  limited(
    'descriptors alone',
    `token_bucket: { max_tokens: 1, ${hour} }, ${always}, always_consume_default_token_bucket: false,
    max_dynamic_descriptors: 1,
    descriptors: [{ entries: [{ key: any }], token_bucket: { max_tokens: 1, ${hour} } }],
    rate_limits: [{ actions: [{ request_headers: { header_name: x-any, descriptor_key: any } }] }]`,
    [
      { name: 'the default keeps its token', request: [get('/', ['x-any', 'a']), get('/'), get('/')] },
      { name: 'one place: the older value is forgotten', request: ['b', 'a', 'a'].map((v) => get('/', ['x-any', v])) },
    ],
  ),
];
