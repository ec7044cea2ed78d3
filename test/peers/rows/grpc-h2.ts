import { cluster, http } from '../config.ts';
import type { Group, Pairs, Request, Row, Step } from '../row.ts';
import { overHttp2 } from './grpc-transcoder.ts';
import { answer, call, frame, repeatedTrailers, withTrailers } from './grpc.ts';

const service = '/pkg.Service/Method';
const ping = [frame('ping')];
const ok = answer([frame('pong')], [['grpc-status', '0']]);
const upstreams = [cluster('one', ['one'], overHttp2), cluster('two', ['two'], overHttp2)];

const typed = (name: string, settings = '') => `
- name: envoy.filters.http.${name}
  typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.${settings} }`;

const over = (rows: readonly Omit<Row, 'over'>[]): readonly Row[] => rows.map((row) => ({ ...row, over: 'h2' }));

const trailersOnly = (...fields: Pairs): Step => ({
  headers: [['content-type', 'application/grpc'], ...fields],
  body: '',
});

const slowly = (request: Request, chunkPauseMs: number): Request => ({ ...request, chunkPauseMs });

const routes = `
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: /direct }, direct_response: { status: 403, body: { inline_string: 'no 100% ü' } } }
- { match: { prefix: /max }, route: { cluster: one, timeout: 0s, max_stream_duration: { grpc_timeout_header_max: 0.2s } } }
- { match: { prefix: /timeout }, route: { cluster: one, timeout: 0.1s } }
- { match: { prefix: /idle }, route: { cluster: one, timeout: 0s, idle_timeout: 0.1s } }
- { match: { prefix: /twice }, route: { cluster: one, retry_policy: { retry_on: 'unavailable,refused-stream,reset', num_retries: 2 } } }
- { match: { prefix: /retry }, route: { cluster: one, retry_policy: { retry_on: 'unavailable,refused-stream' } } }
- { match: { prefix: /unavailable }, route: { cluster: one, retry_policy: { retry_on: unavailable } } }
- { match: { prefix: / }, route: { cluster: one } }`;

const calls: readonly Row[] = over([
  { name: 'unary', request: call(service, ping), upstream: [ok] },
  { name: 'unary, one after the other', request: [call(service, ping), call(service, ping)], upstream: [ok] },
  {
    name: 'unary, together',
    request: [call(service, ping), call(service, ping), call(service, ping)],
    mode: 'together',
    upstream: [ok],
    ignores: /connection$|upstream_cx/,
  },
  { name: 'nothing sent', request: call(service, []), upstream: [ok] },
  {
    name: 'streams',
    request: slowly(call(service, [frame('a'), frame('b') + frame('').slice(0, 2), frame('').slice(2)]), 10),
    upstream: [answer([frame('a') + '\0', '\0\0', '\0', '\u0002bb'], [['grpc-status', '0']])],
  },
  {
    name: 'both ways at once',
    request: slowly(call(service, [frame('a'), frame('b'), frame('c')]), 30),
    upstream: [{ ...answer([frame('x'), frame('y')], [['grpc-status', '0']]), isEarly: true, delayMs: 10 }],
    ignores: /^upstream\[0\]\.(body|complete)$|^log\[0\]\.received$|request_message_count/,
  },
  {
    name: 'a large message',
    request: call(service, [frame('m'.repeat(300_000))]),
    upstream: [answer([frame('n'.repeat(300_000))], [['grpc-status', '0']])],
  },
  {
    name: 'trailers only',
    request: call(service, ping),
    upstream: [trailersOnly(['grpc-status', '14'], ['grpc-message', 'later'])],
  },
  {
    name: 'failure',
    request: call(service, ping),
    upstream: [
      answer(
        [],
        [
          ['grpc-status', '5'],
          ['grpc-message', 'gone'],
          ['x-more-bin', 'AAE'],
        ],
      ),
    ],
  },
  { name: 'no status', request: call(service, ping), upstream: [answer([frame('x')], [['x-t', '1']])] },
  {
    name: 'no trailers',
    request: call(service, ping),
    upstream: [{ headers: [['content-type', 'application/grpc']], body: frame('x') }],
  },
  {
    name: 'metadata',
    request: call(service, ping, [
      ['x-text', 'a'],
      ['x-text', 'b'],
      ['x-data-bin', 'AAEC'],
      ['grpc-encoding', 'identity'],
      ['grpc-accept-encoding', 'gzip'],
    ]),
    upstream: [
      {
        ...ok,
        headers: [
          ['content-type', 'application/grpc'],
          ['x-initial', '1'],
          ['x-data-bin', 'AAEC'],
        ],
      },
    ],
  },
  { name: 'request trailers', request: { ...call(service, ping), trailers: [['x-last', '1']] }, upstream: [ok] },
  { name: 'reset in front of the head', request: call(service, ping), upstream: [{ resetCode: 2 }] },
  {
    name: 'reset behind the head',
    request: call(service, ping),
    upstream: [{ headers: [['content-type', 'application/grpc']], chunks: [frame('x')], resetCode: 2 }],
  },
  { name: 'cancelled by the upstream', request: call(service, ping), upstream: [{ resetCode: 8 }] },
  { name: 'refused stream', request: call(service, ping), upstream: [{ resetCode: 7 }] },
  {
    name: 'cancelled by the client',
    request: { ...call(service, ping), resetCode: 8 },
    upstream: [ok],
    // How far the request has got by then, chance decides.
    ignores: /^upstream|\.upstream_rq|\.grpc\.|tx_reset/,
  },
  { name: 'answer is not gRPC', request: call(service, ping), upstream: [{ status: 503, body: 'later' }] },
  { name: 'no connection', request: call('/dead/Method', ping) },
  { name: 'answered here', request: call('/direct/Method', ping) },
  { name: 'answered here, not gRPC', request: call('/direct/Method', ping, [], 'text/plain') },
  {
    name: 'deadline',
    request: call('/max/Method', ping, [['grpc-timeout', '100m']]),
    upstream: [{ ...ok, delayMs: 400 }],
  },
  { name: 'deadline, not asked for', request: call('/max/Method', ping), upstream: [{ ...ok, delayMs: 400 }] },
  { name: 'deadline, in time', request: call('/max/Method', ping, [['grpc-timeout', '150m']]), upstream: [ok] },
  { name: 'route timeout', request: call('/timeout/Method', ping), upstream: [{ ...ok, delayMs: 400 }] },
  {
    name: 'idle timeout',
    request: { ...call('/idle/Method', ping), isOpen: true },
    upstream: [{ ...ok, delayMs: 400 }],
  },
  { name: 'retry of a refused stream', request: call('/retry/Method', ping), upstream: [{ resetCode: 7 }, ok] },
  {
    name: 'retry of a status',
    request: call('/retry/Method', ping),
    upstream: [trailersOnly(['grpc-status', '14']), ok],
  },
  {
    name: 'retry of both',
    request: call('/twice/Method', ping),
    upstream: [trailersOnly(['grpc-status', '14']), { resetCode: 7 }, ok],
  },
  { name: 'retry of a reset', request: call('/twice/Method', ping), upstream: [{ resetCode: 2 }, ok] },
  { name: 'retries are used up', request: call('/twice/Method', ping), upstream: [{ resetCode: 7 }] },
  {
    name: 'no retry of a refused stream',
    request: call('/unavailable/Method', ping),
    upstream: [{ resetCode: 7 }, ok],
  },
  {
    name: 'retry of trailers',
    ignores: repeatedTrailers,
    request: call('/retry/Method', ping),
    upstream: [answer([], [['grpc-status', '14']]), ok],
  },
  {
    name: 'no retry behind the head',
    request: call('/retry/Method', ping),
    upstream: [{ headers: [['content-type', 'application/grpc']], chunks: [frame('x')], resetCode: 7 }],
  },
  {
    name: 'upstream goes away',
    differs: {
      'stats.cluster.one.upstream_cx_protocol_error':
        'a connection that closes because it is drained has broken no protocol',
    },
    request: [call(service, ping), call(service, ping)],
    upstream: [{ ...ok, goAwayCode: 0 }, ok],
  },
  {
    name: 'Connect unary',
    request: call(service, ['{}'], [['connect-protocol-version', '1']], 'application/json'),
    upstream: [{ headers: [['content-type', 'application/json']], body: '{}' }],
  },
]);

const statsGroup = (name: string, settings: string): Group => ({
  name: `gRPC over HTTP/2: ${name}`,
  config: http(
    { filters: typed('grpc_stats', `grpc_stats.v3.FilterConfig, ${settings}`), hcm: withTrailers(), routes },
    upstreams,
  ),
  rows: calls,
});

const base64 = (bytes: string) => Buffer.from(bytes, 'latin1').toString('base64');
const web = (
  chunks: readonly string[],
  more: Pairs = [],
  type = 'application/grpc-web+proto',
  path = service,
): Request => call(path, chunks, more, type);
const text = 'application/grpc-web-text';

const webRows: readonly Row[] = over([
  { name: 'binary', request: web(ping), upstream: [ok] },
  { name: 'text', request: web([base64(frame('ping'))], [['accept', text]], text), upstream: [ok] },
  {
    name: 'streams',
    request: slowly(web([frame('a'), frame('b')]), 10),
    upstream: [
      answer(
        [frame('a'), frame('b'), frame('c')],
        [
          ['grpc-status', '0'],
          ['x-more', '1'],
        ],
      ),
    ],
  },
  {
    name: 'streams of text',
    request: web([base64(frame('a'))], [['accept', text]], text),
    upstream: [answer([frame('a'), frame('bc'), frame('')], [['grpc-status', '0']])],
  },
  {
    name: 'failure',
    request: web(ping),
    upstream: [
      answer(
        [],
        [
          ['grpc-status', '5'],
          ['grpc-message', 'gone'],
        ],
      ),
    ],
  },
  { name: 'trailers only', request: web(ping), upstream: [trailersOnly(['grpc-status', '7'])] },
  { name: 'answer is not gRPC', request: web(ping), upstream: [{ status: 404, body: 'not here' }] },
  { name: 'gRPC itself', request: call(service, ping), upstream: [ok] },
  { name: 'no connection', request: web(ping, [], undefined, '/dead/Method') },
  { name: 'answered here', request: web(ping, [], undefined, '/direct/Method') },
  { name: 'reset in front of the head', request: web(ping), upstream: [{ resetCode: 2 }] },
  {
    name: 'reset behind the head',
    request: web(ping),
    upstream: [{ headers: [['content-type', 'application/grpc']], chunks: [frame('x')], resetCode: 2 }],
  },
  {
    name: 'deadline',
    request: web(ping, [['grpc-timeout', '100m']], undefined, '/max/Method'),
    upstream: [{ ...ok, delayMs: 400 }],
  },
  {
    name: 'retry of a refused stream',
    request: web(ping, [], undefined, '/retry/Method'),
    upstream: [{ resetCode: 7 }, ok],
  },
]);

/** Asked over HTTP/1.1, with an upstream that only speaks HTTP/2. */
const bridgeRows: readonly Row[] = [
  { name: 'success', request: call(service, ping), upstream: [ok] },
  {
    name: 'failure',
    request: call(service, ping),
    upstream: [
      answer(
        [],
        [
          ['grpc-status', '5'],
          ['grpc-message', 'gone'],
        ],
      ),
    ],
  },
  {
    name: 'trailers only',
    request: call(service, ping),
    upstream: [trailersOnly(['grpc-status', '7'], ['grpc-message', 'no'])],
  },
  {
    name: 'in pieces',
    request: call(service, [frame('pi').slice(0, 3), frame('pi').slice(3)]),
    upstream: [answer(frame('pong').split(''), [['grpc-status', '0']])],
  },
  { name: 'reset in front of the head', request: call(service, ping), upstream: [{ resetCode: 2 }] },
  {
    name: 'reset behind the head',
    request: call(service, ping),
    upstream: [{ headers: [['content-type', 'application/grpc']], chunks: [frame('x')], resetCode: 2 }],
  },
  { name: 'retry of a refused stream', request: call('/retry/Method', ping), upstream: [{ resetCode: 7 }, ok] },
  {
    name: 'protobuf',
    request: { method: 'POST', path: service, headers: [['content-type', 'application/x-protobuf']], body: 'ping' },
    upstream: [ok],
  },
  {
    name: 'protobuf, failure',
    request: { method: 'POST', path: service, headers: [['content-type', 'application/x-protobuf']], body: 'ping' },
    upstream: [answer([], [['grpc-status', '5']])],
  },
  { name: 'asked over HTTP/2', request: call(service, ping), upstream: [ok], over: 'h2' },
  {
    name: 'failure asked over HTTP/2',
    request: call(service, ping),
    upstream: [answer([], [['grpc-status', '5']])],
    over: 'h2',
  },
];

export const grpcH2: readonly Group[] = [
  statsGroup('all methods', 'stats_for_all_methods: true, enable_upstream_stats: true'),
  {
    name: 'grpc_web over HTTP/2',
    config: http({ filters: typed('grpc_web', 'grpc_web.v3.GrpcWeb'), hcm: withTrailers(), routes }, upstreams),
    rows: webRows,
  },
  {
    name: 'grpc_http1_bridge to HTTP/2',
    config: http(
      {
        filters: typed('grpc_http1_bridge', 'grpc_http1_bridge.v3.Config, upgrade_protobuf_to_grpc: true'),
        hcm: withTrailers(),
        routes,
      },
      upstreams,
    ),
    rows: bridgeRows,
  },
];
