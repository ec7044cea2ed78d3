import { http, type HttpParts } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const types = 'type.googleapis.com/envoy';
const ips = `${types}.extensions.http.original_ip_detection`;

const group = (name: string, parts: HttpParts, rows: readonly Row[]): Group => ({
  name: `fields: ${name}`,
  config: http({ log: ['DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT', 'REQ(X-FORWARDED-FOR)'], ...parts }),
  rows,
});

/** Each proxy listens at its own. */
const ownPort = /x-forwarded-port/;

const from = (name: string, value: string, path = '/') => ({ path, headers: [[name, value]] as const });

const detection = (settings: string): string =>
  `original_ip_detection_extensions: [{ name: ip, typed_config: { ${settings} } }]`;

const header = (more: string): string =>
  detection(`'@type': ${ips}.custom_header.v3.CustomHeaderConfig, header_name: x-client, ${more}`);

const addresses: readonly Row[] = [
  { name: 'no such header', request: { path: '/' } },
  { name: 'an address', request: from('x-client', '192.0.2.7') },
  { name: 'an address of IPv6', request: from('x-client', '2001:db8::7') },
  { name: 'no address', request: from('x-client', 'me') },
  { name: 'an internal address', request: from('x-client', '10.0.0.7') },
];

const forwarded: readonly Row[] = [
  { name: 'nothing forwarded', request: { path: '/' } },
  { name: 'one', request: from('x-forwarded-for', '192.0.2.7') },
  { name: 'two', request: from('x-forwarded-for', '192.0.2.7, 10.1.1.1') },
  { name: 'three', request: from('x-forwarded-for', '192.0.2.7, 198.51.100.1, 10.1.1.1') },
  { name: 'nonsense', request: from('x-forwarded-for', '192.0.2.7, x') },
];

const xff = (settings: string): string => detection(`'@type': ${ips}.xff.v3.XffConfig, ${settings}`);

const proxyStatus = (more: string): string => `
server_name: gate
proxy_status_config: { ${more} }`;

const failing: HttpParts = {
  routes: `
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: /slow }, route: { cluster: one, timeout: 0.2s } }
- { match: { prefix: / }, route: { cluster: one } }`,
};

const statuses: readonly Row[] = [
  { name: 'answered', request: { path: '/' } },
  { name: 'refused', request: { path: '/dead' } },
  { name: 'too slow', request: { path: '/slow' }, upstream: [{ delayMs: 1500 }] },
  { name: 'reset', request: { path: '/' }, upstream: [{ raw: '', ending: 'reset' }] },
];

/** Fields of connection managers and routers that control planes set, or users in EnvoyFilters. */
export const managerFields: readonly Group[] = [
  group('the client by a header', { hcm: header('allow_extension_to_set_address_as_trusted: true') }, addresses),
  group(
    'the client by a header that is required',
    { hcm: header('reject_with_status: { code: Unauthorized }') },
    addresses,
  ),
  group(
    'the client by hops',
    { hcm: `use_remote_address: false\n${xff('xff_num_trusted_hops: 1, skip_xff_append: false')}` },
    forwarded,
  ),
  group(
    'the client by trusted ranges',
    {
      hcm: `use_remote_address: false\n${xff('xff_trusted_cidrs: { cidrs: [{ address_prefix: 10.0.0.0, prefix_len: 8 }, { address_prefix: 127.0.0.0, prefix_len: 8 }] }, skip_xff_append: true')}`,
    },
    forwarded,
  ),
  group(
    'Proxy-Status, with everything',
    { ...failing, hcm: proxyStatus('literal_proxy_name: me, set_recommended_response_code: true') },
    statuses,
  ),
  group(
    'Proxy-Status, bare',
    {
      ...failing,
      hcm: proxyStatus(
        'remove_details: true, remove_connection_termination_details: true, remove_response_flags: true, use_node_id: true',
      ),
      bootstrap: 'node: { id: n, cluster: c }',
    },
    statuses,
  ),
  group(
    'the scheme is overwritten',
    { hcm: 'scheme_header_transformation: { scheme_to_overwrite: https }\nappend_x_forwarded_port: true' },
    [
      { name: 'over HTTP/1.1', request: { path: '/' }, ignores: ownPort },
      { name: 'over HTTP/2', over: 'h2', request: { path: '/' }, ignores: ownPort },
      { name: 'with a port', request: { path: '/', headers: [['x-forwarded-port', '77']] }, ignores: ownPort },
    ],
  ),
  group(
    'the scheme is that of the upstream',
    {
      hcm: 'scheme_header_transformation: { scheme_to_overwrite: https, match_upstream: true }\nuse_remote_address: true\nappend_x_forwarded_port: true',
    },
    [
      { name: 'over HTTP/1.1', request: { path: '/' }, ignores: ownPort },
      { name: 'with a port', request: { path: '/', headers: [['x-forwarded-port', '77']] }, ignores: ownPort },
    ],
  ),
  group(
    'the user agent',
    { hcm: 'add_user_agent: true\nproxy_100_continue: true', bootstrap: 'node: { id: n, cluster: c }' },
    [
      { name: 'none', request: { path: '/' } },
      { name: 'one', request: from('user-agent', 'me') },
      {
        name: 'interim answers',
        request: { path: '/', body: 'x', headers: [['expect', '100-continue']] },
        upstream: [{ interim: [100] }],
      },
    ],
  ),
  group('errors of one stream', { hcm: 'stream_error_on_invalid_http_message: true' }, [
    { name: 'a bad request', raw: 'GET / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n' },
    { name: 'a good one', request: { path: '/' } },
  ]),
  group(
    'the router',
    {
      ...failing,
      hcm: 'access_log_flush_interval: 60s\nhttp1_safe_max_connection_duration: true\ncommon_http_protocol_options: { max_connection_duration: 60s }',
      router:
        '{ strict_check_headers: [x-envoy-upstream-rq-timeout-ms, x-envoy-max-retries], respect_expected_rq_timeout: true, suppress_grpc_request_failure_code_stats: true, dynamic_stats: false }',
    },
    [
      { name: 'a timeout', request: from('x-envoy-upstream-rq-timeout-ms', '1000') },
      { name: 'no timeout', request: from('x-envoy-upstream-rq-timeout-ms', 'soon') },
      { name: 'retries', request: from('x-envoy-max-retries', '1') },
      { name: 'no retries', request: from('x-envoy-max-retries', '-1') },
      { name: 'an expected timeout', request: from('x-envoy-expected-rq-timeout-ms', '700') },
      {
        name: 'an expected timeout that comes',
        request: from('x-envoy-expected-rq-timeout-ms', '200'),
        upstream: [{ delayMs: 1500 }],
      },
      {
        name: 'gRPC',
        request: { path: '/', method: 'POST', headers: [['content-type', 'application/grpc']], body: '' },
        upstream: [
          {
            headers: [
              ['grpc-status', '13'],
              ['content-type', 'application/grpc'],
            ],
            body: '',
          },
        ],
      },
      { name: 'refused', request: { path: '/dead' } },
    ],
  ),
];
