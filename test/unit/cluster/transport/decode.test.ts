import { createRegistry, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { decodeCluster } from '../../../../src/cluster/decode.ts';
import { proxyProtocolTransportDecoder } from '../../../../src/cluster/transport/proxy-protocol-decode.ts';
import { isSecure, namesHost, type TransportData } from '../../../../src/cluster/transport/transport-data.ts';
import { ExtensionTable } from '../../../../src/control/extension-table.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { ClusterSchema } from '../../../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { ProxyProtocolUpstreamTransportSchema } from '../../../../src/proto/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js';
import { RawBufferSchema } from '../../../../src/proto/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js';
import { TapSchema } from '../../../../src/proto/envoy/extensions/transport_sockets/tap/v3/tap_pb.js';
import { UpstreamTlsContextSchema } from '../../../../src/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { HttpProtocolOptionsSchema } from '../../../../src/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { httpProtocolOptionsDecoder } from '../../../../src/cluster/protocol/extension-decode.ts';

const schemas = [
  HttpProtocolOptionsSchema,
  ProxyProtocolUpstreamTransportSchema,
  RawBufferSchema,
  TapSchema,
  UpstreamTlsContextSchema,
];
const registry = createRegistry(...schemas);
const category = 'envoy.transport_sockets.upstream';
const decoders = [
  { category, decoder: proxyProtocolTransportDecoder },
  { category, decoder: { kind: UpstreamTlsContextSchema.typeName, decode: () => ({ autoHostSni: true }) } },
  { category: 'envoy.upstream_options', decoder: httpProtocolOptionsDecoder },
];
const extensions = new ExtensionTable(
  decoders.map(({ category: of, decoder }) => ({
    category: of,
    kind: decoder.kind,
    load: () => Promise.resolve(decoder),
  })),
);
await extensions.load(schemas.map(({ typeName }) => typeName));

type Json = Record<string, JsonValue>;

const any = (schema: { typeName: string }, fields: Json = {}): Json => ({
  '@type': `type.googleapis.com/${schema.typeName}`,
  ...fields,
});
const socket = (schema: { typeName: string }, fields: Json = {}): Json => ({
  name: 's',
  typed_config: any(schema, fields),
});

function decode(json: Json): { transports: readonly TransportData[]; hosts: number[]; reasons: string[] } {
  const reasons = new Reasons('cluster');
  const data = decodeCluster(fromJson(ClusterSchema, { name: 'c', ...json }, { registry }), reasons, extensions);
  if (data !== null) expect(structuredClone(data)).toEqual(data);
  return {
    transports: data?.transports ?? [],
    hosts: data?.hosts.map(({ transport }) => transport) ?? [],
    reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`),
  };
}

const sockets = (transports: readonly TransportData[]): unknown[] => transports.map((transport) => transport.socket);

test('plain, unless something is said', () => {
  expect(sockets(decode({}).transports)).toEqual([{ kind: 'raw' }]);
  expect(sockets(decode({ transport_socket: socket(RawBufferSchema) }).transports)).toEqual([{ kind: 'raw' }]);
});

test('a PROXY protocol header in front of another', () => {
  const inner = socket(UpstreamTlsContextSchema);
  const config = {
    version: 'V2',
    pass_through_tlvs: { match_type: 'INCLUDE', tlv_type: [1, 2] },
    added_tlvs: [
      { type: 5, value: 'aGk=' },
      { type: 5, value: 'aGo=' },
    ],
  };
  const fields = { config, transport_socket: inner, tlv_as_pool_key: true };
  const { transports } = decode({ transport_socket: socket(ProxyProtocolUpstreamTransportSchema, fields) });
  expect(transports[0].socket).toEqual({
    kind: 'proxy-protocol',
    inner: { kind: 'tls', tls: { autoHostSni: true } },
    version: 2,
    passedTlvs: [1, 2],
    addedTlvs: [
      { type: 5, value: new Uint8Array([0x68, 0x69]) },
      { type: 5, value: new Uint8Array([0x68, 0x6a]) },
    ],
    isTlvInKey: true,
  });
  expect(isSecure(transports[0].socket)).toBe(true);
  expect(namesHost(transports[0].socket)).toBe(true);
});

test('one by the metadata of each host', () => {
  const metadata = (mode: string): Json => ({
    filter_metadata: { 'envoy.transport_socket_match': { tlsMode: mode } },
  });
  const endpoint = (mode: string): Json => ({
    endpoint: { address: { socket_address: { address: '10.0.0.1', port_value: 80 } } },
    ...(mode === '' ? {} : { metadata: metadata(mode) }),
  });
  const { transports, hosts } = decode({
    transport_socket_matches: [
      { name: 'istio', match: { tlsMode: 'istio' }, transport_socket: socket(UpstreamTlsContextSchema) },
      { name: 'off', match: { tlsMode: 'off' } },
    ],
    load_assignment: {
      cluster_name: 'c',
      endpoints: [
        { lb_endpoints: [endpoint('istio'), endpoint('other'), endpoint('')] },
        { lb_endpoints: [endpoint(''), endpoint('istio')], metadata: metadata('off') },
      ],
    },
  });
  expect(transports.map(({ name, match }) => [name, match])).toEqual([
    ['default', null],
    ['istio', { tlsMode: 'istio' }],
    ['off', { tlsMode: 'off' }],
  ]);
  expect(hosts).toEqual([1, 0, 0, 2, 1]);
});

test.each<[string, Json, string]>([
  [
    'a socket that there is not',
    { transport_socket: socket(TapSchema) },
    "cluster.transport_socket.typed_config: extension 's' (envoy.transport_sockets.upstream) of type 'envoy.extensions.transport_sockets.tap.v3.Tap' is not supported by sekisho",
  ],
  [
    'a format string in a TLV',
    {
      transport_socket: socket(ProxyProtocolUpstreamTransportSchema, {
        config: { added_tlvs: [{ type: 1, format_string: { text_format_source: { inline_string: 'a' } } }] },
        transport_socket: socket(RawBufferSchema),
      }),
    },
    "cluster.transport_socket.typed_config.config.added_tlvs[0].format_string: field 'format_string' is not supported by sekisho",
  ],
  [
    'a TLV without a value',
    {
      transport_socket: socket(ProxyProtocolUpstreamTransportSchema, {
        config: { added_tlvs: [{ type: 1 }] },
        transport_socket: socket(RawBufferSchema),
      }),
    },
    "cluster.transport_socket.typed_config.config.added_tlvs[0]: Invalid TLV configuration: one of 'value' or 'format_string' must be set.",
  ],
  [
    'ALPN without TLS',
    {
      transport_socket_matches: [{ name: 'a', match: {}, transport_socket: socket(UpstreamTlsContextSchema) }],
      typed_extension_protocol_options: {
        [HttpProtocolOptionsSchema.typeName]: any(HttpProtocolOptionsSchema, { auto_config: {} }),
      },
    },
    'cluster: ALPN configured for cluster c which has a non-ALPN transport socket',
  ],
])('%s is refused', (_, json, reason) => {
  expect(decode(json).reasons).toEqual([reason]);
});

test('ALPN with TLS is not', () => {
  const options = any(HttpProtocolOptionsSchema, {
    auto_config: {},
    upstream_http_protocol_options: { auto_sni: true, override_auto_sni_header: 'X-Sni' },
  });
  const json = {
    transport_socket: socket(UpstreamTlsContextSchema),
    typed_extension_protocol_options: { [HttpProtocolOptionsSchema.typeName]: options },
  };
  expect(decode(json).reasons).toEqual([]);
});
