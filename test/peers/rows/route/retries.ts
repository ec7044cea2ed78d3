import { cluster, endpoint, http } from '../../config.ts';
import type { Group, Pairs, Row } from '../../row.ts';
import { flushTimeouts } from './flush-timeouts.ts';
import { routeMatchers } from './matchers.ts';
import { retryDetails } from './retry-details.ts';

const limited = (headers: Pairs): Partial<Row> => ({ upstream: [{ status: 503, headers }, {}] });

const omits = (match: string): string =>
  `[{ name: envoy.retry_host_predicates.omit_host_metadata, typed_config: { '@type': type.googleapis.com/envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig, metadata_match: { filter_metadata: { envoy.lb: ${match} } } } }]`;

const backOff = (more: string): string =>
  `retry_policy: { retry_on: 5xx, num_retries: 1, rate_limited_retry_back_off: { ${more} } }`;

const backOffs: Group = {
  name: 'rate-limited back-off',
  config: http({
    routes: `
- { match: { prefix: /seconds }, route: { cluster: one, ${backOff('reset_headers: [{ name: Retry-After }]')} } }
- { match: { prefix: /short }, route: { cluster: one, ${backOff('reset_headers: [{ name: retry-after }], max_interval: 2s')} } }
- { match: { prefix: /stamp }, route: { cluster: one, ${backOff('reset_headers: [{ name: x-ratelimit-reset, format: UNIX_TIMESTAMP }]')} } }
- { match: { prefix: /both }, route: { cluster: one, ${backOff('reset_headers: [{ name: x-none }, { name: retry-after }]')} } }`,
  }),
  rows: [
    { name: 'a second', request: { path: '/seconds' }, ...limited([['retry-after', '1']]) },
    { name: 'no number', request: { path: '/seconds' }, ...limited([['retry-after', 'soon']]) },
    { name: 'no field', request: { path: '/seconds' }, ...limited([]) },
    { name: 'at once', request: { path: '/seconds' }, ...limited([['retry-after', '0']]) },
    { name: 'longer than allowed', request: { path: '/short' }, ...limited([['retry-after', '3']]) },
    { name: 'a moment that has passed', request: { path: '/stamp' }, ...limited([['x-ratelimit-reset', '1000']]) },
    { name: 'a moment too far away', request: { path: '/stamp' }, ...limited([['x-ratelimit-reset', '99999999999']]) },
    { name: 'the second of two fields', request: { path: '/both' }, ...limited([['retry-after', '1']]) },
    { name: 'a reset says nothing', request: { path: '/seconds' }, upstream: [{ raw: '', ending: 'reset' }, {}] },
  ],
};

const labelled = {
  ...cluster('labelled', []),
  load_assignment: {
    cluster_name: 'labelled',
    endpoints: [
      {
        lb_endpoints: [
          endpoint('one', 'metadata: { filter_metadata: { envoy.lb: { version: old, tags: [a, b] } } }'),
          endpoint('two', 'metadata: { filter_metadata: { envoy.lb: { version: new } } }'),
        ],
      },
    ],
  },
};

const policy = (match: string): string =>
  `retry_policy: { retry_on: 5xx, num_retries: 3, host_selection_retry_max_attempts: 50, retry_host_predicate: ${omits(match)} }`;

const predicates: Group = {
  name: 'retries by metadata of hosts',
  config: http(
    {
      routes: `
- { match: { prefix: /old }, route: { cluster: labelled, ${policy('{ version: old }')} } }
- { match: { prefix: /tag }, route: { cluster: labelled, ${policy('{ tags: b }')} } }
- { match: { prefix: /none }, route: { cluster: labelled, ${policy('{ version: other }')} } }`,
    },
    [labelled],
  ),
  rows: [
    {
      name: 'not to a host that is omitted',
      request: { path: '/old' },
      upstream: [{ status: 503 }, { status: 503 }, { status: 503 }, {}],
      ignores: /upstream\[0\]|connection|^stats/,
    },
    {
      name: 'a list has the value',
      request: { path: '/tag' },
      upstream: [{ status: 503 }, { status: 503 }, { status: 503 }, {}],
      ignores: /upstream\[0\]|connection|^stats/,
    },
    {
      name: 'no host is omitted',
      request: { path: '/none' },
      upstream: [{ status: 503 }, {}],
      ignores: /upstream\[|host|body|connection|^stats/,
    },
  ],
};

const timeouts: Group = {
  name: 'retries that tell of timeouts',
  config: http({
    routes: `
- { match: { prefix: / }, route: { cluster: one, retry_policy: { retry_on: '5xx', num_retries: 3, per_try_timeout: 0.4s } } }`,
    virtualHost: 'include_is_timeout_retry_header: true',
  }),
  rows: [
    { name: 'no retry', request: {} },
    { name: 'after an answer', upstream: [{ status: 503 }, {}] },
    { name: 'after a reset', upstream: [{ raw: '', ending: 'reset' }, {}] },
    { name: 'after a timeout', upstream: [{ delayMs: 900 }, {}] },
    { name: 'after a timeout and an answer', upstream: [{ delayMs: 900 }, { status: 503 }, {}] },
  ],
};

/** `rate_limited_retry_back_off`, `include_is_timeout_retry_header` and the predicate `omit_host_metadata`. */
export const retryPolicies: readonly Group[] = [
  backOffs,
  predicates,
  timeouts,
  ...retryDetails,
  ...routeMatchers,
  ...flushTimeouts,
];
