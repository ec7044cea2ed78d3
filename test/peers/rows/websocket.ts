import { http } from '../config.ts';
import type { Group, Row } from '../row.ts';

const websocket = 'upgrade_configs: [{ upgrade_type: websocket }]';
const fields =
  'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n';
const ask = (path = '/', more = fields): string => `GET ${path} HTTP/1.1\r\nhost: test.local\r\n${more}\r\n`;
/** Whether a close becomes a reset is a race of unread bytes. */
const closed: Pick<Row, 'until' | 'waitMs' | 'logLines' | 'ignores'> = {
  until: 'closed',
  waitMs: 1500,
  logLines: 1,
  ignores: /complete$|\.end$|delayed_close_timeout/,
};

const overHttp1: Group = {
  name: 'WebSocket over HTTP/1.1',
  config: http({
    hcm: websocket,
    routes: `
- { match: { prefix: /off }, route: { cluster: one, upgrade_configs: [{ upgrade_type: websocket, enabled: false }] } }
- { match: { prefix: /direct }, direct_response: { status: 200, body: { inline_string: direct } } }
- { match: { prefix: /away }, redirect: { path_redirect: /there } }
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: /nocluster }, route: { cluster_header: x-none } }
- { match: { prefix: /retry }, route: { cluster: one, retry_policy: { retry_on: '5xx,reset', num_retries: 2 } } }
- { match: { prefix: /timeout }, route: { cluster: one, timeout: 1s } }
- { match: { prefix: /idle }, route: { cluster: one, idle_timeout: 0.3s } }
- { match: { prefix: /duration }, route: { cluster: one, max_stream_duration: { max_stream_duration: 0.4s } } }
- { match: { prefix: /x }, route: { cluster: one } }
- { match: { path: / }, route: { cluster: one } }`,
  }),
  rows: [
    {
      name: 'bytes both ways',
      raw: [ask(), 150, 'hello', 150, ' world', 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'bytes together with the head',
      raw: [`${ask()}early`, 100, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'bytes before the answer',
      raw: [ask(), 20, 'early', 300, 'end'],
      upstream: [{ tunnel: 'echo', delayMs: 150 }],
      ...closed,
    },
    { name: 'the upstream speaks first', raw: [ask(), 100, 'end'], upstream: [{ tunnel: 'greet' }], ...closed },
    {
      name: 'the client half-closes and the upstream answers',
      raw: [ask(), 150, '12345', 'end'],
      upstream: [{ tunnel: 'count' }],
      ...closed,
      // A busy machine brings bytes and end before the answer is there: then it is no tunnel yet.
      ignores: /upstream\[0\]\.(body|complete)/,
    },
    { name: 'the upstream closes', raw: [ask(), 150, 'hello'], upstream: [{ tunnel: 'bye' }], ...closed },
    { name: 'the upstream resets', raw: [ask(), 150, 'hello'], upstream: [{ tunnel: 'slam' }], ...closed },
    { name: 'the client resets', raw: [ask(), 150, 'hello', 150, 'reset'], upstream: [{ tunnel: 'echo' }], ...closed },
    {
      name: 'lower-case connection',
      raw: [ask('/', fields.replace('Upgrade', 'upgrade')), 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'keep-alive beside upgrade',
      raw: [ask('/', fields.replace('Upgrade', 'keep-alive, Upgrade')), 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'WebSocket in other case',
      raw: [ask('/', fields.replace(': websocket', ': WebSocket')), 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'connection names a field besides',
      raw: [ask('/', `${fields.replace('Upgrade', 'Upgrade, x-a')}x-a: 1\r\n`), 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'a length',
      raw: [ask('/', `${fields}content-length: 5\r\n`), 'hello', 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'chunked',
      raw: [ask('/', `${fields}transfer-encoding: chunked\r\n`), '5\r\nhello\r\n0\r\n\r\n', 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'POST',
      raw: [ask().replace('GET', 'POST'), 150, 'hello', 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: '101 with fields of its own',
      raw: [ask(), 150, 'end'],
      upstream: [
        {
          tunnel: 'echo',
          headers: [
            ['Upgrade', 'websocket'],
            ['Connection', 'upgrade'],
            ['Sec-WebSocket-Accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
            ['X-A', '1'],
          ],
        },
      ],
      ...closed,
      isOrdered: true,
    },
    {
      name: '101 without upgrade fields',
      raw: [ask(), 150, 'hello', 150, 'end'],
      upstream: [{ tunnel: 'echo', headers: [] }],
      ...closed,
    },
    {
      name: '101 with a length',
      raw: [ask(), 150, 'end'],
      upstream: [
        {
          tunnel: 'echo',
          headers: [
            ['connection', 'upgrade'],
            ['upgrade', 'websocket'],
            ['content-length', '0'],
          ],
        },
      ],
      ...closed,
    },
    { name: '200 with a body', raw: [ask(), 150, 'late'], upstream: [{ status: 200, body: 'no upgrade' }], ...closed },
    {
      name: '200 chunked',
      raw: [ask()],
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n' }],
      ...closed,
    },
    {
      name: '200 with upgrade fields and no length',
      raw: [ask()],
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nbody', ending: 'close' }],
      ...closed,
    },
    {
      name: '204',
      raw: [ask(), 150, 'end'],
      upstream: [
        {
          status: 204,
          headers: [
            ['x-a', '1'],
            ['server', 'other'],
          ],
        },
      ],
      ...closed,
    },
    {
      name: '302',
      raw: [ask()],
      upstream: [
        {
          status: 302,
          headers: [
            ['location', '/there'],
            ['x-a', '1'],
            ['x-a', '2'],
            ['content-type', 'text/html'],
            ['set-cookie', 'a=b'],
          ],
          body: 'gone',
        },
      ],
      ...closed,
    },
    { name: '500', raw: [ask()], upstream: [{ status: 500, body: 'broken' }], ...closed },
    { name: '403 without a body', raw: [ask()], upstream: [{ status: 403 }], ...closed },
    {
      name: '403 with a request behind it',
      raw: [ask(), 100, ask('/x', '')],
      upstream: [{ status: 403, body: 'no' }, {}],
      ...closed,
    },
    {
      name: '426',
      raw: [ask()],
      upstream: [
        {
          status: 426,
          headers: [
            ['upgrade', 'other'],
            ['connection', 'upgrade'],
          ],
        },
      ],
      ...closed,
    },
    { name: '503 is retried or not', raw: [ask('/retry')], upstream: [{ status: 503 }, { tunnel: 'echo' }], ...closed },
    {
      name: 'reset is retried or not',
      raw: [ask('/retry')],
      upstream: [{ raw: '', ending: 'reset' }, { tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'the upstream closes without an answer',
      raw: [ask()],
      upstream: [{ raw: '', ending: 'close' }],
      ...closed,
    },
    { name: 'another upgrade', raw: [ask('/', 'connection: upgrade\r\nupgrade: other\r\n')], ...closed },
    {
      name: 'another upgrade with a request behind it',
      raw: [ask('/', 'connection: upgrade\r\nupgrade: other\r\n') + ask('/x', '')],
      ...closed,
    },
    { name: 'h2c is ignored', raw: [ask('/', 'connection: upgrade\r\nupgrade: h2c\r\n')], until: 'answered' },
    { name: 'upgrade without connection', raw: [ask('/', 'upgrade: websocket\r\n')], until: 'answered' },
    { name: 'off on the route', raw: [ask('/off')], ...closed },
    { name: 'without a route', raw: [ask('/nothing')], ...closed },
    { name: 'direct response', raw: [ask('/direct')], ...closed },
    { name: 'redirect', raw: [ask('/away')], ...closed },
    { name: 'refused upstream', raw: [ask('/dead')], ...closed },
    {
      name: 'route timeout after the upgrade',
      raw: [ask('/timeout'), 1400, 'hello', 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'route timeout before the answer',
      raw: [ask('/timeout')],
      upstream: [{ tunnel: 'echo', delayMs: 1600 }],
      ...closed,
    },
    {
      name: 'idle timeout after the upgrade',
      raw: [ask('/idle'), 100, 'hello'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'idle timeout before the answer',
      raw: [ask('/idle')],
      upstream: [{ tunnel: 'echo', delayMs: 700 }],
      ...closed,
    },
    {
      name: 'longest duration after the upgrade',
      raw: [ask('/duration'), 100, 'hello'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
  ],
};

const h2 = (name: string, options: string): string => `
- name: ${name}
  type: STATIC
  connect_timeout: 5s
  load_assignment: { cluster_name: ${name}, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: "{{one}}" } } } }] }] }
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config: { http2_protocol_options: ${options} }`;

const toHttp2: Group = {
  name: 'WebSocket from HTTP/1.1 to HTTP/2',
  config: http({
    hcm: websocket,
    clusters: `${h2('multi', '{ allow_connect: true }')}${h2('plain', '{}')}`,
    routes: `
- { match: { prefix: /plain }, route: { cluster: plain } }
- { match: { prefix: / }, route: { cluster: multi } }`,
  }),
  rows: [
    {
      name: 'bytes both ways',
      raw: [ask(), 150, 'hello', 50, ' world', 50, 'end'],
      upstream: [{ tunnel: 'echo', headers: [['x-a', '1']] }],
      ...closed,
    },
    {
      name: 'the upstream speaks first',
      raw: [ask(), 150, 'end'],
      upstream: [{ tunnel: 'greet', headers: [] }],
      ...closed,
    },
    { name: 'the upstream ends', raw: [ask(), 150, 'hello'], upstream: [{ tunnel: 'bye', headers: [] }], ...closed },
    { name: 'the upstream resets', raw: [ask(), 150, 'hello'], upstream: [{ tunnel: 'slam', headers: [] }], ...closed },
    {
      name: 'the client resets',
      raw: [ask(), 150, 'hello', 100, 'reset'],
      upstream: [{ tunnel: 'echo', headers: [] }],
      ...closed,
    },
    { name: '403 with a body', raw: [ask()], upstream: [{ status: 403, body: 'no', isEarly: true }], ...closed },
    { name: '200 that ends', raw: [ask()], upstream: [{ status: 200, body: '', isEarly: true }], ...closed },
    { name: '201', raw: [ask()], upstream: [{ status: 201, body: 'created', isEarly: true }], ...closed },
    { name: 'refused stream', raw: [ask()], upstream: [{ resetCode: 7, isEarly: true }], ...closed },
    {
      name: 'allow_connect is off',
      raw: [ask('/plain'), 150, 'end'],
      upstream: [{ tunnel: 'echo', headers: [] }],
      ...closed,
    },
  ],
};

const wsHeaders = [
  ['sec-websocket-version', '13'],
  ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
] as const;
const extended = { method: 'CONNECT', protocol: 'websocket', headers: wsHeaders, isOpen: true } as const;
const overH2: Pick<Row, 'over' | 'waitMs' | 'logLines' | 'ignores'> = {
  over: 'h2',
  waitMs: 700,
  logLines: 1,
  ignores: /^upstream.*complete$/,
};
const chatting = { ...extended, chunks: ['hello', ' world'], chunkPauseMs: 150 } as const;

const drain = 'sekisho sends a PING behind the first and the second when it is answered';
const secondGoAway = { 'stats.http2.goaway_sent': drain, 'client[0].goAway[1]': drain };

const http2Refusals: readonly Row[] = [
  { name: '403 with a body', request: extended, upstream: [{ status: 403, body: 'no', isEarly: true }], ...overH2 },
  {
    name: '200 with a body',
    request: extended,
    upstream: [
      {
        status: 200,
        body: 'yes',
        isEarly: true,
      },
    ],
    ...overH2,
  },
  { name: 'another protocol', request: { ...extended, protocol: 'other' }, ...overH2, differs: secondGoAway },
  { name: 'a route that does not', request: { ...extended, path: '/off' }, ...overH2, differs: secondGoAway },
  { name: 'no route', request: { ...extended, path: '/nothing' }, ...overH2 },
  { name: 'a direct response', request: { ...extended, path: '/direct' }, ...overH2 },
];

const http2Rows = (headers: readonly (readonly [string, string])[] | undefined): Row[] => {
  const answer = headers === undefined ? {} : { headers };
  return [
    { name: 'bytes both ways', request: chatting, upstream: [{ tunnel: 'echo', ...answer }], ...overH2 },
    {
      name: 'the client ends',
      request: { ...chatting, isOpen: false },
      upstream: [{ tunnel: 'echo', ...answer }],
      ...overH2,
    },
    {
      name: 'the client ends and the upstream answers',
      request: { ...chatting, isOpen: false },
      upstream: [{ tunnel: 'count', ...answer }],
      ...overH2,
    },
    { name: 'the upstream speaks first', request: extended, upstream: [{ tunnel: 'greet', ...answer }], ...overH2 },
    {
      name: 'the upstream ends',
      request: { ...chatting, chunks: ['hello'] },
      upstream: [{ tunnel: 'bye', ...answer }],
      ...overH2,
    },
    {
      name: 'the upstream resets',
      request: { ...chatting, chunks: ['hello'] },
      upstream: [{ tunnel: 'slam', ...answer }],
      ...overH2,
    },
    {
      name: 'the client resets',
      request: { ...chatting, resetCode: 8 },
      upstream: [{ tunnel: 'mute', ...answer }],
      ...overH2,
    },
    {
      name: 'CONNECT that ends with its head',
      request: { ...extended, isOpen: false },
      upstream: [{ tunnel: 'echo', ...answer }],
      ...overH2,
    },
    ...http2Refusals,
    {
      name: 'early bytes',
      request: { ...extended, chunks: ['early'] },
      upstream: [{ tunnel: 'echo', ...answer }],
      ...overH2,
    },
    {
      name: 'upgrade fields beside',
      request: { ...extended, headers: [...wsHeaders, ['x-a', '1']] },
      upstream: [{ tunnel: 'echo', ...answer }],
      ...overH2,
    },
  ];
};

const http2Routes = (cluster: string): string => `
- { match: { prefix: /off }, route: { cluster: ${cluster}, upgrade_configs: [{ upgrade_type: websocket, enabled: false }] } }
- { match: { prefix: /direct }, direct_response: { status: 200, body: { inline_string: direct } } }
- { match: { path: / }, route: { cluster: ${cluster} } }`;

const fromHttp2: Group = {
  name: 'WebSocket from HTTP/2 to HTTP/1.1',
  config: http({ hcm: `${websocket}\nhttp2_protocol_options: { allow_connect: true }`, routes: http2Routes('one') }),
  rows: http2Rows(undefined),
};

const http2Both: Group = {
  name: 'WebSocket from HTTP/2 to HTTP/2',
  config: http({
    hcm: `${websocket}\nhttp2_protocol_options: { allow_connect: true }`,
    clusters: h2('multi', '{ allow_connect: true }'),
    routes: http2Routes('multi'),
  }),
  rows: http2Rows([['x-a', '1']]),
};

const notAllowed: Group = {
  name: 'WebSocket over HTTP/2 without allow_connect',
  config: http({ hcm: websocket }),
  rows: [{ name: 'the stream is reset', request: extended, ...overH2 }],
};

export const webSocket: readonly Group[] = [overHttp1, toHttp2, fromHttp2, http2Both, notAllowed];
