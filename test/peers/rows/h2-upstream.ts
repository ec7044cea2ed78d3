import { cluster, http } from '../config.ts';
import type { Group, Row } from '../row.ts';

/** `typed_extension_protocol_options`, YAML. */
const options = (fields: string): string => `
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    ${fields}`;

const explicit = (fields = ''): string => options(`explicit_http_config: { http2_protocol_options: { ${fields} } }`);

const h2 = (name: string, upstream: string, more = ''): ReturnType<typeof cluster> =>
  cluster(name, [upstream], explicit() + more);

const log = `
access_log:
- name: envoy.access_loggers.file
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
    path: "{{log}}"
    log_format:
      json_format:
        path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"
        code: "%RESPONSE_CODE%"
        flags: "%RESPONSE_FLAGS%"
        details: "%RESPONSE_CODE_DETAILS%"
        received: "%BYTES_RECEIVED%"
        sent: "%BYTES_SENT%"
        upstream: "%UPSTREAM_PROTOCOL%"
        host: "%UPSTREAM_HOST%"
        attempts: "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"
        failure: "%UPSTREAM_TRANSPORT_FAILURE_REASON%"
`;

const hcm = `${log}http_protocol_options: { enable_trailers: true }`;

/** Envoy counts connections that it closes while it reads from them. */
const goodbye = (cluster = 'one'): Readonly<Record<string, string>> => ({
  [`stats.cluster.${cluster}.upstream_cx_protocol_error`]:
    'a connection that closes because it is drained has broken no protocol',
});

const messages: Group = {
  name: 'HTTP/2 upstream',
  config: http({ hcm }, [h2('one', 'one')]),
  rows: [
    { name: 'GET', request: {} },
    { name: 'query and host', request: { path: '/a/b?c=d&e', host: 'Some.Test:8080' } },
    { name: 'HEAD', request: { method: 'HEAD' }, upstream: [{ body: '', headers: [['content-length', '7']] }] },
    { name: 'OPTIONS *', request: { method: 'OPTIONS', path: '*' } },
    { name: 'any method', request: { method: 'PATCH', body: 'x' } },
    { name: 'POST with a length', request: { body: 'hello' } },
    { name: 'POST with chunks', request: { chunks: ['hel', 'lo'] } },
    { name: 'POST of nothing', request: { method: 'POST', body: '' } },
    { name: 'a body of a mebibyte', request: { body: 'x'.repeat(1 << 20) }, upstream: [{ body: 'y'.repeat(1 << 20) }] },
    {
      name: 'trailers both ways',
      request: { chunks: ['body'], trailers: [['x-request-trailer', 'there']] },
      upstream: [{ chunks: ['body'], trailers: [['x-response-trailer', 'back']] }],
    },
    {
      name: 'trailers without a body',
      request: { chunks: [], trailers: [['x-request-trailer', 'there']] },
      upstream: [{ body: '', trailers: [['x-response-trailer', 'back']] }],
    },
    {
      name: 'fields of the connection stay behind',
      request: {
        headers: [
          ['connection', 'keep-alive, x-mine'],
          ['x-mine', '1'],
          ['keep-alive', 'timeout=5'],
          ['proxy-connection', 'close'],
          ['te', 'trailers'],
        ],
      },
    },
    { name: 'te with more than trailers', request: { headers: [['te', 'trailers, deflate;q=0.5']] } },
    { name: 'te without trailers', request: { headers: [['te', 'gzip']] } },
    { name: 'transfer-encoding goes', request: { chunks: ['x'] } },
    {
      name: 'expectations are met here',
      request: { headers: [['expect', '100-continue']], body: 'body' },
    },
    {
      name: 'cookies',
      request: {
        headers: [
          ['cookie', 'a=1; b=2'],
          ['cookie', 'c=3'],
        ],
      },
      upstream: [
        {
          headers: [
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
          ],
        },
      ],
    },
    {
      name: 'repeated fields',
      request: {
        headers: [
          ['x-a', '1'],
          ['X-A', '2'],
        ],
      },
      upstream: [
        {
          headers: [
            ['x-b', '1'],
            ['x-b', '2'],
          ],
        },
      ],
    },
    { name: '204', upstream: [{ status: 204, body: '' }] },
    { name: '304 with a length', upstream: [{ status: 304, body: '', headers: [['content-length', '5']] }] },
    { name: '404', upstream: [{ status: 404 }] },
    { name: 'a body without a length', upstream: [{ chunks: ['a', 'b', 'c'] }] },
    { name: 'a body with a length', upstream: [{ headers: [['content-length', '3']], chunks: ['abc'] }] },
    { name: 'interim responses', upstream: [{ interim: [103] }] },
    { name: 'two interim responses', upstream: [{ interim: [103, 103] }] },
    { name: '100 Continue from upstream', request: { body: 'x' }, upstream: [{ interim: [100] }] },
    { name: 'two in turn share a connection', request: [{ path: '/1' }, { path: '/2' }] },
    {
      name: 'six together share a connection',
      request: ['/1', '/2', '/3', '/4', '/5', '/6'].map((path) => ({ path })),
      mode: 'together',
      staggerMs: 30,
      upstream: [{ delayMs: 300 }],
    },
    { name: 'large headers', request: { headers: [['x-large', 'v'.repeat(20_000)]] } },
    { name: 'large response headers', upstream: [{ headers: [['x-large', 'v'.repeat(20_000)]] }] },
  ],
};

const codes: readonly (readonly [number, string])[] = [
  [0, 'NO_ERROR'],
  [1, 'PROTOCOL_ERROR'],
  [2, 'INTERNAL_ERROR'],
  [3, 'FLOW_CONTROL_ERROR'],
  [5, 'STREAM_CLOSED'],
  [7, 'REFUSED_STREAM'],
  [8, 'CANCEL'],
  [10, 'CONNECT_ERROR'],
  [11, 'ENHANCE_YOUR_CALM'],
  [13, 'HTTP_1_1_REQUIRED'],
];

const failures: Group = {
  name: 'HTTP/2 upstream fails',
  config: http(
    {
      hcm,
      routes: `
- { match: { prefix: /timeout }, route: { cluster: one, timeout: 0.2s } }
- { match: { prefix: / }, route: { cluster: one } }`,
    },
    [h2('one', 'one')],
  ),
  rows: [
    ...codes.map(([resetCode, name]) => ({ name: `reset by ${name}`, upstream: [{ resetCode }] })),
    ...codes
      .filter(([code]) => code !== 0)
      .map(([resetCode, name]) => ({
        name: `reset within the body by ${name}`,
        upstream: [{ resetCode, chunks: ['half'] }],
        until: 'closed' as const,
      })),
    { name: 'takes too long', request: { path: '/timeout' }, upstream: [{ delayMs: 600 }] },
    {
      name: 'answers before the request has ended',
      raw: ['POST /early HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf', 300],
      upstream: [{ isEarly: true }],
      until: 'closed',
      // The upstream's own RST_STREAM comes in the same bytes, or later.
      ignores: /rx_reset/,
    },
    { name: 'says GOAWAY with its answer', upstream: [{ goAwayCode: 0 }], differs: goodbye() },
    { name: 'works again afterwards', request: {} },
    { name: 'says GOAWAY for an error', upstream: [{ goAwayCode: 2 }], differs: goodbye() },
    {
      name: 'says GOAWAY while others are under way',
      request: [{ path: '/1' }, { path: '/2' }, { path: '/3' }],
      mode: 'together',
      staggerMs: 60,
      upstream: [{ delayMs: 300 }, { goAwayCode: 0 }, { delayMs: 50 }],
      differs: goodbye(),
    },
    {
      name: 'sends a body that is too short',
      upstream: [{ headers: [['content-length', '9']], chunks: ['half'] }],
      until: 'closed',
    },
    {
      name: 'sends a body that is too long',
      upstream: [{ headers: [['content-length', '2']], chunks: ['half'] }],
      until: 'closed',
    },
  ],
};

const retries: Group = {
  name: 'HTTP/2 upstream and retries',
  config: http(
    {
      hcm,
      routes: `
- { match: { prefix: /refused }, route: { cluster: one, retry_policy: { retry_on: refused-stream, num_retries: 2 } } }
- { match: { prefix: /reset }, route: { cluster: one, retry_policy: { retry_on: reset } } }
- { match: { prefix: /before }, route: { cluster: one, retry_policy: { retry_on: reset-before-request } } }
- { match: { prefix: /connect }, route: { cluster: one, retry_policy: { retry_on: connect-failure } } }
- { match: { prefix: /5xx }, route: { cluster: one, retry_policy: { retry_on: 5xx } } }
- { match: { prefix: /gateway }, route: { cluster: one, retry_policy: { retry_on: gateway-error } } }
- { match: { prefix: /per-try }, route: { cluster: one, retry_policy: { retry_on: 5xx, per_try_timeout: 0.2s } } }
- { match: { prefix: /hedged }, route: { cluster: one, retry_policy: { retry_on: 5xx, num_retries: 3 } } }
- { match: { prefix: / }, route: { cluster: one } }`,
    },
    [h2('one', 'one')],
  ),
  rows: [
    { name: 'refused, then taken', request: { path: '/refused' }, upstream: [{ resetCode: 7 }, {}] },
    { name: 'refused again and again', request: { path: '/refused' }, upstream: [{ resetCode: 7 }] },
    { name: 'refused with a body', request: { path: '/refused', body: 'again' }, upstream: [{ resetCode: 7 }, {}] },
    {
      name: 'refused with trailers',
      request: { path: '/refused', chunks: ['again'], trailers: [['x-t', '1']] },
      upstream: [{ resetCode: 7 }, {}],
    },
    { name: 'refused-stream does not mean cancelled', request: { path: '/refused' }, upstream: [{ resetCode: 8 }, {}] },
    { name: 'refused without a policy', request: { path: '/' }, upstream: [{ resetCode: 7 }, {}] },
    { name: 'reset means cancelled', request: { path: '/reset' }, upstream: [{ resetCode: 8 }, {}] },
    { name: 'reset means refused', request: { path: '/reset' }, upstream: [{ resetCode: 7 }, {}] },
    { name: 'reset means protocol errors', request: { path: '/reset' }, upstream: [{ resetCode: 1 }, {}] },
    { name: 'reset-before-request is too late', request: { path: '/before' }, upstream: [{ resetCode: 8 }, {}] },
    { name: 'connect-failure does not mean refused', request: { path: '/connect' }, upstream: [{ resetCode: 7 }, {}] },
    { name: '5xx means refused', request: { path: '/5xx' }, upstream: [{ resetCode: 7 }, {}] },
    { name: '5xx means 503', request: { path: '/5xx' }, upstream: [{ status: 503 }, {}] },
    { name: 'gateway-error means cancelled', request: { path: '/gateway' }, upstream: [{ resetCode: 8 }, {}] },
    { name: 'a try takes too long', request: { path: '/per-try' }, upstream: [{ delayMs: 600 }, {}] },
    { name: 'every try takes too long', request: { path: '/per-try' }, upstream: [{ delayMs: 600 }] },
    {
      name: 'not after the head',
      request: { path: '/reset' },
      upstream: [{ resetCode: 8, chunks: ['half'] }],
      until: 'closed',
    },
  ],
};

const together = (count: number): { path: string }[] =>
  Array.from({ length: count }, (_, index) => ({ path: `/${index + 1}` }));

const limits: Group = {
  name: 'HTTP/2 upstream, limits',
  config: http(
    {
      hcm,
      routes: ['one-stream', 'two-streams', 'requests', 'connections', 'pending', 'few']
        .map((name) => `- { match: { prefix: /${name} }, route: { cluster: ${name}, prefix_rewrite: / } }`)
        .join('\n'),
    },
    [
      cluster('one-stream', ['one'], explicit('max_concurrent_streams: 1')),
      cluster('two-streams', ['one'], explicit('max_concurrent_streams: 2')),
      h2('requests', 'one', '\ncircuit_breakers: { thresholds: [{ max_requests: 2 }] }'),
      cluster(
        'connections',
        ['one'],
        `${explicit('max_concurrent_streams: 1')}\ncircuit_breakers: { thresholds: [{ max_connections: 1 }] }`,
      ),
      cluster(
        'pending',
        ['one'],
        `${explicit('max_concurrent_streams: 1')}\ncircuit_breakers: { thresholds: [{ max_connections: 1, max_pending_requests: 1 }] }`,
      ),
      h2('few', 'one', '\nmax_requests_per_connection: 2'),
    ],
  ),
  rows: [
    ...(
      [
        ['one stream a connection', 'one-stream', 3],
        ['two streams a connection', 'two-streams', 3],
        ['max_requests', 'requests', 3],
        ['max_connections', 'connections', 3],
        ['max_pending_requests', 'pending', 3],
        ['requests per connection', 'few', 3],
      ] as const
    ).map(([name, path, count]): Row => ({
      name,
      request: together(count).map((request) => ({ path: `/${path}${request.path}` })),
      mode: 'together',
      staggerMs: 60,
      upstream: [{ delayMs: 300 }],
      ...(path === 'few' ? { differs: goodbye('few') } : {}),
    })),
    {
      name: 'requests per connection, in turn',
      request: together(5).map(({ path }) => ({ path: `/few${path}` })),
      differs: goodbye('few'),
    },
  ],
};

/** Origins that speak TCP, and no HTTP/2. */
const strangers: Group = {
  name: 'HTTP/2 upstream is something else',
  config: http(
    {
      hcm,
      routes: ['dead', 'slam', 'greet', 'bye', 'echo']
        .map((name) => `- { match: { prefix: /${name} }, route: { cluster: ${name} } }`)
        .join('\n'),
    },
    ['dead', 'slam', 'greet', 'bye', 'echo'].map((name) => h2(name, name)),
  ),
  rows: ['dead', 'slam', 'greet', 'bye', 'echo'].map((name) => ({ name, request: { path: `/${name}` } })),
};

const following: Group = {
  name: 'upstream protocol',
  config: http(
    {
      hcm,
      routes: ['follows', 'older', 'older-follows', 'first', 'plain', 'one']
        .map((name) => `- { match: { prefix: /${name}/ }, route: { cluster: ${name} } }`)
        .join('\n'),
    },
    [
      cluster('follows', ['one'], options('use_downstream_protocol_config: { http2_protocol_options: {} }')),
      cluster('older', ['one'], 'http2_protocol_options: {}'),
      cluster('older-follows', ['one'], 'protocol_selection: USE_DOWNSTREAM_PROTOCOL\nhttp2_protocol_options: {}'),
      cluster(
        'first',
        ['one'],
        `${options('explicit_http_config: { http_protocol_options: {} }')}\nhttp2_protocol_options: {}`,
      ),
      cluster(
        'plain',
        ['one'],
        options('use_downstream_protocol_config: {}\n    upstream_http_protocol_options: { auto_sni: true }'),
      ),
    ],
  ),
  rows: ['follows', 'older', 'older-follows', 'first', 'plain', 'one'].flatMap((name): Row[] => [
    { name: `${name}, HTTP/1.1 client`, request: { path: `/${name}/`, body: 'x' } },
    { name: `${name}, HTTP/2 client`, over: 'h2', request: { path: `/${name}/`, body: 'x' } },
  ]),
};

const both: Group = {
  name: 'HTTP/2 to HTTP/2',
  config: http({ hcm: log }, [h2('one', 'one')]),
  rows: (
    [
      { name: 'GET', request: {} },
      { name: 'POST', request: { body: 'hello' } },
      {
        name: 'trailers both ways',
        request: { chunks: ['body'], trailers: [['x-request-trailer', 'there']] },
        upstream: [{ chunks: ['body'], trailers: [['x-response-trailer', 'back']] }],
      },
      { name: 'interim responses', upstream: [{ interim: [103] }] },
      { name: 'te: trailers', request: { headers: [['te', 'trailers']] } },
      { name: 'a scheme of the client’s', request: { scheme: 'https' } },
      { name: 'a mebibyte', request: { body: 'x'.repeat(1 << 20) }, upstream: [{ body: 'y'.repeat(1 << 20) }] },
      { name: 'many streams', request: together(20), mode: 'together', upstream: [{ delayMs: 100 }] },
      { name: 'reset upstream', upstream: [{ resetCode: 8 }] },
      { name: 'refused upstream', upstream: [{ resetCode: 7 }] },
      { name: 'reset upstream within the body', upstream: [{ resetCode: 8, chunks: ['half'] }] },
      { name: 'GOAWAY upstream', upstream: [{ goAwayCode: 0 }], differs: goodbye() },
    ] as const satisfies readonly Row[]
  ).map((row) => ({ over: 'h2', ...row })),
};

export const h2Upstream: readonly Group[] = [messages, failures, retries, limits, strangers, following, both];
