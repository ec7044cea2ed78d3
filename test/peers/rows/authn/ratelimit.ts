import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { RateLimitResponseSchema } from '../../../../src/proto/envoy/service/ratelimit/v3/rls_pb.js';
import { http, type HttpParts } from '../../config.ts';
import type { Group, Row, Step } from '../../row.ts';

const type = 'type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3';
const filter = 'envoy.filters.http.ratelimit';

const rls = `
- name: rls
  type: STATIC
  connect_timeout: 5s
  load_assignment: { cluster_name: rls, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{two}}' } } } }] }] }
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config: { http2_protocol_options: {} }`;

function limited(name: string, settings: string, rows: readonly Row[], parts: HttpParts = {}): Group {
  return {
    name: `rate limits: ${name}`,
    config: http({
      filters: `
- name: ${filter}
  typed_config: { '@type': ${type}.RateLimit, domain: test, rate_limit_service: { transport_api_version: V3, grpc_service: { envoy_grpc: { cluster_name: rls } } }, ${settings} }`,
      log: ['DYNAMIC_METADATA(envoy.filters.http.ratelimit)'],
      clusters: rls,
      routes: `
- { match: { prefix: / }, route: { cluster: one, rate_limits: [{ actions: [{ generic_key: { descriptor_value: all } }] }] } }`,
      ...parts,
    }),
    rows: rows.map((row) => ({ stats: /ratelimit/, ...row })),
  };
}

export function says(answer: MessageInitShape<typeof RateLimitResponseSchema>, more: Partial<Step> = {}): Step {
  const message = toBinary(RateLimitResponseSchema, create(RateLimitResponseSchema, answer));
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return {
    headers: [['content-type', 'application/grpc']],
    chunks: [Buffer.concat([frame, message]).toString('latin1')],
    trailers: [['grpc-status', '0']],
    ...more,
  };
}

const ok = says({ overallCode: 1 });
const over = says({ overallCode: 2 });
const statuses = [
  {
    code: 1,
    limitRemaining: 5,
    durationUntilReset: { seconds: 7n, nanos: 5 },
    currentLimit: { requestsPerUnit: 10, unit: 2, name: 'minutes' },
  },
  { code: 2, limitRemaining: 2, durationUntilReset: { seconds: 30n }, currentLimit: { requestsPerUnit: 3, unit: 1 } },
  { code: 1, limitRemaining: 1 },
  ...[0, 3, 4, 5, 6, 7].map((unit) => ({ code: 1, limitRemaining: 9, currentLimit: { requestsPerUnit: 100, unit } })),
];

const answers: readonly Row[] = [
  { name: 'ok', upstream: [ok, {}] },
  { name: 'ok, by HTTP/2', over: 'h2', upstream: [ok, {}] },
  { name: 'ok, with a body', request: { path: '/', body: 'a body' }, upstream: [ok, {}] },
  { name: 'over the limit', upstream: [over] },
  { name: 'over the limit, with a body', request: { path: '/', body: 'a body' }, upstream: [over] },
  {
    name: 'over the limit, in gRPC',
    over: 'h2',
    request: { path: '/a.B/C', method: 'POST', headers: [['content-type', 'application/grpc']] },
    upstream: [over],
  },
  {
    name: 'over the limit, with more',
    upstream: [
      says({
        overallCode: 2,
        rawBody: Buffer.from('too much'),
        responseHeadersToAdd: [
          { key: 'X-Why', value: 'because' },
          { key: 'content-type', value: 'text/html' },
          { key: 'x-twice', value: '1' },
          { key: 'x-twice', value: '2' },
        ],
        requestHeadersToAdd: [{ key: 'x-request', value: 'r' }],
        dynamicMetadata: { a: [1, true] },
        statuses,
      }),
    ],
  },
  {
    name: 'ok, with more',
    request: { path: '/', headers: [['x-request', 'mine']] },
    upstream: [
      says({
        overallCode: 1,
        rawBody: Buffer.from('unused'),
        responseHeadersToAdd: [{ key: 'x-response', value: 'r' }],
        requestHeadersToAdd: [{ key: 'X-Request', value: 'r' }],
        dynamicMetadata: { a: [1, true] },
        statuses,
      }),
      { headers: [['x-response', 'there']] },
    ],
  },
  { name: 'an unknown code', upstream: [says({ overallCode: 0 }), {}] },
  { name: 'an error', upstream: [{ status: 500 }, {}] },
  { name: 'no message', upstream: [says({}, { chunks: [''] }), {}] },
  { name: 'half a message', upstream: [says({}, { chunks: ['\0\0\0\0\x02\x08\x82'] }), {}] },
  { name: 'too late', upstream: [{ ...ok, delayMs: 500 }, {}] },
];

const patient = 'timeout: 0.2s';

const descriptors = `
- match: { prefix: /many }
  route:
    cluster: one
    rate_limits:
    - actions: [{ generic_key: { descriptor_value: v, descriptor_key: k } }, { request_headers: { header_name: x-h, descriptor_key: h } }]
    - actions: [{ remote_address: {} }, { destination_cluster: {} }, { source_cluster: {} }]
      limit: { dynamic_metadata: { metadata_key: { key: m, path: [{ key: p }] } } }
    - { stage: 1, actions: [{ generic_key: { descriptor_value: other-stage } }] }
    - { disable_key: off, actions: [{ generic_key: { descriptor_value: off } }] }
    - { disable_key: 'on', actions: [{ generic_key: { descriptor_value: 'on' } }] }
    - { hits_addend: { number: 3 }, actions: [{ generic_key: { descriptor_value: hits } }] }
- { match: { prefix: /vhost }, route: { cluster: one } }
- { match: { prefix: /own }, route: { cluster: one, rate_limits: [{ actions: [{ generic_key: { descriptor_value: own } }] }] } }
- { match: { prefix: /include }, route: { cluster: one, include_vh_rate_limits: true, rate_limits: [{ actions: [{ generic_key: { descriptor_value: own } }] }] } }
- { match: { prefix: /per-route-include }, route: { cluster: one, rate_limits: [{ actions: [{ generic_key: { descriptor_value: own } }] }] }, typed_per_filter_config: { ${filter}: { '@type': ${type}.RateLimitPerRoute, vh_rate_limits: INCLUDE } } }
- { match: { prefix: /per-route-ignore }, route: { cluster: one }, typed_per_filter_config: { ${filter}: { '@type': ${type}.RateLimitPerRoute, vh_rate_limits: IGNORE } } }
- { match: { prefix: /per-route-own }, route: { cluster: one }, typed_per_filter_config: { ${filter}: { '@type': ${type}.RateLimitPerRoute, domain: another, rate_limits: [{ actions: [{ generic_key: { descriptor_value: per-route } }] }] } } }
- { match: { prefix: /done }, route: { cluster: one, rate_limits: [{ apply_on_stream_done: true, actions: [{ generic_key: { descriptor_value: done } }], hits_addend: { format: '%BYTES_SENT%' } }] } }
- { match: { prefix: /direct }, direct_response: { status: 200 } }
- { match: { prefix: /nowhere }, route: { cluster_header: x-cluster } }`;

/** `envoy.filters.http.ratelimit`. */
const shown = ['OFF', 'DRAFT_VERSION_03', 'UNSPECIFIED'];
const limitsOf = (...options: readonly string[]): string =>
  `rate_limits: [${options.map((option, i) => `{ x_ratelimit_option: ${option}, actions: [{ generic_key: { descriptor_value: v${i} } }] }`).join(', ')}]`;
const shownRoutes = [
  ...shown.map((option) => `- { match: { prefix: /${option} }, route: { cluster: one, ${limitsOf(option)} } }`),
  `- { match: { prefix: /all }, route: { cluster: one, ${limitsOf(...shown)} } }`,
].join('\n');
const three = [5, 1, 3].map((limitRemaining, i) => ({
  code: 1,
  limitRemaining,
  durationUntilReset: { seconds: 7n },
  currentLimit: { requestsPerUnit: 10 + i, unit: 2 },
}));

/** What clients are shown of each limit. */
const shownRows: readonly Row[] = [
  ...shown.map((option): Row => ({
    name: option,
    request: { path: `/${option}` },
    upstream: [says({ overallCode: 1, statuses: three.slice(0, 1) }), {}],
  })),
  { name: 'of all', request: { path: '/all' }, upstream: [says({ overallCode: 1, statuses: three }), {}] },
  { name: 'too many', request: { path: '/all' }, upstream: [says({ overallCode: 2, statuses: three })] },
  {
    name: 'fewer than asked',
    request: { path: '/all' },
    upstream: [says({ overallCode: 1, statuses: three.slice(0, 2) }), {}],
  },
  { name: 'more than asked', request: { path: '/OFF' }, upstream: [says({ overallCode: 1, statuses: three }), {}] },
];

export const rateLimitGroups: readonly Group[] = [
  limited('shown by descriptor', patient, shownRows, { routes: shownRoutes }),
  limited('shown by descriptor, else always', `${patient}, enable_x_ratelimit_headers: DRAFT_VERSION_03`, shownRows, {
    routes: shownRoutes,
  }),
  limited('answers', patient, answers),
  limited(
    'settings',
    `${patient}, failure_mode_deny: true, rate_limited_as_resource_exhausted: true, enable_x_ratelimit_headers: DRAFT_VERSION_03, disable_x_envoy_ratelimited_header: true,
     rate_limited_status: { code: ServiceUnavailable }, status_on_error: { code: BadGateway }, stat_prefix: own, response_headers_to_add: [{ header: { key: x-limited, value: '%PROTOCOL%' } }]`,
    answers,
  ),
  limited(
    'not enforced',
    `${patient}, filter_enforced: { default_value: { numerator: 0 } }, enable_x_ratelimit_headers: DRAFT_VERSION_03, response_headers_to_add: [{ header: { key: x-limited, value: y } }]`,
    [
      {
        name: 'over the limit',
        upstream: [
          says({
            overallCode: 2,
            statuses,
            responseHeadersToAdd: [{ key: 'x-a', value: 'b' }],
            requestHeadersToAdd: [{ key: 'x-c', value: 'd' }],
          }),
          {},
        ],
      },
    ],
  ),
  limited('off', 'filter_enabled: { default_value: { numerator: 0 } }', [{ name: 'nobody is asked' }]),
  limited('of internal requests', `${patient}, request_type: internal`, [{ name: 'an external one' }]),
  limited('of external requests', `${patient}, request_type: external`, [
    { name: 'an external one', upstream: [over] },
  ]),
  limited(
    'its own limits',
    `${patient}, rate_limits: [{ actions: [{ generic_key: { descriptor_value: of-filter } }] }]`,
    [{ name: 'asked', upstream: [over] }],
  ),
  limited(
    'failures denied by chance',
    `${patient}, failure_mode_deny_percent: { default_value: { numerator: 100 }, runtime_key: deny }`,
    [{ name: 'an error', upstream: [{ status: 500 }] }],
  ),
  limited(
    'descriptors',
    patient,
    [
      { name: 'many', request: { path: '/many', headers: [['x-h', 'header']] }, upstream: [ok, {}] },
      { name: 'not all', request: { path: '/many' }, upstream: [ok, {}] },
      ...['/vhost', '/own', '/include', '/per-route-include', '/per-route-own'].map((path): Row => ({
        name: path,
        request: { path },
        upstream: [ok, {}],
      })),
      ...['/per-route-ignore', '/direct', '/nowhere', '/nothing'].map((path): Row => ({
        name: path,
        request: { path },
      })),
      { name: 'at the end', request: { path: '/done' }, upstream: [{}, ok] },
    ],
    {
      routes: descriptors,
      virtualHost: '{ rate_limits: [{ actions: [{ generic_key: { descriptor_value: vhost } }] }] }',
      bootstrap:
        '{ layered_runtime: { layers: [{ name: s, static_layer: { ratelimit: { off: { http_filter_enabled: 0 } } } }] } }',
    },
  ),
];
