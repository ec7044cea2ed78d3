import { cluster, endpoint, http, type Yaml } from '../../config.ts';
import type { Group } from '../../row.ts';

const previous = (frequency: number): string =>
  `retry_priority: { name: envoy.retry_priorities.previous_priorities, typed_config: { '@type': type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig, update_frequency: ${frequency} } }`;
const retry = (retries: number, more = ''): string =>
  `retry_policy: { retry_on: 5xx, num_retries: ${retries}, retry_back_off: { base_interval: 0.001s }${more} }`;

const levels = (name: string, upstreams: readonly string[], more = '{}'): Yaml => ({
  ...cluster(name, [], more),
  load_assignment: {
    cluster_name: name,
    endpoints: upstreams.map((upstream, priority) => ({ priority, lb_endpoints: [endpoint(upstream)] })),
  },
});

/** `retry_priority`. */
export const retryPriorities: Group = {
  name: 'priorities of retries',
  config: http(
    {
      routes: `
- { match: { prefix: /each }, route: { cluster: three-levels, ${retry(5, `, ${previous(1)}`)} } }
- { match: { prefix: /second }, route: { cluster: three-levels, ${retry(5, `, ${previous(2)}`)} } }
- { match: { prefix: /flat }, route: { cluster: one, ${retry(2, `, ${previous(1)}`)} } }
- { match: { prefix: /hashed }, route: { cluster: hashed, hash_policy: [{ header: { header_name: x-key } }], ${retry(3, `, ${previous(1)}`)} } }
- { match: { prefix: /dead }, route: { cluster: dead-first, ${retry(3, `, ${previous(1)}`)} } }
- { match: { prefix: /without }, route: { cluster: three-levels, ${retry(2)} } }`,
    },
    [
      levels('three-levels', ['one', 'two', 'three']),
      levels('hashed', ['one', 'two', 'three'], 'lb_policy: RING_HASH'),
      levels('dead-first', ['dead', 'two']),
    ],
  ),
  rows: [
    { name: 'none', request: { path: '/without' }, upstream: [{ status: 503 }] },
    {
      name: 'the next priority each time',
      request: { path: '/each' },
      upstream: [{ status: 503 }, { status: 503 }, {}],
    },
    { name: 'and anew when all were tried', request: { path: '/each' }, upstream: [{ status: 503 }] },
    { name: 'after every second try', request: { path: '/second' }, upstream: [{ status: 503 }] },
    { name: 'where there is one priority', request: { path: '/flat' }, upstream: [{ status: 503 }] },
    { name: 'for a hash', request: { path: '/hashed', headers: [['x-key', 'a']] }, upstream: [{ status: 503 }] },
    { name: 'after a host that refuses', request: { path: '/dead' }, ignores: /timeout-ms/ },
    { name: 'of a request with a body', request: { path: '/each', body: 'again' }, upstream: [{ status: 503 }, {}] },
  ],
};
