import { emptyOperators, operatorRows } from '../access-log-operators.table.ts';
import { cluster, endpoint, http, tcp } from '../config.ts';
import type { Group } from '../row.ts';

/**
 * Operators that print what sets metadata and filter state (filters of later issues), the environment of the process,
 * or what differs between two runs of one proxy; the table's unit test holds those.
 */
const left = /DYNAMIC|FILTER_STATE|ENVIRONMENT|HOSTNAME|REQ_WITHOUT_QUERY|RETRANSMITTED|ROUNDTRIP|START_TIME|_CLOSE_/;

const formats = [...operatorRows.map(({ format }) => format), ...emptyOperators].filter((format) => !left.test(format));

const log = JSON.stringify([
  {
    name: 'envoy.access_loggers.file',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
      path: '{{log}}',
      log_format: { json_format: Object.fromEntries(formats.map((format) => [format, format])) },
    },
  },
]);

const more = JSON.stringify({
  alt_stat_name: 'up_alt',
  metadata: { filter_metadata: { 'com.test': { k: 'cv' } } },
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http_protocol_options: { enable_trailers: true } },
    },
  },
});

function named(upstream: string): Record<string, unknown> {
  const plain = endpoint(upstream) as { endpoint: object };
  const described = {
    endpoint: { ...plain.endpoint, hostname: 'up.host.test:99' },
    metadata: { filter_metadata: { 'com.h': { k: 'hv' } } },
  };
  return {
    ...cluster(upstream, [], more),
    load_assignment: { cluster_name: upstream, endpoints: [{ lb_endpoints: [described] }] },
  };
}

const bytes = 'a"\\\t\u00e9\u00ff';

const overHttp: Group = {
  name: 'access log operators: HTTP',
  config: http(
    {
      virtualHosts: `
- name: vh
  domains: ['*']
  metadata: { filter_metadata: { com.v: { k: vv } } }
  virtual_clusters: [{ name: vc1, headers: [{ name: ':path', string_match: { prefix: /u } }] }]
  routes:
  - { name: r-direct, match: { prefix: /direct }, metadata: { filter_metadata: { com.r: { k: rv, n: 3 } } }, direct_response: { status: 200, body: { inline_string: hello } } }
  - { name: r-up, match: { prefix: /up }, metadata: { filter_metadata: { com.r: { k: rv, n: 3 } } }, route: { cluster: one, prefix_rewrite: /u } }
  - { name: r-down, match: { prefix: /down }, metadata: { filter_metadata: { com.r: { k: rv, n: 3 } } }, route: { cluster: dead } }`,
      hcm: `{ http_protocol_options: { enable_trailers: true }, access_log: ${log} }`,
      // The service time has one digit more when the machine is busy, and bytes are counted here.
      router: 'suppress_envoy_headers: true',
      listener: 'metadata: { filter_metadata: { com.l: { k: lv } } }',
    },
    [named('one'), named('dead')],
  ),
  rows: [
    {
      name: 'direct response',
      differs: {
        'log[0].%COMMON_DURATION(DS_TX_END': 'a span that would be negative is nothing in Envoy, and 0 here',
      },
      raw: `POST /direct?q=abcdef&e=&q=second&x=%41%20b HTTP/1.1\r\nhost: a.test\r\nuser-agent: agent-x\r\nx-multi: a\r\nx-multi: b\r\nx-empty:\r\nx-bin: ${bytes}\r\ncontent-length: 0\r\n\r\n`,
    },
    {
      name: 'gRPC answer of an upstream',
      differs: {
        'log[0].%DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT':
          'headers are counted before the codec adds its own, and trailers are not',
        'log[0].%UPSTREAM_HEADER_BYTES_RECEIVED':
          'headers are counted before the codec adds its own, and trailers are not',
        'log[0].%DOWNSTREAM_HEADER_BYTES_SENT':
          'headers are counted before the codec adds its own, and trailers are not',
      },
      request: {
        method: 'POST',
        path: '/up/path?q=1',
        headers: [
          ['user-agent', 'agent-x'],
          ['content-type', 'application/grpc'],
        ],
        body: 'hello',
      },
      upstream: [
        {
          headers: [['content-type', 'application/grpc']],
          chunks: ['world'],
          trailers: [
            ['tr', 'tval'],
            ['grpc-status', '5'],
          ],
        },
      ],
    },
    {
      name: 'connection refused',
      request: { path: '/down', headers: [['user-agent', 'agent-x']] },
    },
  ],
};

const overTcp: Group = {
  name: 'access log operators: TCP',
  config: tcp(`{ cluster: echo, access_log: ${log} }`, [named('echo')]),
  rows: [
    {
      name: 'a connection',
      raw: ['hello', 50, 'end'],
      until: 'closed',
      answers: 0,
      logLines: 1,
    },
  ],
};

export const operators: readonly Group[] = [overHttp, overTcp];
