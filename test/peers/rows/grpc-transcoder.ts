import { join } from 'node:path';
import { repository } from '../binaries.ts';
import { cluster, http } from '../config.ts';
import type { Group, Pairs, Request, Row, Step } from '../row.ts';
import { answer, frame, withTrailers } from './grpc.ts';

const descriptors = join(repository, 'test/unit/filter/grpc-json-transcoder/library.binpb');

export const overHttp2 = `
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: { http2_protocol_options: {} }`;

const transcoder = (settings: string) => `
- name: envoy.filters.http.grpc_json_transcoder
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder
    proto_descriptor: ${descriptors}
    services: [test.library.Library]
    ${settings}`;

const json = (path: string, body: string, method = 'POST'): Request => ({
  method,
  path,
  headers: [['content-type', 'application/json']],
  body,
});

const inPieces = (path: string, chunks: readonly string[], chunkPauseMs = 20): Request => ({
  method: 'POST',
  path,
  headers: [['content-type', 'application/json']],
  chunks,
  chunkPauseMs,
});

/** `Every` with its text. */
const every = (text: string) => frame(`\n${String.fromCharCode(text.length)}${text}`);
/** A `google.api.HttpBody` of a type and its bytes. */
const httpBody = (type: string, data: string) =>
  frame(`\n${String.fromCharCode(type.length)}${type}\u0012${String.fromCharCode(data.length)}${data}`);

const ok = answer([every('a')], [['grpc-status', '0']]);
const two = answer([every('a'), every('b')], [['grpc-status', '0']]);
const failure = answer(
  [],
  [
    ['grpc-status', '5'],
    ['grpc-message', 'not%20there'],
    ['x-more', '1'],
  ],
);

const trailersOnly = (...fields: Pairs): Step => ({
  headers: [['content-type', 'application/grpc'], ...fields],
  body: '',
});

const status = 'the log tells what the client got, not the trailers that were to end it';

const both = (row: Row): readonly Row[] => [row, { ...row, name: `${row.name}, over HTTP/2`, over: 'h2' }];

const calls: readonly Row[] = [
  ...both({ name: 'path', request: { path: '/v1/shelves/1/books/2' }, upstream: [ok] }),
  ...both({ name: 'body', request: json('/every', '{"text":"x","manyTexts":["y","z"]}'), upstream: [ok] }),
  { name: 'path and body', request: json('/every/abc', '{"name":"n"}', 'PUT'), upstream: [ok] },
  { name: 'query', request: { path: '/v1/books/5?every.i32=7&every.kind=NOVEL&tags=a&tags=b' }, upstream: [ok] },
  { name: 'wrong query', request: { path: '/v1/books/5?every.i32=x' } },
  { name: 'a method of its own', request: { method: 'OPTIONS', path: '/every' }, upstream: [ok] },
  { name: 'no such path', request: { path: '/nothing' }, upstream: [{ body: 'not transcoded' }] },
  {
    name: 'gRPC passes',
    request: {
      ...json('/test.library.Library/EchoEvery', every('x')),
      headers: [
        ['content-type', 'application/grpc'],
        ['te', 'trailers'],
      ],
    },
    upstream: [ok],
    over: 'h2',
  },
  ...both({ name: 'wrong JSON', request: json('/every', '{"text":'), ignores: /^upstream|\.upstream_(cx|rq)_/ }),
  { name: 'status in trailers', request: json('/every', '{}'), upstream: [failure] },
  {
    name: 'status in the head',
    request: json('/every', '{}'),
    upstream: [trailersOnly(['grpc-status', '7'], ['grpc-message', 'no'])],
  },
  { name: 'answer is not gRPC', request: json('/every', '{}'), upstream: [{ status: 503, body: 'later' }] },
  {
    name: 'answer is cut short',
    differs: { 'log[0].grpc': status, 'log[0].number': status, 'log[0].trailer': status },
    request: json('/every', '{}'),
    upstream: [answer([every('abc').slice(0, 7)], [['grpc-status', '0']])],
  },
  {
    name: 'answer is reset',
    request: json('/every', '{}'),
    upstream: [{ ...ok, chunks: [every('a').slice(0, 6)], resetCode: 2 }],
  },
  { name: 'refused stream', request: json('/every', '{}'), upstream: [{ resetCode: 7 }] },
];

const streams: readonly Row[] = [
  ...both({ name: 'answers', request: { path: '/scatter' }, upstream: [two] }),
  { name: 'answers, none', request: { path: '/scatter' }, upstream: [answer([], [['grpc-status', '0']])] },
  {
    name: 'answers, then failure',
    request: { path: '/scatter' },
    upstream: [
      answer(
        [every('a')],
        [
          ['grpc-status', '13'],
          ['grpc-message', 'boom'],
        ],
      ),
    ],
  },
  {
    name: 'answers, in pieces',
    request: { path: '/scatter' },
    upstream: [
      answer([(every('a') + every('b')).slice(0, 3), (every('a') + every('b')).slice(3)], [['grpc-status', '0']]),
    ],
  },
  ...both({ name: 'requests', request: json('/gather', '[{"text":"a"},{"text":"b"}]'), upstream: [ok] }),
  {
    name: 'requests, in pieces',
    request: inPieces('/gather', ['[{"te', 'xt":"a"},{"te', 'xt":"b"}]']),
    upstream: [ok],
    over: 'h2',
  },
  {
    name: 'both ways',
    request: inPieces('/talk', ['[{"text":"a"}', ',{"text":"b"}]']),
    upstream: [{ ...two, isEarly: true, delayMs: 60 }],
    over: 'h2',
  },
  { name: 'both ways, none', request: json('/talk', '[]'), upstream: [answer([], [['grpc-status', '0']])] },
];

const bodies: readonly Row[] = [
  ...both({
    name: 'download',
    request: { path: '/download' },
    upstream: [answer([httpBody('text/x', 'hi')], [['grpc-status', '0']])],
  }),
  {
    name: 'download in a field',
    request: { path: '/downloadin' },
    upstream: [answer([frame(`2\u0006${httpBody('a', 'b').slice(5)}`)], [['grpc-status', '0']])],
  },
  {
    name: 'download of a stream',
    request: { path: '/downloads' },
    upstream: [answer([httpBody('text/x', 'hi'), httpBody('text/y', ' you')], [['grpc-status', '0']])],
  },
  {
    name: 'upload',
    request: { method: 'POST', path: '/upload', headers: [['content-type', 'image/x']], body: '\u0000bytes\u00ff' },
    upstream: [answer([frame('')], [['grpc-status', '0']])],
  },
  {
    name: 'upload of a stream',
    request: { ...inPieces('/uploads/n', ['one', 'two']), headers: [['content-type', 'image/x']] },
    upstream: [answer([frame('')], [['grpc-status', '0']])],
    over: 'h2',
  },
];

const group = (name: string, settings: string, rows: readonly Row[]): Group => ({
  name: `grpc_json_transcoder: ${name}`,
  config: http({ filters: transcoder(settings), hcm: withTrailers() }, [cluster('one', ['one'], overHttp2)]),
  stats: /^(http|cluster)\.(?!.*transcoder_response_buffer_bytes)/,
  rows,
});

const failed: readonly Row[] = [
  ...both({ name: 'status in trailers', request: json('/every', '{}'), upstream: [failure] }),
  {
    name: 'status in the head',
    request: json('/every', '{}'),
    upstream: [trailersOnly(['grpc-status', '7'], ['grpc-message', 'n%C3%B6'])],
  },
  {
    name: 'status with details',
    request: json('/every', '{}'),
    upstream: [trailersOnly(['grpc-status', '5'], ['grpc-status-details-bin', 'CAUSAm5m'])],
  },
  {
    name: 'status of a stream',
    request: { path: '/scatter' },
    upstream: [trailersOnly(['grpc-status', '5'], ['grpc-message', 'gone'])],
  },
  {
    name: 'status behind answers',
    request: { path: '/scatter' },
    upstream: [answer([every('a')], [['grpc-status', '13']])],
  },
  { name: 'lines', request: { path: '/scatter' }, upstream: [two] },
  { name: 'no annotation', request: json('/test.library.Library/Unmapped', '{"name":"n"}'), upstream: [ok] },
];

const strict: readonly Row[] = [
  { name: 'unknown path', request: { path: '/nothing' } },
  { name: 'unknown query', request: { path: '/v1/books/5?nope=1' } },
  {
    name: 'path against body',
    request: json('/every?text=q', '{"text":"b"}'),
    ignores: /^upstream|\.upstream_(cx|rq)_/,
    over: 'h2',
  },
  ...both({ name: 'events', request: { path: '/scatter' }, upstream: [two] }),
];

export const grpcTranscoder: readonly Group[] = [
  group('calls', '', calls),
  group('streams', '', streams),
  group('HttpBody', '', bodies),
  group(
    'statuses',
    'convert_grpc_status: true\n    auto_mapping: true\n    print_options: { stream_newline_delimited: true }',
    failed,
  ),
  group(
    'strict',
    'request_validation_options: { reject_unknown_method: true, reject_unknown_query_parameters: true, reject_binding_body_field_collisions: true }\n    print_options: { stream_sse_style_delimited: true }',
    strict,
  ),
];
