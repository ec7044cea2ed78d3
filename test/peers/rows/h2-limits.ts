import { accessLog, http } from '../config.ts';
import type { Group, Request, Row } from '../row.ts';

const routes = `
- { match: { path: /direct }, direct_response: { status: 200, body: { inline_string: direct } } }
- { match: { path: /patient }, route: { cluster: one, idle_timeout: 0s, timeout: 0s } }
- { match: { path: /late }, route: { cluster: one, timeout: 0.2s } }
- { match: { prefix: / }, route: { cluster: one, timeout: 0s } }`;

const get = ':method=GET :scheme=http :authority=a :path=/';
const post: Request = { method: 'POST', chunks: ['half'], isOpen: true };

const over = (rows: readonly Omit<Row, 'over'>[]): Row[] => rows.map((row) => ({ over: 'h2', ...row }));

const drain = 'sekisho sends a PING behind the first and the second when it is answered';
const goAway = 'Where the connection has to end, a GOAWAY says why';
/** Whether the kernel says FIN or RST depends on what nobody has read. */
const end = /^client\[0\]\.end$/;

const timeouts: Group = {
  name: 'HTTP/2 timeouts',
  config: http({
    routes,
    hcm: 'stream_idle_timeout: 0.3s',
  }),
  rows: over([
    { name: 'idle in mid-request', request: post },
    { name: 'idle while the upstream thinks', request: {}, upstream: [{ delayMs: 600 }] },
    {
      name: 'idle in mid-response',
      request: {},
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf' }],
    },
    { name: 'a route that waits', request: { path: '/patient' }, upstream: [{ delayMs: 500 }] },
    { name: 'the route’s timeout', request: { path: '/late' }, upstream: [{ delayMs: 500 }] },
    {
      name: 'others go on',
      request: [{}, { path: '/direct' }, { path: '/direct' }],
      mode: 'together',
      staggerMs: 100,
      upstream: [{ delayMs: 600 }],
    },
  ]),
};

const requests: Group = {
  name: 'HTTP/2 request timeouts',
  config: http({
    routes,
    hcm: `
request_timeout: 0.2s
request_headers_timeout: 0.15s
common_http_protocol_options: { max_stream_duration: 0.4s }`,
  }),
  rows: [
    { name: 'a request without end', over: 'h2', request: post },
    { name: 'a response without end', over: 'h2', request: {}, upstream: [{ delayMs: 800 }] },
    {
      name: 'a response that breaks off in time',
      over: 'h2',
      request: {},
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf' }],
    },
    { name: 'a head without end', frames: ['HEADERS 1 open :method=GET'] },
    {
      name: 'a head without end, and another stream',
      frames: [`HEADERS 1 end ${get}direct`, 'HEADERS 3 open :method=GET'],
      answers: 2,
    },
  ],
};

const ends: Group = {
  name: 'HTTP/2 ends of connections',
  config: http({
    routes,
    hcm: `
drain_timeout: 0.2s
delayed_close_timeout: 2s
common_http_protocol_options: { idle_timeout: 0.3s, max_requests_per_connection: 3 }`,
  }),
  rows: over([
    { name: 'idle', request: { path: '/direct' }, until: 'closed', differs: { 'stats.http2.goaway_sent': drain } },
    {
      name: 'idle while a stream is open',
      request: {},
      upstream: [{ delayMs: 500 }],
      until: 'closed',
      differs: { 'stats.http2.goaway_sent': drain },
    },
    {
      name: 'as many requests as it may have',
      request: [{ path: '/direct' }, { path: '/direct' }, { path: '/direct' }],
      until: 'closed',
      differs: { 'stats.http2.goaway_sent': drain },
    },
    {
      name: 'as many requests as it may have, at once',
      request: [{ path: '/1' }, { path: '/2' }, { path: '/3' }],
      mode: 'together',
      staggerMs: 20,
      upstream: [{ delayMs: 100 }],
      until: 'closed',
      differs: { 'stats.http2.goaway_sent': drain, 'client[0].goAway[1]': drain },
    },
  ]),
};

const duration = (more: string, jitter: string): Group => ({
  name: `HTTP/2 max_connection_duration${more}`,
  config: http({
    routes,
    hcm: `
drain_timeout: 0.2s${jitter === '' ? '' : `\ndrain_timeout_jitter: ${jitter}`}
delayed_close_timeout: 2s
common_http_protocol_options: { max_connection_duration: 0.3s${jitter === '' ? '' : `, max_connection_duration_jitter: ${jitter}`} }`,
  }),
  rows: over([
    { name: 'idle', request: { path: '/direct' }, until: 'closed', differs: { 'stats.http2.goaway_sent': drain } },
    { name: 'with an open stream', request: {}, upstream: [{ delayMs: 700 }], until: 'closed' },
  ]),
});

/** More than eight bits each in Huffman's code, so that they are sent as they are. */
const fields = (bytes: number): Request => ({ path: '/direct', headers: [['x-long', '!'.repeat(bytes)]] });

const longFields = ['', 'max_header_field_size_kb: 128', 'enable_huffman_encoding: false, disallow_obs_text: true'].map(
  (settings): Group => ({
    name: `HTTP/2 fields: ${settings || 'as it is'}`,
    config: http({
      routes,
      hcm: `{ max_request_headers_kb: 300, delayed_close_timeout: 0.2s, http2_protocol_options: { ${settings} } }`,
    }),
    rows: over([
      { name: 'of 60 000 bytes', request: fields(60_000) },
      { name: 'of 66 000 bytes', request: fields(66_000), logLines: settings.includes('128') ? 1 : 0 },
      { name: 'of 140 000 bytes', request: fields(140_000), logLines: 0 },
      { name: 'beyond ASCII', request: { path: '/direct', headers: [['x-a', 'caf\xe9']] } },
      { name: 'an answer', request: { headers: [['x-a', 'b']] }, upstream: [{ headers: [['x-b', 'c'.repeat(300)]] }] },
    ]),
  }),
);

const options: Group = {
  name: 'HTTP/2 options',
  config: http({
    routes,
    hcm: `
codec_type: HTTP2
delayed_close_timeout: 0.2s
max_request_headers_kb: 2
http2_protocol_options:
  hpack_table_size: 1024
  max_concurrent_streams: 2
  initial_stream_window_size: 70000
  initial_connection_window_size: 80000
  allow_connect: true
  max_outbound_control_frames: 100
  max_consecutive_inbound_frames_with_empty_payload: 3
  max_inbound_priority_frames_per_stream: 2
  max_inbound_window_update_frames_per_data_frame_sent: 1
  stream_reset_burst: 5
  stream_reset_rate: 1
  custom_settings_parameters: [{ identifier: 99, value: 7 }]
common_http_protocol_options: { max_headers_count: 10, headers_with_underscores_action: REJECT_REQUEST }`,
  }),
  rows: [
    { name: 'settings', frames: [`HEADERS 1 end ${get}direct`] },
    {
      name: 'as many streams as allowed',
      over: 'h2',
      request: [{}, {}],
      mode: 'together',
      upstream: [{ delayMs: 100 }],
    },
    {
      name: 'one stream more than allowed',
      frames: [`HEADERS 1 ${get}`, `HEADERS 3 ${get}`, 50, `HEADERS 5 ${get}`],
      until: 'closed',
      ignores: end,
      waitMs: 1500,
      logLines: 3,
    },
    {
      name: 'ten headers',
      over: 'h2',
      request: { path: '/direct', headers: ['a', 'b', 'c', 'd', 'e', 'f'].map((n) => [n, '1'] as const) },
    },
    {
      name: 'eleven headers',
      over: 'h2',
      request: { path: '/direct', headers: ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((n) => [n, '1'] as const) },
    },
    { name: '3 KB of headers', over: 'h2', request: { headers: [['x-big', 'b'.repeat(3000)]] } },
    { name: 'a header with an underscore', over: 'h2', request: { headers: [['x_under', '1']] } },
    { name: '100 KB up through small windows', over: 'h2', request: { body: 'u'.repeat(100_000) } },
    {
      name: '100 KB down',
      over: 'h2',
      request: {},
      upstream: [{ body: 'd'.repeat(100_000) }],
      // How much is read at once.
      ignores: /flow_control/,
    },
    {
      name: 'empty frames',
      frames: [`HEADERS 1 ${get}`, 'DATA 1', 'DATA 1', 'DATA 1', 'DATA 1', 'DATA 1'],
      until: 'closed',
      ignores: end,
      waitMs: 1500,
    },
    {
      name: 'too many of PRIORITY',
      frames: [...Array<string>(20).fill('PRIORITY 1 0')],
      until: 'closed',
      ignores: end,
      differs: { 'client[0].frame': goAway },
      waitMs: 1500,
      logLines: 0,
    },
    {
      name: 'too many of WINDOW_UPDATE',
      frames: [`HEADERS 1 end ${get}direct`, 30, ...Array<string>(100).fill('WINDOW_UPDATE 0 1')],
      until: 'closed',
      ignores: end,
      waitMs: 1500,
    },
    {
      name: 'too many of RST_STREAM',
      frames: Array.from({ length: 10 }, (_, i) => [`HEADERS ${2 * i + 1} ${get}`, `RST_STREAM ${2 * i + 1} 8`]).flat(),
      until: 'closed',
      ignores: end,
      waitMs: 1500,
      logLines: 6,
    },
    {
      name: 'HTTP/1 where HTTP/2 is expected',
      raw: 'GET / HTTP/1.1\r\nhost: a\r\n\r\n',
      until: 'closed',
      differs: { 'client[0].text': goAway },
      waitMs: 1500,
      logLines: 0,
    },
  ],
};

const underscores: Group = {
  name: 'HTTP/2 underscores dropped',
  config: http({ routes, hcm: 'common_http_protocol_options: { headers_with_underscores_action: DROP_HEADER }' }),
  rows: over([
    {
      name: 'a header with an underscore',
      request: {
        headers: [
          ['x_under', '1'],
          ['x-kept', '1'],
        ],
      },
    },
  ]),
};

const http1Only: Group = {
  name: 'HTTP/2 where HTTP/1 is expected',
  config: http({ routes, hcm: '{ codec_type: HTTP1, delayed_close_timeout: 0.2s }' }),
  rows: [
    { name: 'the preface', raw: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', until: 'closed', waitMs: 1500 },
    { name: 'HTTP/1', request: { path: '/direct' } },
  ],
};

const logging: Group = {
  name: 'HTTP/2 in logs',
  config: http({
    routes,
    hcm: `access_log: [${JSON.stringify(
      accessLog({
        json_format: {
          protocol: '%PROTOCOL%',
          upstream: '%UPSTREAM_PROTOCOL%',
          body: '%BYTES_RECEIVED% %BYTES_SENT%',
          heads: '%DOWNSTREAM_HEADER_BYTES_RECEIVED%',
          wire: '%DOWNSTREAM_WIRE_BYTES_RECEIVED%',
          size: '%REQUEST_HEADERS_BYTES%',
          scheme: '%REQ(:SCHEME)% %REQ(:AUTHORITY)% %REQ(HOST)%',
          code: '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%',
          trailer: '%TRAILER(x-t)%',
        },
      }),
    )}]`,
  }),
  rows: [
    { name: 'a request', frames: [`HEADERS 1 end ${get}`] },
    {
      name: 'a request with content',
      frames: [`HEADERS 1 ${get}`, 'DATA 1 one', 'DATA 1 pad=5 two', 'DATA 1 end three'],
    },
    { name: 'a request with trailers', frames: [`HEADERS 1 ${get}`, 'DATA 1 one', 'HEADERS 1 end x-t=1'] },
    {
      name: 'a head in pieces',
      frames: ['HEADERS 1 end open :method=GET :scheme=http', 'CONTINUATION 1 :authority=a :path=/direct'],
    },
    {
      name: 'one that is cancelled',
      frames: [`HEADERS 1 ${get}`, 'DATA 1 one', 50, 'RST_STREAM 1 8', 50, `HEADERS 3 end ${get}direct`],
      logLines: 2,
    },
  ],
};

export const h2Limits: readonly Group[] = [
  timeouts,
  requests,
  ends,
  duration('', ''),
  duration(' with jitter', '{ value: 50 }'),
  ...longFields,
  options,
  underscores,
  http1Only,
  logging,
];
