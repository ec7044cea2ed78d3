import { cluster, http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

/** The origin answers the mirrored request before the other, so that both are counted when the client has its answer. */
const later = [{ delayMs: 300 }, { delayMs: 50 }];

const mirrored = (name: string, path: string, more: Partial<Row> = {}): Row => ({
  name,
  request: { path },
  upstream: later,
  ...more,
});

const mirroring: Group = {
  name: 'mirroring',
  config: http(
    {
      hcm: 'use_remote_address: true\ninternal_address_config: { cidr_ranges: [{ address_prefix: 127.0.0.0, prefix_len: 8 }] }',
      routes: `
- { match: { prefix: /plain }, route: { cluster: one, request_mirror_policies: [{ cluster: two }] } }
- { match: { prefix: /keeps }, route: { cluster: one, request_mirror_policies: [{ cluster: two, disable_shadow_host_suffix_append: true }] } }
- { match: { prefix: /literal }, route: { cluster: one, request_mirror_policies: [{ cluster: two, host_rewrite_literal: other.test }] } }
- { match: { prefix: /never }, route: { cluster: one, request_mirror_policies: [{ cluster: two, runtime_fraction: { default_value: { numerator: 0 } } }] } }
- { match: { prefix: /always }, route: { cluster: one, request_mirror_policies: [{ cluster: two, runtime_fraction: { default_value: { numerator: 1000000, denominator: MILLION }, runtime_key: mirror.some } }] } }
- { match: { prefix: /header }, route: { cluster: one, request_mirror_policies: [{ cluster_header: x-mirror }] } }
- { match: { prefix: /nowhere }, route: { cluster_header: x-unknown, request_mirror_policies: [{ cluster: two }] } }
- { match: { prefix: /dead }, route: { cluster: one, request_mirror_policies: [{ cluster: dead }] } }
- { match: { prefix: /rewritten }, route: { cluster: one, prefix_rewrite: /new, host_rewrite_literal: new.test, request_mirror_policies: [{ cluster: two }] }, request_headers_to_add: [{ header: { key: x-added, value: '%REQ(:PATH)%' } }] }
- { match: { prefix: /timeout }, route: { cluster: one, timeout: 0.3s, request_mirror_policies: [{ cluster: two }] } }
- { match: { prefix: /retried }, route: { cluster: one, retry_policy: { retry_on: 5xx }, request_mirror_policies: [{ cluster: two }] } }
- { match: { prefix: /own }, route: { cluster: one, request_mirror_policies: [{ cluster: two, request_headers_mutations: [{ append: { header: { key: x-mirrored, value: 'yes' } } }, { remove: x-private }] }] } }
- { match: { prefix: / }, route: { cluster: one } }`,
      virtualHost: 'include_request_attempt_count: true',
    },
    [cluster('two', ['one'])],
  ),
  rows: [
    mirrored('a GET', '/plain'),
    mirrored('a body', '/plain', { request: { path: '/plain', body: 'hello' } }),
    mirrored('a chunked body with trailers', '/plain', {
      request: { path: '/plain', chunks: ['hel', 'lo'], trailers: [['x-end', '1']] },
    }),
    mirrored('over HTTP/2', '/plain', { over: 'h2', request: { path: '/plain', chunks: ['hel', 'lo'] } }),
    mirrored('HEAD', '/plain', { request: { path: '/plain', method: 'HEAD' } }),
    mirrored('the host has a port', '/plain', { request: { path: '/plain', host: 'a.test:81' } }),
    mirrored('the host stays', '/keeps'),
    mirrored('a host of its own', '/literal'),
    mirrored('a fraction of nothing', '/never'),
    mirrored('a fraction of everything', '/always'),
    mirrored('to the cluster that a header names', '/header', {
      request: { path: '/header', headers: [['x-mirror', 'two']] },
    }),
    mirrored('to an unknown cluster', '/header', { request: { path: '/header', headers: [['x-mirror', 'none']] } }),
    mirrored('without the header', '/header'),
    mirrored('the main cluster is unknown', '/nowhere'),
    mirrored('the mirror cannot be reached', '/dead'),
    mirrored('after rewriting', '/rewritten/x'),
    mirrored('the mirror fails', '/plain', { upstream: [{ delayMs: 300 }, { delayMs: 50, status: 503 }] }),
    mirrored('the mirror resets', '/plain', {
      upstream: [{ delayMs: 300 }, { delayMs: 50, raw: '', ending: 'reset' }],
    }),
    mirrored('both time out', '/timeout', { upstream: [{ delayMs: 800 }] }),
    mirrored('the answer comes late', '/timeout', {
      request: [{ path: '/timeout' }, { path: '/none' }],
      upstream: [{ delayMs: 100 }],
    }),
    mirrored('headers of its own', '/own', { request: { path: '/own', headers: [['x-private', '1']] } }),
    mirrored('CONNECT is not', '/plain', { request: { method: 'CONNECT', path: 'a.test:80' } }),
    mirrored('a route without', '/other'),
  ],
};

const levels: Group = {
  name: 'mirroring by level',
  config: http(
    {
      virtualHosts: `
- name: a
  domains: [a.test]
  request_mirror_policies: [{ cluster: two }]
  routes:
  - { match: { prefix: /own }, route: { cluster: one, request_mirror_policies: [{ cluster: three }] } }
  - { match: { prefix: /several }, route: { cluster: one, request_mirror_policies: [{ cluster: two }, { cluster: two }] } }
  - { match: { prefix: / }, route: { cluster: one } }
- name: b
  domains: ['*']
  routes: [{ match: { prefix: / }, route: { cluster: one } }]`,
      routeConfig: 'request_mirror_policies: [{ cluster: three }]',
    },
    [cluster('two', ['one']), cluster('three', ['one'])],
  ),
  rows: [
    mirrored("a route's own", '/own', { request: { path: '/own', host: 'a.test' } }),
    mirrored("the virtual host's", '/', { request: { path: '/', host: 'a.test' } }),
    mirrored("the table's", '/', { request: { path: '/', host: 'b.test' } }),
    mirrored('two at once', '/several', { request: { path: '/several', host: 'a.test' } }),
  ],
};

/** `request_mirror_policies`. */
export const mirrors: readonly Group[] = [mirroring, levels];
