import { cluster, http, tcp } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const ahead = (ratio: number): string => `preconnect_policy: { per_upstream_preconnect_ratio: ${ratio} }`;
const h2 = (ratio: number, streams: number): string => `${ahead(ratio)}
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: { http2_protocol_options: { max_concurrent_streams: ${streams} } }`;

/** How many connections there are once all have been opened. */
const connections = (name: string): Row => ({
  name: `connections of ${name}`,
  admin: `/stats?filter=^cluster.${name}.upstream_(cx_(total|active|overflow|destroy)|rq_pending_total)`,
});

const together = (path: string, count: number): Row => ({
  name: `${count} together: ${path}`,
  request: Array.from({ length: count }, () => ({ path })),
  mode: 'together',
  staggerMs: 150,
  upstream: Array.from({ length: count }, () => ({ delayMs: 1000 })),
});

export const preconnects: readonly Group[] = [
  {
    name: 'preconnect: HTTP',
    config: http(
      {
        routes: ['two', 'three', 'few', 'limited']
          .map((name) => `- { match: { prefix: /${name} }, route: { cluster: ${name} } }`)
          .join('\n'),
      },
      [
        cluster('two', ['one'], ahead(2)),
        cluster('three', ['one'], ahead(3)),
        cluster('few', ['one'], ahead(1.2)),
        cluster('limited', ['one'], `${ahead(3)}\ncircuit_breakers: { thresholds: [{ max_connections: 2 }] }`),
      ],
    ),
    rows: ['two', 'three', 'few', 'limited'].flatMap((name) => [
      { name: `the first: ${name}`, request: { path: `/${name}` } },
      together(`/${name}`, 3),
      connections(name),
    ]),
  },
  {
    name: 'preconnect: HTTP/2',
    config: http({ routes: '[{ match: { prefix: / }, route: { cluster: narrow } }]' }, [
      cluster('narrow', ['one'], h2(2, 4)),
    ]),
    rows: [{ name: 'the first', request: { path: '/' } }, together('/', 3), connections('narrow')],
  },
  {
    name: 'preconnect: TCP',
    config: tcp('cluster: echo', [cluster('echo', ['echo'], ahead(2))]),
    rows: [
      { name: 'hello', raw: ['hello', 50, 'end'], until: 'closed', answers: 0, logLines: 1 },
      { name: 'hello again', raw: ['again', 50, 'end'], until: 'closed', answers: 0, logLines: 1 },
      connections('echo'),
    ],
  },
];
