import { cluster, http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const kinds = 'type.googleapis.com/envoy.extensions.filters.http';
const filter = (settings: string): string =>
  `{ name: own, typed_config: { '@type': ${kinds}.admission_control.v3.AdmissionControl, ${settings} } }`;

/** The first failure makes a second request be turned away, but for one in thousands. */
const eager =
  'success_criteria: {}, max_rejection_probability: { default_value: { value: 100 } }, aggression: { default_value: 5000, runtime_key: a }, sr_threshold: { default_value: { value: 100 }, runtime_key: b }';

const grpc = (status: string) => ({
  headers: [
    ['content-type', 'application/grpc'],
    ['grpc-status', status],
  ] as const,
  body: '',
});
const call = { path: '/', method: 'POST', headers: [['content-type', 'application/grpc']] as const, body: '' };

const group = (name: string, settings: string, rows: readonly Row[]): Group => ({
  name: `admission_control: ${name}`,
  config: http({ filters: `[${filter(settings)}]` }),
  rows,
});

const once = 'a filter behind the router counts below its cluster, whose name is said once';
/** Envoy glues the cluster's name to the filter's. */
const ofCluster = {
  'stats.cluster.own.cluster.ownadmission_control': once,
  'stats.cluster.own.admission_control': once,
};

export const admissionControl: readonly Group[] = [
  group('what goes well', `success_criteria: {}, sampling_window: 60s`, [
    { name: 'an answer', request: { path: '/' } },
    { name: 'the fault of the client', request: { path: '/' }, upstream: [{ status: 404 }] },
    { name: 'gRPC', request: call, upstream: [grpc('0')] },
  ]),
  group('what does not', `${eager}, rps_threshold: { default_value: 1000, runtime_key: c }`, [
    { name: 'an error', request: { path: '/' }, upstream: [{ status: 500 }] },
    { name: 'an error again, but there are too few', request: { path: '/' }, upstream: [{ status: 500 }] },
    { name: 'gRPC', request: call, upstream: [grpc('13')] },
    { name: 'gRPC, the fault of the client', request: call, upstream: [grpc('3')] },
    {
      name: 'gRPC without a status',
      request: call,
      upstream: [{ headers: [['content-type', 'application/grpc']], body: 'x' }],
    },
  ]),
  group(
    'by other criteria',
    'success_criteria: { http_criteria: { http_success_status: [{ start: 100, end: 300 }, { start: 404, end: 405 }] }, grpc_criteria: { grpc_success_status: [0, 13] } }, max_rejection_probability: { default_value: { value: 0 } }',
    [
      ...[200, 302, 404, 405, 500].map((status) => ({
        name: String(status),
        request: { path: '/' },
        upstream: [{ status }],
      })),
      ...['13', '3', 'x'].map((status) => ({ name: `gRPC ${status}`, request: call, upstream: [grpc(status)] })),
    ],
  ),
  group('after a failure', eager, [
    {
      name: 'turned away',
      request: [{ path: '/' }, { path: '/' }, { path: '/' }],
      upstream: [{ status: 500 }],
      ignores: /rq_(success|failure|rejected)/,
    },
  ]),
  group('switched off', `${eager}, enabled: { default_value: false, runtime_key: d }`, [
    { name: 'is not there', request: [{ path: '/' }, { path: '/' }], upstream: [{ status: 500 }] },
  ]),
  {
    name: 'admission_control: behind the router',
    config: http({ routes: '[{ match: { prefix: / }, route: { cluster: own } }]' }, [
      cluster(
        'own',
        ['one'],
        `typed_extension_protocol_options: { envoy.extensions.upstreams.http.v3.HttpProtocolOptions: { '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: { http_protocol_options: {} }, http_filters: [${filter(eager)}, { name: codec, typed_config: { '@type': ${kinds}.upstream_codec.v3.UpstreamCodec } }] } }`,
      ),
    ]),
    rows: [
      { name: 'an answer', request: { path: '/' }, differs: ofCluster },
      {
        name: 'turned away',
        differs: ofCluster,
        request: [{ path: '/' }, { path: '/' }, { path: '/' }, { path: '/' }],
        upstream: [{ status: 500 }],
        ignores: /upstream_(rq|cx)|rq_(success|failure)/,
      },
    ],
  },
];
