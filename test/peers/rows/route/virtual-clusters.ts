import { cluster, http } from '../../config.ts';
import type { Group } from '../../row.ts';

/** When the log knows of the virtual cluster. */
export const virtualClusters: readonly Group[] = [
  {
    name: 'virtual clusters in the log',
    config: http(
      {
        log: ['VIRTUAL_CLUSTER_NAME'],
        virtualHost: `virtual_clusters: [{ name: named, headers: [{ name: ':path', string_match: { prefix: /v } }] }]`,
        routes: `
- { match: { prefix: /v/refused }, route: { cluster: dead } }
- { match: { prefix: /none }, route: { cluster: dead } }
- { match: { prefix: /v/silent }, route: { cluster: silent, timeout: 0.3s } }
- { match: { prefix: /v/slow }, route: { cluster: one, timeout: 0.3s } }
- { match: { prefix: /v/nobody }, route: { cluster: nobody } }
- { match: { prefix: /v/missing }, route: { cluster: missing } }
- { match: { prefix: /v/direct }, direct_response: { status: 204 } }
- { match: { prefix: / }, route: { cluster: one } }`,
        routeConfig: 'validate_clusters: false',
      },
      [cluster('silent', ['silent'], 'connect_timeout: 5s'), cluster('nobody', [])],
    ),
    rows: [
      { name: 'answered', request: { path: '/v' } },
      { name: 'another, answered', request: { path: '/' } },
      { name: 'another, refused', request: { path: '/none' } },
      { name: 'refused', request: { path: '/v/refused' } },
      { name: 'no connection', request: { path: '/v/silent' } },
      { name: 'no answer', request: { path: '/v/slow' }, upstream: [{ delayMs: 1500 }] },
      { name: 'reset', request: { path: '/v' }, upstream: [{ raw: '', ending: 'reset' }] },
      { name: 'no host', request: { path: '/v/nobody' } },
      { name: 'no cluster', request: { path: '/v/missing' } },
      { name: 'answered here', request: { path: '/v/direct' } },
    ],
  },
];
