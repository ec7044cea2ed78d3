import { createRegistry, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { decodeCluster } from '../../../../src/cluster/decode.ts';
import { proxyProtocolTransportDecoder } from '../../../../src/cluster/transport/proxy-protocol-decode.ts';
import { isSecure, namesHost, type TransportData } from '../../../../src/cluster/transport/transport-data.ts';
import { ExtensionTable } from '../../../../src/control/extension-table.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { ClusterSchema } from '../../../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import {
  EndpointMetadataInputSchema,
  FilterStateInputSchema,
  LocalityMetadataInputSchema,
  TransportSocketNameActionSchema,
} from '../../../../src/proto/envoy/extensions/matching/common_inputs/transport_socket/v3/transport_socket_inputs_pb.js';
import { ProxyProtocolUpstreamTransportSchema } from '../../../../src/proto/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js';
import { RawBufferSchema } from '../../../../src/proto/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js';
import { TapSchema } from '../../../../src/proto/envoy/extensions/transport_sockets/tap/v3/tap_pb.js';
import { UpstreamTlsContextSchema } from '../../../../src/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { HttpProtocolOptionsSchema } from '../../../../src/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { httpProtocolOptionsDecoder } from '../../../../src/cluster/protocol/extension-decode.ts';

const inputs = 'envoy.extensions.matching.common_inputs.transport_socket.v3';
const schemas = [
  EndpointMetadataInputSchema,
  FilterStateInputSchema,
  LocalityMetadataInputSchema,
  TransportSocketNameActionSchema,
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

const input = (of: string, fields: Json = {}): Json => ({
  name: 'i',
  typed_config: { '@type': `type.googleapis.com/${inputs}.${of}MetadataInput`, ...fields },
});
const use = (name: string): Json => ({
  action: { name: 'a', typed_config: { '@type': `type.googleapis.com/${inputs}.TransportSocketNameAction`, name } },
});

test.each<[string, Json, number]>([
  ['a value of the endpoint', { input: input('Endpoint', { path: [{ key: 'mode' }] }), map: { x: use('two') } }, 2],
  ['a number', { input: input('Endpoint', { path: [{ key: 'n' }] }), map: { 5: use('one') } }, 1],
  ['a structure', { input: input('Endpoint', { path: [{ key: 's' }] }), map: { '{"b":"x"}': use('one') } }, 1],
  ['within it', { input: input('Endpoint', { path: [{ key: 's' }, { key: 'b' }] }), map: { x: use('one') } }, 1],
  ['nothing there', { input: input('Endpoint', { path: [{ key: 'x' }] }), map: { x: use('one') } }, 0],
  [
    'another namespace',
    { input: input('Endpoint', { filter: 'ns', path: [{ key: 'a' }] }), map: { b: use('one') } },
    1,
  ],
  ['a value of the locality', { input: input('Locality', { path: [{ key: 'mode' }] }), map: { y: use('two') } }, 2],
  ['a name that there is not', { input: input('Endpoint', { path: [{ key: 'mode' }] }), map: { x: use('three') } }, 0],
  [
    'the cluster’s own by its name',
    { input: input('Endpoint', { path: [{ key: 'mode' }] }), map: { x: use('default') } },
    0,
  ],
])('one by a matcher: %s', (_, { input: of, map }, index) => {
  const metadata = { 'envoy.lb': { mode: 'x', n: 5, s: { b: 'x' } }, ns: { a: 'b' } };
  const endpoint = { address: { socket_address: { address: '10.0.0.1', port_value: 80 } } };
  const lb_endpoints = [{ endpoint, metadata: { filter_metadata: metadata } }];
  const place = { lb_endpoints, metadata: { filter_metadata: { 'envoy.lb': { mode: 'y' } } } };
  const { hosts, reasons } = decode({
    transport_socket_matches: [{ name: 'one' }, { name: 'two' }],
    transport_socket_matcher: { matcher_tree: { input: of, exact_match_map: { map } } },
    load_assignment: { cluster_name: 'c', endpoints: [place] },
  });
  expect(reasons).toEqual([]);
  expect(hosts).toEqual([index]);
});

test.each<[Json, number]>([
  [{ exact: 'abc' }, 1],
  [{ exact: 'ABC', ignore_case: true }, 1],
  [{ prefix: 'ab' }, 1],
  [{ suffix: 'bc' }, 1],
  [{ contains: 'b' }, 1],
  [{ contains: 'x' }, 0],
])('a test of text: %j', (text, index) => {
  const endpoint = { address: { socket_address: { address: '10.0.0.1', port_value: 80 } } };
  const lb_endpoints = [{ endpoint, metadata: { filter_metadata: { 'envoy.lb': { a: 'abc' } } } }];
  const single = { input: input('Endpoint', { path: [{ key: 'a' }] }), value_match: text };
  const matchers = [{ predicate: { single_predicate: single }, on_match: use('one') }];
  const { hosts } = decode({
    transport_socket_matches: [{ name: 'one' }],
    transport_socket_matcher: { matcher_list: { matchers } },
    load_assignment: { cluster_name: 'c', endpoints: [{ lb_endpoints }] },
  });
  expect(hosts).toEqual([index]);
});

test.each<[string, Json, string]>([
  [
    'an input that only a connection has',
    {
      transport_socket_matcher: {
        matcher_tree: {
          input: {
            name: 'i',
            typed_config: { '@type': `type.googleapis.com/${FilterStateInputSchema.typeName}`, key: 'a' },
          },
          exact_match_map: { map: { a: use('a') } },
        },
      },
    },
    `cluster.transport_socket_matcher.matcher_tree.input.typed_config: matcher input 'i' of type '${FilterStateInputSchema.typeName}' is not supported by sekisho`,
  ],

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
