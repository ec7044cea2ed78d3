import { http } from '../config.ts';
import type { Group, Row } from '../row.ts';

const routes = `
- { match: { path: /direct }, direct_response: { status: 200, body: { inline_string: direct } } }
- { match: { prefix: / }, route: { cluster: one } }`;

const versions: Group = {
  name: 'HTTP/1.0 refused',
  config: http({ routes }),
  rows: [
    { name: '1.0', raw: 'GET / HTTP/1.0\r\n\r\n', until: 'closed' },
    {
      name: '1.0 with keep-alive',
      raw: 'GET / HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n',
      until: 'closed',
    },
    { name: 'absolute target', raw: 'GET http://a.test/path?x HTTP/1.1\r\nhost: b.test\r\n\r\n' },
    { name: 'absolute https target', raw: 'GET https://a.test/path HTTP/1.1\r\nhost: b.test\r\n\r\n', logLines: 1 },
    { name: 'OPTIONS *', raw: 'OPTIONS * HTTP/1.1\r\nhost: b.test\r\n\r\n' },
    { name: 'CONNECT', raw: 'CONNECT a.test:443 HTTP/1.1\r\nhost: a.test:443\r\n\r\n' },
    { name: 'PURGE', raw: 'PURGE /x HTTP/1.1\r\nhost: a\r\n\r\n' },
    { name: 'empty lines in front', raw: '\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n' },
  ],
};

const accepted: Group = {
  name: 'HTTP/1.0 accepted',
  config: http({
    routes,
    hcm: 'http_protocol_options: { accept_http_10: true, default_host_for_http_10: default.test }',
  }),
  rows: [
    { name: 'without a host', raw: 'GET / HTTP/1.0\r\n\r\n', until: 'closed' },
    { name: 'with a host', raw: 'GET / HTTP/1.0\r\nhost: a.test\r\n\r\n', until: 'closed' },
    {
      name: 'keep-alive',
      raw: ['GET /direct HTTP/1.0\r\nconnection: keep-alive\r\n\r\n', 100, 'GET /direct HTTP/1.0\r\n\r\n'],
      answers: 2,
      until: 'closed',
      // Envoy gives the client time to close after a direct response, and not after an upstream's.
      ignores: /delayed_close_timeout/,
    },
    {
      name: 'chunked answer becomes close-delimited',
      raw: 'GET / HTTP/1.0\r\nhost: a\r\n\r\n',
      upstream: [{ chunks: ['ab', 'cd'] }],
      until: 'closed',
    },
  ],
};

const bodies: readonly Row[] = [
  { name: 'GET', request: {} },
  { name: 'POST with a length', request: { body: 'hello' } },
  { name: 'POST chunked', request: { chunks: ['hel', 'lo'] } },
  { name: 'POST of nothing', request: { method: 'POST', body: '' } },
  { name: 'POST without any framing', request: { method: 'POST' } },
  { name: 'GET with a body', request: { method: 'GET', body: 'why' } },
  {
    name: 'chunk extensions are dropped',
    raw: 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0;z\r\n\r\n',
  },
  { name: '200 KB up', request: { body: 'u'.repeat(200_000) } },
  { name: '200 KB down', request: {}, upstream: [{ body: 'd'.repeat(200_000) }] },
  { name: 'HEAD with a length', request: { method: 'HEAD' }, upstream: [{ body: '12345' }] },
  {
    name: 'HEAD of a chunked resource',
    request: { method: 'HEAD' },
    upstream: [{ raw: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n' }],
  },
  {
    name: 'HEAD of a resource without framing',
    request: { method: 'HEAD' },
    upstream: [{ raw: 'HTTP/1.1 200 OK\r\n\r\n' }],
  },
  { name: '204', request: {}, upstream: [{ status: 204, body: '' }] },
  {
    name: '304 with a length',
    request: {},
    upstream: [{ raw: 'HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\netag: "x"\r\n\r\n' }],
  },
  { name: 'empty 200', request: {}, upstream: [{ body: '' }] },
  { name: 'chunked answer', request: {}, upstream: [{ chunks: ['one ', 'two ', 'three'] }] },
  {
    name: 'close-delimited answer',
    request: {},
    upstream: [{ raw: 'HTTP/1.1 200 OK\r\nx-a: 1\r\n\r\nuntil the end', ending: 'close' }],
  },
  {
    name: 'HTTP/1.0 upstream',
    request: {},
    upstream: [{ raw: 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok', ending: 'close' }],
  },
  {
    name: 'reason phrase of its own',
    request: {},
    upstream: [{ raw: 'HTTP/1.1 200 Splendid\r\ncontent-length: 0\r\n\r\n' }],
  },
  {
    name: 'trailers are dropped',
    request: { chunks: ['a'], trailers: [['x-t', '1']] },
    upstream: [{ chunks: ['b'], trailers: [['x-u', '2']] }],
  },
  { name: '103 goes through', request: {}, upstream: [{ interim: [103], body: 'x' }] },
  { name: '100 from the upstream', request: { body: 'x' }, upstream: [{ interim: [100], body: 'x' }] },
  {
    name: 'expect: 100-continue',
    raw: ['POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n', 100, 'body'],
  },
  {
    name: 'expect on a direct response',
    raw: ['POST /direct HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n', 100, 'body'],
  },
  { name: 'expect something else', request: { headers: [['expect', 'miracles']], body: 'x' } },
  { name: 'three in turn', request: [{ path: '/1' }, { path: '/2', body: 'x' }, { path: '/3' }] },
  {
    name: 'pipelined',
    request: [{ path: '/1' }, { path: '/direct' }, { path: '/3', body: 'xyz' }],
    mode: 'pipelined',
    differs: {
      '': 'Envoy loses the third request, in answering the second from its own dispatch; here all are answered in order',
    },
  },
  {
    name: 'answer before the end of the request',
    raw: ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf'],
    upstream: [{ isEarly: true, status: 403, body: 'stop' }],
    until: 'closed',
  },
  {
    name: 'one byte at a time',
    raw: Array.from('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n').flatMap((byte) => [byte, 1]),
  },
  {
    name: 'client hangs up while the upstream thinks',
    raw: ['GET / HTTP/1.1\r\nhost: a\r\n\r\n', 100, 'reset'],
    upstream: [{ delayMs: 300 }],
    logLines: 1,
  },
  {
    name: 'client hangs up in mid-request',
    raw: ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf', 100, 'reset'],
    logLines: 1,
  },
  {
    name: 'client half-closes after its request',
    raw: ['GET / HTTP/1.1\r\nhost: a\r\n\r\n', 50, 'end'],
    upstream: [{ delayMs: 300 }],
    until: 'closed',
    logLines: 1,
  },
  {
    name: 'duplicate content-type and set-cookie down',
    differs: {
      'client[0].answer[0].header.vary':
        'Envoy joins repeats of the few fields it has a place for; the meaning is the same',
    },
    request: {},
    upstream: [
      {
        headers: [
          ['content-type', 'a/b'],
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
          ['vary', 'a'],
          ['vary', 'b'],
        ],
        body: 'x',
      },
    ],
  },
  { name: 'obs-fold', raw: 'GET / HTTP/1.1\r\nhost: a\r\nx-folded: one\r\n two\r\n\r\n' },
  { name: 'empty header value and padding', raw: 'GET / HTTP/1.1\r\nhost: a\r\nx-empty:\r\nx-padded:   a b  \r\n\r\n' },
  { name: 'latin1 in a value', raw: 'GET / HTTP/1.1\r\nhost: a\r\nx-latin: caf\xe9\r\n\r\n' },
  { name: 'latin1 in the path', raw: 'GET /caf\xe9 HTTP/1.1\r\nhost: a\r\n\r\n' },
];

const messages: Group = { name: 'messages', config: http({ routes }), rows: bodies };

const trailers: Group = {
  name: 'trailers enabled',
  config: http({
    routes,
    hcm: 'http_protocol_options: { enable_trailers: true }',
    clusters: `
- name: one
  type: STATIC
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config: { http_protocol_options: { enable_trailers: true } }
  load_assignment: { cluster_name: one, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{one}}' } } } }] }] }
`,
  }),
  rows: [
    {
      name: 'of the request',
      request: {
        chunks: ['a'],
        trailers: [
          ['x-t', '1'],
          ['x-t', '2'],
        ],
      },
    },
    {
      name: 'of the response',
      request: {},
      upstream: [
        {
          chunks: ['b'],
          trailers: [
            ['X-U', '2'],
            ['x-v', '3'],
          ],
        },
      ],
    },
    {
      name: 'of both',
      request: { chunks: ['a'], trailers: [['x-t', '1']] },
      upstream: [{ chunks: ['b'], trailers: [['x-u', '2']] }],
    },
  ],
};

const many = (count: number): (readonly [string, string])[] =>
  Array.from({ length: count }, (_, index) => [`x-h-${index}`, 'v']);

const limits: Group = {
  name: 'header limits',
  config: http({ routes }),
  rows: [
    { name: '99 headers', request: { path: '/direct', headers: many(98) } },
    { name: '101 headers', request: { path: '/direct', headers: many(101) }, until: 'closed' },
    { name: '50 KB of headers', request: { path: '/direct', headers: [['x-big', 'b'.repeat(50_000)]] } },
    {
      name: '61 KB of headers',
      request: { path: '/direct', headers: [['x-big', 'b'.repeat(62_000)]] },
      until: 'closed',
    },
    { name: 'long path', request: { path: `/direct${'p'.repeat(20_000)}` } },
    {
      name: 'upstream sends 70 KB of headers',
      request: {},
      upstream: [{ headers: [['x-big', 'b'.repeat(70_000)]], body: 'x' }],
    },
    { name: 'upstream sends 101 headers', request: {}, upstream: [{ headers: many(101), body: 'x' }] },
  ],
};

const small: Group = {
  name: 'header limits set',
  config: http({
    routes,
    hcm: 'max_request_headers_kb: 1\ncommon_http_protocol_options: { max_headers_count: 5, max_requests_per_connection: 2 }',
  }),
  rows: [
    { name: '1.1 KB', request: { path: '/direct', headers: [['x-big', 'b'.repeat(1100)]] }, until: 'closed' },
    { name: '5 headers', request: { path: '/direct', headers: many(4) } },
    { name: '6 headers', request: { path: '/direct', headers: many(5) }, until: 'closed' },
    { name: 'two requests per connection', request: [{ path: '/direct' }, { path: '/direct' }], until: 'closed' },
  ],
};

const badUpstream: Group = {
  name: 'bad upstream messages',
  config: http({ routes }),
  rows: [
    ['no HTTP at all', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['status of letters', 'HTTP/1.1 abc OK\r\ncontent-length: 0\r\n\r\n'],
    ['two different lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    [
      'length and chunked',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    ],
    ['NUL in a value', 'HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n'],
    ['unknown coding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: zip\r\n\r\n'],
    ['bad chunk size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['101 nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
  ].map(([name, raw]): Row => ({
    name: name,
    request: {},
    upstream: [{ raw: raw }],
    ...(name.startsWith('101')
      ? { differs: { '': 'an upstream that changes the protocol unasked could smuggle answers to later requests' } }
      : {}),
  })),
};

const failing: Group = {
  name: 'upstream failures',
  config: http({
    routes: `
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: /silent }, route: { cluster: silent } }
- { match: { prefix: /empty }, route: { cluster: empty } }
- { match: { prefix: / }, route: { cluster: one } }`,
    clusters: `
- { name: empty, type: STATIC, load_assignment: { cluster_name: empty } }
- name: silent
  type: STATIC
  connect_timeout: 0.2s
  load_assignment: { cluster_name: silent, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{silent}}' } } } }] }] }`,
  }),
  rows: [
    { name: 'connection refused', request: { path: '/dead' } },
    { name: 'connection refused, HEAD', request: { method: 'HEAD', path: '/dead' } },
    {
      name: 'connection refused, gRPC',
      request: { method: 'POST', path: '/dead', headers: [['content-type', 'application/grpc']] },
    },
    { name: 'connect timeout', request: { path: '/silent' } },
    { name: 'cluster without endpoints', request: { path: '/empty' } },
    { name: 'reset before the head', request: {}, upstream: [{ raw: '', ending: 'reset' }] },
    { name: 'closed before the head', request: {}, upstream: [{ raw: '', ending: 'close' }] },
    {
      name: 'closed within the head',
      request: {},
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\nx-a: 1\r\n', ending: 'close' }],
    },
    {
      name: 'closed within a counted body',
      request: {},
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf', ending: 'close' }],
      until: 'closed',
    },
    {
      name: 'reset within a counted body',
      request: {},
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf', ending: 'reset' }],
      until: 'closed',
    },
    {
      name: 'closed within a chunked body',
      request: {},
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n', ending: 'close' }],
      until: 'closed',
    },
    { name: 'the connection after a failure', request: [{}, {}], upstream: [{ raw: '', ending: 'reset' }, {}] },
    {
      name: 'idle connection closed by the upstream',
      request: [{}, {}],
      pauseMs: 100,
      upstream: [{ body: 'x', ending: 'close' }, {}],
    },
  ],
};

export const http1: readonly Group[] = [versions, accepted, messages, trailers, limits, small, badUpstream, failing];
