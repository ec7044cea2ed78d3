import { http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { bootstrap, collectors, otlpGrpc, zipkin } from './tracing.ts';

const http2 =
  '{ envoy.extensions.upstreams.http.v3.HttpProtocolOptions: { "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: { http2_protocol_options: {} } } }';
const load = (port: string) =>
  `load_assignment: { cluster_name: ${port}, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{${port}}}' } } } }] }] }`;
const clusters = `[{ name: two, connect_timeout: 5s, ${load('two')}, typed_extension_protocol_options: ${http2} }]`;

interface Asked {
  readonly provider: string;
  readonly routes?: string;
  readonly filters?: string;
  readonly tracing?: string;
}

function group(name: string, { provider, routes, filters, tracing = '' }: Asked, rows: readonly Row[]): Group {
  return {
    name: `tracing of what is asked: ${name}`,
    config: http(
      {
        ...(routes === undefined ? {} : { routes }),
        ...(filters === undefined ? {} : { filters }),
        bootstrap,
        clusters,
        router: '{ suppress_envoy_headers: true }',
        hcm: `{ tracing: { provider: ${provider}${tracing} } }`,
      },
      collectors,
    ),
    stats: /^http\..*tracing/,
    rows,
  };
}

const mirrored = `
- { match: { prefix: /default }, route: { cluster: one, request_mirror_policies: [{ cluster: three }] } }
- { match: { prefix: /not }, route: { cluster: one, request_mirror_policies: [{ cluster: three, trace_sampled: false }] } }
- { match: { prefix: /always }, route: { cluster: one, request_mirror_policies: [{ cluster: three, trace_sampled: true }] } }
`;
const mirrorRows: Row[] = ['default', 'not', 'always'].flatMap((name) => [
  { name, request: { path: `/${name}` }, collects: name === 'not' ? 1 : 2 },
  {
    name: `${name}, not sampled`,
    request: { path: `/${name}`, headers: [['x-request-id', 'abc']] },
    collects: name === 'always' ? 1 : 0,
  },
]);

const authz = (service: string) =>
  `[{ name: authz, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz, transport_api_version: V3, ${service} } }]`;
const limits =
  "[{ name: limits, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit, domain: d, timeout: 2s, rate_limit_service: { transport_api_version: V3, grpc_service: { envoy_grpc: { cluster_name: two } } } } }]";
const limited =
  '[{ match: { prefix: / }, route: { cluster: one, rate_limits: [{ actions: [{ generic_key: { descriptor_value: v } }] }] } }]';

const yes = {
  headers: [['content-type', 'application/grpc']] as const,
  chunks: ['\0\0\0\0\0'],
  trailers: [['grpc-status', '0']] as const,
};
const row = (name: string, collects: number, more: Partial<Row> = {}): Row => ({
  name,
  request: { path: '/a' },
  collects,
  ...more,
});

export const askedTracing: Group[] = [
  group('mirrors, Zipkin', { provider: zipkin(), routes: mirrored }, mirrorRows),
  group(
    'mirrors, OpenTelemetry',
    { provider: otlpGrpc(), routes: mirrored, tracing: ', spawn_upstream_span: true' },
    mirrorRows,
  ),
  ...[zipkin(), otlpGrpc()].flatMap((provider, i) => [
    group(
      `ext_authz by HTTP, ${i}`,
      {
        provider,
        filters: authz('http_service: { server_uri: { uri: "http://authz.test", cluster: three, timeout: 1s } }'),
      },
      [
        row('yes', 2),
        row('no', 2, { upstream: [{ status: 403 }] }),
        row('broken', 2, { upstream: [{ ending: 'reset', raw: '' }] }),
      ],
    ),
    group(
      `ext_authz by gRPC, ${i}`,
      { provider, filters: authz('grpc_service: { envoy_grpc: { cluster_name: two }, timeout: 1s }') },
      [
        row('yes', 2, { upstream: [yes, {}] }),
        row('an error', 2, {
          upstream: [
            {
              headers: [
                ['content-type', 'application/grpc'],
                ['grpc-status', '13'],
              ],
              body: '',
            },
          ],
        }),
      ],
    ),
    group(`ratelimit, ${i}`, { provider, filters: limits, routes: limited }, [
      row('yes', 2, { upstream: [{ ...yes, chunks: ['\0\0\0\0\x02\x08\x01'] }, {}] }),
      row('no', 2, { upstream: [{ ...yes, chunks: ['\0\0\0\0\x02\x08\x02'] }, {}] }),
      row('an error', 2, {
        upstream: [
          {
            headers: [
              ['content-type', 'application/grpc'],
              ['grpc-status', '13'],
            ],
            body: '',
          },
          {},
        ],
      }),
    ]),
  ]),
];
