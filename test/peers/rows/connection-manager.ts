import { http } from '../config.ts';
import type { Group, Row } from '../row.ts';

const strangeRequest: Row['request'] = {
  headers: [
    ['x-forwarded-for', '10.1.1.1, 203.0.113.7'],
    ['x-forwarded-proto', 'https'],
    ['x-forwarded-host', 'h.test'],
    ['x-forwarded-port', '99'],
    ['x-request-id', 'my-own-id'],
    ['x-envoy-internal', 'true'],
    ['x-envoy-external-address', '9.9.9.9'],
    ['x-envoy-upstream-rq-timeout-ms', '1234'],
    ['x-envoy-retry-on', '5xx'],
    ['x-envoy-max-retries', '2'],
    ['x-envoy-expected-rq-timeout-ms', '77'],
    ['x-envoy-attempt-count', '5'],
    ['x-envoy-decorator-operation', 'op'],
    ['x-envoy-downstream-service-cluster', 'evil'],
    ['x-envoy-downstream-service-node', 'evil'],
    ['x-envoy-hedge-on-per-try-timeout', 'true'],
    ['x-envoy-ip-tags', 'a'],
    ['x-envoy-force-trace', 'true'],
    ['x-envoy-original-path', '/evil'],
    ['x-client-trace-id', 't'],
  ],
};

const edgeRows: readonly Row[] = [
  { name: 'plain request', request: {} },
  { name: 'strange headers', request: strangeRequest },
  { name: 'XFF of a private address', request: { headers: [['x-forwarded-for', '10.0.0.9']] } },
  { name: 'XFF of three', request: { headers: [['x-forwarded-for', '1.1.1.1,2.2.2.2 , 3.3.3.3']] } },
  {
    name: 'XFF in two headers',
    request: {
      headers: [
        ['x-forwarded-for', '1.1.1.1'],
        ['x-forwarded-for', '2.2.2.2'],
      ],
    },
  },
  { name: 'XFF that is no address', request: { headers: [['x-forwarded-for', 'nonsense']] } },
  { name: 'XFF with IPv6', request: { headers: [['x-forwarded-for', '2001:db8::1']] } },
  { name: 'a good request id', request: { headers: [['x-request-id', 'b0c7a2f0-2f1e-4a57-9d3b-0123456789ab']] } },
];

function edge(name: string, hcm: string): Group {
  return {
    name: `addresses: ${name}`,
    config: http({
      hcm: `${hcm}
access_log:
- name: envoy.access_loggers.file
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
    path: '{{log}}'
    log_format: { text_format_source: { inline_string: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT% %REQ(X-FORWARDED-FOR)% %REQ(X-REQUEST-ID)%\\n" } }`,
    }),
    rows: edgeRows,
  };
}

const addresses: readonly Group[] = [
  edge('defaults', ''),
  edge('use_remote_address', 'use_remote_address: true'),
  edge('one trusted hop', 'use_remote_address: true\nxff_num_trusted_hops: 1'),
  edge('two trusted hops without remote address', 'xff_num_trusted_hops: 2'),
  edge('skip_xff_append', 'use_remote_address: true\nskip_xff_append: true'),
  edge(
    'loopback is internal',
    'use_remote_address: true\ninternal_address_config: { cidr_ranges: [{ address_prefix: 127.0.0.0, prefix_len: 8 }] }',
  ),
  edge(
    'private XFF is internal',
    'internal_address_config: { cidr_ranges: [{ address_prefix: 10.0.0.0, prefix_len: 8 }] }',
  ),
  edge('own request ids', 'generate_request_id: false'),
  edge(
    'foreign request ids stay and are answered',
    'use_remote_address: true\npreserve_external_request_id: true\nalways_set_request_id_in_response: true',
  ),
];

function serverHeader(mode: string): Group {
  return {
    name: `server header ${mode}`,
    config: http({
      routes: `
- { match: { path: /direct }, direct_response: { status: 200 } }
- { match: { prefix: / }, route: { cluster: one } }`,
      hcm: `{ server_name: gate, server_header_transformation: ${mode}, via: 'gate-1' }`,
    }),
    rows: [
      { name: 'upstream has one', request: {}, upstream: [{ headers: [['server', 'origin']], body: 'x' }] },
      { name: 'upstream has none', request: { headers: [['via', '1.0 fred']] } },
      { name: 'direct response', request: { path: '/direct' } },
    ],
  };
}

const paths = [
  '/a/../b',
  '/a/./b',
  '/%2e%2e/x',
  '//double//slash',
  '/a%2Fb',
  '/a%5cb',
  '/a\\b',
  '/%41%7E',
  '/a/..',
  '/../..',
  '/a/b?c/../d',
  '/%zz',
  '/a%00b',
];

const pathRows: readonly Row[] = paths.map((path) => ({ name: path, request: { path } }));

function normalising(name: string, hcm: string, rows = pathRows): Group {
  return { name: `paths: ${name}`, config: http({ hcm }), rows };
}

const escaped = ['/a%2Fb', '/a%2f%2e%2e%5Cb', '/plain', '/q?x=%2F'].map((path) => ({ name: path, request: { path } }));

function hosts(name: string, hcm: string): Group {
  return {
    name: `host ports: ${name}`,
    config: http({ hcm }),
    rows: [
      'a.test',
      'a.test:{{listen}}',
      'a.test:80',
      'a.test:443',
      'a.test:8080',
      '[::1]:80',
      'a.test:',
      'a.test.',
      'a.test.:80',
    ].map((host) => ({ name: host, request: { host } })),
  };
}

const strictness: Group = {
  name: 'underscores rejected',
  config: http({ hcm: 'common_http_protocol_options: { headers_with_underscores_action: REJECT_REQUEST }' }),
  rows: [
    { name: 'with', request: { headers: [['x_a', '1']] } },
    { name: 'without', request: { headers: [['x-a', '1']] } },
  ],
};

const dropping: Group = {
  name: 'underscores dropped',
  config: http({ hcm: 'common_http_protocol_options: { headers_with_underscores_action: DROP_HEADER }' }),
  rows: [
    {
      name: 'with',
      request: {
        headers: [
          ['x_a', '1'],
          ['x-b', '2'],
        ],
      },
    },
  ],
};

export const connectionManager: readonly Group[] = [
  ...addresses,
  serverHeader('OVERWRITE'),
  serverHeader('APPEND_IF_ABSENT'),
  serverHeader('PASS_THROUGH'),
  normalising('as they are', ''),
  normalising('normalised', 'normalize_path: true'),
  normalising('normalised and merged', 'normalize_path: true\nmerge_slashes: true'),
  normalising('escaped slashes rejected', 'path_with_escaped_slashes_action: REJECT_REQUEST', escaped),
  normalising('escaped slashes unescaped', 'path_with_escaped_slashes_action: UNESCAPE_AND_FORWARD', escaped),
  normalising('escaped slashes redirected', 'path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT', escaped),
  hosts('stripped when matching', 'strip_matching_host_port: true'),
  hosts('any stripped', 'strip_any_host_port: true'),
  hosts('trailing dot stripped', 'strip_trailing_host_dot: true'),
  strictness,
  dropping,
];
