import { cluster, http } from '../../config.ts';
import type { Group } from '../../row.ts';

const retry =
  'retry_policy: { retry_on: 5xx, num_retries: 3, refresh_cluster_on_retry: true, retry_back_off: { base_interval: 0.001s } }';
const entry = (name: string, weight: number, more = ''): string =>
  `{ name: ${name}, weight: ${weight}, request_headers_to_add: [{ header: { key: x-entry, value: ${name} } }], response_headers_to_add: [{ header: { key: x-entry, value: ${name} } }]${more} }`;

/** `refresh_cluster_on_retry`. */
export const refreshedClusters: Group = {
  name: 'clusters chosen anew for retries',
  config: http(
    {
      routes: `
- match: { prefix: /header }
  route: { cluster_header: x-cluster, ${retry} }
  request_headers_to_add: [{ header: { key: x-cluster, value: two }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }]
- match: { prefix: /kept }
  route: { cluster_header: x-cluster, retry_policy: { retry_on: 5xx, num_retries: 3, retry_back_off: { base_interval: 0.001s } } }
  request_headers_to_add: [{ header: { key: x-cluster, value: two }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }]
- match: { prefix: /nowhere }
  route: { cluster_header: x-cluster, ${retry} }
  request_headers_to_add: [{ header: { key: x-cluster, value: none }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }]
- match: { prefix: /pair }
  route: { ${retry}, weighted_clusters: { header_name: x-pick, clusters: [${entry('one', 1)}, ${entry('two', 1)}] } }
- match: { prefix: /three }
  route: { ${retry}, weighted_clusters: { header_name: x-pick, clusters: [${entry('one', 2)}, ${entry('two', 1)}, ${entry('three', 1)}] } }
- match: { prefix: /zero }
  route: { ${retry}, weighted_clusters: { header_name: x-pick, clusters: [${entry('one', 1)}, ${entry('two', 0)}] } }
- match: { prefix: /fixed }
  route: { cluster: one, ${retry} }`,
    },
    [cluster('full', ['one'], 'circuit_breakers: { thresholds: [{ max_retries: 0 }] }')],
  ),
  rows: [
    { name: 'a cluster of one name', request: { path: '/fixed' }, upstream: [{ status: 503 }, {}] },
    {
      name: 'by a header that has changed',
      request: { path: '/header', headers: [['x-cluster', 'one']] },
      upstream: [{ status: 503 }, {}],
    },
    {
      name: 'not chosen anew',
      request: { path: '/kept', headers: [['x-cluster', 'one']] },
      upstream: [{ status: 503 }, {}],
    },
    {
      name: 'which there is not',
      request: { path: '/nowhere', headers: [['x-cluster', 'one']] },
      upstream: [{ status: 503 }, {}],
    },
    {
      name: 'the other of two',
      request: { path: '/pair', headers: [['x-pick', '0']] },
      upstream: [{ status: 503 }, {}],
    },
    {
      name: 'both, and again',
      request: { path: '/pair', headers: [['x-pick', '1']] },
      upstream: [{ status: 503 }, { status: 503 }, {}],
    },
    { name: 'the end of all', request: { path: '/pair', headers: [['x-pick', '1']] }, upstream: [{ status: 503 }] },
    {
      name: 'three',
      request: { path: '/three', headers: [['x-pick', '0']] },
      upstream: [{ status: 503 }, { status: 503 }, {}],
    },
    {
      name: 'from the last on',
      request: { path: '/three', headers: [['x-pick', '3']] },
      upstream: [{ status: 503 }, { status: 503 }, {}],
    },
    {
      name: 'one without weight',
      request: { path: '/zero', headers: [['x-pick', '0']] },
      upstream: [{ status: 503 }, { status: 503 }, {}],
    },
  ],
};
