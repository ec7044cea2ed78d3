import { cluster, http } from '../config.ts';
import type { Group, Row } from '../row.ts';

/** Whether a close becomes a reset is a race of unread bytes. */
const closed: Pick<Row, 'until' | 'waitMs' | 'logLines' | 'ignores'> = {
  until: 'closed',
  waitMs: 1000,
  logLines: 1,
  ignores: /complete$|\.end$|delayed_close_timeout/,
};
const overH2: Pick<Row, 'over' | 'waitMs' | 'logLines' | 'ignores'> = {
  over: 'h2',
  waitMs: 700,
  logLines: 1,
  ignores: /^upstream.*complete$/,
};
const ask = (authority = 'a.test:443', more = `host: ${authority}\r\n`): string =>
  `CONNECT ${authority} HTTP/1.1\r\n${more}\r\n`;
const log = `
upgrade_configs: [{ upgrade_type: CONNECT }]
http2_protocol_options: { allow_connect: true }
access_log:
- name: envoy.access_loggers.file
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
    path: "{{log}}"
    log_format:
      json_format:
        method: "%REQ(:METHOD)%"
        path: "%REQ(:PATH)%"
        authority: "%REQ(:AUTHORITY)%"
        protocol: "%PROTOCOL%"
        code: "%RESPONSE_CODE%"
        flags: "%RESPONSE_FLAGS%"
        details: "%RESPONSE_CODE_DETAILS%"
        received: "%BYTES_RECEIVED%"
        sent: "%BYTES_SENT%"
        upstream: "%UPSTREAM_PROTOCOL%"
        host: "%UPSTREAM_HOST%"
        attempts: "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"
        failure: "%UPSTREAM_TRANSPORT_FAILURE_REASON%"
        wireReceived: "%UPSTREAM_WIRE_BYTES_RECEIVED%"`;
const h2Options = `
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: { http2_protocol_options: { allow_connect: true } }`;
const connect = { method: 'CONNECT', host: 'a.test:443', isOpen: true } as const;
const chatting = { ...connect, chunks: ['hello', ' world'], chunkPauseMs: 150 } as const;

const routes = (upstream: string): string => `
- { match: { connect_matcher: {}, headers: [{ name: x-route, string_match: { exact: timeout } }] }, route: { cluster: ${upstream}, timeout: 0.3s } }
- { match: { connect_matcher: {}, headers: [{ name: x-route, string_match: { exact: "off" } }] }, route: { cluster: ${upstream}, upgrade_configs: [{ upgrade_type: CONNECT, enabled: false }] } }
- { match: { connect_matcher: {}, headers: [{ name: x-route, string_match: { exact: dead } }] }, route: { cluster: dead } }
- { match: { connect_matcher: {}, headers: [{ name: x-route, string_match: { exact: idle } }] }, route: { cluster: ${upstream}, idle_timeout: 0.3s } }
- { match: { connect_matcher: {}, headers: [{ name: x-route, string_match: { exact: direct } }] }, direct_response: { status: 200, body: { inline_string: direct } } }
- { match: { connect_matcher: {}, headers: [{ name: x-route, string_match: { exact: rewrite } }] }, route: { cluster: ${upstream}, host_rewrite_literal: "b.test:80" } }
- { match: { connect_matcher: {} }, route: { cluster: ${upstream} } }
- { match: { prefix: / }, route: { cluster: one } }`;

const withRoute = (route: string): string => ask('a.test:443', `host: a.test:443\r\nx-route: ${route}\r\n`);

const http1Rows: readonly Row[] = [
  {
    name: 'bytes both ways',
    raw: [ask(), 150, 'hello', 50, ' world', 100, 'end'],
    upstream: [{ tunnel: 'echo' }],
    ...closed,
  },
  {
    name: 'bytes together with the head',
    raw: [`${ask()}early`, 200, 'end'],
    upstream: [{ tunnel: 'echo' }],
    ...closed,
  },
  { name: 'the upstream speaks first', raw: [ask(), 150, 'end'], upstream: [{ tunnel: 'greet' }], ...closed },
  {
    name: 'the client half-closes and the upstream answers',
    raw: [ask(), 150, '12345', 'end'],
    upstream: [{ tunnel: 'count' }],
    ...closed,
  },
  { name: 'the upstream ends', raw: [ask(), 150, 'hello'], upstream: [{ tunnel: 'bye' }], ...closed },
  { name: 'the upstream resets', raw: [ask(), 150, 'hello'], upstream: [{ tunnel: 'slam' }], ...closed },
  { name: 'the client resets', raw: [ask(), 150, 'hello', 100, 'reset'], upstream: [{ tunnel: 'echo' }], ...closed },
  { name: '403 with a body', raw: [ask(), 'early'], upstream: [{ status: 403, body: 'no' }], ...closed },
  { name: '503', raw: [ask()], upstream: [{ status: 503, body: 'no' }], ...closed },
  {
    name: '201',
    raw: [ask(), 150, 'hello', 100, 'end'],
    upstream: [{ status: 201, tunnel: 'echo', headers: [['x-a', '1']] }],
    ...closed,
  },
  { name: '302', raw: [ask()], upstream: [{ status: 302, body: 'gone' }], ...closed },
  { name: 'refused upstream', raw: [withRoute('dead')], ...closed },
  { name: 'route timeout', raw: [withRoute('timeout'), 500, 'end'], upstream: [{ tunnel: 'echo' }], ...closed },
  {
    name: 'route timeout before the answer',
    raw: [withRoute('timeout'), 900, 'end'],
    upstream: [{ tunnel: 'echo', delayMs: 600 }],
    ...closed,
  },
  { name: 'idle timeout', raw: [withRoute('idle')], upstream: [{ tunnel: 'echo' }], ...closed },
  { name: 'off on the route', raw: [withRoute('off')], ...closed },
  { name: 'a direct response', raw: [withRoute('direct')], ...closed },
  { name: 'another host', raw: [withRoute('rewrite'), 150, 'end'], upstream: [{ tunnel: 'echo' }], ...closed },
  {
    name: 'Host of another name',
    raw: [ask('a.test:443', 'host: other\r\n'), 150, 'end'],
    upstream: [{ tunnel: 'echo' }],
    ...closed,
  },
  { name: 'no Host', raw: [ask('a.test:443', ''), 150, 'end'], upstream: [{ tunnel: 'echo' }], ...closed },
  { name: 'no port', raw: [ask('a.test'), 150, 'end'], upstream: [{ tunnel: 'echo' }], ...closed },
  { name: 'a path in place of the authority', raw: [ask('/x'), 150, 'end'], upstream: [{ tunnel: 'echo' }], ...closed },
  {
    name: 'a URL in place of the authority',
    raw: [ask('http://a.test/x'), 150, 'end'],
    upstream: [{ tunnel: 'echo' }],
    ...closed,
  },
  { name: 'IPv6', raw: [ask('[::1]:443'), 150, 'end'], upstream: [{ tunnel: 'echo' }], ...closed },
  {
    name: 'a length',
    raw: [ask('a.test:443', 'host: a\r\ncontent-length: 5\r\n'), 'hello', 150, 'end'],
    upstream: [{ tunnel: 'echo' }],
    ...closed,
  },
  {
    name: 'length 0',
    raw: [ask('a.test:443', 'host: a\r\ncontent-length: 0\r\n'), 'hello', 150, 'end'],
    upstream: [{ tunnel: 'echo' }],
    ...closed,
  },
  {
    name: 'chunked',
    raw: [ask('a.test:443', 'host: a\r\ntransfer-encoding: chunked\r\n'), '0\r\n\r\n', 150, 'end'],
    upstream: [{ tunnel: 'echo' }],
    ...closed,
  },
  {
    name: 'upgrade beside',
    raw: [ask('a.test:443', 'host: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n'), 150, 'end'],
    upstream: [{ tunnel: 'echo' }],
    ...closed,
  },
  {
    name: 'connection: close',
    raw: [ask('a.test:443', 'host: a\r\nconnection: close\r\n'), 150, 'hello', 100, 'end'],
    upstream: [{ tunnel: 'echo' }],
    ...closed,
  },
];

const http2Rows: readonly Row[] = [
  { name: 'bytes both ways', request: chatting, upstream: [{ tunnel: 'echo', headers: [] }], ...overH2 },
  {
    name: 'the client ends',
    request: { ...chatting, isOpen: false },
    upstream: [{ tunnel: 'echo', headers: [] }],
    ...overH2,
  },
  {
    name: 'the client ends and the upstream answers',
    request: { ...chatting, isOpen: false },
    upstream: [{ tunnel: 'count', headers: [] }],
    ...overH2,
  },
  { name: 'the upstream speaks first', request: connect, upstream: [{ tunnel: 'greet', headers: [] }], ...overH2 },
  {
    name: 'the upstream ends',
    request: { ...chatting, chunks: ['hello'] },
    upstream: [{ tunnel: 'bye', headers: [] }],
    ...overH2,
  },
  {
    name: 'the upstream resets',
    request: { ...chatting, chunks: ['hello'] },
    upstream: [{ tunnel: 'slam', headers: [] }],
    ...overH2,
  },
  {
    name: 'the client resets',
    request: { ...chatting, resetCode: 8 },
    upstream: [{ tunnel: 'mute', headers: [] }],
    ...overH2,
  },
  {
    name: 'early bytes',
    request: { ...connect, chunks: ['early'] },
    upstream: [{ tunnel: 'echo', headers: [] }],
    ...overH2,
  },
  { name: 'refused upstream', request: { ...connect, headers: [['x-route', 'dead']] }, ...overH2 },
  { name: 'a direct response', request: { ...connect, headers: [['x-route', 'direct']] }, ...overH2 },
  { name: '403 with a body', request: connect, upstream: [{ status: 403, body: 'no', isEarly: true }], ...overH2 },
  {
    name: 'connect-udp',
    request: { ...connect, protocol: 'connect-udp', path: '/.well-known/masque/udp/a/1/' },
    ...overH2,
    ignores: /goAway\[1\]|goaway_sent|authority/,
  },
];

/** What Envoy cannot say to an HTTP/1.1 upstream. */
const halfClose = "The end of a client's half is passed on as a half-close";
const brokenInEnvoy = {
  'client[0].answer[0].complete': halfClose,
  'client[0].answer[0].reset': halfClose,
  'log[0].details': halfClose,
  'log[0].flags': halfClose,
  'stats.http.ingress.downstream_rq_rx_reset': halfClose,
  'stats.http.ingress.downstream_rq_tx_reset': halfClose,
  'stats.http2.tx_reset': halfClose,
};
const lostInEnvoy = {
  ...brokenInEnvoy,
  'client[0].answer[0].body': halfClose,
  'log[0].sent': halfClose,
  'log[0].wireReceived': halfClose,
};

const endings: Readonly<Record<string, Pick<Row, 'differs'>>> = {
  'the client ends': { differs: brokenInEnvoy },
  'the client ends and the upstream answers': { differs: lostInEnvoy },
};

/** node:http2 ends a stream before it resets it, and over HTTP/1.1 the end is a race then. */
const overHttp2 = (upstream: string): Row[] =>
  http2Rows
    .filter(({ name }) => upstream !== 'one' || name !== 'the client resets')
    .map((row) => ({
      ...row,
      name: `HTTP/2: ${row.name}`,
      ...(upstream === 'one' ? endings[row.name] : {}),
    }));

const forwarded = (name: string, upstream: string): Group => ({
  name: `CONNECT forwarded to ${name}`,
  config: http({ hcm: log, routes: routes(upstream) }, [cluster('multi', ['one'], h2Options)]),
  rows: [...http1Rows, ...overHttp2(upstream)],
});

const ended = (upstream: string, config = '', rows: readonly Row[] = []): Group => ({
  name: `CONNECT ends: ${upstream} ${config}`,
  config: http(
    {
      hcm: `${log}
        headersSent: "%UPSTREAM_HEADER_BYTES_SENT%"`,
      routes: `
- { match: { connect_matcher: {} }, route: { cluster: ${upstream}, upgrade_configs: [{ upgrade_type: CONNECT, connect_config: { ${config} } }] } }
- { match: { path: /idle }, route: { cluster: ${upstream}, idle_timeout: 0.3s, upgrade_configs: [{ upgrade_type: CONNECT, connect_config: { ${config} } }] } }
- { match: { prefix: / }, route: { cluster: ${upstream}, upgrade_configs: [{ upgrade_type: CONNECT, connect_config: { ${config} } }] } }`,
    },
    [cluster(upstream, [upstream])],
  ),
  rows: [
    { name: 'HTTP/1.1', raw: [ask(), 150, 'hello', 50, ' world', 150, 'end'], ...closed },
    { name: 'HTTP/2, open', request: chatting, ...overH2 },
    { name: 'HTTP/2, the client ends', request: { ...chatting, isOpen: false }, ...overH2 },
    { name: 'HTTP/2, ended at once', request: { ...connect, isOpen: false }, ...overH2 },
    ...rows,
  ],
});

const posts: readonly Row[] = [
  {
    name: 'POST',
    raw: ['POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n', 100, '5\r\nhello\r\n', 100, '0\r\n\r\n'],
    ...closed,
  },
  { name: 'POST with a length', raw: ['POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello'], ...closed },
  { name: 'POST over HTTP/2', request: { method: 'POST', chunks: ['hello'], path: '/x' }, ...overH2 },
  { name: 'GET', raw: ['GET /x HTTP/1.1\r\nhost: a\r\n\r\n'], ...closed },
];

export const connects: readonly Group[] = [
  forwarded('HTTP/1.1', 'one'),
  forwarded('HTTP/2', 'multi'),
  ended('echo'),
  ended('greet'),
  ended('count'),
  ended('bye'),
  ended('slam'),
  ended('mute'),
  ended('dead'),
  ended('silent'),
  ended('echo', 'allow_post: true', posts),
  ended('bye', 'allow_post: true', posts),
  ended('count', 'proxy_protocol_config: { version: V1 }'),
  ended('count', 'proxy_protocol_config: { version: V2 }'),
  {
    name: 'CONNECT without an upgrade_config',
    config: http({}),
    rows: [
      { name: 'no route', raw: [ask()], ...closed },
      { name: 'no route, and a request behind it', raw: [`${ask()}GET / HTTP/1.1\r\nhost: a\r\n\r\n`], ...closed },
      { name: 'no route over HTTP/2', request: connect, ...overH2 },
    ],
  },
];
