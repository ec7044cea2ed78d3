import { http } from '../config.ts';
import type { Group, Pairs, Request, Row } from '../row.ts';
import { answer, call, frame, trailing, withTrailers } from './grpc.ts';

const base64 = (bytes: string) => Buffer.from(bytes, 'latin1').toString('base64');

const binary = 'application/grpc-web';
const text = 'application/grpc-web-text';
const service = '/pkg.Service/Method';

const web = (chunks: readonly string[], more: Pairs = [], type = binary): Request => call(service, chunks, more, type);
const texts = (chunks: readonly string[], more: Pairs = [['accept', text]]): Request => web(chunks, more, text);

const ok = answer([frame('pong')], [['grpc-status', '0']]);
const long = 'long '.repeat(5000);

const wherever = 'base64 may be padded wherever its sender flushed, as gRPC-Web has it, however it is split on the way';

/** Whether the head has left for the upstream when the body turns out to be invalid is a matter of time. */
const invalid = (name: string, chunks: readonly string[]): Row => ({
  name,
  request: texts(chunks),
  ignores: /^upstream|\.upstream_(cx|rq)_/,
});

const grpcWebFilter: Group = {
  name: 'grpc_web',
  config: http({
    filters: `
- name: envoy.filters.http.grpc_web
  typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.grpc_web.v3.GrpcWeb }`,
    hcm: withTrailers(),
    clusters: trailing,
    routes: `
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: /direct }, direct_response: { status: 403, body: { inline_string: 'no 100% ü' } } }
- { match: { prefix: /empty }, direct_response: { status: 401 } }
- { match: { prefix: /grpc, grpc: {} }, route: { cluster: two } }
- { match: { prefix: / }, route: { cluster: one } }`,
  }),
  rows: [
    { name: 'binary', request: web([frame('ping')]), upstream: [ok] },
    { name: 'binary, with its codec', request: web([frame('ping')], [], `${binary}+proto`), upstream: [ok] },
    { name: 'another codec', request: web([frame('ping')], [], `${binary}+json`), upstream: [ok] },
    { name: 'parameters', request: web([frame('ping')], [], `${binary}; charset=utf-8`), upstream: [ok] },
    { name: 'gRPC itself', request: web([frame('ping')], [], 'application/grpc'), upstream: [ok] },
    {
      name: 'with a length',
      request: {
        method: 'POST',
        path: service,
        headers: [
          ['content-type', binary],
          ['grpc-accept-encoding', 'gzip'],
          ['te', 'gzip'],
        ],
        body: frame('ping'),
      },
      upstream: [ok],
    },
    {
      name: 'more trailers',
      request: web([frame('ping')]),
      upstream: [
        answer(
          [frame('a'), frame('b')],
          [
            ['grpc-status', '3'],
            ['grpc-message', 'not so%0A'],
            ['x-a', '1'],
            ['x-a', ' 2 '],
            ['X-Upper', ''],
          ],
        ),
      ],
    },
    { name: 'no messages', request: web([frame('ping')]), upstream: [answer([], [['grpc-status', '5']])] },
    {
      name: 'trailers only',
      request: web([frame('ping')]),
      upstream: [
        {
          headers: [
            ['content-type', 'application/grpc'],
            ['grpc-status', '7'],
            ['grpc-message', 'no'],
          ],
          body: '',
        },
      ],
    },
    {
      name: 'no trailers',
      request: web([frame('ping')]),
      upstream: [{ headers: [['content-type', 'application/grpc']], body: frame('x') }],
    },
    {
      name: 'trailers only, asked for as text',
      request: texts([base64(frame('ping'))]),
      upstream: [
        {
          headers: [
            ['content-type', 'application/grpc'],
            ['grpc-status', '7'],
          ],
          body: '',
        },
      ],
    },
    { name: 'text', request: texts([base64(frame('ping'))]), upstream: [ok] },
    {
      name: 'text, with its codec',
      request: web([base64(frame('ping'))], [['accept', `${text}+proto`]], `${text}+proto`),
      upstream: [ok],
    },
    { name: 'text for binary', request: web([frame('ping')], [['accept', text]]), upstream: [ok] },
    { name: 'binary for text', request: texts([base64(frame('ping'))], [['accept', binary]]), upstream: [ok] },
    {
      name: 'accept lists more',
      request: texts([base64(frame('ping'))], [['accept', `${text}, */*`]]),
      upstream: [ok],
    },
    {
      name: 'text in pieces',
      raw: [
        `POST ${service} HTTP/1.1\r\nhost: a\r\ncontent-type: ${text}\r\ncontent-length: 16\r\n\r\nA`,
        30,
        'AAA',
        30,
        'ABXl',
        30,
        'ZZ',
        30,
        'XMhIQ=',
        30,
        '='.slice(1),
      ],
      upstream: [ok],
    },
    {
      name: 'frames in pieces',
      request: texts([base64(frame('ping'))]),
      upstream: [answer((frame('a') + frame('bc') + frame('') + frame('defg', 1)).split(''), [['grpc-status', '0']])],
    },
    { name: 'text of nothing', request: texts([]), upstream: [ok] },
    {
      name: 'upstream is no gRPC',
      request: web([frame('ping')]),
      upstream: [{ status: 404, body: 'not here: 100%\n' }],
    },
    { name: 'upstream is no gRPC, chunked', request: web([frame('ping')]), upstream: [{ chunks: ['not', ' here'] }] },
    {
      name: 'upstream is no gRPC, with trailers',
      request: web([frame('ping')]),
      upstream: [{ status: 503, chunks: ['not', ' here'], trailers: [['x-t', '1']] }],
    },
    {
      name: 'upstream is no gRPC, asked for as text',
      request: texts([base64(frame('x'))]),
      upstream: [{ status: 429, body: 'slow' }],
    },
    { name: 'upstream is no gRPC and long', request: web([frame('x')]), upstream: [{ status: 500, body: long }] },
    { name: 'upstream is no gRPC and silent', request: web([frame('x')]), upstream: [{ status: 500, body: '' }] },
    {
      name: 'upstream speaks gRPC-Web',
      request: web([frame('ping')]),
      upstream: [
        {
          headers: [['content-type', 'Application/gRPC-Web+proto; a=b']],
          body: frame('x') + frame('grpc-status:0\r\n', 128),
        },
      ],
    },
    { name: 'refused', request: { ...web([frame('x')]), path: '/dead/Method' } },
    { name: 'refused, asked for as text', request: { ...texts([base64(frame('x'))]), path: '/dead/Method' } },
    { name: 'answered here', request: { ...web([frame('x')]), path: '/direct/Method' } },
    { name: 'answered here without a body', request: { ...web([frame('x')]), path: '/empty/Method' } },
    { name: 'routed by its type', request: { ...web([frame('x')]), path: '/grpc/Method' }, upstream: [ok] },
    invalid('not base64', ['AAAA%%%%']),
    invalid('another alphabet', ['AA-_']),
    invalid('white space', ['AAAA\r\n']),
    invalid('too short', ['AAAAA']),
    invalid('not base64 and too short', ['%%%%A']),
    invalid('only a piece', ['AAA']),
    invalid('left-over bits', ['AAAAAB==']),
    invalid('left-over bits, two bytes', ['AAAAAAB=']),
    invalid('only padding', ['====']),
    invalid('padding in front', ['AAAA=AAA']),
    {
      name: 'padding between frames',
      request: texts([base64(frame('ping')) + base64(frame('pin')) + base64(frame(''))]),
      upstream: [ok],
      differs: { 'client[0]': wherever, upstream: wherever, 'log[0]': wherever, stats: wherever },
    },
  ],
};

export const grpcWeb: readonly Group[] = [grpcWebFilter];
