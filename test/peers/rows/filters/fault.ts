import { http, type HttpParts } from '../../config.ts';
import type { Group, Request, Row } from '../../row.ts';

const kind = 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault';
const always = 'percentage: { numerator: 100 }';

function faulty(name: string, settings: string, rows: readonly Row[], parts: HttpParts = {}): Group {
  return {
    name: `fault: ${name}`,
    config: http({ filters: `[{ name: faults, typed_config: { '@type': ${kind}, ${settings} } }]`, ...parts }),
    rows,
  };
}

const runtime = (keys: string): string => `layered_runtime: { layers: [{ name: static, static_layer: ${keys} }] }`;
const asked = (...headers: [string, string][]): Request => ({ path: '/', headers });
const long = 'x'.repeat(300);

export const faults: readonly Group[] = [
  faulty('response rate', `response_rate_limit: { fixed_limit: { limit_kbps: 1 }, ${always} }`, [
    { name: 'a short body', request: { path: '/' }, upstream: [{ body: long }] },
    { name: 'in chunks', request: { path: '/' }, upstream: [{ chunks: [long, long] }] },
    {
      name: 'with trailers',
      over: 'h2',
      request: { path: '/' },
      upstream: [{ chunks: [long], trailers: [['x-t', '1']] }],
    },
    { name: 'no body', request: { path: '/' }, upstream: [{ status: 204, headers: [] }] },
  ]),
  faulty('response rate by header', `response_rate_limit: { header_limit: {}, ${always} }`, [
    { name: 'not asked', request: asked(), upstream: [{ body: long }] },
    {
      name: 'asked',
      request: asked(['x-envoy-fault-throughput-response', '2']),
      upstream: [{ body: long }],
    },
    {
      name: 'asked for none',
      request: asked(['x-envoy-fault-throughput-response', '2'], ['x-envoy-fault-throughput-response-percentage', '0']),
      upstream: [{ body: long }],
    },
    {
      name: 'asked for nothing',
      request: asked(['x-envoy-fault-throughput-response', '0']),
      upstream: [{ body: long }],
    },
  ]),
  faulty(
    'no more than so many',
    `max_active_faults: 0, abort: { http_status: 418, ${always} }, delay: { fixed_delay: 0.01s, ${always} }`,
    [{ name: 'none', request: { path: '/' } }],
  ),
  faulty('one at a time', `max_active_faults: 1, delay: { fixed_delay: 0.5s, ${always} }`, [
    { name: 'the second passes', mode: 'together', staggerMs: 100, request: [{ path: '/a' }, { path: '/b' }] },
  ]),
  faulty(
    'so many by runtime',
    `max_active_faults: 1, max_active_faults_runtime: own.max, abort: { http_status: 418, ${always} }`,
    [{ name: 'none', request: { path: '/' } }],
    { bootstrap: runtime('{ own.max: 0 }') },
  ),
  faulty('nodes', `downstream_nodes: [a, b], abort: { http_status: 418, ${always} }`, [
    { name: 'one of them', request: asked(['x-envoy-downstream-service-node', 'b']) },
    { name: 'another', request: asked(['x-envoy-downstream-service-node', 'c']) },
    { name: 'nobody', request: asked() },
  ]),
  faulty(
    'metadata and clusters',
    `filter_metadata: { x: 1, y: { z: true } }, delay: { fixed_delay: 0.01s, ${always} }, abort: { http_status: 418, ${always} }`,
    [
      { name: 'of an unknown caller', request: asked() },
      { name: 'of a caller', request: asked(['x-envoy-downstream-service-cluster', 'them']) },
    ],
    { log: ['DYNAMIC_METADATA(faults)'] },
  ),
  faulty('callers are not counted', `disable_downstream_cluster_stats: true, abort: { http_status: 418, ${always} }`, [
    { name: 'a caller', request: asked(['x-envoy-downstream-service-cluster', 'them']) },
  ]),
  faulty(
    'by runtime',
    `abort: { http_status: 418, percentage: {} }, delay: { fixed_delay: 0.5s, percentage: {} }, abort_percent_runtime: own.abort, abort_http_status_runtime: own.status, delay_percent_runtime: own.delay, delay_duration_runtime: own.duration`,
    [{ name: 'another status, soon', request: asked() }],
    { bootstrap: runtime('{ own.abort: 100, own.status: 420, own.delay: 100, own.duration: 10 }') },
  ),
  faulty(
    'by runtime of a caller',
    `abort: { http_status: 418, percentage: {} }, delay: { fixed_delay: 0.5s, percentage: {} }`,
    [
      { name: 'the caller', request: asked(['x-envoy-downstream-service-cluster', 'them']) },
      { name: 'another', request: asked(['x-envoy-downstream-service-cluster', 'others']) },
    ],
    {
      bootstrap: runtime(
        '{ fault.http.them.abort.abort_percent: 100, fault.http.them.abort.http_status: 421, fault.http.them.delay.fixed_delay_percent: 100, fault.http.them.delay.fixed_duration_ms: 10 }',
      ),
    },
  ),
  faulty(
    'gRPC by runtime',
    `abort: { grpc_status: 5, ${always} }, abort_grpc_status_runtime: own.status`,
    [{ name: 'another status', request: asked(['content-type', 'application/grpc']) }],
    { bootstrap: runtime('{ own.status: 7 }') },
  ),
];
