import { http, tcp, cluster } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { counted, overloadManager, pressed, relieved } from './pressure.ts';

const points = [
  'tcp_listener_accept',
  'http_connection_manager_decode_headers',
  'http1_server_abort_dispatch',
  'http2_server_go_away_on_dispatch',
  'http2_server_go_away_and_close_on_dispatch',
  'hcm_ondata_creating_codec',
  'http_downstream_filter_check',
  'connection_pool_new_connection',
] as const;

const at = (point: (typeof points)[number], row: Row): Row => ({ ...pressed(points, point), ...row });

const get = ':method=GET :scheme=http :authority=a :path=/';

const routes = `
- { match: { path: /direct }, direct_response: { status: 200, body: { inline_string: direct } } }
- { match: { path: /nowhere }, route: { cluster: nowhere } }
- { match: { path: /dead }, route: { cluster: dead } }
- { match: { prefix: /retried }, route: { cluster: one, retry_policy: { retry_on: reset } } }
- { match: { prefix: /only }, route: { cluster: one } }`;

const shed: Group = {
  name: 'overload: load shed points',
  config: http({ routes, routeConfig: 'validate_clusters: false', bootstrap: overloadManager({ points }) }),
  files: relieved(points),
  stats: counted,
  rows: [
    { ...pressed(points, null), name: 'nothing is pressed', request: { path: '/only' } },
    at('tcp_listener_accept', { name: 'accept', raw: '', until: 'closed', answers: 0, logLines: 0 }),
    at('http_connection_manager_decode_headers', { name: 'heads', request: { path: '/only' } }),
    at('http_connection_manager_decode_headers', { name: 'heads over HTTP/2', over: 'h2', request: { path: '/only' } }),
    at('http1_server_abort_dispatch', {
      name: 'HTTP/1 dispatch',
      raw: 'GET /only HTTP/1.1\r\nhost: a\r\n\r\n',
      until: 'closed',
    }),
    at('http1_server_abort_dispatch', {
      name: 'HTTP/1 dispatch of a piece',
      raw: ['GET /on', 50, 'ly HTTP/1.1\r\nhost: a\r\n\r\n'],
      until: 'closed',
      // What comes behind may cross the end.
      ignores: /^client\[0\]\.end$/,
    }),
    at('http1_server_abort_dispatch', { name: 'HTTP/1 dispatch, over HTTP/2', over: 'h2', request: { path: '/only' } }),
    at('http2_server_go_away_on_dispatch', {
      name: 'HTTP/2 GOAWAY',
      over: 'h2',
      request: { path: '/direct' },
      // Asked with every chunk, as the network cuts them.
      ignores: /shed_load_count$/,
    }),
    at('http2_server_go_away_on_dispatch', {
      name: 'HTTP/2 GOAWAY, over HTTP/1',
      request: { path: '/only' },
    }),
    at('http2_server_go_away_and_close_on_dispatch', {
      name: 'HTTP/2 GOAWAY and close',
      frames: [`HEADERS 1 end ${get}direct`],
      until: 'closed',
      logLines: 0,
      ignores: /^client\[0\]\.end$/,
    }),
    at('http2_server_go_away_and_close_on_dispatch', {
      name: 'HTTP/2 GOAWAY and close, over HTTP/1',
      raw: 'GET /only HTTP/1.1\r\nhost: a\r\n\r\n',
      until: 'closed',
      answers: 0,
      logLines: 0,
    }),
    at('hcm_ondata_creating_codec', {
      name: 'codec',
      raw: 'GET /only HTTP/1.1\r\nhost: a\r\n\r\n',
      until: 'closed',
      answers: 0,
      logLines: 0,
    }),
    at('hcm_ondata_creating_codec', {
      name: 'codec of HTTP/2',
      frames: [`HEADERS 1 end ${get}direct`],
      until: 'closed',
      logLines: 0,
      ignores: /^client\[0\]\.end$/,
    }),
    at('http_downstream_filter_check', { name: 'router', request: { path: '/only' } }),
    at('http_downstream_filter_check', { name: 'router: direct response', request: { path: '/direct' } }),
    at('http_downstream_filter_check', { name: 'router: no route', request: { path: '/none' } }),
    at('http_downstream_filter_check', { name: 'router: no cluster', request: { path: '/nowhere' } }),
    at('connection_pool_new_connection', { name: 'pool', request: { path: '/only' } }),
    at('connection_pool_new_connection', { name: 'pool: a dead host', request: { path: '/dead' } }),
    at('connection_pool_new_connection', { name: 'pool: retried', request: { path: '/retried' } }),
    {
      ...pressed(points, null),
      name: 'what the points say',
      admin: '/stats?filter=load_shed_points.(tcp%7Chttp_%7Chcm%7Cconnection%7Chttp1)',
    },
  ],
};

const shedTcp: Group = {
  name: 'overload: TCP',
  config: tcp('cluster: echo', [cluster('echo', ['echo'])], {
    bootstrap: overloadManager({ points: ['tcp_listener_accept', 'connection_pool_new_connection'] }),
  }),
  files: relieved(['tcp_listener_accept', 'connection_pool_new_connection']),
  stats: counted,
  rows: [
    {
      ...pressed(['tcp_listener_accept', 'connection_pool_new_connection'], 'connection_pool_new_connection'),
      name: 'pool',
      raw: '',
      until: 'closed',
      answers: 0,
      logLines: 1,
    },
    {
      ...pressed(['tcp_listener_accept', 'connection_pool_new_connection'], 'tcp_listener_accept'),
      name: 'accept',
      raw: '',
      until: 'closed',
      answers: 0,
      logLines: 0,
    },
  ],
};

export const loadShedding: readonly Group[] = [shed, shedTcp];
