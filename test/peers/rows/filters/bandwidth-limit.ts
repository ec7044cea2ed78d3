import { http, type HttpParts } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const kind = 'type.googleapis.com/envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit';

function limited(name: string, settings: string, rows: readonly Row[], parts: HttpParts = {}): Group {
  return {
    name: `bandwidth_limit: ${name}`,
    config: http({
      filters: `[{ name: own, typed_config: { '@type': ${kind}, stat_prefix: bw, ${settings} } }]`,
      ...parts,
    }),
    stats: /^(?:bw|http|cluster)\..*(?<!_size|duration)$/,
    rows,
  };
}

const kib = 'x'.repeat(1024);
/** How often a turn comes, and how long things take, chance decides. */
const chance = /enforced|delay-ms$/;

const gone = 'what a client has left is not pending any more';

const routes = `
- { match: { prefix: /route }, route: { cluster: one }, typed_per_filter_config: { own: { '@type': ${kind}, stat_prefix: bw2, enable_mode: RESPONSE, limit_kbps: 100 } } }
- { match: { prefix: / }, route: { cluster: one } }`;

export const bandwidthLimits: readonly Group[] = [
  limited('both', 'enable_mode: REQUEST_AND_RESPONSE, limit_kbps: 2', [
    { name: 'there is room', request: { path: '/', body: 'hello' } },
    { name: 'no bodies', request: { path: '/' }, upstream: [{ status: 204, headers: [] }] },
    { name: 'a response that waits', request: { path: '/' }, upstream: [{ body: kib.repeat(3) }], ignores: chance },
    { name: 'a request that waits', request: { path: '/', body: kib.repeat(2) }, ignores: chance },
    {
      name: 'in chunks',
      request: { path: '/', chunks: [kib, 'a'] },
      upstream: [{ chunks: ['a', 'b'] }],
      ignores: chance,
    },
    {
      name: 'with trailers',
      over: 'h2',
      request: { path: '/', chunks: [kib], trailers: [['x-a', '1']] },
      upstream: [{ chunks: [kib], trailers: [['x-t', '1']] }],
      ignores: chance,
    },
    {
      name: 'a client that goes',
      raw: ['GET / HTTP/1.1\r\nhost: a\r\n\r\n', 200, 'reset'],
      upstream: [{ body: kib.repeat(20) }],
      ignores: /^log|body$|enforced|upstream_rq_|downstream_rq|flow_control|^stats.cluster/,
      differs: { 'stats.bw.http_bandwidth_limit.response_pending': gone },
    },
  ]),
  limited(
    'trailers',
    'enable_mode: REQUEST_AND_RESPONSE, limit_kbps: 1, fill_interval: 0.1s, enable_response_trailers: true, response_trailer_prefix: X-Own',
    [
      { name: 'there is room', over: 'h2', request: { path: '/' }, upstream: [{ body: 'a' }], ignores: chance },
      {
        name: 'they tell of a wait',
        over: 'h2',
        request: { path: '/' },
        upstream: [{ body: kib.repeat(2) }],
        ignores: chance,
      },
      {
        name: 'beside those of the upstream',
        over: 'h2',
        request: { path: '/' },
        upstream: [{ chunks: [kib], trailers: [['x-t', '1']] }],
        ignores: chance,
      },
    ],
  ),
  limited(
    'only responses, and by route',
    'enable_mode: RESPONSE, limit_kbps: 1',
    [
      { name: 'requests pass', request: { path: '/', body: kib.repeat(3) } },
      { name: 'more on a route', request: { path: '/route' }, upstream: [{ body: kib.repeat(10) }] },
    ],
    { routes },
  ),
  limited('off', 'limit_kbps: 1', [
    { name: 'everything passes', request: { path: '/', body: kib.repeat(3) }, upstream: [{ body: kib.repeat(3) }] },
  ]),
  limited(
    'off by runtime',
    'enable_mode: REQUEST_AND_RESPONSE, limit_kbps: 1, runtime_enabled: { default_value: false, runtime_key: x }',
    [{ name: 'everything passes', request: { path: '/', body: kib.repeat(3) } }],
  ),
];
