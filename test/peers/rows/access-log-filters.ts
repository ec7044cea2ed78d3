import { http } from '../config.ts';
import type { Group, Row } from '../row.ts';

const types = 'type.googleapis.com/envoy.extensions';

const routes = `
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: /direct }, direct_response: { status: 204 } }
- { match: { prefix: / }, route: { cluster: one } }`;

const noted = `
- name: noted
  typed_config:
    '@type': ${types}.filters.http.header_to_metadata.v3.Config
    request_rules:
    - { header: x-note, on_header_present: { metadata_namespace: ns, key: note, type: STRING } }
    - { header: x-number, on_header_present: { metadata_namespace: ns, key: number, type: NUMBER } }`;

function logger(text: string, filter = ''): string {
  return `
- name: envoy.access_loggers.file
  ${filter === '' ? '' : `filter: ${filter}`}
  typed_config:
    '@type': ${types}.access_loggers.file.v3.FileAccessLog
    path: '{{log}}'
    log_format: { text_format_source: { inline_string: "${text}\\n" } }`;
}

const compared = (op: string, value: number) =>
  `comparison: { op: ${op}, value: { default_value: ${value}, runtime_key: none } }`;
const metadata = (more: string) => `{ metadata_filter: { matcher: { filter: ns, path: [{ key: note }], ${more} } } }`;

/** By what is logged of a request where the filter takes it. */
const filters: Readonly<Record<string, string>> = {
  'status EQ': `{ status_code_filter: { ${compared('EQ', 204)} } }`,
  'status GE': `{ status_code_filter: { ${compared('GE', 404)} } }`,
  'status LE': `{ status_code_filter: { ${compared('LE', 204)} } }`,
  'status NE': `{ status_code_filter: { ${compared('NE', 200)} } }`,
  'duration GE': `{ duration_filter: { ${compared('GE', 0)} } }`,
  'no health check': '{ not_health_check_filter: {} }',
  traceable: '{ traceable_filter: {} }',
  'runtime none': '{ runtime_filter: { runtime_key: off, percent_sampled: { numerator: 0 } } }',
  'runtime all':
    '{ runtime_filter: { runtime_key: on, percent_sampled: { numerator: 100 }, use_independent_randomness: true } }',
  'runtime of the configuration': '{ runtime_filter: { runtime_key: logs.all } }',
  'any flag': '{ response_flag_filter: {} }',
  'flag NR or UF': '{ response_flag_filter: { flags: [NR, UF] } }',
  header: '{ header_filter: { header: { name: x-log, string_match: { prefix: y } } } }',
  'no header': '{ header_filter: { header: { name: x-log, present_match: true, invert_match: true } } }',
  'grpc UNAVAILABLE': '{ grpc_status_filter: { statuses: [UNAVAILABLE] } }',
  'grpc not OK': '{ grpc_status_filter: { statuses: [OK], exclude: true } }',
  'metadata exact': metadata('value: { string_match: { exact: v } }'),
  'metadata inverted': metadata('value: { string_match: { exact: v } }, invert: true'),
  'metadata or nothing': `{ metadata_filter: { match_if_key_not_found: false, matcher: { filter: ns, path: [{ key: number }], value: { double_match: { range: { start: 1, end: 3 } } } } } }`,
  'type end': '{ log_type_filter: { types: [DownstreamEnd] } }',
  'type not end': '{ log_type_filter: { types: [DownstreamEnd], exclude: true } }',
  both: `{ and_filter: { filters: [{ status_code_filter: { ${compared('GE', 200)} } }, { header_filter: { header: { name: x-log, present_match: true } } }] } }`,
  either: `{ or_filter: { filters: [{ status_code_filter: { ${compared('EQ', 404)} } }, { response_flag_filter: { flags: [UF] } }] } }`,
};

const grpc = { method: 'POST', path: '/s/m', headers: [['content-type', 'application/grpc']] } as const;
const kept: readonly (Row & { readonly logLines: number })[] = [
  { name: 'a success', request: { path: '/' }, logLines: 9 },
  { name: 'a direct response', request: { path: '/direct' }, logLines: 12 },
  { name: 'a failure', request: { path: '/dead' }, logLines: 13 },
  { name: 'a 404 of the upstream', request: { path: '/' }, upstream: [{ status: 404 }], logLines: 10 },
  { name: 'a header', request: { headers: [['x-log', 'yes']] }, logLines: 10 },
  { name: 'another header', request: { headers: [['x-log', 'no']] }, logLines: 9 },
  {
    name: 'metadata',
    request: {
      headers: [
        ['x-note', 'v'],
        ['x-number', '2'],
      ],
    },
    logLines: 10,
  },
  {
    name: 'other metadata',
    request: {
      headers: [
        ['x-note', 'w'],
        ['x-number', '4'],
      ],
    },
    logLines: 9,
  },
  { name: 'gRPC', request: grpc, upstream: [{ headers: [['grpc-status', '14']] }], logLines: 9 },
  { name: 'gRPC that is well', request: grpc, upstream: [{ headers: [['grpc-status', '0']] }], logLines: 8 },
  { name: 'a forced trace', request: { headers: [['x-envoy-force-trace', 'true']] }, logLines: 9 },
];

const moment = '%ACCESS_LOG_TYPE% %RESPONSE_CODE% %REQ(:PATH)% %UPSTREAM_CLUSTER% %BYTES_RECEIVED%';
const upgrade: Row = {
  name: 'a tunnel',
  request: {
    headers: [
      ['connection', 'upgrade'],
      ['upgrade', 'websocket'],
    ],
  },
  upstream: [{ tunnel: 'bye' }],
};

function moments(name: string, options: string, rows: readonly Row[]): Group {
  const hcm = `
access_log:${logger(moment)}${logger('of others: %ACCESS_LOG_TYPE%', '{ log_type_filter: { types: [DownstreamEnd], exclude: true } }')}
upgrade_configs: [{ upgrade_type: websocket }]
${options}`;
  return { name: `access log: ${name}`, config: http({ routes, hcm }), rows };
}

export const accessLogFilters: readonly Group[] = [
  {
    name: 'access log: filters',
    config: http({
      routes,
      filters: noted,
      hcm: `access_log:${Object.entries(filters)
        .map(([name, filter]) => logger(name, filter))
        .join('')}`,
      bootstrap: 'layered_runtime: { layers: [{ name: static, static_layer: { logs.all: 100 } }] }',
    }),
    rows: kept,
  },
  moments('when it begins', 'access_log_options: { flush_access_log_on_new_request: true }', [
    { name: 'a request', request: { path: '/a', body: 'abc' }, logLines: 3 },
    { name: 'a direct response', request: { path: '/direct' }, logLines: 3 },
    { name: 'two requests', request: [{ path: '/a' }, { path: '/b' }], logLines: 6 },
  ]),
  moments('when it begins, as it was said before', 'flush_access_log_on_new_request: true', [
    { name: 'a request', request: { path: '/a' }, logLines: 3 },
  ]),
  moments('again and again', 'access_log_options: { access_log_flush_interval: 0.5s }', [
    { name: 'a slow request', request: { path: '/a' }, upstream: [{ delayMs: 800 }], logLines: 3 },
    { name: 'a fast request', request: { path: '/a' }, logLines: 1 },
  ]),
  moments('of tunnels', 'access_log_options: { flush_log_on_tunnel_successfully_established: true }', [
    { ...upgrade, logLines: 3 },
    { name: 'a request', request: { path: '/a' }, logLines: 1 },
  ]),
];
