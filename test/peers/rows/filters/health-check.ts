import { cluster, endpoint, http, type HttpParts } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const kind = 'type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck';

function checked(name: string, settings: string, rows: readonly Row[], parts: HttpParts = {}): Group {
  const filter = `[{ name: hc, typed_config: { '@type': ${kind}, headers: [{ name: ':path', string_match: { exact: /hc } }], ${settings} } }]`;
  return { name: `health_check: ${name}`, config: http({ filters: filter, ...parts }), rows };
}

const check = { path: '/hc' };
const degraded = { headers: [['x-envoy-degraded', 'yes']] as const };

const logFilter = `
access_log:
- name: envoy.access_loggers.file
  filter: { not_health_check_filter: {} }
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
    path: '{{log}}'
    log_format: { text_format_source: { inline_string: "%REQ(:PATH)%\\n" } }`;

export const healthChecks: readonly Group[] = [
  checked('answered here', 'pass_through_mode: false', [
    { name: 'a check', request: check },
    { name: 'a check over HTTP/2', over: 'h2', request: check },
    { name: 'HEAD', request: { ...check, method: 'HEAD' } },
    { name: 'with a body', request: { ...check, body: 'x'.repeat(100) } },
    {
      name: 'with chunks and trailers',
      over: 'h2',
      request: { ...check, chunks: ['a', 'b'], trailers: [['x-t', '1']] },
    },
    { name: 'no check', request: { path: '/' } },
    { name: 'failed by hand', posts: ['/healthcheck/fail'], request: check },
    { name: 'no check, failed by hand', request: { path: '/' } },
    { name: 'no check, and no route, failed by hand', request: { path: '/', host: 'other' } },
    { name: 'good again', posts: ['/healthcheck/ok'], request: check },
  ]),
  checked('passed through', 'pass_through_mode: true', [
    { name: 'a check', request: check },
    { name: 'a bad one', request: check, upstream: [{ status: 503 }] },
    { name: 'a degraded one', request: check, upstream: [degraded] },
    { name: 'failed by hand', posts: ['/healthcheck/fail'], request: check },
    { name: 'good again', posts: ['/healthcheck/ok'], request: { ...check, body: 'a body' } },
  ]),
  checked('remembered', 'pass_through_mode: true, cache_time: 600s', [
    { name: 'twice, degraded', request: [check, check], upstream: [degraded] },
    { name: 'failed by hand', posts: ['/healthcheck/fail'], request: check },
    { name: 'remembers what it has said itself', posts: ['/healthcheck/ok'], request: check },
  ]),
  checked(
    'remembered, a bad one',
    'pass_through_mode: true, cache_time: 600s',
    [{ name: 'twice', request: [check, check, { path: '/' }], upstream: [{ status: 500 }, {}] }],
    { routes: '[{ match: { prefix: / }, route: { cluster: one } }]' },
  ),
  checked('by healthy clusters', 'pass_through_mode: false, cluster_min_healthy_percentages: { one: { value: 100 } }', [
    { name: 'a check', request: check },
  ]),
  checked(
    'by an unknown cluster',
    'pass_through_mode: false, cluster_min_healthy_percentages: { none: { value: 0 } }',
    [{ name: 'a check', request: check }],
  ),
  {
    name: 'health_check: by empty clusters',
    config: http(
      {
        filters: `[{ name: hc, typed_config: { '@type': ${kind}, headers: [{ name: x-a, present_match: true }, { name: ':method', string_match: { exact: GET } }], pass_through_mode: false, cluster_min_healthy_percentages: { empty: { value: 1 } } } }]`,
      },
      [cluster('empty', [])],
    ),
    rows: [
      { name: 'a check', request: { path: '/', headers: [['x-a', '']] } },
      { name: 'half a check', request: { path: '/', method: 'POST', headers: [['x-a', '']] } },
    ],
  },
  {
    name: 'health_check: by empty clusters that may be',
    config: http(
      {
        filters: `[{ name: hc, typed_config: { '@type': ${kind}, pass_through_mode: false, cluster_min_healthy_percentages: { empty: { value: 0 } } } }]`,
      },
      [cluster('empty', [])],
    ),
    rows: [{ name: 'everything is a check', request: { path: '/' } }],
  },
  ...['50.9', '51'].map((percent): Group => ({
    name: `health_check: by clusters half of which is ill, of ${percent} percent`,
    config: http(
      {
        filters: `[{ name: hc, typed_config: { '@type': ${kind}, pass_through_mode: false, headers: [{ name: ':path', string_match: { prefix: /hc } }], cluster_min_healthy_percentages: { half: { value: ${percent} } } } }]`,
      },
      [
        {
          ...cluster('half', []),
          load_assignment: {
            cluster_name: 'half',
            endpoints: [{ lb_endpoints: [endpoint('one'), endpoint('two', '{ health_status: UNHEALTHY }')] }],
          },
        },
      ],
    ),
    rows: [{ name: 'a check', request: check }],
  })),
  checked(
    'no line',
    'pass_through_mode: false',
    [{ name: 'none for a check', request: [check, { path: '/' }, check], logLines: 1 }],
    {
      hcm: logFilter,
    },
  ),
];
