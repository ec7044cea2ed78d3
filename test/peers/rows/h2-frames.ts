import { http } from '../config.ts';
import type { Group, Row, Segment } from '../row.ts';

const routes = `
- { match: { path: /direct }, direct_response: { status: 200, body: { inline_string: direct } } }
- { match: { prefix: / }, route: { cluster: one } }`;

/** The beginning of a request, and of most rows. */
const get = ':method=GET :scheme=http :authority=a :path=/';

/** Listens until the connection ends. */
const fatal = (name: string, ...frames: Segment[]): Row => ({
  name,
  frames,
  until: 'closed',
  logLines: 1,
  waitMs: 1500,
});

/** As `fatal`, for what ends no more than its stream. */
const answered = (name: string, ...frames: Segment[]): Row => ({
  name,
  frames,
});

const goAway = 'Where the connection has to end, a GOAWAY says why';

/** As `fatal`; Envoy closes without a word. */
const explained = (name: string, ...frames: Segment[]): Row => ({
  ...fatal(name, ...frames),
  differs: { 'client[0].frame': goAway },
});

const invalid: readonly (readonly [string, ...Segment[]])[] = [
  ['upper case in a name', `HEADERS 1 end ${get} X-Upper=1`],
  ['a space in a name', `HEADERS 1 end ${get} x\\x20y=1`],
  ['a control character in a value', `HEADERS 1 end ${get} x=a\\x01b`],
  ['a line break in a value', `HEADERS 1 end ${get} x=a\\r\\nb`],
  ['connection', `HEADERS 1 end ${get} connection=close`],
  ['keep-alive', `HEADERS 1 end ${get} keep-alive=1`],
  ['proxy-connection', `HEADERS 1 end ${get} proxy-connection=close`],
  ['transfer-encoding', `HEADERS 1 end ${get} transfer-encoding=chunked`],
  ['upgrade', `HEADERS 1 end ${get} upgrade=websocket`],
  ['te: gzip', `HEADERS 1 end ${get} te=gzip`],
  ['no :method', 'HEADERS 1 end :scheme=http :authority=a :path=/'],
  ['no :scheme', 'HEADERS 1 end :method=GET :authority=a :path=/'],
  ['no :path', 'HEADERS 1 end :method=GET :scheme=http :authority=a'],
  ['an empty :path', 'HEADERS 1 end :method=GET :scheme=http :authority=a :path='],
  ['a :path without a slash', 'HEADERS 1 end :method=GET :scheme=http :authority=a :path=x'],
  ['an empty :method', 'HEADERS 1 end :method= :scheme=http :authority=a :path=/'],
  ['a :method with a space', 'HEADERS 1 end :method=G_T :scheme=http :authority=a :path=/'],
  ['two of :path', `HEADERS 1 end ${get} :path=/`],
  ['an unknown pseudo-header', `HEADERS 1 end ${get} :more=1`],
  ['a pseudo-header of responses', `HEADERS 1 end ${get} :status=200`],
  ['a pseudo-header behind others', 'HEADERS 1 end :method=GET :scheme=http x=1 :authority=a :path=/'],
  ['a space in :authority', 'HEADERS 1 end :method=GET :scheme=http :authority=a_b :path=/'],
  ['CONNECT with a path', 'HEADERS 1 end :method=CONNECT :authority=a :path=/ :scheme=http'],
  ['a pseudo-header in trailers', `HEADERS 1 ${get}`, 150, 'HEADERS 1 end :path=/'],
  ['trailers without an end', `HEADERS 1 ${get}`, 150, 'HEADERS 1 x=1'],
  ['a content-length that is none', `HEADERS 1 ${get} content-length=x`],
  ['two content-lengths', `HEADERS 1 ${get} content-length=1 content-length=1`],
  ['a content-length and no content', `HEADERS 1 end ${get} content-length=3`],
];

const messages: Group = {
  name: 'HTTP/2 malformed',
  config: http({ routes, hcm: 'delayed_close_timeout: 0.2s' }),
  rows: [
    ...invalid.map(([name, ...frames]) => fatal(name, ...frames)),
    answered('content beyond the content-length', `HEADERS 1 ${get} content-length=3`, 20, 'DATA 1 end four'),
    answered('content short of the content-length', `HEADERS 1 ${get} content-length=3`, 20, 'DATA 1 end ab'),
    explained('a stream of the server’s', `HEADERS 2 end ${get}`),
  ],
};

const lenient: Group = {
  name: 'HTTP/2 malformed, one stream each',
  config: http({
    routes,
    hcm: 'http2_protocol_options: { override_stream_error_on_invalid_http_message: true }',
  }),
  rows: invalid.map(([name, ...frames]) => answered(name, ...frames)),
};

const protocol: Group = {
  name: 'HTTP/2 frames',
  config: http({ routes, hcm: 'delayed_close_timeout: 0.2s' }),
  rows: [
    answered('one request', `HEADERS 1 end ${get}direct`),
    answered(
      'a header block in pieces',
      `HEADERS 1 end open :method=GET :scheme=http`,
      'CONTINUATION 1 :authority=a :path=/direct',
    ),
    answered('padding', `HEADERS 1 pad=7 :method=POST :scheme=http :authority=a :path=/`, 'DATA 1 end pad=9 body'),
    answered('priorities', 'PRIORITY 3 0', `HEADERS 1 end dep=3 ${get}direct`),
    answered('a PING', 'PING 12345678', `HEADERS 1 end ${get}direct`),
    answered('an unknown frame', 'FRAME 222 0 0 01020304', `HEADERS 1 end ${get}direct`),
    answered('an unknown setting', 'SETTINGS 99=1', `HEADERS 1 end ${get}direct`),
    answered('a smaller window', 'SETTINGS window=3', `HEADERS 1 end ${get}direct`, 50, 'WINDOW_UPDATE 1 100'),
    answered(
      'no window at all',
      'SETTINGS window=0',
      `HEADERS 1 end ${get}direct`,
      50,
      'WINDOW_UPDATE 1 2',
      50,
      'WINDOW_UPDATE 1 100',
    ),
    answered(
      'empty trailers',
      `HEADERS 1 :method=POST :scheme=http :authority=a :path=/`,
      'DATA 1 ab',
      'HEADERS 1 end',
    ),
    answered('an end without content', `HEADERS 1 :method=POST :scheme=http :authority=a :path=/`, 'DATA 1 end'),
    fatal('DATA on no stream', 'DATA 0 x'),
    fatal('DATA on an idle stream', 'DATA 1 x'),
    explained('HEADERS on no stream', `HEADERS 0 end ${get}`),
    explained('RST_STREAM on an idle stream', 'RST_STREAM 1 8'),
    explained('WINDOW_UPDATE by nothing', 'WINDOW_UPDATE 0 0'),
    explained('WINDOW_UPDATE on an idle stream', 'WINDOW_UPDATE 1 10'),
    explained('a window beyond 2^31-1', 'WINDOW_UPDATE 0 2147483647'),
    explained('a push', 'FRAME 5 4 1 00000002'),
    fatal('CONTINUATION of nothing', 'CONTINUATION 1 x=1'),
    fatal('a frame in the middle of a header block', 'HEADERS 1 open :method=GET', 'PING 12345678'),
    fatal('a header block that HPACK cannot read', 'FRAME 1 5 1 ffffffffff'),
    fatal('a PING of seven bytes', 'FRAME 6 0 0 01020304050607'),
    fatal('SETTINGS of five bytes', 'FRAME 4 0 0 0102030405'),
    explained('SETTINGS on a stream', 'FRAME 4 0 1 '),
    explained('an impossible setting', 'SETTINGS push=2'),
    explained('a window that is none', 'SETTINGS window=2147483648'),
    explained('a frame size that is none', 'SETTINGS frame=10'),
    fatal('a frame that is too large', `RAW 004001000000000001${'00'.repeat(16_385)}`),
    {
      ...fatal('a stream that was closed', `HEADERS 3 end ${get}direct`, 50, `HEADERS 1 end ${get}direct`),
      differs: {
        '': 'HEADERS on a stream that was skipped end the connection, as the RFC has it; Envoy takes no notice of them',
      },
    },
    { ...fatal('GOAWAY from the client', 'GOAWAY 0 0'), waitMs: 500, logLines: 0 },
    {
      name: 'a preface that goes wrong',
      raw: 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n',
      until: 'closed',
      differs: { 'client[0].text': goAway },
      waitMs: 1500,
    },
    { name: 'HTTP/1 on the same listener', request: { path: '/direct' } },
  ],
};

export const h2Frames: readonly Group[] = [messages, lenient, protocol];
