import { expect, test } from 'vitest';
import { readConfig } from '../../../../src/config/document.ts';
import { parseMessage } from '../../../../src/config/parse.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { TcpProxySchema } from '../../../../src/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import { decodeTcpProxy } from '../../../../src/proxy/tcp/decode.ts';

function decode(yaml: string) {
  const { message } = parseMessage(readConfig({ text: yaml }), TcpProxySchema);
  const reasons = new Reasons('tcp');
  const data = decodeTcpProxy(message, reasons, { open: () => null });
  return { data, reasons: reasons.list.map((reason) => `${reason.path}: ${reason.message}`) };
}

test('defaults are Envoy’s: an hour of silence, one attempt, no limit of duration', () => {
  expect(decode('stat_prefix: t\ncluster: c').data).toMatchObject({
    statPrefix: 't',
    clusters: [{ name: 'c', weight: 1 }],
    totalWeight: 1,
    idleMs: 3_600_000,
    connectAttemptsMax: 1,
    connectionDurationMaxMs: 0,
    accessLogFlushMs: 0,
    logOnConnected: false,
  });
});

test('weights, limits and log options arrive', () => {
  const { data, reasons } = decode(`
stat_prefix: t
weighted_clusters: { clusters: [{ name: a, weight: 1 }, { name: b, weight: 3 }] }
idle_timeout: 0s
max_connect_attempts: 3
backoff_options: { base_interval: 0.1s }
max_downstream_connection_duration: 2.5s
access_log_options: { access_log_flush_interval: 5s, flush_access_log_on_connected: true }`);
  expect(reasons).toEqual([]);
  expect(data).toMatchObject({
    clusters: [
      { name: 'a', weight: 1 },
      { name: 'b', weight: 3 },
    ],
    totalWeight: 4,
    idleMs: 0,
    connectAttemptsMax: 3,
    backOffBaseMs: 100,
    backOffMaxMs: 1000,
    connectionDurationMaxMs: 2500,
    accessLogFlushMs: 5000,
    logOnConnected: true,
  });
});

test('a tunnel', () => {
  const { data, reasons } = decode(`
stat_prefix: t
cluster: c
tunneling_config:
  hostname: "%DOWNSTREAM_LOCAL_ADDRESS%"
  use_post: true
  post_path: /x
  headers_to_add: [{ header: { key: X-A, value: "%PROTOCOL%" } }]`);
  expect(reasons).toEqual([]);
  expect(data.tunneling).toMatchObject({
    hostname: '%DOWNSTREAM_LOCAL_ADDRESS%',
    usePost: true,
    requestId: null,
    postPath: '/x',
    headersToAdd: [{ name: 'x-a', value: '%PROTOCOL%' }],
  });
  expect(
    decode('stat_prefix: t\ncluster: c\ntunneling_config: { hostname: a, use_post: true }').data.tunneling,
  ).toEqual({
    hostname: 'a',
    usePost: true,
    requestId: null,
    postPath: '/',
    headersToAdd: [],
    propagation: { headers: false, trailers: false },
  });
});

test.each([
  [
    'tunneling_config: { hostname: a.test:1, request_id_extension: {} }',
    'tunneling_config.request_id_extension.typed_config',
  ],
  [
    "tunneling_config: { hostname: a, formatters: [{ name: f, typed_config: { '@type': type.googleapis.com/google.protobuf.Empty } }] }",
    "tunneling_config.formatters[0]: formatter 'f' of type",
  ],
  ['tunneling_config: { hostname: "%NOPE%" }', 'tunneling_config.hostname: Not supported field'],
  ['tunneling_config: { hostname: a, post_path: /x }', "post_path: Can't set a post path when POST method isn't used"],
])('refused by name: %s', (yaml, field) => {
  expect(decode(`stat_prefix: t\ncluster: c\n${yaml}`).reasons.join('\n')).toContain(field);
});

test('what a connection is hashed by, and which hosts it may reach', () => {
  const { data } = decode(`stat_prefix: t
metadata_match: { filter_metadata: { envoy.lb: { stage: prod, zone: a } } }
weighted_clusters: { clusters: [{ name: c, weight: 1, metadata_match: { filter_metadata: { envoy.lb: { zone: b } } } }, { name: d, weight: 1 }] }
hash_policy: [{ source_ip: {} }, { filter_state: { key: k } }]`);
  expect(data.clusters.map(({ metadataMatch }) => metadataMatch)).toEqual([
    { stage: 'prod', zone: 'b' },
    { stage: 'prod', zone: 'a' },
  ]);
  expect(data.hashPolicy).toEqual([
    { kind: 'sourceIp', terminal: false },
    { kind: 'filterState', key: 'k', terminal: false },
  ]);
});

test('what is told of a client: fixed TLVs before those that a format makes', () => {
  const { data, reasons } = decode(`
stat_prefix: t
cluster: c
proxy_protocol_tlv_merge_policy: APPEND_IF_EXISTS_OR_ADD
proxy_protocol_tlvs:
- { type: 1, format_string: { text_format_source: { inline_string: x } } }
- { type: 2, value: YQ== }`);
  expect(reasons).toEqual([]);
  expect(data.tlvs).toMatchObject({ merge: 'append', entries: [{ type: 2 }, { type: 1 }] });
});

test('a mode that waits needs a limit, and TLVs something to say', () => {
  expect(decode('stat_prefix: t\ncluster: c\nupstream_connect_mode: ON_DOWNSTREAM_DATA').reasons).toEqual([
    'tcp.max_early_data_bytes: max_early_data_bytes must be set when upstream_connect_mode is not IMMEDIATE',
  ]);
  expect(decode('stat_prefix: t\ncluster: c\nproxy_protocol_tlvs: [{ type: 1 }]').reasons).toEqual([
    "tcp.proxy_protocol_tlvs[0]: Invalid TLV configuration: one of 'value' or 'format_string' must be set.",
  ]);
});
