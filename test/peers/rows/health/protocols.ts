import { http } from '../../config.ts';
import type { Group, Step } from '../../row.ts';
import { checked, endpoints, flags, onlyHealth, steadyStats } from './config.ts';

const http2 =
  'typed_extension_protocol_options: { envoy.extensions.upstreams.http.v3.HttpProtocolOptions: { "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: { http2_protocol_options: {} } } }';
const hex = (text: string): string => Buffer.from(text).toString('hex');

const routes = (names: readonly string[]): string =>
  names.map((name) => `- { match: { prefix: /${name} }, route: { cluster: ${name} } }`).join('\n');
const healthy = (name: string): string => `cluster.${name}.membership_healthy`;
const tried = (name: string): string => `cluster.${name}.health_check.attempt`;

const tcp: Group = {
  name: 'active checks over TCP',
  stats: steadyStats,
  config: http({ routes: routes(['connects', 'says', 'waits']) }, [
    checked('connects', ['echo', 'dead'], 'tcp_health_check: {}'),
    checked(
      'says',
      ['echo', 'greet'],
      `tcp_health_check: { send: { text: '${hex('ping')}' }, receive: [{ text: '${hex('220')}' }, { text: '${hex('ping')}' }] }`,
    ),
    checked(
      'waits',
      ['greet', 'bye'],
      `reuse_connection: false\ntcp_health_check: { receive: [{ binary: ${Buffer.from('welcome').toString('base64')} }] }`,
      '{}',
      '0.3s',
    ),
  ]),
  rows: [
    {
      name: 'a connection is enough',
      admin: flags('connects'),
      awaits: { [healthy('connects')]: 1, [tried('connects')]: '+2' },
      ignores: onlyHealth,
    },
    {
      name: 'what is sent comes back behind a greeting',
      admin: flags('says'),
      awaits: { [healthy('says')]: 1 },
      ignores: onlyHealth,
    },
    {
      name: 'only waits',
      admin: flags('waits'),
      awaits: { [healthy('waits')]: 1, [tried('waits')]: '+3' },
      ignores: onlyHealth,
    },
  ],
};

const grpcAnswer = (status: number, more: Partial<Step> = {}): Step => ({
  headers: [['content-type', 'application/grpc']],
  chunks: [`\0\0\0\0\x02\x08${String.fromCharCode(status)}`],
  trailers: [['grpc-status', '0']],
  ...more,
});

const grpc: Group = {
  name: 'active checks over gRPC and HTTP/2',
  stats: steadyStats,
  config: http({ routes: routes(['grpc', 'h2']) }, [
    checked(
      'grpc',
      ['one'],
      'grpc_health_check: { service_name: a.b, authority: checks.test, initial_metadata: [{ header: { key: x-meta, value: m } }] }',
      http2,
    ),
    checked('h2', ['two'], 'http_health_check: { path: /healthz, codec_client_type: HTTP2 }', http2),
  ]),
  rows: [
    {
      name: 'no gRPC',
      admin: flags('grpc'),
      awaits: { [healthy('grpc')]: 0, [tried('grpc')]: '+2' },
      ignores: onlyHealth,
    },
    {
      name: 'serving',
      admin: flags('grpc'),
      health: { one: grpcAnswer(1) },
      awaits: { [healthy('grpc')]: 1 },
      seesChecks: true,
      ignores: onlyHealth,
    },
    {
      name: 'not serving',
      admin: flags('grpc'),
      health: { one: grpcAnswer(2) },
      awaits: { [healthy('grpc')]: 0 },
      ignores: onlyHealth,
    },
    {
      name: 'serving again',
      admin: flags('grpc'),
      health: { one: grpcAnswer(1) },
      awaits: { [healthy('grpc')]: 1 },
      ignores: onlyHealth,
    },
    {
      name: 'another status',
      admin: flags('grpc'),
      health: { one: grpcAnswer(1, { trailers: [['grpc-status', '5']] }) },
      awaits: { [healthy('grpc')]: 0 },
      ignores: onlyHealth,
    },
    { name: 'HTTP/2', admin: flags('h2'), awaits: { [healthy('h2')]: 1, [tried('h2')]: '+1' }, ignores: onlyHealth },
  ],
};

const hosts: Group = {
  name: 'active checks of hosts with wishes of their own',
  stats: steadyStats,
  config: http({ routes: routes(['own', 'body', 'service']) }, [
    {
      ...checked('own', [], 'http_health_check: { path: /healthz }'),
      ...endpoints('own', [
        ['dead', "health_check_config: { port_value: '{{one}}', hostname: own.test }"],
        ['two', 'health_check_config: { disable_active_health_check: true }'],
      ]),
    },
    checked(
      'body',
      ['one', 'two'],
      `http_health_check: { path: /healthz, method: POST, send: { text: '${hex('are you there')}' }, receive: [{ text: '${hex('from one')}' }] }`,
    ),
    checked(
      'service',
      ['one', 'two'],
      'http_health_check: { path: /healthz, service_name_matcher: { prefix: right } }',
    ),
  ]),
  rows: [
    {
      name: 'another port, another name, and none at all',
      admin: flags('own'),
      awaits: { [healthy('own')]: 2 },
      ignores: onlyHealth,
    },
    {
      name: 'a body is sent, and one is expected',
      admin: flags('body'),
      awaits: { [healthy('body')]: 1, 'cluster.body.health_check.failure': '+1' },
      ignores: onlyHealth,
    },
    {
      name: 'who answers',
      admin: flags('service'),
      health: { two: { headers: [['x-envoy-upstream-healthchecked-cluster', 'right-1']] } },
      awaits: { [healthy('service')]: 1 },
      ignores: onlyHealth,
    },
  ],
};

export const checkProtocols: readonly Group[] = [tcp, grpc, hosts];
