import { cluster, tcp } from '../config.ts';
import type { Group, Row } from '../row.ts';

const options = (fields: string): string => `
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: ${fields}`;

const upstreams = {
  'HTTP/1.1': options('{ http_protocol_options: {} }'),
  'HTTP/2': options('{ http2_protocol_options: { allow_connect: true } }'),
} as const;

/** Whether a close becomes a reset is a race of unread bytes, and HPACK has its own ways. */
const session: Pick<Row, 'until' | 'answers' | 'waitMs' | 'logLines' | 'ignores'> = {
  until: 'closed',
  answers: 0,
  waitMs: 1000,
  logLines: 1,
  ignores: /complete$|\.end$/,
};

const log = `
access_log:
- name: envoy.access_loggers.file
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
    path: "{{log}}"
    log_format:
      json_format:
        flags: "%RESPONSE_FLAGS%"
        details: "%RESPONSE_CODE_DETAILS%"
        code: "%RESPONSE_CODE%"
        termination: "%CONNECTION_TERMINATION_DETAILS%"
        received: "%BYTES_RECEIVED%"
        sent: "%BYTES_SENT%"
        cluster: "%UPSTREAM_CLUSTER%"
        host: "%UPSTREAM_HOST%"
        protocol: "%PROTOCOL%"
        upstream: "%UPSTREAM_PROTOCOL%"
        headers: "%FILTER_STATE(envoy.tcp_proxy.propagate_response_headers)%"
        trailers: "%FILTER_STATE(envoy.tcp_proxy.propagate_response_trailers)%"
        plain: "%FILTER_STATE(envoy.tcp_proxy.propagate_response_headers:PLAIN)%"
        attempts: "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"
        failure: "%UPSTREAM_TRANSPORT_FAILURE_REASON%"`;

const halfClose = "The end of a client's half is passed on as a half-close";
const lostInEnvoy = { 'client[0].text': halfClose, 'log[0].sent': halfClose };

const rows: readonly Row[] = [
  {
    name: 'bytes both ways',
    raw: ['hello', 150, ' world', 100, 'end'],
    upstream: [{ tunnel: 'echo', headers: [['x-a', '1']] }],
    ...session,
  },
  { name: 'the upstream speaks first', raw: [150, 'end'], upstream: [{ tunnel: 'greet', headers: [] }], ...session },
  {
    name: 'the client half-closes and the upstream answers',
    raw: ['12345', 150, 'end'],
    upstream: [{ tunnel: 'count', headers: [] }],
    ...session,
  },
  { name: 'the client ends at once', raw: ['12345', 'end'], upstream: [{ tunnel: 'count', headers: [] }], ...session },
  { name: 'the upstream ends', raw: ['hello'], upstream: [{ tunnel: 'bye', headers: [] }], ...session },
  { name: 'the upstream resets', raw: ['hello'], upstream: [{ tunnel: 'slam', headers: [] }], ...session },
  { name: 'the client resets', raw: ['hello', 150, 'reset'], upstream: [{ tunnel: 'mute', headers: [] }], ...session },
  { name: 'refused by 403', raw: ['hello'], upstream: [{ status: 403, body: 'no', isEarly: true }], ...session },
  { name: 'refused by 503', raw: ['hello'], upstream: [{ status: 503, body: 'no', isEarly: true }], ...session },
  {
    name: 'answered 201',
    raw: ['hello', 150, 'end'],
    upstream: [{ status: 201, tunnel: 'echo', headers: [] }],
    ...session,
  },
  { name: 'answered 302', raw: ['hello'], upstream: [{ status: 302, body: '', isEarly: true }], ...session },
  {
    name: 'the answer comes late',
    raw: ['early', 400, 'end'],
    upstream: [{ tunnel: 'echo', headers: [], delayMs: 200 }],
    ...session,
  },
  { name: '300 KB', raw: ['x'.repeat(300_000), 300, 'end'], upstream: [{ tunnel: 'echo', headers: [] }], ...session },
];

const group = (
  name: string,
  protocol: keyof typeof upstreams,
  settings: string,
  its: readonly Row[],
  tcpSettings = '',
): Group => ({
  name: `tunneling over ${protocol}: ${name}`,
  config: tcp(`cluster: one\ntunneling_config: { ${settings} }${log}\n${tcpSettings}`, [
    cluster('one', ['one'], upstreams[protocol]),
  ]),
  rows: its,
});

const formats = `hostname: "%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%:80", headers_to_add: [{ header: { key: X-From, value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%" } }, { header: { key: x-b, value: b }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }, { header: { key: x-c, value: "%REQ(x)%" } }]`;

const formatter = (name: string): string =>
  `{ name: f, typed_config: { '@type': type.googleapis.com/envoy.extensions.formatter.${name} } }`;
const extended = `hostname: "a%METADATA(CLUSTER:x:y)%.test:1", headers_to_add: [{ header: { key: x-q, value: "q%CEL(1 + 1)%" } }], formatters: [${formatter('metadata.v3.Metadata')}, ${formatter('cel.v3.Cel')}]`;

/** HPACK has its own ways, so that heads over HTTP/2 have other lengths. */
const counted = (protocol: keyof typeof upstreams): Group => ({
  name: `tunneling over ${protocol}: bytes on the wire`,
  config: tcp(
    `cluster: one\ntunneling_config: { hostname: "a:1" }\nflush_access_log_on_connected: true${log}
        type: "%ACCESS_LOG_TYPE%"
        wire: "%UPSTREAM_WIRE_BYTES_RECEIVED% %UPSTREAM_WIRE_BYTES_SENT%"
        heads: "%UPSTREAM_HEADER_BYTES_RECEIVED% %UPSTREAM_HEADER_BYTES_SENT%"`,
    [cluster('one', ['one'], upstreams[protocol])],
  ),
  rows: [
    {
      name: 'on connecting and at the end',
      raw: ['hello', 150, 'end'],
      upstream: [{ tunnel: 'echo', headers: [['x-a', '1']] }],
      ...session,
      logLines: 2,
      differs: { 'log[1].wire': 'the bytes of a tunnel are counted once' },
    },
  ],
});

const dead: Group = {
  name: 'tunneling to a host that refuses',
  config: tcp(`cluster: dead\ntunneling_config: { hostname: "a.test:1" }${log}\nmax_connect_attempts: 2`, [
    cluster('dead', ['dead'], upstreams['HTTP/2']),
  ]),
  rows: [{ name: 'two attempts', raw: ['hello'], ...session }],
};

export const tunneling: readonly Group[] = [
  group('commands of formatters', 'HTTP/1.1', extended, rows.slice(0, 1)),
  group(
    'CONNECT',
    'HTTP/1.1',
    'hostname: "a.test:443"',
    rows.map((row) => (JSON.stringify(row.upstream).includes('count') ? { ...row, differs: lostInEnvoy } : row)),
  ),
  group('CONNECT', 'HTTP/2', 'hostname: "a.test:443"', rows),
  group('formats', 'HTTP/1.1', formats, [rows[0]]),
  group('formats', 'HTTP/2', formats, [rows[0]]),
  group('POST', 'HTTP/2', 'hostname: "a.test:443", use_post: true', rows),
  group('POST with a path', 'HTTP/2', 'hostname: "a.test:443", use_post: true, post_path: /x', [rows[0]]),
  group('POST', 'HTTP/1.1', 'hostname: "a.test:443", use_post: true', rows),
  group(
    'two attempts',
    'HTTP/2',
    'hostname: "a.test:443"',
    [
      {
        name: '503 and then 200',
        raw: ['hello', 200, 'end'],
        upstream: [
          { status: 503, body: '', isEarly: true },
          { tunnel: 'echo', headers: [] },
        ],
        ...session,
      },
      {
        name: 'reset and then 200',
        raw: ['hello', 200, 'end'],
        upstream: [
          { resetCode: 2, isEarly: true },
          { tunnel: 'echo', headers: [] },
        ],
        ...session,
      },
    ],
    'max_connect_attempts: 2',
  ),
  ...(['HTTP/1.1', 'HTTP/2'] as const).map((protocol) =>
    group(
      'propagation',
      protocol,
      'hostname: "a:1", propagate_response_headers: true, propagate_response_trailers: true',
      [
        {
          name: 'accepted',
          raw: ['hello', 150, 'end'],
          upstream: [
            {
              tunnel: 'echo',
              headers: [
                ['x-a', '1'],
                ['x-b', '"q"'],
              ],
            },
          ],
          ...session,
        },
        {
          name: 'refused',
          raw: ['hello'],
          upstream: [{ status: 403, headers: [['x-a', '1']], body: 'no', isEarly: true }],
          ...session,
        },
        {
          name: 'trailers',
          raw: ['hello'],
          upstream: [{ tunnel: 'bye', headers: [], trailers: [['x-t', '2']] }],
          ...session,
        },
      ],
    ),
  ),
  ...(['HTTP/1.1', 'HTTP/2'] as const).map((protocol) => counted(protocol)),
  group('idle', 'HTTP/2', 'hostname: "a.test:443"', [rows[5]], 'idle_timeout: 0.3s'),
  dead,
];
