import { http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { counted, overloadManager, pressed, relieved } from './pressure.ts';

const actions = [
  'stop_accepting_requests',
  'disable_http_keepalive',
  'stop_accepting_connections',
  'reject_incoming_connections',
] as const;

const under = (action: (typeof actions)[number], row: Row): Row => ({ ...pressed(actions, action), ...row });

const lastAnswer =
  'An answer that says `connection: close` is the last of its connection: Envoy keeps it open until `drain_timeout` is over';

const actionRows: Group = {
  name: 'overload: actions',
  config: http({ bootstrap: overloadManager({ actions }) }),
  files: relieved(actions),
  stats: counted,
  rows: [
    { ...pressed(actions, null), name: 'nothing is pressed', request: { path: '/' } },
    under('stop_accepting_requests', { name: 'requests are refused', request: { path: '/' } }),
    under('stop_accepting_requests', { name: 'refused with a body', request: { path: '/', body: 'hello' } }),
    under('stop_accepting_requests', { name: 'refused HEAD', request: { method: 'HEAD', path: '/' } }),
    under('stop_accepting_requests', {
      name: 'refused gRPC',
      over: 'h2',
      request: { method: 'POST', path: '/', headers: [['content-type', 'application/grpc']], body: '' },
    }),
    under('stop_accepting_requests', { name: 'refused over HTTP/2', over: 'h2', request: { path: '/' } }),
    under('stop_accepting_requests', { name: 'refused in turn', request: [{ path: '/a' }, { path: '/b' }] }),
    under('stop_accepting_requests', { name: 'refused without a host', request: { path: '/', host: null } }),
    under('stop_accepting_requests', {
      name: 'refused with expect',
      request: { path: '/', headers: [['expect', '100-continue']], body: 'hello' },
    }),
    under('stop_accepting_requests', {
      name: 'stats of an action',
      admin: '/stats?filter=^overload.envoy.overload_actions.stop_accepting_requests',
    }),
    under('disable_http_keepalive', {
      name: 'keep-alive is off',
      request: { path: '/' },
      until: 'closed',
      waitMs: 1500,
      differs: {
        'client[0].end': lastAnswer,
        'stats.http.ingress.downstream_cx_delayed_close_timeout': lastAnswer,
      },
    }),
    under('disable_http_keepalive', {
      name: 'keep-alive is off, whatever the client asks for',
      raw: 'GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n',
    }),
    under('disable_http_keepalive', { name: 'HTTP/2 is asked to go', over: 'h2', request: { path: '/' } }),
    under('stop_accepting_connections', {
      name: 'connections wait',
      raw: '',
      waitMs: 400,
      answers: 0,
      logLines: 0,
      until: 'closed',
    }),
    { ...pressed(actions, null), name: 'connections no longer wait', request: { path: '/' } },
    under('reject_incoming_connections', {
      name: 'connections are refused',
      raw: '',
      until: 'closed',
      answers: 0,
      logLines: 0,
    }),
    {
      ...pressed(actions, null),
      name: 'what the monitors and actions say',
      admin: '/stats?filter=^overload.envoy',
    },
  ],
};

const appended: Group = {
  name: 'overload: append_local_overload',
  config: http({
    hcm: 'append_local_overload: true',
    bootstrap: overloadManager({ actions: ['stop_accepting_requests'] }),
  }),
  files: relieved(['stop_accepting_requests']),
  rows: [{ ...pressed(['stop_accepting_requests'], 'stop_accepting_requests'), name: 'a header says so', request: {} }],
};

const bypassed: Group = {
  name: 'overload: bypass_overload_manager',
  config: http({
    listener: 'bypass_overload_manager: true',
    bootstrap: overloadManager({ actions, points: ['tcp_listener_accept', 'http_connection_manager_decode_headers'] }),
  }),
  files: relieved([...actions, 'tcp_listener_accept', 'http_connection_manager_decode_headers']),
  rows: [
    under('stop_accepting_requests', { name: 'requests are served', request: {} }),
    under('disable_http_keepalive', { name: 'connections are kept', request: [{}, {}] }),
    under('reject_incoming_connections', { name: 'connections are taken', request: {} }),
    under('stop_accepting_connections', { name: 'connections do not wait', request: {} }),
  ],
};

const connections = 'envoy.resource_monitors.global_downstream_max_connections';

const crowded = (max: number, listener = ''): string =>
  http({
    ...(listener === '' ? {} : { listener }),
    bootstrap: `
overload_manager:
  refresh_interval: 0.02s
  resource_monitors:
  - name: ${connections}
    typed_config:
      '@type': type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig
      max_active_downstream_connections: ${max}
  - name: envoy.resource_monitors.rest
    typed_config:
      '@type': type.googleapis.com/envoy.extensions.resource_monitors.injected_resource.v3.InjectedResourceConfig
      filename: '{{directory}}/rest'
  actions:
  - name: envoy.overload_actions.disable_http_keepalive
    triggers: [{ name: ${connections}, threshold: { value: 0.5 } }]`,
  });

const monitored: Group = {
  name: 'overload: global_downstream_max_connections',
  config: crowded(2),
  files: { rest: '0' },
  stats: counted,
  rows: [
    { name: 'two at a time', request: [{}, {}], mode: 'together', staggerMs: 100, upstream: [{ delayMs: 400 }] },
    {
      name: 'the third is closed',
      request: [{ path: '/a' }, { path: '/b' }, { path: '/c' }],
      mode: 'together',
      staggerMs: 100,
      upstream: [{ delayMs: 600 }],
      logLines: 2,
      // What it has sent already makes its end a reset.
      ignores: /^client\[2\]\.end$/,
    },
    {
      name: 'its pressure makes others act',
      request: {},
      upstream: [{ delayMs: 300 }],
    },
    {
      name: 'its stats',
      admin: `/stats?filter=^overload.${connections}`,
      awaits: { [`overload.${connections}.pressure`]: 0 },
    },
  ],
};

const uncounted = 'Envoy counts a failure when a connection goes that it did not count when it came';

const ignoring: Group = {
  name: 'overload: ignore_global_conn_limit',
  config: crowded(1, 'ignore_global_conn_limit: true'),
  files: { rest: '0' },
  stats: counted,
  rows: [
    {
      name: 'everybody is let in',
      request: [{}, {}],
      mode: 'together',
      staggerMs: 100,
      upstream: [{ delayMs: 400 }],
      differs: { 'stats.overload.envoy.resource_monitors.global_downstream_max_connections.failed_updates': uncounted },
    },
  ],
};

const inner = {
  name: 'inner',
  type: 'STATIC',
  load_assignment: {
    cluster_name: 'inner',
    endpoints: [
      { lb_endpoints: [{ endpoint: { address: { envoy_internal_address: { server_listener_name: 'inside' } } } }] },
    ],
  },
};

const inside = {
  name: 'inside',
  internal_listener: {},
  filter_chains: [
    {
      filters: [
        {
          name: 'tcp',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
            stat_prefix: 'inside',
            cluster: 'one',
          },
        },
      ],
    },
  ],
};

const inMemory: Group = {
  name: 'overload: internal listeners',
  config: http({
    routes: '[{ match: { prefix: / }, route: { cluster: inner } }]',
    clusters: JSON.stringify([inner]),
    listener: 'bypass_overload_manager: true',
    listeners: [inside],
    bootstrap: `
bootstrap_extensions:
- name: envoy.bootstrap.internal_listener
  typed_config: { '@type': type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener }
${overloadManager({ actions })}`,
  }),
  files: relieved(actions),
  stats: counted,
  rows: [
    under('reject_incoming_connections', { name: 'are not closed', request: {} }),
    under('stop_accepting_connections', { name: 'do not wait', request: {} }),
  ],
};

export const overloadActions: readonly Group[] = [actionRows, appended, bypassed, monitored, ignoring, inMemory];
