import { cluster, http } from '../../config.ts';
import type { Group } from '../../row.ts';

const retry = (more = ''): string =>
  `retry_policy: { retry_on: 5xx, num_retries: 2, per_try_timeout: 0.3s, retry_back_off: { base_interval: 0.001s, max_interval: 0.001s }${more} }`;

const hedged = 'hedge_policy: { hedge_on_per_try_timeout: true }';

/** A try that takes too long goes on beside the next one. */
export const hedging: Group = {
  name: 'hedging',
  config: http(
    {
      hcm: 'use_remote_address: true\ninternal_address_config: { cidr_ranges: [{ address_prefix: 127.0.0.0, prefix_len: 8 }] }',
      log: ['UPSTREAM_REQUEST_ATTEMPT_COUNT'],
      virtualHosts: `
- name: all
  domains: ['*']
  include_request_attempt_count: true
  include_attempt_count_in_response: true
  routes:
  - { match: { prefix: /hedged }, route: { cluster: one, ${hedged}, ${retry()} } }
  - { match: { prefix: /other }, route: { cluster: one, ${hedged}, retry_policy: { retry_on: connect-failure, num_retries: 1, per_try_timeout: 0.3s, retry_back_off: { base_interval: 0.001s } } } }
  - { match: { prefix: /short }, route: { cluster: one, timeout: 1s, ${hedged}, ${retry()} } }
  - { match: { prefix: /idle }, route: { cluster: one, ${hedged}, retry_policy: { retry_on: 5xx, per_try_idle_timeout: 0.3s, retry_back_off: { base_interval: 0.001s } } } }
  - { match: { prefix: /none }, route: { cluster: one, ${hedged}, retry_policy: { retry_on: 5xx, num_retries: 0, per_try_timeout: 0.3s } } }
  - { match: { prefix: /never }, route: { cluster: one, ${hedged} } }
  - { match: { prefix: /full }, route: { cluster: full, ${hedged}, ${retry()} } }
  - { match: { prefix: /plain }, route: { cluster: one, ${retry()} } }
  - { match: { prefix: /ignored }, route: { cluster: one, hedge_policy: { initial_requests: 3, additional_request_chance: { numerator: 100 } }, retry_policy: { retry_on: 5xx, num_retries: 2 } } }
- name: inherited
  domains: [inherited.test]
  hedge_policy: { hedge_on_per_try_timeout: true }
  routes:
  - { match: { prefix: /own }, route: { cluster: one, hedge_policy: {}, ${retry()} } }
  - { match: { prefix: / }, route: { cluster: one, ${retry()} } }`,
    },
    [cluster('full', ['one'], 'circuit_breakers: { thresholds: [{ max_retries: 0 }] }')],
  ),
  rows: [
    { name: 'in time', request: { path: '/hedged' }, upstream: [{ delayMs: 50 }] },
    { name: 'the second is faster', request: { path: '/hedged' }, upstream: [{ delayMs: 2500 }, { body: 'second' }] },
    {
      name: 'the first comes after all',
      request: { path: '/hedged' },
      upstream: [{ delayMs: 450, body: 'first' }, { delayMs: 2500 }],
    },
    {
      name: 'a bad first waits for the second',
      request: { path: '/hedged' },
      upstream: [
        { delayMs: 500, status: 503 },
        { delayMs: 250, body: 'second' },
      ],
    },
    {
      name: 'and a first that resets',
      request: { path: '/hedged' },
      upstream: [
        { delayMs: 500, raw: '', ending: 'reset' },
        { delayMs: 250, body: 'second' },
      ],
    },
    {
      name: 'a bad second is repeated',
      request: { path: '/hedged' },
      upstream: [{ delayMs: 2500 }, { status: 503 }, { body: 'third' }],
    },
    {
      name: 'nobody answers in time',
      request: { path: '/short' },
      upstream: [{ delayMs: 2500 }],
    },
    { name: 'any request, whatever it is retried on', request: { path: '/other' }, upstream: [{ delayMs: 2500 }, {}] },
    { name: 'with a body', request: { path: '/hedged', body: 'twice' }, upstream: [{ delayMs: 2500 }, {}] },
    {
      name: 'silence too',
      request: { path: '/idle' },
      upstream: [{ delayMs: 2500 }, {}],
    },
    { name: 'without a retry left', request: { path: '/none' }, upstream: [{ delayMs: 600 }] },
    { name: 'where nothing is retried', request: { path: '/never' }, upstream: [{ delayMs: 100 }] },
    { name: 'no room for retries', request: { path: '/full' }, upstream: [{ delayMs: 600 }] },
    {
      name: 'asked for by header',
      request: { path: '/plain', headers: [['x-envoy-hedge-on-per-try-timeout', 'true']] },
      upstream: [{ delayMs: 2500 }, {}],
    },
    {
      name: 'declined by header',
      request: { path: '/hedged', headers: [['x-envoy-hedge-on-per-try-timeout', 'false']] },
      upstream: [{ delayMs: 2500 }, {}],
    },
    {
      name: 'neither',
      request: { path: '/plain', headers: [['x-envoy-hedge-on-per-try-timeout', 'maybe']] },
      upstream: [{ delayMs: 2500 }, {}],
    },
    { name: 'more requests at once are not sent', request: { path: '/ignored' } },
    { name: 'of the virtual host', request: { path: '/', host: 'inherited.test' }, upstream: [{ delayMs: 2500 }, {}] },
    {
      name: 'not where the route has its own',
      request: { path: '/own', host: 'inherited.test' },
      upstream: [{ delayMs: 2500 }, {}],
    },
    { name: 'over HTTP/2', over: 'h2', request: { path: '/hedged' }, upstream: [{ delayMs: 2500 }, {}] },
  ],
};
