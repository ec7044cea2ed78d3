import { cluster, http, tcp, type HttpParts } from '../../config.ts';
import { serverTls, trusting } from '../../tls/config.ts';
import type { Group, Row } from '../../row.ts';
import { bootstrap, collectors, otlpGrpc, zipkin } from './tracing.ts';

const grpcService = 'grpc_service: { envoy_grpc: { cluster_name: collector_grpc } }';
const common = (more = '') =>
  `common_config: { log_name: a-log, transport_api_version: V3, buffer_flush_interval: 0.05s, ${grpcService}${more} }`;
const log = (type: string, settings: string, filter = '') =>
  `{ name: a-log, ${filter}typed_config: { '@type': type.googleapis.com/envoy.extensions.access_loggers.${type}, ${settings} } }`;
const httpGrpc = (settings: string, filter = '') => log('grpc.v3.HttpGrpcAccessLogConfig', settings, filter);
const otlp = (settings: string) => log('open_telemetry.v3.OpenTelemetryAccessLogConfig', settings);

const tags = `[
  { tag: literal, literal: { value: x } },
  { tag: header, request_header: { name: x-tag } },
  { tag: formatted, value: '%REQ(:METHOD)%' },
  { tag: metadata, metadata: { kind: { request: {} }, metadata_key: { key: space, path: [{ key: b }] } } }
]`;
const filters = `
- { name: fs, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config, on_request_headers: [{ object_key: a.key, factory_key: envoy.string, format_string: { text_format_source: { inline_string: 'state of %REQ(:METHOD)%' } } }] } }
- { name: sm, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config, metadata: [{ metadata_namespace: space, value: { a: 1, b: text, c: { d: [true] } } }] } }
`;
const routes = `
- { match: { prefix: /named }, name: a-route, route: { cluster: one } }
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: /direct }, direct_response: { status: 200, body: { inline_string: here } } }
- { match: { prefix: /retried }, route: { cluster: one, retry_policy: { retry_on: 5xx, num_retries: 1 } } }
- { match: { prefix: /slow }, route: { cluster: one, timeout: 0.2s } }
- { match: { prefix: / }, route: { cluster: one } }
`;

interface Logged {
  readonly logs: string;
  readonly more?: Partial<HttpParts>;
  readonly tracing?: string;
}

function group(name: string, { logs, tracing, more = {} }: Logged, rows: readonly Row[]): Group {
  const config = http(
    {
      routes,
      bootstrap,
      filters,
      router: '{ suppress_envoy_headers: true }',
      accessLogs: `[${logs}]`,
      ...more,
      ...(tracing === undefined ? {} : { hcm: `{ tracing: { provider: ${tracing} } }` }),
    },
    collectors,
  );
  return { name: `logs to services: ${name}`, config, rows, stats: /^access_logs\..*logs_(written|dropped)$/ };
}

const request = (name: string, path: string, more: Partial<Row> = {}): Row => ({
  name,
  request: {
    path,
    headers: [
      ['x-tag', 'a'],
      ['x-tag', 'b'],
      ['user-agent', 'the agent'],
      ['referer', 'http://from.example/'],
      ['x-forwarded-for', '192.0.2.7'],
    ],
  },
  collects: 1,
  ...more,
});

const all: Row[] = [
  request('a request', '/named?a=b', { upstream: [{ headers: [['x-shown', 'yes']] }] }),
  request('nobody is there', '/dead'),
  request('answered here', '/direct'),
  request('a repeat', '/retried', { upstream: [{ status: 503 }, {}] }),
  request('too late', '/slow', { upstream: [{ delayMs: 600 }] }),
  {
    name: 'a body and trailers',
    request: { method: 'POST', path: '/a', body: 'hello' },
    collects: 1,
    upstream: [{ chunks: ['a', 'b'], trailers: [['x-end', 'told']] }],
  },
  {
    name: 'over HTTP/2',
    over: 'h2',
    request: { path: '/a', headers: [['x-tag', 'a']] },
    collects: 1,
    // Into how many frames a body is cut.
    ignores: /downstreamWireBytesSent/,
  },
];

const shown =
  'additional_request_headers_to_log: [X-Tag, ":path"], additional_response_headers_to_log: [x-shown, server], additional_response_trailers_to_log: [x-end]';
const texts = `
  body: { string_value: "[%REQ(:METHOD)%] %REQ(absent)%\\n" },
  attributes: { values: [
    { key: protocol, value: { string_value: "%PROTOCOL%" } },
    { key: code, value: { string_value: "%RESPONSE_CODE%" } },
    { key: map, value: { kvlist_value: { values: [{ key: method, value: { string_value: "%REQ(:METHOD)%" } }] } } },
    { key: list, value: { array_value: { values: [{ string_value: "%RESPONSE_FLAGS%" }, { string_value: fixed }] } } },
    { key: missing, value: { string_value: "%REQ(absent)%" } }
  ] },
  resource_attributes: { values: [{ key: of-resource, value: { string_value: "no format %REQ(:METHOD)%" } }] }`;
const failed =
  'filter: { status_code_filter: { comparison: { op: GE, value: { default_value: 500, runtime_key: x } } } }, ';

const overTls: Row[] = [
  request('with a certificate', '/a', { tls: { certificate: 'client' }, ignores: /tlsSessionId/ }),
  request('through authorities between', '/a', { tls: { certificate: 'client_deep' }, ignores: /tlsSessionId/ }),
  request('without a certificate', '/a', { tls: {}, ignores: /tlsSessionId/ }),
  request('TLS 1.2', '/a', { tls: { certificate: 'client', maxVersion: 'TLSv1.2' }, ignores: /tlsSessionId/ }),
];

export const logServices: Group[] = [
  group('entries', { logs: httpGrpc(common()) }, all),
  group(
    'entries that say more',
    { logs: httpGrpc(`${common(`, filter_state_objects_to_log: [a.key, absent], custom_tags: ${tags}`)}, ${shown}`) },
    all,
  ),
  group('entries of failures', { logs: httpGrpc(common(), failed) }, [
    request('a request', '/a', { collects: 0 }),
    request('nobody is there', '/dead'),
  ]),
  group('records', { logs: otlp(common()) }, all),
  group(
    'records that say more',
    { logs: otlp(`${common()}, ${texts}, custom_tags: ${tags}, filter_state_objects_to_log: [a.key, absent]`) },
    all,
  ),
  group(
    'records with the older fields',
    {
      logs: otlp(
        `${common(`, filter_state_objects_to_log: [a.key], custom_tags: ${tags}`)}, disable_builtin_labels: true, body: { string_value: x }`,
      ),
    },
    all.slice(0, 2),
  ),
  group(
    'records over HTTP',
    {
      logs: otlp(
        'http_service: { http_uri: { uri: "http://collector.example/v1/logs", cluster: collector, timeout: 1s }, request_headers_to_add: [{ header: { key: x-key, value: v } }] }, log_name: by-http, buffer_flush_interval: 0.05s, stat_prefix: mine.',
      ),
    },
    all,
  ),
  group(
    'records of traced requests',
    { logs: otlp(`${grpcService}, log_name: l, buffer_flush_interval: 0.05s`), tracing: otlpGrpc() },
    [request('a request', '/a', { collects: 2 })],
  ),
  group(
    'records of requests that Zipkin traces',
    { logs: otlp(`${grpcService}, log_name: l, buffer_flush_interval: 0.05s`), tracing: zipkin() },
    [request('a request', '/a', { collects: 2 })],
  ),
  {
    name: 'logs to services: connections',
    config: tcp('{ cluster: echo }', [cluster('echo', ['echo']), ...collectors], {
      bootstrap,
      accessLogs: `[${log('grpc.v3.TcpGrpcAccessLogConfig', common())}, ${otlp(common(', custom_tags: []'))}]`,
    }),
    stats: /^access_logs\..*logs_(written|dropped)$/,
    rows: [{ name: 'a connection', raw: ['hello', 50, 'end'], until: 'closed', collects: 2 }],
  },
  {
    ...group(
      'entries over TLS',
      {
        logs: httpGrpc(common()),
        more: {
          transport: serverTls(['server'], trusting()),
          listener:
            "{ listener_filters: [{ name: tls, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector, enable_ja3_fingerprinting: true } }] }",
        },
      },
      overTls,
    ),
  },
];
