import { http } from '../config.ts';
import type { Group } from '../row.ts';

const routes = `
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: /direct }, direct_response: { status: 204 } }
- { match: { prefix: / }, route: { cluster: one } }`;

function log(format: string, filter = ''): string {
  return `
access_log:
- name: envoy.access_loggers.file
  ${filter}
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
    path: '{{log}}'
    ${format}`;
}

const text = (format: string) => log(`log_format: { text_format_source: { inline_string: "${format}\\n" } }`);

const shapes: readonly Group[] = [
  {
    name: 'access log: default format',
    config: http({ routes, hcm: log('') }),
    rows: [
      {
        name: 'proxied',
        request: {
          path: '/a',
          headers: [
            ['user-agent', 'ua'],
            ['x-forwarded-for', '1.2.3.4'],
          ],
        },
        ignores: /^log\[/,
      },
    ],
  },
  {
    name: 'access log: text',
    config: http({
      routes,
      hcm: text(
        '%REQ(:METHOD)% %REQ(X-A?:PATH):4% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %BYTES_SENT% %RESP(X-UP)% %REQ(none)% %ROUTE_NAME% %UPSTREAM_CLUSTER% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% 100%% %RESPONSE_FLAGS_LONG% %UPSTREAM_TRANSPORT_FAILURE_REASON% %VIRTUAL_CLUSTER_NAME% %DOWNSTREAM_TRANSPORT_FAILURE_REASON% %CONNECTION_ID%'.replace(
          ' %CONNECTION_ID%',
          '',
        ),
      ),
    }),
    rows: [
      { name: 'proxied', request: { path: '/abcdefg' }, upstream: [{ headers: [['x-up', 'u']], body: 'body' }] },
      { name: 'direct', request: { path: '/direct', headers: [['x-a', 'given']] } },
      { name: 'failed', request: { path: '/dead' } },
    ],
  },
  {
    name: 'access log: JSON types',
    config: http({
      routes,
      hcm: log(`log_format:
      json_format: { number: '%RESPONSE_CODE%', mixed: 'c%RESPONSE_CODE%', missing: '%REQ(none)%', nested: { list: ['%PROTOCOL%', 'plain'], deep: { bytes: '%BYTES_SENT%' } }, fixed: 7, flag: true, quoted: '%REQ(x-q)%' }`),
    }),
    rows: [
      { name: 'proxied', request: { headers: [['x-q', 'a"b\\c\xe9']] } },
      { name: 'failed', request: { path: '/dead' } },
    ],
  },
  {
    name: 'access log: empty values omitted',
    config: http({
      routes,
      hcm: log(`log_format: { omit_empty_values: true, json_format: { a: '%REQ(none)%', b: '%PROTOCOL%' } }`),
    }),
    rows: [{ name: 'proxied', request: {} }],
  },
  {
    name: 'access log: only errors',
    config: http({
      routes,
      hcm: log(
        `log_format: { text_format_source: { inline_string: "%RESPONSE_CODE% %REQ(:PATH)%\\n" } }`,
        `filter: { or_filter: { filters: [{ status_code_filter: { comparison: { op: GE, value: { default_value: 500, runtime_key: none } } } }, { header_filter: { header: { name: x-log, present_match: true } } }, { response_flag_filter: { flags: [NR] } }] } }`,
      ),
    }),
    rows: [
      { name: 'a success is not logged', request: {}, logLines: 0 },
      { name: 'an error is', request: { path: '/dead' } },
      { name: 'a header asks for it', request: { headers: [['x-log', '1']] } },
    ],
  },
  {
    name: 'access log: not for health checks',
    config: http({
      routes,
      hcm: log(
        `log_format: { text_format_source: { inline_string: "%REQ(:PATH)%\\n" } }`,
        'filter: { duration_filter: { comparison: { op: GE, value: { default_value: 100, runtime_key: none } } } }',
      ),
    }),
    rows: [
      { name: 'fast', request: {}, logLines: 0 },
      { name: 'slow', request: {}, upstream: [{ delayMs: 200 }] },
    ],
  },
];

const stats: readonly Group[] = [
  {
    name: 'stats names',
    config: http({
      virtualHost: `
virtual_clusters:
- { name: posts, headers: [{ name: ':method', string_match: { exact: POST } }] }`,
      routes: `
- { match: { prefix: /named }, stat_prefix: special, route: { cluster: alt } }
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: /direct }, direct_response: { status: 200 } }
- { match: { prefix: /redirect }, redirect: { path_redirect: / } }
- { match: { prefix: / }, route: { cluster: one } }`,
      clusters: `
- name: alt
  alt_stat_name: other.name
  type: STATIC
  load_assignment: { cluster_name: alt, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{two}}' } } } }] }] }`,
      listener: 'stat_prefix: edge',
    }),
    rows: [
      {
        name: 'route stat_prefix and alt_stat_name',
        request: { path: '/named' },
        stats: /^(?!server\.)/,
        // How often Envoy's timer has looked at its files; how many digits a service time has.
        ignores: /flushed_by_timer|server\.memory|downstream_cx_tx_bytes_total/,
        differs: {
          'stats.thread_local_cluster_manager': 'a worker builds a cluster when it first needs it',
          'stats.listener.admin': "the admin pages are node's own server and not counted as traffic",
          'stats.http.admin': "the admin pages are node's own server and not counted as traffic",
          'stats.cluster.other.name.upstream_cx_rx_bytes_buffered': 'nothing is buffered between the sockets',
        },
      },
      { name: 'virtual cluster', request: { body: 'x' } },
      { name: 'virtual cluster, failing', request: { path: '/dead', body: 'x' } },
      { name: 'direct response', request: { path: '/direct' } },
      { name: 'redirect', request: { path: '/redirect' } },
      { name: 'no route', request: { path: '', host: 'x' } },
      { name: 'upstream 404', request: {}, upstream: [{ status: 404 }] },
      { name: 'upstream 302', request: {}, upstream: [{ status: 302 }] },
      { name: 'canary', request: {}, upstream: [{ headers: [['x-envoy-upstream-canary', 'true']], body: 'x' }] },
      { name: 'a protocol error', raw: 'GET / HTTP/1.1\r\nbad header: 1\r\n\r\n' },
      {
        name: 'upgrade refused',
        request: {
          headers: [
            ['connection', 'upgrade'],
            ['upgrade', 'websocket'],
          ],
        },
      },
    ],
  },
  {
    name: 'admin',
    config: http({ routes }),
    rows: [
      { name: '/ready', admin: '/ready' },
      { name: '/listeners', admin: '/listeners' },
      { name: '/listeners as JSON', admin: '/listeners?format=json' },
      { name: '/quitquitquit by GET', admin: '/quitquitquit' },
      { name: '/healthcheck/fail by GET', admin: '/healthcheck/fail' },
      { name: '/hot_restart_version', admin: '/hot_restart_version' },
      { name: '/nothing', admin: '/nothing', ignores: /^admin\.(?!status)/ },
      { name: '/clusters', admin: '/clusters' },
      { name: '/stats of a cluster', admin: '/stats?filter=^cluster.one.membership' },
      { name: '/stats of a cluster as JSON', admin: '/stats?format=json&filter=^cluster.one.membership' },
      { name: '/stats with a bad filter', admin: '/stats?filter=[', ignores: /^admin\.(?!status)/ },
      {
        name: '/stats/prometheus of a cluster',
        admin: '/stats/prometheus?filter=^cluster.one.membership',
        differs: {
          'admin.line # HELP': 'prom-client writes a HELP line for each metric, as the exposition format recommends',
        },
      },
      { name: '/logging by GET', admin: '/logging', ignores: /^admin\.(?!status)/ },
      { name: '/runtime', admin: '/runtime' },
      { name: '/certs', admin: '/certs' },
      { name: '/', admin: '/', ignores: /^admin\.(?!status)/ },
    ],
  },
];

export const observing: readonly Group[] = [...shapes, ...stats];
