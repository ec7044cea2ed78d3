import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config/document.ts';
import { parseMessage } from '../../../src/config/parse.ts';
import type { Extensions } from '../../../src/core/extension.ts';
import { Reasons } from '../../../src/core/rejection.ts';
import { decodeListener } from '../../../src/listener/decode.ts';
import { decodeHeaderMatcher } from '../../../src/route/match/decode.ts';
import { ListenerSchema } from '../../../src/proto/envoy/config/listener/v3/listener_pb.js';

const tcpProxy = 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';

/** Every extension is known and carries nothing. */
const extensions: Extensions = {
  open: (category, name) => ({ name, kind: category === 'envoy.filters.network' ? tcpProxy : 'any', data: null }),
};

function decode(yaml: string) {
  const { message } = parseMessage(readConfig({ text: yaml }), ListenerSchema);
  const reasons = new Reasons('listener');
  return { data: decodeListener(message, reasons, extensions, decodeHeaderMatcher), reasons: reasons.list };
}

const address = 'address: { socket_address: { address: 127.0.0.1, port_value: 80 } }';
const echo = `{ name: echo, typed_config: { '@type': type.googleapis.com/google.protobuf.Empty } }`;
const chain = `filter_chains: [{ filters: [${echo}] }]`;

describe('defaults are Envoy’s', () => {
  const { data } = decode(`${address}\n${chain}`);

  test.each([
    ['name', '127.0.0.1:80'],
    ['statPrefix', '127.0.0.1:80'],
    ['bufferLimit', 1024 * 1024],
    ['reusePort', true],
    ['bindToPort', true],
    ['backlog', -1],
    ['ipv6Only', true],
    ['trafficDirection', 'UNSPECIFIED'],
    ['drainType', 'DEFAULT'],
    ['listenerFiltersTimeoutMs', 15_000],
  ] as const)('%s', (field, value) => {
    expect(data?.[field]).toEqual(value);
  });
});

test('what the kernel is told of its sockets', () => {
  const options = `socket_options: [{ level: 6, name: 18, int_value: 1 }]
tcp_keepalive: {}
tcp_fast_open_queue_length: 3
${chain}`;
  expect(decode(`${address}\n${options}`).data!.socketOptions!.map(({ name }) => name)).toEqual([9, 18, 23]);
  expect(decode(`address: { pipe: { path: /x } }\n${options}`).reasons.map(({ message }) => message)).toEqual([
    'options of sockets are supported by sekisho for IP addresses only',
  ]);
});

test('what it is told of the socket of an additional address', () => {
  const more = (fields: string): string => `${address}
additional_addresses: [{ address: { socket_address: { address: '::1', port_value: 80 } } }, ${fields}]
socket_options: [{ level: 6, name: 18, int_value: 1 }]
tcp_keepalive: {}
${chain}`;
  const other = "address: { socket_address: { address: '127.0.0.2', port_value: 80 } }";
  expect(decode(more(`{ ${other} }`)).data!.ownSocketOptions).toBeUndefined();
  const { data } = decode(
    more(`{ ${other}, socket_options: { socket_options: [{ level: 6, name: 4, int_value: 1 }] } }`),
  );
  expect(data!.ownSocketOptions!.map((options) => options?.map(({ name }) => name) ?? null)).toEqual([
    null,
    null,
    [9, 4],
  ]);
});

test('connections are spread by the kernel, whatever is asked for that there is no balancer of', () => {
  const balanced = (how: string): readonly string[] =>
    decode(`${address}\nconnection_balance_config: { ${how} }\n${chain}`).reasons.map(({ path }) => path);
  expect(balanced('exact_balance: {}')).toEqual([]);
  const other = `{ '@type': type.googleapis.com/google.protobuf.Empty }`;
  expect(balanced(`extend_balance: { name: a, typed_config: ${other} }`)).toEqual([
    'listener.connection_balance_config.extend_balance',
  ]);
});

test('what is configured arrives', () => {
  const { data } = decode(`
name: edge
stat_prefix: gate
${address}
additional_addresses: [{ address: { pipe: { path: /run/x.sock } } }]
traffic_direction: INBOUND
drain_type: MODIFY_ONLY
enable_reuse_port: false
tcp_backlog_size: 7
transparent: true
freebind: true
per_connection_buffer_limit_bytes: 4096
listener_filters_timeout: 0.5s
metadata: { filter_metadata: { a: { b: 1 } } }
filter_chains:
- name: one
  filter_chain_match: { destination_port: 80, server_names: [A.test, '*.b.test'], prefix_ranges: [{ address_prefix: 10.0.0.0, prefix_len: 8 }] }
  filters: [${echo}]
default_filter_chain: { name: rest, filters: [${echo}] }`);
  expect(data).toMatchObject({
    name: 'edge',
    statPrefix: 'gate',
    addresses: [
      { kind: 'ip', host: '127.0.0.1', port: 80 },
      { kind: 'pipe', host: '/run/x.sock', port: 0 },
    ],
    trafficDirection: 'INBOUND',
    drainType: 'MODIFY_ONLY',
    reusePort: false,
    backlog: 7,
    isTransparent: true,
    isFree: true,
    bufferLimit: 4096,
    listenerFiltersTimeoutMs: 500,
    metadata: { a: { b: 1 } },
    defaultFilterChain: { name: 'rest' },
  });
  expect(data?.filterChains[0].match).toMatchObject({
    destinationPort: 80,
    serverNames: ['a.test', '*.b.test'],
    prefixRanges: [{ address: '10.0.0.0', length: 8 }],
  });
});

test.each([
  [
    'a name where an address must be',
    'address: { socket_address: { address: a.test, port_value: 1 } }',
    chain,
    'a.test',
  ],
  ['UDP', 'address: { socket_address: { protocol: UDP, address: 127.0.0.1, port_value: 1 } }', chain, 'UDP'],
  ['a field that sekisho does not act on', `${address}\nenable_mptcp: true`, chain, 'enable_mptcp'],
  ['no filter chain', address, '', 'filter chain'],
  [
    'two chains that ask for the same',
    address,
    `filter_chains: [{ name: a, filters: [${echo}] }, { name: b, filters: [${echo}] }]`,
    "'b'",
  ],
  [
    'a partial wildcard',
    address,
    `filter_chains: [{ filter_chain_match: { server_names: ['a*'] }, filters: [${echo}] }]`,
    'a*',
  ],
  [
    'a prefix longer than its address',
    address,
    `filter_chains: [{ filter_chain_match: { prefix_ranges: [{ address_prefix: 10.0.0.0, prefix_len: 33 }] }, filters: [${echo}] }]`,
    '10.0.0.0/33',
  ],
])('refused: %s', (_name, where, chains, said) => {
  const { data, reasons } = decode(`${where}\n${chains}`);
  expect(data).toBeNull();
  expect(reasons.map((reason) => reason.message).join('\n')).toContain(said);
});
