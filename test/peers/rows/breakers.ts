import { cluster, http, tcp } from '../config.ts';
import type { Group, Row } from '../row.ts';

/** A cluster behind tcp_proxy with one limit of 0. */
const limited = (threshold: string): Group => ({
  name: `breakers: TCP ${threshold}`,
  config: tcp('cluster: echo', [
    cluster('echo', ['echo'], `circuit_breakers: { thresholds: [{ ${threshold}: 0, track_remaining: true }] }`),
  ]),
  rows: [{ name: 'nobody gets through', raw: '', until: 'closed', answers: 0, logLines: 1, waitMs: 600 }],
});

const atOnce = 'gauges of breakers follow the runtime at once, and not with the next connection or request';

/** Every gauge of a cluster's breakers, as the admin lists them. */
const gauges = (name: string, more: Partial<Row> = {}): Row => ({
  name: `gauges of ${name}`,
  admin: `/stats?filter=^cluster.${name}.circuit_breakers`,
  ...more,
});

const tracked: Group = {
  name: 'breakers: what remains',
  config: http(
    {
      routes: `
- { match: { prefix: /tracked }, route: { cluster: tracked } }
- { match: { prefix: /high }, route: { cluster: tracked, priority: HIGH } }
- { match: { prefix: /budget }, route: { cluster: budget, retry_policy: { retry_on: 5xx, num_retries: 1 } } }
- { match: { prefix: /poor }, route: { cluster: poor, retry_policy: { retry_on: 5xx, num_retries: 1 } } }
- { match: { prefix: /rich }, route: { cluster: rich, retry_policy: { retry_on: 5xx, num_retries: 1 } } }
- { match: { prefix: /spared }, route: { cluster: spared, retry_policy: { retry_on: 5xx, num_retries: 1 } } }
- { match: { prefix: / }, route: { cluster: one } }`,
      bootstrap: `
layered_runtime:
  layers:
  - name: s
    static_layer:
      circuit_breakers.tracked.high.max_requests: 7
      circuit_breakers.tracked.high.max_connections: 5
      circuit_breakers.rich.default.retry_budget.min_retry_concurrency: 3
      circuit_breakers.spared.default.retry_budget.budget_percent: 100.0
      circuit_breakers.budget.default.max_retries: 0
  - { name: admin, admin_layer: {} }`,
    },
    [
      cluster(
        'tracked',
        ['one'],
        `circuit_breakers:
  thresholds:
  - { track_remaining: true, max_connections: 9, max_pending_requests: 8, max_requests: 6, max_retries: 4 }
  - { priority: HIGH, track_remaining: true, max_connections: 1, max_requests: 1 }`,
      ),
      cluster(
        'budget',
        ['one'],
        'circuit_breakers: { thresholds: [{ track_remaining: true, max_retries: 0, retry_budget: {} }] }',
      ),
      ...['poor', 'rich', 'spared'].map((name) =>
        cluster(
          name,
          ['one'],
          `circuit_breakers:
  thresholds:
  - { max_retries: 9, retry_budget: { budget_percent: { value: 0 }, min_retry_concurrency: 0 } }`,
        ),
      ),
    ],
  ),
  rows: [
    gauges('tracked', { differs: { 'admin.line cluster.tracked.circuit_breakers.high.remaining_': atOnce } }),
    gauges('budget'),
    gauges('one'),
    { name: 'a request', request: { path: '/tracked' } },
    { name: 'a request of the high priority', request: { path: '/high' } },
    gauges('tracked', { name: 'gauges when nothing is open' }),
    { name: 'a budget of its own', request: { path: '/budget' }, upstream: [{ status: 503 }, {}] },
    { name: 'a budget of nothing', request: { path: '/poor' }, upstream: [{ status: 503 }, {}] },
    { name: 'the runtime gives so many at least', request: { path: '/rich' }, upstream: [{ status: 503 }, {}] },
    { name: 'the runtime gives a share', request: { path: '/spared' }, upstream: [{ status: 503 }, {}] },
    {
      name: 'the runtime closes a breaker',
      admin: '/runtime_modify?circuit_breakers.tracked.default.max_requests=0',
      adminMethod: 'POST',
    },
    { name: 'at once', request: { path: '/tracked' } },
    gauges('tracked', {
      name: 'gauges of a closed breaker',
      differs: {
        'admin.line cluster.tracked.circuit_breakers.default.remaining_rq': atOnce,
        'admin.line cluster.tracked.circuit_breakers.default.rq_open': atOnce,
      },
    }),
  ],
};

/** Retries are measured by what began within the interval, which is longer than the rows take. */
const intervals: Group = {
  name: 'breakers: retry budgets of an interval',
  config: http(
    {
      routes: `
- match: { prefix: /twice }
  route: { cluster: fifth, retry_policy: { retry_on: 5xx, num_retries: 2, retry_back_off: { base_interval: 0.001s } } }
- match: { prefix: /fifth }
  route: { cluster: fifth, retry_policy: { retry_on: 5xx, retry_back_off: { base_interval: 0.001s } } }
- match: { prefix: /none }
  route: { cluster: none, retry_policy: { retry_on: 5xx, retry_back_off: { base_interval: 0.001s } } }
- { match: { prefix: / }, route: { cluster: one } }`,
    },
    (
      [
        ['fifth', '120s'],
        ['none', '0s'],
      ] as const
    ).map(([name, interval]) =>
      cluster(
        name,
        ['one'],
        `circuit_breakers:
  thresholds:
  - track_remaining: true
    retry_budget: { budget_percent: { value: 20 }, min_retry_concurrency: 0, budget_interval: ${interval} }`,
      ),
    ),
  ),
  rows: [
    ...[1, 2, 3, 4].map((n) => ({
      name: `request ${n} is too few`,
      request: { path: '/fifth' },
      upstream: [{ status: 503 }, {}],
    })),
    { name: 'the fifth is tried again', request: { path: '/fifth' }, upstream: [{ status: 503 }, {}] },
    {
      name: 'one after the other they all may',
      request: [{ path: '/twice' }, { path: '/twice' }],
      upstream: [{ status: 503 }, { status: 502 }, {}, { status: 503 }, { status: 502 }, {}],
    },
    gauges('fifth', { name: 'gauges of a budget of an interval' }),
    { name: 'no interval: what is under way', request: { path: '/none' }, upstream: [{ status: 503 }, {}] },
  ],
};

const together: Pick<Row, 'mode' | 'staggerMs'> = { mode: 'together', staggerMs: 80 };

const ofHosts: Group = {
  name: 'breakers: connections of a host',
  config: http(
    {
      routes: `
- { match: { prefix: /high }, route: { cluster: limited, priority: HIGH } }
- { match: { prefix: / }, route: { cluster: limited } }`,
    },
    [
      cluster(
        'limited',
        ['one'],
        'circuit_breakers: { per_host_thresholds: [{ max_connections: 1 }, { priority: HIGH, max_connections: 2 }] }',
      ),
    ],
  ),
  stats: /^cluster\.limited\..*(overflow|cx_total|cx_http1_total|rq_total|pending_total|_open)/,
  rows: [
    { name: 'one after the other', request: [{}, {}] },
    { name: 'a second waits', request: [{}, {}, {}], ...together, upstream: [{ delayMs: 400 }, {}, {}] },
    {
      name: 'one of a higher priority need not',
      request: [{}, { path: '/high' }],
      ...together,
      upstream: [{ delayMs: 400 }, { delayMs: 200 }],
    },
    {
      name: 'another of a higher priority waits',
      request: [{}, { path: '/high' }, { path: '/high' }],
      ...together,
      upstream: [{ delayMs: 500 }, { delayMs: 300 }, {}],
    },
  ],
};

/** Which of two hosts comes first is chance. */
const anyHost = /answer\[\d\]\.body$|^upstream\[\d\]\.name$|^log\[\d\]\.host$/;

/** Each host has a pool of its own, and a pool stays while it has a connection. */
const ofPools: Group = {
  name: 'breakers: pools',
  config: http(
    {
      routes: `
- { match: { prefix: /high }, route: { cluster: pooled, priority: HIGH } }
- { match: { prefix: /again }, route: { cluster: again, retry_policy: { retry_on: 5xx, num_retries: 1 } } }
- { match: { prefix: /none }, route: { cluster: none } }
- match: { prefix: /mirrored }
  route: { cluster: one, request_mirror_policies: [{ cluster: none }] }
- { match: { prefix: / }, route: { cluster: pooled } }`,
    },
    [
      cluster(
        'pooled',
        ['one', 'two'],
        `circuit_breakers:
  thresholds:
  - { track_remaining: true, max_connection_pools: 1 }
  - { priority: HIGH, track_remaining: true, max_connection_pools: 2 }`,
      ),
      cluster('again', ['one', 'two'], 'circuit_breakers: { thresholds: [{ max_connection_pools: 1 }] }'),
      cluster('none', ['one'], 'circuit_breakers: { thresholds: [{ max_connection_pools: 0 }] }'),
    ],
  ),
  stats: /^cluster\.\w+\..*(overflow|cx_total|rq_total|rq_\dxx|rq_retry|none_healthy|pending_total|_open)/,
  rows: [
    gauges('pooled', { name: 'gauges before any' }),
    {
      name: 'the first host has it',
      request: [{}, {}, {}, {}],
      ignores: /answer\[[02]\]\.body$|^upstream\[\d\]\.name$|^log\[[02]\]\.host$/,
    },
    gauges('pooled', { name: 'gauges at the limit' }),
    {
      name: 'two of a higher priority',
      request: [{ path: '/high' }, { path: '/high' }, { path: '/high' }],
      ignores: anyHost,
    },
    gauges('pooled', { name: 'gauges at both limits' }),
    {
      name: 'a retry at another host',
      request: { path: '/again' },
      upstream: [{ status: 503 }, {}],
      ignores: anyHost,
    },
    { name: 'none at all', request: { path: '/none' } },
    { name: 'a copy to none at all', request: { path: '/mirrored' } },
  ],
};

export const breakers: readonly Group[] = [
  intervals,
  ...['max_connections', 'max_pending_requests', 'max_requests'].map(limited),
  tracked,
  ofHosts,
  ofPools,
];
