import { cluster, http } from '../config.ts';
import type { Group, Row, Segment } from '../row.ts';

/** A cluster of the origin that answers by exact frames, with fields of its HTTP/2 options. */
const frames = (name: string, fields = ''): ReturnType<typeof cluster> =>
  cluster(
    name,
    ['frames'],
    `
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: { http2_protocol_options: { ${fields} } }`,
  );

const ok = 'HEADERS {id} end :status=200';

const config = http(
  {
    routes: `
- { match: { prefix: /refused }, route: { cluster: frames, retry_policy: { retry_on: refused-stream } } }
- { match: { prefix: /reset }, route: { cluster: frames, retry_policy: { retry_on: reset } } }
- { match: { prefix: /lenient }, route: { cluster: lenient } }
- { match: { prefix: /asked }, route: { cluster: asked } }
- { match: { prefix: /timeout }, route: { cluster: frames, timeout: 0.3s } }
- { match: { prefix: / }, route: { cluster: frames } }`,
  },
  [
    frames('frames'),
    frames('lenient', 'override_stream_error_on_invalid_http_message: true'),
    frames('asked', 'connection_keepalive: { interval: 0.2s, timeout: 0.1s }'),
  ],
);

/**
 * Whether Envoy counts a connection that closes because it is drained as a broken protocol depends on whether it is
 * still reading from it: docs/differences.md.
 */
const drained = /^stats\.cluster\.frames\.upstream_cx_protocol_error$/;

const answered = (name: string, ...answer: Segment[]): Row => ({ name, upstream: [{ frames: answer }] });

const goAway: Group = {
  name: 'GOAWAY from upstreams',
  config,
  rows: [
    answered('an answer', ok),
    { ...answered('the stream was not taken', 'GOAWAY 0 0'), ignores: drained },
    { ...answered('the stream was not taken, for an error', 'GOAWAY 0 2'), ignores: drained },
    {
      name: 'the stream was not taken and is repeated',
      request: { path: '/refused' },
      upstream: [{ frames: ['GOAWAY 0 0'] }, { frames: [ok] }],
      ignores: drained,
    },
    {
      name: 'one stream was taken, another not',
      request: [{ path: '/1' }, { path: '/2' }],
      mode: 'together',
      staggerMs: 60,
      upstream: [{ frames: [250, ok] }, { frames: ['GOAWAY 1 0'] }],
      ignores: drained,
    },
    {
      name: 'twice, as graceful servers do',
      request: [{ path: '/1' }, { path: '/2' }, { path: '/3' }],
      mode: 'together',
      staggerMs: 60,
      upstream: [
        { frames: ['GOAWAY 2147483647 0', 250, 'GOAWAY 1 0', 50, ok] },
        { frames: [200, ok] },
        { frames: [200, ok] },
      ],
      ignores: drained,
    },
    { ...answered('and the connection ends', 'GOAWAY 1 0', 50, 'end'), ignores: drained },
    answered('and the connection ends at once', 'GOAWAY 1 11', 'end'),
    answered('a connection ends in front of the answer', 'end'),
    answered('a connection is reset in front of the answer', 'reset'),
    {
      name: 'a connection ends within the answer',
      upstream: [{ frames: ['HEADERS {id} :status=200', 'DATA {id} half', 50, 'end'] }],
      until: 'closed',
    },
    {
      name: 'a connection ends, and the request is repeated',
      request: { path: '/reset' },
      upstream: [{ frames: ['end'] }, { frames: [ok] }],
    },
  ],
};

const malformed: readonly (readonly [name: string, ...frames: string[]])[] = [
  ['no status', 'HEADERS {id} end x=y'],
  ['status 99', 'HEADERS {id} end :status=99'],
  ['status 101', 'HEADERS {id} end :status=101'],
  ['status of four digits', 'HEADERS {id} end :status=2000'],
  ['two statuses', 'HEADERS {id} end :status=200 :status=200'],
  ['a pseudo-header of requests', 'HEADERS {id} end :status=200 :path=/'],
  ['status behind fields', 'HEADERS {id} end a=b :status=200'],
  ['upper case', 'HEADERS {id} end :status=200 X-Upper=1'],
  ['connection', 'HEADERS {id} end :status=200 connection=close'],
  ['transfer-encoding', 'HEADERS {id} end :status=200 transfer-encoding=chunked'],
  ['a control character', 'HEADERS {id} end :status=200 x=a\\x01b'],
  ['204 with a length', 'HEADERS {id} end :status=204 content-length=5'],
  ['an interim response that ends', 'HEADERS {id} end :status=103'],
  ['a length without a body', 'HEADERS {id} end :status=200 content-length=5'],
  ['two lengths', 'HEADERS {id} :status=200 content-length=2 content-length=3', 'DATA {id} end ab'],
];

const broken: readonly (readonly [name: string, ...frames: string[]])[] = [
  ['an unknown frame', 'FRAME 200 0 0 00', ok],
  ['an unknown frame on the stream', 'FRAME 200 0 1 00', ok],
  ['PRIORITY', 'PRIORITY {id} 0', ok],
  ['PING', 'PING question', ok],
  ['an unknown setting', 'SETTINGS 99=1', ok],
  ['a setting that is wrong', 'SETTINGS window=2147483648', ok],
  ['a smaller table', 'SETTINGS table=0', ok],
  ['push', 'FRAME 5 4 1 00000002', ok],
  ['DATA on a stream that is not there', 'DATA 101 end x', ok],
  ['HEADERS on a stream of the server’s', 'HEADERS 2 end :status=200', ok],
  ['RST_STREAM on a stream that is not there', 'RST_STREAM 101 8', ok],
  ['WINDOW_UPDATE by nothing', 'WINDOW_UPDATE 0 0', ok],
  ['a window too large', 'WINDOW_UPDATE 0 2147483647', ok],
  ['a frame too large', 'RAW 004001000000000001', ok],
  ['a header block that is none', 'FRAME 1 5 1 ffffffffffff', ok],
  ['CONTINUATION of nothing', 'CONTINUATION {id} a=b', ok],
];

const faults: Group = {
  name: 'faults of HTTP/2 upstreams',
  config,
  rows: [
    ...malformed.map(([name, ...answer]) => answered(name, ...answer)),
    ...malformed.map(([name, ...answer]): Row => ({
      name: `${name}, which ends the stream only`,
      request: { path: '/lenient' },
      upstream: [{ frames: answer }],
    })),
    ...broken.map(([name, ...answer]) => answered(name, ...answer)),
    {
      name: 'trailers that do not end',
      upstream: [{ frames: ['HEADERS {id} :status=200', 'HEADERS {id} x=y'] }],
      until: 'closed',
    },
    {
      name: 'trailers with a pseudo-header',
      upstream: [{ frames: ['HEADERS {id} :status=200', 'HEADERS {id} end :status=200'] }],
      until: 'closed',
    },
    answered('RST_STREAM behind the end', ok, 'RST_STREAM {id} 0'),
    answered('padding', 'HEADERS {id} pad=5 :status=200', 'DATA {id} end pad=9 hello'),
    answered('interim responses', 'HEADERS {id} :status=103 link=a', 50, ok),
    answered('a head in pieces', 'HEADERS {id} end open :status=200', 'CONTINUATION {id} a=b'),
    answered('too many fields', `${ok} ${Array.from({ length: 120 }, (_, i) => `x-${i}=y`).join(' ')}`),
    { ...answered('nothing at all'), request: { path: '/timeout' }, upstream: [{ frames: [600] }] },
    {
      name: 'trailers behind too short a body',
      upstream: [{ frames: ['HEADERS {id} :status=200 content-length=5', 'DATA {id} ab', 'HEADERS {id} end x=y'] }],
      until: 'closed',
    },
    {
      ...answered('DATA behind the end', ok, 'DATA {id} end late'),
      differs: {
        'stats.cluster.frames.upstream_cx_protocol_error':
          'DATA behind the end of a stream ends its connection (RFC 9113 section 5.1)',
      },
    },
    answered('DATA in front of the head', 'DATA {id} end hello'),
    {
      name: 'DATA in front of the head, which ends the stream only',
      request: { path: '/lenient' },
      upstream: [{ frames: ['DATA {id} end hello'] }],
      differs: {
        'stats.cluster.lenient.upstream_cx_protocol_error': 'DATA in front of a head is a fault of its stream',
        'stats.cluster.lenient.http2.tx_reset': 'DATA in front of a head is a fault of its stream',
        'upstream[0].trailer.reset': 'DATA in front of a head is a fault of its stream',
      },
    },
  ],
};

const flow: Group = {
  name: 'HTTP/2 upstreams hold back',
  config,
  rows: [
    {
      name: 'a window of three bytes',
      request: [{ path: '/1' }, { path: '/2', body: 'hello world' }],
      upstream: [
        { frames: ['SETTINGS window=3', ok] },
        { frames: [150, 'WINDOW_UPDATE {id} 3', 100, 'WINDOW_UPDATE {id} 100', 100, ok] },
      ],
    },
    {
      name: 'no window',
      request: [{ path: '/1' }, { path: '/timeout', body: 'hello world' }],
      upstream: [{ frames: ['SETTINGS window=0', ok] }, { frames: [] }],
      until: 'closed',
    },
    {
      name: 'one stream at a time',
      request: [{ path: '/1' }, { path: '/2' }, { path: '/3' }],
      mode: 'together',
      staggerMs: 60,
      upstream: [{ frames: ['SETTINGS streams=1', 300, ok] }, { frames: [300, ok] }],
    },
    {
      name: 'no stream at all, then some',
      request: [{ path: '/1' }, { path: '/2' }],
      pauseMs: 100,
      upstream: [{ frames: ['SETTINGS streams=0', ok, 200, 'SETTINGS streams=10'] }, { frames: [ok] }],
    },
    {
      name: 'a PING is not answered',
      request: { path: '/asked' },
      upstream: [{ frames: [] }],
    },
    {
      name: 'the answer comes while a PING waits',
      request: { path: '/asked' },
      upstream: [{ frames: [250, ok] }],
    },
    {
      name: 'the request is given up',
      raw: ['GET / HTTP/1.1\r\nhost: a\r\n\r\n', 100, 'reset'],
      answers: 0,
      logLines: 1,
      upstream: [{ frames: [] }],
    },
    {
      name: 'the whole answer in front of the request’s end',
      raw: ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf', 100],
      upstream: [{ frames: [ok] }],
      until: 'closed',
    },
    {
      name: 'the whole answer and RST_STREAM in front of the request’s end',
      raw: ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf', 100],
      upstream: [{ frames: [50, ok, 50, 'RST_STREAM {id} 0'] }],
      until: 'closed',
    },
  ],
};

const bytesLog = `
access_log:
- name: envoy.access_loggers.file
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
    path: "{{log}}"
    log_format:
      json_format:
        upstream: "%UPSTREAM_PROTOCOL%"
        wire: "%UPSTREAM_WIRE_BYTES_RECEIVED%"
        heads: "%UPSTREAM_HEADER_BYTES_RECEIVED%"
        attempts: "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"
`;

const bytes: Group = {
  name: 'bytes of HTTP/2 upstreams',
  config: http(
    {
      hcm: bytesLog,
      routes: `
- { match: { prefix: /refused }, route: { cluster: frames, retry_policy: { retry_on: refused-stream } } }
- { match: { prefix: / }, route: { cluster: frames } }`,
    },
    [frames('frames')],
  ),
  rows: [
    answered('a head', ok),
    answered('a head and content', 'HEADERS {id} :status=200 x=y', 'DATA {id} end hello'),
    answered('content in pieces', 'HEADERS {id} :status=200', 'DATA {id} a', 'DATA {id} bc', 'DATA {id} end d'),
    answered('padding', 'HEADERS {id} :status=200', 'DATA {id} end pad=9 hello'),
    answered('trailers', 'HEADERS {id} :status=200', 'DATA {id} hello', 'HEADERS {id} end x=y'),
    answered('interim responses', 'HEADERS {id} :status=103 a=b', 20, ok),
    answered('a reset', 'RST_STREAM {id} 8'),
    {
      name: 'two tries',
      request: { path: '/refused' },
      upstream: [{ frames: ['RST_STREAM {id} 7'] }, { frames: [ok] }],
    },
    {
      name: 'three streams of a connection',
      request: [{ path: '/1' }, { path: '/2' }, { path: '/3' }],
      mode: 'together',
      staggerMs: 60,
      upstream: [{ frames: [200, 'HEADERS {id} :status=200', 'DATA {id} end hello'] }],
    },
  ],
};

export const h2UpstreamFrames: readonly Group[] = [goAway, faults, flow, bytes];
