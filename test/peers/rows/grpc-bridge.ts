import { http } from '../config.ts';
import type { Group, Request, Row } from '../row.ts';
import { answer, call, frame, trailing, withTrailers } from './grpc.ts';

const service = '/pkg.Service/Method';
const ok = answer([frame('pong')], [['grpc-status', '0']]);
const protobuf = (body: string, path = service): Request => ({
  method: 'POST',
  path,
  headers: [['content-type', 'application/x-protobuf']],
  body,
});

const rows: readonly Row[] = [
  { name: 'success', request: call(service, [frame('ping')]), upstream: [ok] },
  {
    name: 'failure',
    request: call(service, [frame('ping')]),
    upstream: [
      answer(
        [],
        [
          ['grpc-status', '5'],
          ['grpc-message', 'gone'],
          ['x-t', '1'],
        ],
      ),
    ],
  },
  {
    name: 'failure after messages',
    request: call(service, [frame('ping')]),
    upstream: [answer([frame('a'), frame('b')], [['grpc-status', '13']])],
  },
  { name: 'status is no number', request: call(service, [frame('x')]), upstream: [answer([], [['grpc-status', 'x']])] },
  {
    name: 'success in two digits',
    request: call(service, [frame('x')]),
    upstream: [answer([], [['grpc-status', '00']])],
  },
  { name: 'no status', request: call(service, [frame('x')]), upstream: [answer([frame('a')], [['x-t', '1']])] },
  {
    name: 'trailers only',
    request: call(service, [frame('ping')]),
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
  { name: 'no trailers', request: call(service, [frame('x')]), upstream: [{ body: frame('abc') }] },
  { name: 'not gRPC', request: call(service, [frame('x')], [], 'text/plain'), upstream: [ok] },
  { name: 'refused', request: call('/dead/Method', [frame('x')]) },
  { name: 'answered here', request: call('/direct/Method', [frame('x')]) },
  { name: 'query', request: call(`${service}?a=b`, [frame('x')]), upstream: [ok] },
  { name: 'query of another request', request: { path: `${service}?a=b` } },
  { name: 'protobuf', request: protobuf('ping'), upstream: [ok] },
  { name: 'protobuf, query', request: protobuf('ping', `${service}?a=b`), upstream: [ok] },
  { name: 'protobuf, of nothing', request: protobuf(''), upstream: [ok] },
  {
    name: 'protobuf, chunked',
    request: {
      method: 'POST',
      path: service,
      headers: [['content-type', 'application/x-protobuf']],
      chunks: ['a', 'bc'],
    },
    upstream: [ok],
  },
  {
    name: 'protobuf, in pieces',
    raw: [
      `POST ${service} HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\ncontent-length: 300\r\n\r\n`,
      30,
      'x'.repeat(100),
      30,
      'y'.repeat(200),
    ],
    upstream: [answer(frame('pong').split(''), [['grpc-status', '0']])],
  },
  { name: 'protobuf, failure', request: protobuf('ping'), upstream: [answer([], [['grpc-status', '5']])] },
  { name: 'protobuf, refused', request: protobuf('ping', '/dead/Method') },
  { name: 'protobuf, routed by its new type', request: protobuf('ping', '/typed/Method'), upstream: [ok] },
  {
    name: 'protobuf, two answers',
    request: protobuf('ping'),
    upstream: [answer([frame('a') + frame('b')], [['grpc-status', '0']])],
  },
];

const whole = 'a message that is to be framed goes on when its length is known';

const bridge = (name: string, settings: string, isUpgrading: boolean): Group => ({
  name: `grpc_http1_bridge: ${name}`,
  config: http({
    filters: `
- name: envoy.filters.http.grpc_http1_bridge
  typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.grpc_http1_bridge.v3.Config, ${settings} }`,
    hcm: withTrailers(),
    clusters: trailing,
    routes: `
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: /direct }, direct_response: { status: 403, body: { inline_string: no } } }
- { match: { prefix: /typed, grpc: {} }, route: { cluster: one, prefix_rewrite: /grpc } }
- { match: { prefix: / }, route: { cluster: one } }`,
  }),
  rows: [
    ...rows,
    {
      name: 'protobuf, answered here',
      request: protobuf('ping', '/direct/Method'),
      ...(isUpgrading ? { differs: { 'client[0]': whole, 'log[0]': whole, stats: whole } } : {}),
    },
  ],
});

export const grpcBridge: readonly Group[] = [
  bridge('as it is', '', false),
  bridge('protobuf and queries', 'upgrade_protobuf_to_grpc: true, ignore_query_parameters: true', true),
];
