import { cluster, http, tcp } from '../config.ts';
import type { Group } from '../row.ts';
import { serverTls, trusting } from '../tls/config.ts';

const routes = `
- name: dead
  match: { prefix: /dead }
  route: { cluster: dead }
- name: direct
  match: { prefix: /direct }
  direct_response: { status: 204 }
- name: named
  match: { prefix: / }
  route: { cluster: one }
  metadata: { filter_metadata: { a.b: { text: é, number: 1.5, truth: true, list: [1, a], nothing: null } } }`;

const filters = `
- name: noted
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config
    metadata: [{ metadata_namespace: noted, value: { text: v, number: 3, big: 1234567, list: [1], inner: { deep: d } } }]
- name: stated
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config
    on_request_headers:
    - { object_key: state, factory_key: envoy.string, format_string: { text_format_source: { inline_string: '%REQ(:METHOD)%' } } }`;

const requests = [
  {
    name: 'proxied',
    request: {
      path: '/a/b?x=1&y=2',
      headers: [
        ['x-a', '1'],
        ['x-a', '2'],
        ['referer', 'r'],
      ],
    },
  },
  { name: 'direct', request: { path: '/direct' } },
  { name: 'failed', request: { path: '/dead' } },
  { name: 'posted', request: { path: '/p?', body: 'body' }, upstream: [{ status: 404, body: 'not' }] },
  { name: 'bytes', request: { path: '/', headers: [['x-a', 'Ã©']] } },
  {
    name: 'gRPC',
    request: { method: 'POST', path: '/s/m', headers: [['content-type', 'application/grpc']] },
    upstream: [
      {
        headers: [
          ['grpc-status', '7'],
          ['content-type', 'application/grpc'],
        ],
      },
    ],
  },
  { name: 'over HTTP/2', over: 'h2', request: { path: '/h2?q' } },
] as const satisfies Group['rows'];

function expressions(texts: readonly string[]): string[] {
  return texts.map((text) => `CEL(${text})`);
}

const attributes = expressions([
  'request.path',
  'request.url_path',
  'request.query',
  'request.host',
  'request.scheme',
  'request.method',
  'request.referer',
  'request.useragent',
  'request.size',
  'request.protocol',
  "request.headers['X-A']",
  'request.headers.nope',
  "'x-a' in request.headers",
  'request.nope',
  'request',
  'request.duration >= duration("0s")',
  'request.time > timestamp("2020-01-01T00:00:00Z")',
  'response.code',
  'response.code_details',
  'response.flags',
  'response.size',
  'response.grpc_status',
  "response.headers['content-type']",
  "response.headers[':status']",
  'response.trailers.size()',
  'has(response.backend_latency)',
  'connection.mtls',
  'connection.requested_server_name',
  'connection.tls_version',
  'connection.termination_details',
  'type(connection.id) == uint',

  'source.port > 0',
  'upstream.address',

  'upstream.request_attempt_count',
  'upstream.transport_failure_reason',
  'has(upstream.local_address)',
  'metadata.filter_metadata.noted.text',
  "metadata.filter_metadata['noted']['number']",
  'metadata.filter_metadata.noted.big',
  'metadata.filter_metadata.noted.inner.deep',
  'metadata.filter_metadata.noted.list',
  'metadata.filter_metadata.other',
  'filter_state.state',
  "filter_state['state'] == b'GET'",
  "filter_state.state == 'GET'",
  'xds.cluster_name',
  'xds.route_name',
  "xds.route_metadata.filter_metadata['a.b'].text",
  "xds.route_metadata.filter_metadata['a.b'].number",
  "xds.route_metadata.filter_metadata['a.b'].nothing",
  'xds.virtual_host_name',
  'xds.filter_chain_name',
  'size(xds.listener_metadata.filter_metadata)',
]);

const language = expressions([
  "'a' + 'b'",
  "'a' + 'b' == 'ab'",
  '[1] + [2] == [1, 2]',
  "contains('abc', 'b')",
  "'abc'.contains('b') && 'abc'.startsWith('a') && endsWith('abc', 'c')",
  "matches('a1', '[0-9]')",
  "request.path.matches('^/[a-z]/b')",
  '1 == 1.0',
  '1 == 1u',
  "'1' == 1",
  '1 < 2.5',
  'has(request.headers.foo)',
  'has(request.nope)',
  "size('é')",
  "'é'",
  "'é'.size()",
  'true ? 1 : 2',
  '1 / 0',
  '1 / 0 == 1 || true',
  'request.nope == 1 && false',
  '!(request.nope == 1)',
  'nope',
  'int(request.time) > 0',
  "duration('90s')",
  "duration('-1.5ms')",
  "duration('3600s')",
  "duration('0s')",
  "timestamp('2020-01-01T00:00:00.123Z')",
  "timestamp('2020-01-01T00:00:00Z') + duration('1s')",
  "timestamp('2020-02-01T00:00:00Z').getMonth()",
  'timestamp(1)',
  'timestamp(-1)',
  'timestamp(253402300799)',
  'timestamp(253402300800)',
  'timestamp(-62135596800)',
  'timestamp(-62135596801)',
  'timestamp(-9223372036854775807)',
  'timestamp(9223372036854775807)',
  'timestamp(-9223372036854775807) < timestamp(0)',
  'timestamp(253402300799) + duration("999ms")',
  'duration(1)',
  'duration("315576000001s")',
  'duration("-315576000001s")',
  'duration("9223372036s")',
  'int(timestamp(5))',
  'int(timestamp("9999-12-31T23:59:59Z"))',
  'int(duration("5s"))',
  'timestamp("0001-01-01T00:00:00Z")',
  'timestamp("9999-12-31T23:59:59.999999999Z")',
  '0.1',
  '1e20',
  '1e-7',
  '123456789.123',
  '100000.0',
  '1234567.0',
  '999999.5',
  '0.0001',
  '-1',
  '7 - 4 * 2',
  '5u',
  "b'abc'",
  'null',
  '[1, 2]',
  '{1: 2}',
  '{"a": "b"}["a"]',
  '[1, 2][1]',
  '2 in [1, 2]',
  'type(1)',
  'string',
  "int('12') + 1",
  "uint('x')",
  "double('1.5')",
  "bytes('ab')",
  '9223372036854775807 + 1',
  'dyn(1) == 1',
]);

const patterns = expressions([
  `re.extract('foo=bar', '=(.*)', 'X\\\\1')`,
  `re.extract('foo=bar', '(\\\\w+)=(\\\\w+)', '\\\\2-\\\\1-\\\\0')`,
  "re.extract('foo', 'z', 'X')",
  "re.extract('abab', 'b', 'x')",
  `re.extract('abc', 'b', '\\\\9')`,
  `re.extract('abc', 'b', 'x\\\\')`,
  `re.extract('é1', '(.)', '[\\\\1]')`,
  "re.capture('abc', 'a(b)c')",
  "re.capture('abc', '(b)')",
  "re.capture('abc', 'abc')",
  "re.capture('abc', '(z)?abc')",
  "re.captureN('abc', 'a(?P<n>b)(c)')['n']",
  "re.captureN('abc', 'a(?P<n>b)(c)')['2']",
  "re.captureN('abc', 'a(?P<n>b)(c)')['1']",
  "size(re.captureN('abc', 'a(?P<n>b)(c)'))",
  "re.captureN('abc', 'abc')",
  "'é'.matches('^.$')",
  "request.headers['x-a'].matches('^.$')",
]);

/** Each is logged where it holds. */
const ofStrings = [
  "'abc'.charAt(1) == 'b'",
  "'é1'.charAt(1) == '1'",
  "'abc'.charAt(4) == ''",
  "'abcb'.indexOf('b') == 1",
  "'abcb'.indexOf('b', 2) == 3",
  "'abcb'.lastIndexOf('b') == 3",
  "'éa'.indexOf('a') == 1",
  "'ÉAbC'.lowerAscii() == 'Éabc'",
  "'abc'.upperAscii() == 'ABC'",
  "'aba'.replace('a', 'é') == 'ébé'",
  "'aba'.replace('a', 'x', 1) == 'xba'",
  "'abc'.replace('', '-') == '-a-b-c-'",
  "'abc'.replace('', '-', 2) == '-a-bc'",
  "'abc'.split('') == ['a', 'b', 'c']",
  "'a,b,é'.split(',') == ['a', 'b', 'é']",
  "'a,b,c'.split(',', 2) == ['a', 'b,c']",
  "['a', 'é'].join('-') == 'a-é'",
  "['a', 'b'].join() == 'ab'",
  "'éabc'.substring(1) == 'abc'",
  "'abc'.substring(1, 2) == 'b'",
  "' a '.trim() == 'a'",
  "'abé'.reverse() == 'éba'",
  "'%s is %d'.format(['é', 1]) == 'é is 1'",
  `strings.quote('a') == '"a"'`,
  "request.path.lowerAscii().startsWith('/a')",
];

const typed = [
  'response.code',
  'request.path',
  'nope',
  'metadata.filter_metadata.noted',
  "xds.route_metadata.filter_metadata['a.b']",
  'true',
  '1.5',
  "[1, 'a', null]",
  'duration("1.5s")',
  'timestamp("2020-01-01T00:00:00.5Z")',
  'timestamp(1)',
  'timestamp(-1)',
  'timestamp("0001-01-01T00:00:00Z")',
  'timestamp(-62135596801)',
  'timestamp(253402300799)',
  'timestamp(253402300800)',
  'timestamp(-9223372036854775807)',
  'null',
  '{"b": 1, "a": 2}',
  "b'ab'",
  '1u',
  '"é"',
].map((text) => `TYPED_CEL(${text})`);

function filtered(name: string, expression: string, more = '{}'): string {
  return `
- name: ${name}
  filter:
    extension_filter:
      name: envoy.access_loggers.extension_filters.cel
      typed_config:
        '@type': type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter
        expression: ${JSON.stringify(expression)}
        cel_config: ${more}
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
    path: '{{log}}'
    log_format: { text_format_source: { inline_string: "${name}\\n" } }`;
}

const logFilters = [
  filtered('code', 'response.code >= 400'),
  filtered('error', 'request.nope == 1'),
  filtered('negated error', '!(request.nope == 1)'),
  filtered('no boolean', 'request.path'),
  filtered('header', "request.headers['x-a'] == '1,2' || response.code == 404"),
  filtered('joined', "'a' + 'b' == 'ab'", '{ enable_string_concat: true }'),
  filtered('converted', "string(response.code) == '204'", '{ enable_string_conversion: true }'),
  filtered('always', 'true'),
].join('');

const ofTls = [
  'connection.mtls',
  'connection.tls_version',
  'connection.requested_server_name',
  'connection.subject_peer_certificate',
  'connection.subject_local_certificate',
  'connection.uri_san_peer_certificate',
  'connection.uri_san_local_certificate',
  'connection.dns_san_peer_certificate',
  'connection.dns_san_local_certificate',
  'connection.sha256_peer_certificate_digest',
  'upstream.tls_version',
  'upstream.uri_san_peer_certificate',
];

const ofConnections = [
  'request.path',
  "request.headers['a']",
  'request.protocol',
  'request.size',
  'request.total_size',
  'response.code',
  'response.size',
  'response.grpc_status',
  'connection.mtls',
  'connection.termination_details',
  'upstream.request_attempt_count',
  'upstream.transport_failure_reason',
  'xds.cluster_name',
  'xds.route_name',
  'xds.virtual_host_name',
  'xds.filter_chain_name',
  'size(metadata.filter_metadata)',
  'source.port > 0',
];
const exchange = { until: 'closed', answers: 0, waitMs: 1500, logLines: 1 } as const;

export const expressionGroups: readonly Group[] = [
  {
    name: 'expressions: of TLS',
    config: http({ routes, log: expressions(ofTls), transport: serverTls(['server'], trusting()) }),
    rows: [
      { name: 'with a certificate', tls: { certificate: 'client', serverName: 'server.test' }, request: {} },
      { name: 'without a name', tls: { certificate: 'client_nameless' }, request: {} },
      { name: 'without a certificate', tls: {}, request: {} },
    ],
  },
  {
    name: 'expressions: of connections',
    config: tcp('{ cluster: echo }', [cluster('echo', ['echo'])], { log: expressions(ofConnections) }),
    rows: [{ name: 'echoed', raw: ['hello', 100, 'end'], ...exchange }],
  },
  {
    name: 'expressions: of connections that fail',
    config: tcp('{ cluster: gone }', [cluster('gone', ['dead'])], { log: expressions(ofConnections) }),
    rows: [{ name: 'refused', raw: [200], ...exchange }],
  },
  {
    name: 'expressions: attributes',
    config: http({ routes, filters, log: attributes }),
    rows: requests,
  },
  {
    name: 'expressions: the language',
    config: http({ routes, log: language }),
    rows: [requests[0], requests[4]],
  },
  {
    name: 'expressions: JSON',
    config: http({ routes, filters, log: typed }),
    rows: [requests[0], requests[1]],
  },
  {
    name: 'expressions: patterns',
    config: http({ routes, log: patterns }),
    rows: [requests[0], requests[4]],
  },
  {
    name: 'expressions: functions of strings',
    config: http({
      routes,
      hcm: `access_log:${ofStrings.map((text, i) => filtered(`nr ${i}`, text, '{ enable_string_functions: true }')).join('')}`,
    }),
    rows: [{ ...requests[0], logLines: ofStrings.length }],
  },
  {
    name: 'expressions: filters of access logs',
    config: http({ routes, hcm: `access_log:${logFilters}` }),
    rows: [
      { ...requests[0], logLines: 3 },
      { ...requests[1], logLines: 3 },
      { ...requests[3], logLines: 4 },
    ],
  },
];
