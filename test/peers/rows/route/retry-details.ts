import { cluster, http } from '../../config.ts';
import type { Group } from '../../row.ts';
import { hedging } from './hedging.ts';
import { refreshedClusters } from './refreshed-clusters.ts';
import { retryPriorities } from './retry-priorities.ts';

const trusting =
  'use_remote_address: true\ninternal_address_config: { cidr_ranges: [{ address_prefix: 127.0.0.0, prefix_len: 8 }] }';

const details: Group = {
  name: 'details of retries',
  config: http(
    {
      hcm: trusting,
      log: ['REQ(x-envoy-attempt-count)', 'UPSTREAM_HOSTS_ATTEMPTED'],
      routes: `
- { match: { prefix: /none }, stat_prefix: none, route: { cluster: one, retry_policy: { retry_on: 5xx, num_retries: 0 } } }
- { match: { prefix: /once }, stat_prefix: once, route: { cluster: one, retry_policy: { retry_on: 5xx } } }
- { match: { prefix: /reset }, stat_prefix: reset, route: { cluster: one, retry_policy: { retry_on: retriable-status-codes, retriable_status_codes: [503], num_retries: 3 } } }
- { match: { prefix: /full }, stat_prefix: full, route: { cluster: full, retry_policy: { retry_on: 5xx } } }
- { match: { prefix: /one-at-a-time }, route: { cluster: single, retry_policy: { retry_on: 5xx, num_retries: 1, retry_back_off: { base_interval: 0.001s } } } }
- { match: { prefix: /request }, route: { cluster: one, retry_policy: { retry_on: 5xx, num_retries: 2, retriable_request_headers: [{ name: x-safe, present_match: true }] } } }
- { match: { prefix: /slow }, stat_prefix: slow, route: { cluster: one, timeout: 0.4s, retry_policy: { retry_on: 5xx, num_retries: 3, rate_limited_retry_back_off: { reset_headers: [{ name: retry-after }] } } } }
- { match: { prefix: /grpc }, route: { cluster: one, max_grpc_timeout: 5s, retry_policy: { retry_on: 5xx, num_retries: 3, per_try_timeout: 2s, retry_back_off: { base_interval: 0.001s } } } }
- { match: { prefix: /host }, route: { cluster: one, retry_policy: { retry_on: 5xx, num_retries: 1 } } }
- { match: { prefix: /early }, route: { cluster: one, early_data_policy: { name: none, typed_config: { '@type': type.googleapis.com/envoy.extensions.early_data.v3.DefaultEarlyDataPolicy } } } }
- { match: { prefix: /plain }, route: { cluster: one } }`,
      virtualHost: `virtual_clusters: [{ name: asked, headers: [{ name: ':path', string_match: { contains: vc } }] }]`,
    },
    [
      cluster('full', ['one'], 'circuit_breakers: { thresholds: [{ max_retries: 0 }] }'),
      cluster('single', ['one'], 'circuit_breakers: { thresholds: [{ max_retries: 1 }] }'),
    ],
  ),
  stats: /^(cluster|vhost|http)\./,
  rows: [
    { name: 'early data is of QUIC alone', request: { path: '/early' } },
    { name: 'none are left from the start', request: { path: '/none' }, upstream: [{ status: 503 }] },
    { name: 'and a reset', request: { path: '/none' }, upstream: [{ raw: '', ending: 'reset' }], until: 'closed' },
    { name: 'counted for route and virtual cluster', request: { path: '/once?vc' }, upstream: [{ status: 503 }, {}] },
    { name: 'limit counted there too', request: { path: '/once?vc' }, upstream: [{ status: 503 }] },
    { name: 'overflow counted there too', request: { path: '/full?vc' }, upstream: [{ status: 503 }] },
    {
      name: 'after a retry a reset that is not retried',
      request: { path: '/reset' },
      upstream: [{ status: 503 }, { raw: '', ending: 'reset' }],
    },
    {
      name: 'after a retry an answer that is not retried',
      request: { path: '/reset' },
      upstream: [{ status: 503 }, { status: 500 }],
    },
    {
      name: 'a retry counts while it is on its way',
      request: [{ path: '/one-at-a-time?1' }, { path: '/one-at-a-time?2' }],
      mode: 'together',
      staggerMs: 300,
      upstream: [{ status: 503 }, { delayMs: 900 }, { status: 503 }, {}],
    },
    {
      name: 'the time is over while nobody is asked',
      request: { path: '/slow' },
      upstream: [{ status: 503, headers: [['retry-after', '5']] }],
    },
    {
      name: 'an interim answer ends retries',
      request: { path: '/once' },
      upstream: [{ interim: [103], status: 503 }, {}],
    },
    {
      name: 'grpc-timeout of a retry',
      request: {
        path: '/grpc',
        method: 'POST',
        headers: [
          ['content-type', 'application/grpc'],
          ['grpc-timeout', '3S'],
        ],
      },
      upstream: [{ status: 503 }, {}],
    },
    {
      name: 'request headers forbid what a header asks for',
      request: { path: '/request', headers: [['x-envoy-retry-on', '5xx']] },
      upstream: [{ status: 503 }, {}],
    },
    {
      name: 'number alone asks for nothing',
      request: { path: '/plain', headers: [['x-envoy-max-retries', '2']] },
      upstream: [{ status: 503 }, {}],
    },
    {
      name: 'codes and names alone',
      request: {
        path: '/plain',
        headers: [
          ['x-envoy-retriable-status-codes', '503'],
          ['x-envoy-retriable-header-names', 'x-a'],
        ],
      },
      upstream: [{ status: 503 }, {}],
    },
    {
      name: 'nothing by number',
      request: { path: '/once', headers: [['x-envoy-max-retries', '0']] },
      upstream: [{ status: 503 }, {}],
    },
    {
      name: 'a number that is none',
      request: { path: '/once', headers: [['x-envoy-max-retries', 'many']] },
      upstream: [{ status: 503 }, {}],
    },
    {
      name: 'header names asked for by header',
      request: {
        path: '/plain',
        headers: [
          ['x-envoy-retry-on', 'retriable-headers'],
          ['x-envoy-retriable-header-names', 'X-Again , x-other'],
        ],
      },
      upstream: [{ headers: [['x-again', '1']] }, {}],
    },
    {
      name: 'gRPC conditions by header',
      request: {
        path: '/plain',
        method: 'POST',
        headers: [
          ['content-type', 'application/grpc'],
          ['x-envoy-retry-grpc-on', 'cancelled,unavailable'],
        ],
      },
      upstream: [
        {
          headers: [
            ['content-type', 'application/grpc'],
            ['grpc-status', '14'],
          ],
        },
        {},
      ],
    },
    {
      name: 'names of the other header do not count',
      request: { path: '/plain', headers: [['x-envoy-retry-grpc-on', '5xx']] },
      upstream: [{ status: 503 }, {}],
    },
    {
      name: 'unknown conditions',
      request: { path: '/plain', headers: [['x-envoy-retry-on', 'often, 5xx']] },
      upstream: [{ status: 503 }, {}],
    },
    {
      name: 'an answer that is overloaded',
      request: { path: '/once' },
      upstream: [{ status: 503, headers: [['x-envoy-overloaded', 'true']] }, {}],
    },
    {
      name: 'an answer that is rate-limited',
      request: { path: '/once' },
      upstream: [{ status: 503, headers: [['x-envoy-ratelimited', 'true']] }, {}],
    },
    {
      name: 'how long a request may take upstream',
      request: { path: '/plain', headers: [['x-envoy-upstream-stream-duration-ms', '200']] },
      upstream: [{ delayMs: 900 }],
    },
    {
      name: 'and it is tried again',
      request: { path: '/once', headers: [['x-envoy-upstream-stream-duration-ms', '200']] },
      upstream: [{ delayMs: 900 }, {}],
    },
    {
      name: 'and no time at all',
      request: { path: '/plain', headers: [['x-envoy-upstream-stream-duration-ms', '0']] },
    },
  ],
};

export const retryDetails: readonly Group[] = [details, hedging, refreshedClusters, retryPriorities];
