import { cluster, http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const http2 =
  '{ typed_extension_protocol_options: { envoy.extensions.upstreams.http.v3.HttpProtocolOptions: { "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: { http2_protocol_options: {} } } } }';

export const collectors = [cluster('collector', ['collector']), cluster('collector_grpc', ['collector_grpc'], http2)];

/** A node, and what makes spans leave at once. */
export const bootstrap = `
node: { id: the-node, cluster: the-cluster, locality: { zone: the-zone } }
layered_runtime: { layers: [{ name: l, static_layer: { tracing.zipkin.min_flush_spans: 1, tracing.opentelemetry.min_flush_spans: 1 } }] }
`;

const routes = `
- { match: { prefix: /named }, decorator: { operation: the-operation }, route: { cluster: one } }
- { match: { prefix: /kept }, decorator: { operation: the-operation, propagate: false }, route: { cluster: one } }
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: /direct }, direct_response: { status: 200 } }
- { match: { prefix: /retried }, route: { cluster: one, retry_policy: { retry_on: 5xx, num_retries: 1 } } }
- { match: { prefix: /slow }, route: { cluster: one, timeout: 0.2s } }
- { match: { prefix: /never }, tracing: { random_sampling: { numerator: 0 } }, route: { cluster: one } }
- { match: { prefix: /tagged }, tracing: { custom_tags: [{ tag: of-route, literal: { value: '1' } }, { tag: literal, literal: { value: route } }] }, route: { cluster: one } }
- { match: { prefix: /operated }, tracing: { operation: 'route %REQ(:METHOD)%' }, decorator: { operation: the-operation }, route: { cluster: one } }
- { match: { prefix: /redirected }, route: { cluster: one, internal_redirect_policy: {} } }
- { match: { prefix: / }, metadata: { filter_metadata: { space: { text: some, number: 1.5, flag: true, struct: { x: 1 }, list: [1, a], none: null } } }, route: { cluster: one } }
`;

const tag = (name: string) =>
  `{ tag: m-${name}, metadata: { kind: { route: {} }, metadata_key: { key: space, path: [{ key: ${name} }] } } }`;

const tags = `[
  { tag: literal, literal: { value: x } },
  { tag: set, environment: { name: NOBODY_SETS_THIS, default_value: otherwise } },
  { tag: unset, environment: { name: NOBODY_SETS_THIS } },
  { tag: header, request_header: { name: x-tag, default_value: none } },
  { tag: formatted, value: '%REQ(:METHOD)% %REQ(absent)%' },
  { tag: empty, value: '%REQ(absent)%' },
  { tag: zone, literal: { value: another } },
  { tag: missing, metadata: { kind: { cluster: {} }, metadata_key: { key: space, path: [{ key: a }] }, default_value: default } },
  ${['text', 'number', 'flag', 'struct', 'list', 'none'].map(tag).join(', ')}
]`;

export const zipkin = (more = '') =>
  `{ name: envoy.tracers.zipkin, typed_config: { '@type': type.googleapis.com/envoy.config.trace.v3.ZipkinConfig, collector_cluster: collector, collector_endpoint: /api/v2/spans, collector_endpoint_version: HTTP_JSON${more} } }`;
const otlp = (more = '') =>
  `{ name: envoy.tracers.opentelemetry, typed_config: { '@type': type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig, service_name: a-service${more} } }`;
export const otlpGrpc = (more = '') => otlp(`, grpc_service: { envoy_grpc: { cluster_name: collector_grpc } }${more}`);
const otlpHttp = otlp(
  ', http_service: { http_uri: { uri: "http://collector.example/v1/traces", cluster: collector, timeout: 1s }, request_headers_to_add: [{ header: { key: x-key, value: v } }] }',
);

interface Traced {
  readonly provider: string;
  readonly tracing?: string;
  readonly direction?: string;
  readonly filters?: string;
  readonly router?: string;
  readonly hcm?: string;
}

function group(
  name: string,
  { provider, tracing = '', direction, filters, router = '', hcm = '' }: Traced,
  rows: readonly Row[],
): Group {
  return {
    name: `tracing: ${name}`,
    config: http(
      {
        routes,
        bootstrap,
        log: ['TRACE_ID', 'SPAN_ID'],
        router: `{ suppress_envoy_headers: true${router} }`,
        hcm: `{ tracing: { provider: ${provider}${tracing} }${hcm} }`,
        ...(filters === undefined ? {} : { filters }),
        ...(direction === undefined ? {} : { listener: `{ traffic_direction: ${direction} }` }),
      },
      collectors,
    ),
    // Spans are sent when it suits each; those that come are compared one by one.
    stats: /^http\..*tracing|^tracing\..*(spans_sent|dropped|failed)$/,
    rows,
  };
}

const b3 = [
  ['x-b3-traceid', '463ac35c9f6413ad'],
  ['x-b3-spanid', 'a2fb4a1d1a96d312'],
  ['x-b3-parentspanid', '0020000000000001'],
] as const;
const w3c = (flags: string) =>
  [['traceparent', `00-463ac35c9f6413ad48485a3953bb6124-e457b5a2e4d86bd1-${flags}`]] as const;
const state = ['tracestate', 'a=b'] as const;

const get = (
  name: string,
  path: string,
  collects: number,
  headers: Row['request'] extends infer _ ? readonly (readonly [string, string])[] : never = [],
): Row => ({
  name,
  request: { path, headers },
  collects,
});

/** What every provider does alike. `spans`: of a forwarded request; `redirected`: of one that is sent elsewhere. */
function alike(spans: number, redirected = spans): Row[] {
  return [
    get('a request', '/a?b=c', spans),
    get('by a decorator', '/named', spans),
    get('by a decorator that is kept', '/kept', spans),
    get('named by the downstream', '/named', spans, [['x-envoy-decorator-operation', 'told']]),
    {
      ...get('named by the upstream', '/named', spans),
      upstream: [{ headers: [['x-envoy-decorator-operation', 'answered']] }],
    },
    get('not by its route', '/never', 0),
    get('tags of its route', '/tagged', spans),
    get('the name of its route', '/operated', spans),
    get('answered here', '/direct', 1),
    get('nobody is there', '/dead', spans),
    { ...get('a repeat', '/retried', spans === 1 ? 1 : 3), upstream: [{ status: 503 }, {}] },
    { ...get('too late', '/slow', spans), upstream: [{ delayMs: 600 }] },
    { ...get('not found', '/a', spans), upstream: [{ status: 404 }] },
    { ...get('an error', '/a', spans), upstream: [{ status: 500 }] },
    get('gRPC', '/a.Service/Method', spans, [
      ['content-type', 'application/grpc'],
      ['grpc-timeout', '10S'],
    ]),
    {
      name: 'gRPC with a status',
      request: { method: 'POST', path: '/a.S/M', headers: [['content-type', 'application/grpc']] },
      collects: spans,
      upstream: [
        {
          headers: [
            ['content-type', 'application/grpc'],
            ['grpc-status', '13'],
            ['grpc-message', 'broken'],
          ],
        },
      ],
    },
    ...['5', '8', '12'].map((status) => ({
      name: `gRPC with the status ${status}`,
      request: { method: 'POST', path: '/a.S/M', headers: [['content-type', 'application/grpc']] as const },
      collects: spans,
      upstream: [
        {
          headers: [
            ['content-type', 'application/grpc'],
            ['grpc-status', status],
          ] as const,
        },
      ],
    })),
    get('an id of the client', '/a', spans, [['x-client-trace-id', 'abc']]),
    get('an id that was not to be traced', '/a', 0, [['x-request-id', 'abc']]),
    {
      ...get('an upstream that sends elsewhere', '/redirected', redirected),
      logLines: 2,
      upstream: [{ status: 302, headers: [['location', 'http://test.local/a']] }, {}],
    },
    { name: 'a body', request: { method: 'POST', path: '/a', body: 'hello' }, collects: spans },
  ];
}

const b3Rows = (spans: number): Row[] => [
  get('B3, sampled', '/a', spans, [...b3, ['x-b3-sampled', '1']]),
  get('B3, not sampled', '/a', 0, [...b3, ['x-b3-sampled', '0']]),
  get('B3, undecided', '/a', spans, [...b3]),
  get('B3 in one field', '/a', spans, [['b3', '463ac35c9f6413ad48485a3953bb6124-e457b5a2e4d86bd1-1']]),
  get('B3 that says no', '/a', 0, [['b3', '0']]),
  get('B3 that says debug', '/a', spans, [['b3', 'd']]),
  get('B3 that cannot be read', '/a', 0, [['b3', 'xyz']]),
  get('B3 with a bad id', '/a', 0, [
    ['x-b3-traceid', 'zz'],
    ['x-b3-spanid', 'a2fb4a1d1a96d312'],
  ]),
];

const w3cRows = (spans: number): Row[] => [
  get('W3C, sampled', '/a', spans, [...w3c('01'), state]),
  get('W3C, not sampled', '/a', 0, [...w3c('00'), state]),
  get('W3C, several states', '/a', spans, [...w3c('01'), state, ['tracestate', 'c=d']]),
  get('W3C that cannot be read', '/a', 0, [['traceparent', '00-463']]),
  get('W3C of zeros', '/a', 0, [['traceparent', '00-00000000000000000000000000000000-e457b5a2e4d86bd1-01']]),
];

const spawns = ', spawn_upstream_span: true';
const healthCheck =
  "[{ name: hc, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck, pass_through_mode: false, headers: [{ name: ':path', string_match: { exact: /hc } }] } }]";
const sampler = (type: string, more = '') =>
  `{ name: s, typed_config: { '@type': type.googleapis.com/envoy.extensions.tracers.opentelemetry.samplers.v3.${type}${more} } }`;
const requestId = (settings: string) =>
  `, request_id_extension: { typed_config: { '@type': type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig, ${settings} } }`;
const internal =
  ', internal_address_config: { cidr_ranges: [{ address_prefix: 127.0.0.0, prefix_len: 8 }] }, use_remote_address: true';

export const tracing: Group[] = [
  group(
    'Zipkin, inbound',
    { provider: zipkin(), tracing: `, custom_tags: ${tags}, max_path_tag_length: 5`, filters: healthCheck },
    [...alike(1, 2), ...b3Rows(1), get('a health check', '/hc', 0)],
  ),
  group('Zipkin, outbound', { provider: zipkin(), direction: 'OUTBOUND' }, [...alike(1, 2), ...b3Rows(1)]),
  group(
    'Zipkin, a span for each try',
    {
      provider: zipkin(', trace_id_128bit: true, shared_span_context: false'),
      tracing: `${spawns}, verbose: true, custom_tags: ${tags}`,
    },
    [...alike(2, 4), ...b3Rows(2)],
  ),
  group('Zipkin, a span for each try, outbound', { provider: zipkin(), tracing: spawns, direction: 'OUTBOUND' }, [
    ...alike(2, 4),
    ...b3Rows(2),
  ]),
  group('Zipkin, split', { provider: zipkin(', split_spans_for_request: true'), direction: 'OUTBOUND' }, [
    get('a request', '/a', 1),
    ...b3Rows(1),
  ]),
  group('Zipkin with W3C', { provider: zipkin(', trace_context_option: USE_B3_WITH_W3C_PROPAGATION') }, [
    get('a request', '/a', 1),
    ...b3Rows(1),
    ...w3cRows(1).slice(0, 2),
  ]),
  group(
    'Zipkin, by a service',
    {
      provider: zipkin().replace(
        'collector_cluster: collector, collector_endpoint: /api/v2/spans',
        'collector_service: { http_uri: { uri: "http://zipkin.example/api/v2/spans?x=1", cluster: collector, timeout: 1s } }',
      ),
    },
    [get('a request', '/a', 1)],
  ),
  group(
    'OpenTelemetry, inbound',
    { provider: otlpGrpc(), tracing: `, custom_tags: ${tags}`, direction: 'INBOUND', filters: healthCheck },
    [...alike(1), ...w3cRows(1), get('a health check', '/hc', 0)],
  ),
  group('OpenTelemetry, outbound', { provider: otlpGrpc(), direction: 'OUTBOUND' }, [...alike(1), ...w3cRows(1)]),
  group(
    'OpenTelemetry, a span for each try',
    {
      provider: otlpGrpc(),
      tracing: `${spawns}, verbose: true, operation: 'op %REQ(:METHOD)%', upstream_operation: 'up %REQ(:METHOD)%'`,
    },
    [...alike(2), ...w3cRows(2)],
  ),
  group(
    'OpenTelemetry, started by the router',
    { provider: otlpHttp, direction: 'OUTBOUND', router: ', start_child_span: true' },
    [...alike(2), ...w3cRows(2)],
  ),
  ...[
    ['always', sampler('AlwaysOnSamplerConfig')],
    ['never', sampler('TraceIdRatioBasedSamplerConfig', ', sampling_percentage: { numerator: 0 }')],
    ['as the parent', sampler('ParentBasedSamplerConfig', `, wrapped_sampler: ${sampler('AlwaysOnSamplerConfig')}`)],
  ].map(([name, how]) =>
    group(`OpenTelemetry, sampled ${name}`, { provider: otlpGrpc(`, sampler: ${how}`) }, [
      get('a request', '/a', name === 'never' ? 0 : 1),
      get('of a sampled trace', '/a', name === 'never' ? 0 : 1, w3c('01')),
      get('of another trace', '/a', name === 'always' ? 1 : 0, w3c('00')),
      get('not by its route', '/never', 0),
    ]),
  ),
  group('nothing is told on', { provider: otlpGrpc(), tracing: ', no_context_propagation: true' }, [
    get('a request', '/a', 1),
    get('of another trace', '/a', 1, w3c('01')),
  ]),
  group('not by chance', { provider: zipkin(), tracing: ', random_sampling: { value: 0 }', hcm: internal }, [
    get('a request', '/a', 0),
    get('forced by a service', '/a', 1, [['x-envoy-force-trace', '1']]),
    get('asked for by the client', '/a', 1, [['x-client-trace-id', 'abc']]),
    get('by its id', '/a', 1, [['x-request-id', 'f67ac714-d570-90e4-b482-5235d1080824']]),
    get('by its id, forced', '/a', 1, [['x-request-id', 'f67ac714-d570-a0e4-b482-5235d1080824']]),
    get('B3, sampled', '/a', 1, [...b3, ['x-b3-sampled', '1']]),
    get('B3, undecided', '/a', 0, [...b3]),
  ]),
  group(
    'by 30 % of ids',
    {
      provider: zipkin(),
      tracing: ', random_sampling: { value: 30 }, client_sampling: { value: 0 }, overall_sampling: { value: 60 }',
    },
    [
      ...['0000', '0bb7', '0bb8', '1388', '270f'].map((end) =>
        get(`the id ${end}`, '/a', 0, [['x-request-id', `0000${end}-d570-40e4-b482-5235d1080824`]]),
      ),
      ...['003b', '003c'].map((end) =>
        get(`the id ${end}`, '/a', 0, [['x-request-id', `0000${end}-d570-40e4-b482-5235d1080824`]]),
      ),
      get('asked for by the client', '/a', 0, [
        ['x-client-trace-id', 'abc'],
        ['x-request-id', `00001388-d570-40e4-b482-5235d1080824`],
      ]),
    ],
  ),
  group('reasons are not packed', { provider: zipkin(), hcm: requestId('pack_trace_reason: false') }, [
    get('a request', '/a', 1),
  ]),
  group(
    'ids decide nothing',
    {
      provider: zipkin(),
      tracing: ', random_sampling: { value: 0 }',
      hcm: requestId('use_request_id_for_trace_sampling: false'),
    },
    [get('a request', '/a', 1), get('B3, not sampled', '/a', 0, [...b3, ['x-b3-sampled', '0']])],
  ),
  {
    name: 'tracing: the tracer of the bootstrap',
    config: http(
      { bootstrap: `${bootstrap}tracing: { http: ${zipkin()} }`, hcm: '{ tracing: {} }', log: ['TRACE_ID'] },
      collectors,
    ),
    rows: [get('a request', '/a', 1)],
  },
  {
    name: 'tracing: without a tracer',
    config: http({ bootstrap, hcm: '{ tracing: { random_sampling: { value: 100 } } }', log: ['TRACE_ID'] }, collectors),
    rows: [get('a request', '/a', 0), get('W3C, sampled', '/a', 0, w3c('01'))],
  },
];
