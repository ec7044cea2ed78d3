import { cluster, http } from '../config.ts';
import type { Group } from '../row.ts';

/** `layered_runtime` with one static layer. */
function layer(keys: Readonly<Record<string, string | number | boolean | object>>): string {
  return `layered_runtime: { layers: [{ name: static, static_layer: ${JSON.stringify(keys)} }] }`;
}

const sick = `
load_assignment:
  cluster_name: sick
  endpoints:
  - lb_endpoints:
    - { health_status: UNHEALTHY, endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{one}}' } } } }`;

/** Keys that nobody writes into the configuration of a cluster or a listener, because Envoy asks for them anyway. */
const keys: Group = {
  name: 'runtime keys',
  config: http(
    {
      routes: `
- { match: { prefix: /closed }, route: { cluster: closed } }
- { match: { prefix: /partly }, route: { cluster: partly } }
- { match: { prefix: /requests }, route: { cluster: requests } }
- { match: { prefix: /pending }, route: { cluster: pending } }
- { match: { prefix: /high }, route: { cluster: high, priority: HIGH } }
- { match: { prefix: /sick }, route: { cluster: sick } }
- match: { prefix: /retries }
  route: { cluster: retries, retry_policy: { retry_on: 5xx } }
- { match: { prefix: / }, route: { cluster: one } }`,
      bootstrap: layer({
        'upstream.maintenance_mode.closed': 100,
        'upstream.maintenance_mode.partly': { numerator: 1_000_000, denominator: 'MILLION' },
        'upstream.maintenance_mode.one': 0,
        'circuit_breakers.requests.default.max_requests': 0,
        'circuit_breakers.pending.default.max_pending_requests': 0,
        'circuit_breakers.high.high.max_requests': 0,
        'circuit_breakers.retries.default.max_retries': 0,
        'upstream.healthy_panic_threshold': 0,
        'http_connection_manager.normalize_path': 100,
        'http_connection_manager.path_with_escaped_slashes_action': 2,
      }),
    },
    [
      ...['closed', 'partly', 'requests', 'pending', 'high', 'retries'].map((name) => cluster(name, ['one'])),
      cluster('sick', ['one'], sick),
    ],
  ),
  rows: [
    { name: 'maintenance_mode', request: { path: '/closed' } },
    { name: 'maintenance_mode as a fraction', request: { path: '/partly' } },
    { name: 'maintenance_mode 0', request: { path: '/' } },
    { name: 'max_requests', request: { path: '/requests' } },
    { name: 'max_pending_requests', request: { path: '/pending' } },
    { name: 'max_requests of the high priority', request: { path: '/high' } },
    { name: 'max_retries', request: { path: '/retries' }, upstream: [{ status: 503 }, {}] },
    { name: 'healthy_panic_threshold', request: { path: '/sick' } },
    { name: 'normalize_path', request: { path: '/a/./b/../c' } },
    { name: 'path_with_escaped_slashes_action', request: { path: '/a%2Fb' } },
  ],
};

const configuredPaths: Group = {
  name: 'runtime keys: configured paths',
  config: http({
    hcm: 'normalize_path: false\npath_with_escaped_slashes_action: REJECT_REQUEST',
    bootstrap: layer({
      'http_connection_manager.normalize_path': 100,
      'http_connection_manager.path_with_escaped_slashes_action_enabled': 0,
    }),
  }),
  rows: [
    { name: 'normalize_path is what is configured', request: { path: '/a/./b' } },
    { name: 'the action is switched off', request: { path: '/a%2Fb' } },
  ],
};

const noRetries: Group = {
  name: 'runtime keys: retries',
  config: http({
    routes: '[{ match: { prefix: / }, route: { cluster: one, retry_policy: { retry_on: 5xx } } }]',
    bootstrap: layer({ 'upstream.use_retry': 0 }),
  }),
  rows: [{ name: 'use_retry', request: { path: '/' }, upstream: [{ status: 503 }, {}] }],
};

const listenerLimit: Group = {
  name: 'runtime keys: listeners',
  config: http({ bootstrap: layer({ 'envoy.resource_limits.listener.ingress.connection_limit': 0 }) }),
  rows: [{ name: 'connection_limit', raw: '', until: 'closed', answers: 0, logLines: 0 }],
};

const zones: Group = {
  name: 'zones and local addresses',
  config: http(
    {
      routes: `
- { match: { prefix: /zone }, route: { cluster: there } }
- { match: { prefix: /bind }, route: { cluster: bound } }
- { match: { prefix: / }, route: { cluster: one } }`,
    },
    [
      cluster(
        'there',
        [],
        `
load_assignment:
  cluster_name: there
  endpoints:
  - locality: { zone: there }
    lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{one}}' } } } }]`,
      ),
      cluster('bound', ['one'], 'upstream_bind_config: { source_address: { address: 192.0.2.1, port_value: 0 } }'),
    ],
  ),
  flags: ['--service-zone', 'here'],
  rows: [
    { name: 'codes and times by zone', request: { path: '/zone' } },
    { name: 'a failure by zone', request: { path: '/zone' }, upstream: [{ raw: 'nonsense\r\n\r\n' }] },
    { name: 'a host without a zone', request: { path: '/' } },
    { name: 'an address that this machine has not', request: { path: '/bind' } },
  ],
};

export const runtime: readonly Group[] = [keys, configuredPaths, noRetries, listenerLimit, zones];
