import { accessLog, http } from '../config.ts';
import type { Group, Pairs, Request, Row, Step } from '../row.ts';

/** One gRPC frame; a character is a byte. */
export function frame(message: string, flags = 0): string {
  const { length } = message;
  return String.fromCharCode(flags, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255) + message;
}

/** Cluster `one`, whose HTTP/1.1 upstream may answer with trailers. */
export const trailing = `
- name: one
  type: STATIC
  connect_timeout: 5s
  load_assignment: { cluster_name: one, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{one}}' } } } }] }] }
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config: { http_protocol_options: { enable_trailers: true } }`;

/** Trailers on both sides, and the gRPC fields of the log. */
export const withTrailers = (more = '') => `
http_protocol_options: { enable_trailers: true }
access_log: [${JSON.stringify(
  accessLog({
    json_format: {
      code: '%RESPONSE_CODE%',
      details: '%RESPONSE_CODE_DETAILS%',
      flags: '%RESPONSE_FLAGS%',
      grpc: '%GRPC_STATUS%',
      number: '%GRPC_STATUS_NUMBER%',
      trailer: '%TRAILER(grpc-status)%',
      received: '%BYTES_RECEIVED%',
      sent: '%BYTES_SENT%',
      type: '%REQ(content-type)%',
      path: '%REQ(:path)%',
      state: '%FILTER_STATE(envoy.filters.http.grpc_stats)%',
      plain: '%FILTER_STATE(envoy.filters.http.grpc_stats:PLAIN)%',
      field: '%FILTER_STATE(envoy.filters.http.grpc_stats:FIELD:request_message_count)%',
    },
  }),
)}]
${more}`;

/**
 * A gRPC status that comes with its head is tried again, in trailers as in the head; Envoy makes no such repeat. Whether
 * it comes with its head, the machine decides: what the row is about is held by unit tests.
 */
export const repeatedTrailers = /^(client\[0\]\.answer\[0\]|upstream|log\[0\]|stats)/;

const status = (code: string, message?: string): Pairs => [
  ['grpc-status', code],
  ...(message === undefined ? [] : ([['grpc-message', message]] as const)),
];

/** A call as gRPC makes it, over HTTP/1.1. */
export const call = (
  path: string,
  chunks: readonly string[],
  more: Pairs = [],
  type = 'application/grpc',
): Request => ({
  method: 'POST',
  path,
  headers: [['content-type', type], ['te', 'trailers'], ...more],
  chunks,
});

export const answer = (chunks: readonly string[], trailers: Pairs, type = 'application/grpc'): Step => ({
  headers: [['content-type', type]],
  chunks,
  trailers,
});

/** An answer without a body: the status is in the head. */
const trailersOnly = (code: string, message?: string): Step => ({
  headers: [['content-type', 'application/grpc'], ...status(code, message)],
  body: '',
});

const stats = (settings: string) => `
- name: envoy.filters.http.grpc_stats
  typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.grpc_stats.v3.FilterConfig, ${settings} }`;

const routes = `
- { match: { prefix: /dead }, route: { cluster: dead, prefix_rewrite: / } }
- { match: { prefix: /direct }, direct_response: { status: 403, body: { inline_string: no } } }
- { match: { prefix: /retry }, route: { cluster: one, retry_policy: { retry_on: 'cancelled,deadline-exceeded,internal,resource-exhausted,unavailable', num_retries: 2 } } }
- { match: { prefix: / }, route: { cluster: one } }`;

const service = '/pkg.Service/Method';
const ok = answer([frame('pong')], status('0'));

const rowsOfStats: readonly Row[] = [
  { name: 'unary', request: call(service, [frame('ping')]), upstream: [ok] },
  { name: 'query', request: call(`${service}?a=/b`, [frame('ping')]), upstream: [ok] },
  { name: 'slashes', request: call('//pkg.Service//Method/', [frame('ping')]), upstream: [ok] },
  { name: 'another method', request: call('/pkg.Service/Other', [frame('ping')]), upstream: [ok] },
  { name: 'another service', request: call('/Simple/Method', [frame('ping')]), upstream: [ok] },
  { name: 'three words', request: call('/a/b/c', [frame('ping')]), upstream: [ok] },
  { name: 'with a codec', request: call(service, [frame('ping')], [], 'application/grpc+json'), upstream: [ok] },
  {
    name: 'streams',
    request: call(service, [frame('a') + frame('') + frame('bb').slice(0, 3), frame('bb').slice(3), frame('c', 1)]),
    upstream: [answer([frame('a') + '\0', '\0\0', '\0', '\u0002bb', frame('')], status('0'))],
  },
  {
    name: 'cut short',
    request: call(service, ['\0\0']),
    upstream: [answer([frame('abcdef').slice(0, 7)], status('0'))],
  },
  { name: 'failure', request: call(service, [frame('ping')]), upstream: [answer([], status('5', 'gone'))] },
  { name: 'unknown status', request: call(service, [frame('ping')]), upstream: [answer([], status('77'))] },
  { name: 'status is no number', request: call(service, [frame('ping')]), upstream: [answer([], status('x'))] },
  { name: 'trailers only', request: call(service, [frame('ping')]), upstream: [trailersOnly('14', 'later')] },
  { name: 'no status', request: call(service, [frame('ping')]), upstream: [answer([frame('x')], [['x-t', '1']])] },
  { name: 'not gRPC', request: call(service, [frame('ping')], [], 'text/plain'), upstream: [ok] },
  { name: 'gRPC-Web', request: call(service, [frame('ping')], [], 'application/grpc-web'), upstream: [ok] },
  {
    name: 'answer is not gRPC',
    request: call(service, [frame('ping')]),
    upstream: [{ status: 503, body: frame('x') }],
  },
  {
    name: 'answer is another type',
    request: call(service, [frame('ping')]),
    upstream: [answer([frame('pong')], status('0'), 'text/plain')],
  },
  { name: 'refused', request: call('/dead/Method', [frame('ping')]) },
  { name: 'answered here', request: call('/direct/Method', [frame('ping')]) },
  { name: 'tried again', request: call('/retry/Method', [frame('ping')]), upstream: [trailersOnly('14'), ok] },
  {
    name: 'Connect unary',
    request: call(service, ['{}'], [['connect-protocol-version', '1']], 'application/json'),
    upstream: [{ headers: [['content-type', 'application/json']], body: '{}' }],
  },
  {
    name: 'Connect unary, empty',
    request: call(service, [], [['connect-protocol-version', '1']], 'application/json'),
    upstream: [{ headers: [['content-type', 'application/json']], status: 404, body: '' }],
  },
  {
    name: 'Connect unary, failure',
    request: call(service, ['{', '}'], [['connect-protocol-version', '1']], 'application/json'),
    upstream: [{ headers: [['content-type', 'application/json']], status: 404, body: '{"code":"not_found"}' }],
  },
  {
    name: 'Connect streaming',
    request: call(service, [frame('{}'), frame('{}')], [], 'application/connect+json'),
    upstream: [{ headers: [['content-type', 'application/connect+json']], chunks: [frame('{}'), frame('{}', 2)] }],
  },
  {
    name: 'Connect streaming, failure',
    request: call(service, [frame('{}')], [], 'application/connect+json'),
    upstream: [
      {
        headers: [['content-type', 'application/connect+json']],
        chunks: [
          frame('{}'),
          frame('{"error":{"code":"internal"}}', 2).slice(0, 9),
          '"error":{"code":"internal"}}'.slice(3),
        ],
      },
    ],
  },
  {
    name: 'Connect streaming, end is no JSON',
    request: call(service, [frame('{}')], [], 'application/connect+json'),
    upstream: [{ headers: [['content-type', 'application/connect+json']], chunks: [frame('{}'), frame('{]', 2)] }],
  },
  {
    name: 'Connect streaming, no end',
    request: call(service, [frame('{}')], [], 'application/connect+json'),
    upstream: [{ headers: [['content-type', 'application/connect+json']], chunks: [frame('{}')] }],
  },
];

const twice: Row = {
  name: 'Connect streaming, with its version',
  request: call(service, [frame('{}')], [['connect-protocol-version', '1']], 'application/connect+json'),
  upstream: [{ headers: [['content-type', 'application/connect+json']], chunks: [frame('{}'), frame('{}', 2)] }],
  differs: { 'stats.cluster.one.grpc': 'Envoy counts such a call once for its head and once for its end' },
};

const statsGroup = (name: string, settings: string, more: readonly Row[] = []): Group => ({
  name: `grpc_stats: ${name}`,
  config: http({ filters: stats(settings), hcm: withTrailers(), clusters: trailing, routes }),
  rows: [...rowsOfStats, ...more],
});

/** One call that asks for a deadline; the upstream answers at once, or after 400 ms. */
const timed = (path: string, timeout: string | null, delayMs = 0, type = 'application/grpc') => ({
  name: `${path.slice(1)}, ${timeout ?? 'none'}${delayMs === 0 ? '' : ', late'}${type === 'application/grpc' ? '' : ', not gRPC'}`,
  request: call(path, [frame('ping')], timeout === null ? [] : [['grpc-timeout', timeout]], type),
  upstream: [{ ...ok, delayMs }],
});

const timeouts: Group = {
  name: 'grpc-timeout',
  config: http({
    hcm: withTrailers(),
    clusters: trailing,
    routes: `
- { match: { path: /none }, route: { cluster: one, timeout: 2s } }
- { match: { path: /max }, route: { cluster: one, timeout: 0s, max_stream_duration: { grpc_timeout_header_max: 0.2s } } }
- { match: { path: /open }, route: { cluster: one, timeout: 0s, max_stream_duration: { grpc_timeout_header_max: 0s } } }
- { match: { path: /offset }, route: { cluster: one, timeout: 0s, max_stream_duration: { grpc_timeout_header_max: 2s, grpc_timeout_header_offset: 0.05s } } }
- { match: { path: /duration }, route: { cluster: one, timeout: 0s, max_stream_duration: { max_stream_duration: 0.2s } } }
- { match: { path: /endless }, route: { cluster: one, timeout: 0s, max_stream_duration: { max_stream_duration: 0s } } }
- { match: { path: /empty }, route: { cluster: one, timeout: 0s, max_stream_duration: {} } }
- { match: { path: /both }, route: { cluster: one, timeout: 0s, max_stream_duration: { max_stream_duration: 0.2s, grpc_timeout_header_max: 2s } } }
- { match: { path: /response }, route: { cluster: one, timeout: 0.2s, max_stream_duration: { grpc_timeout_header_max: 2s } } }
- { match: { path: /old }, route: { cluster: one, timeout: 3s, max_grpc_timeout: 2s } }
- { match: { path: /old-open }, route: { cluster: one, timeout: 3s, max_grpc_timeout: 0s } }
- { match: { path: /old-offset }, route: { cluster: one, timeout: 3s, max_grpc_timeout: 0s, grpc_timeout_offset: 0.05s } }
- { match: { path: /old-tries }, route: { cluster: one, timeout: 3s, max_grpc_timeout: 2s, retry_policy: { retry_on: 5xx, per_try_timeout: 0.15s, num_retries: 1 } } }
- { match: { path: /old-and-new }, route: { cluster: one, timeout: 3s, max_grpc_timeout: 2s, max_stream_duration: { grpc_timeout_header_max: 1s } } }`,
  }),
  rows: [
    timed('/none', '1S'),
    timed('/max', '150m', 400),
    timed('/max', '10S', 400),
    timed('/max', '10S', 400, 'text/plain'),
    timed('/max', '10S'),
    timed('/max', null, 400),
    timed('/max', '100000u'),
    timed('/max', 'soon', 400),
    timed('/max', '', 400),
    timed('/max', '000000100m'),
    timed('/max', '123456789m'),
    timed('/max', '+100m'),
    timed('/max', ' 100m'),
    timed('/max', '100 m'),
    timed('/max', '100'),
    timed('/max', '100x'),
    timed('/max', '-1S'),
    timed('/open', '150m', 400),
    timed('/open', '1H'),
    timed('/open', '99999999S'),
    timed('/open', '99999999M'),
    timed('/open', '99999999H'),
    timed('/open', '100000S'),
    timed('/open', null),
    timed('/offset', '200m', 400),
    timed('/offset', '1S'),
    timed('/duration', null),
    timed('/duration', '5S'),
    timed('/duration', '5S', 400),
    timed('/duration', '5S', 0, 'text/plain'),
    timed('/endless', '5S'),
    timed('/endless', null),
    timed('/empty', '5S'),
    timed('/both', '1S'),
    timed('/both', null),
    timed('/both', null, 400),
    timed('/response', '1S', 400),
    timed('/old', '1S'),
    timed('/old', '5S'),
    timed('/old', null),
    timed('/old', '150m', 400),
    timed('/old', '5S', 0, 'text/plain'),
    timed('/old-open', '200000S'),
    timed('/old-open', null),
    timed('/old-offset', '200m', 400),
    timed('/old-offset', '50m'),
    timed('/old-tries', '1S'),
    timed('/old-and-new', '5S'),
    timed('/old-and-new', null),
    // Whether the request has left when its time is up at once.
    { ...timed('/max', '0S'), ignores: /^upstream|^stats/ },
    { ...timed('/offset', '50m'), ignores: /^upstream|^stats/ },
    { ...timed('/offset', '20m'), ignores: /^upstream|^stats/ },
  ],
};

const tokens = ['cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable'];
const codes = ['0', '1', '2', '4', '8', '13', '14', '014', 'x'];

const retries: Group = {
  name: 'gRPC retries',
  config: http({
    hcm: withTrailers(
      'use_remote_address: true\ninternal_address_config: { cidr_ranges: [{ address_prefix: 127.0.0.0, prefix_len: 8 }] }',
    ),
    clusters: trailing,
    routes: [
      ...tokens.map(
        (token) => `- { match: { path: /${token} }, route: { cluster: one, retry_policy: { retry_on: ${token} } } }\n`,
      ),
      '- { match: { path: /twice }, route: { cluster: one, retry_policy: { retry_on: unavailable, num_retries: 2 } } }\n',
      '- { match: { prefix: / }, route: { cluster: one } }',
    ].join(''),
  }),
  rows: [
    ...tokens.flatMap((token) =>
      codes.map((code) => ({
        name: `${token}: ${code}`,
        request: call(`/${token}`, [frame('ping')]),
        upstream: [trailersOnly(code), ok],
      })),
    ),
    {
      name: 'status in trailers',
      ignores: repeatedTrailers,
      request: call('/unavailable', [frame('ping')]),
      upstream: [answer([], [['grpc-status', '14']]), ok],
    },
    { name: 'all fail', request: call('/twice', [frame('ping')]), upstream: [trailersOnly('14', 'never')] },
    {
      name: 'asked for by header',
      request: call('/', [frame('ping')], [['x-envoy-retry-grpc-on', 'unavailable,cancelled']]),
      upstream: [trailersOnly('1'), ok],
    },
    {
      name: 'not asked for by header',
      request: call('/', [frame('ping')], [['x-envoy-retry-grpc-on', 'unavailable']]),
      upstream: [trailersOnly('1'), ok],
    },
    {
      name: 'not gRPC',
      request: call('/unavailable', ['x'], [], 'text/plain'),
      upstream: [trailersOnly('14'), ok],
    },
  ],
};

export const grpc: readonly Group[] = [
  statsGroup('all methods', 'stats_for_all_methods: true, enable_upstream_stats: true', [twice]),
  statsGroup('one number for all', 'emit_filter_state: true'),
  statsGroup(
    'listed methods',
    'individual_method_stats_allowlist: { services: [{ name: pkg.Service, method_names: [Method, Third] }, { name: Simple, method_names: [Method] }] }, replace_dots_in_grpc_service_name: true',
  ),
  statsGroup(
    'dots replaced',
    'stats_for_all_methods: true, replace_dots_in_grpc_service_name: true, emit_filter_state: true',
  ),
  timeouts,
  retries,
];
