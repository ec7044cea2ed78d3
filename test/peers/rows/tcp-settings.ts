import { cluster, endpoint, tcp, type HttpParts, type Yaml } from '../config.ts';
import type { Group, Row } from '../row.ts';

const kinds = 'type.googleapis.com/envoy.extensions';
const exchange: Pick<Row, 'until' | 'answers' | 'waitMs' | 'logLines'> = {
  until: 'closed',
  answers: 0,
  waitMs: 1500,
  logLines: 1,
};

/** Where a reset races with a close. */
const ends = /\.end$/;

function settings(
  name: string,
  fields: string,
  rows: readonly Row[],
  clusters?: readonly Yaml[],
  parts?: HttpParts,
): Group {
  const group = {
    name: `tcp_proxy: ${name}`,
    config: tcp(fields, clusters ?? [cluster('echo', ['echo']), cluster('bye', ['bye'])], parts),
    rows,
  };
  return group;
}

const hello: Row = { name: 'hello', raw: ['hello', 50, 'end'], ...exchange };

/** A cluster whose connections begin with a PROXY protocol header of all TLVs, which the echo shows. */
const telling = cluster(
  'echo',
  ['echo'],
  `{ transport_socket: { name: pp, typed_config: { '@type': ${kinds}.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport, config: { version: V2, pass_through_tlvs: { match_type: INCLUDE_ALL } }, transport_socket: { name: raw, typed_config: { '@type': ${kinds}.transport_sockets.raw_buffer.v3.RawBuffer } } } } }`,
);
const proxied = `listener_filters: [{ name: pp, typed_config: { '@type': ${kinds}.filters.listener.proxy_protocol.v3.ProxyProtocol, pass_through_tlvs: { match_type: INCLUDE_ALL } } }]`;
/** Version 2 from 10.0.0.1:1 to 10.0.0.2:2 with the TLVs 0xE1 `old` and 0xE2 `two`. */
const header = '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x18\x0a\0\0\x01\x0a\0\0\x02\0\x01\0\x02\xe1\0\x03old\xe2\0\x03two';
const tlvs = `proxy_protocol_tlvs: [{ type: 0xe3, format_string: { text_format_source: { inline_string: 'a %PROTOCOL%' } } }, { type: 0xe1, value: bmV3 }]`;
/** Where the client's own port is written. */
const bytes = /\.text$/;

export const tcpSettings: readonly Group[] = [
  settings(
    'connects on data',
    '{ cluster: echo, upstream_connect_mode: ON_DOWNSTREAM_DATA, max_early_data_bytes: 1024 }',
    [
      hello,
      { name: 'more than may be kept', raw: ['x'.repeat(5000), 50, 'end'], ...exchange },
      { name: 'everything at once', raw: ['hello', 'end'], ...exchange, ignores: /early_data/ },
    ],
  ),
  settings(
    'connects on data, keeping none',
    '{ cluster: echo, upstream_connect_mode: ON_DOWNSTREAM_DATA, max_early_data_bytes: 0 }',
    [hello],
  ),
  settings(
    'connects on data, to nobody',
    '{ cluster: none, upstream_connect_mode: ON_DOWNSTREAM_DATA, max_early_data_bytes: 10 }',
    [{ ...hello, raw: ['hello', 200], ignores: ends }],
  ),
  settings(
    'connects on data, which fails',
    '{ cluster: dead, upstream_connect_mode: ON_DOWNSTREAM_DATA, max_early_data_bytes: 10, max_connect_attempts: 2 }',
    [{ ...hello, raw: ['hello', 200], ignores: ends }],
    [cluster('dead', ['dead'])],
  ),
  settings('early data', '{ cluster: echo, max_early_data_bytes: 65536 }', [
    { ...hello, raw: [100, 'hello', 50, 'end'] },
    { name: 'at once', raw: ['hello', 50, 'end'], ...exchange, ignores: /early_data/ },
  ]),
  settings(
    'a line at the start',
    '{ cluster: echo, access_log_options: { flush_access_log_on_start: true, flush_access_log_on_connected: true } }',
    [{ ...hello, logLines: 3 }],
    undefined,
    { log: ['ACCESS_LOG_TYPE'] },
  ),
  settings(
    'lines in between',
    '{ cluster: echo, access_log_options: { access_log_flush_interval: 0.2s } }',
    [
      {
        name: 'two of them',
        raw: ['a', 500, 'end'],
        ...exchange,
        logLines: 3,
        ignores: /log\[[01]\]\.(sent|received)/,
      },
    ],
    undefined,
    { log: ['ACCESS_LOG_TYPE'] },
  ),
  settings(
    'a longest duration that chance makes longer',
    '{ cluster: echo, max_downstream_connection_duration: 0.2s, max_downstream_connection_duration_jitter_percentage: { value: 50 } }',
    [{ name: 'closed after a while', raw: ['a', 100, 'b'], ...exchange }],
    undefined,
    { log: ['CONNECTION_TERMINATION_DETAILS', 'DOWNSTREAM_LOCAL_CLOSE_REASON'] },
  ),
  settings(
    'idle timeouts that mean nothing',
    '{ cluster: echo, downstream_idle_timeout: 0.1s, upstream_idle_timeout: 0.1s }',
    [{ name: 'stays', raw: ['a', 400, 'b', 50, 'end'], ...exchange }],
  ),
  settings(
    'closes when it drains',
    '{ cluster: echo, check_drain_close: true }',
    [
      hello,
      { name: 'drained', posts: ['/healthcheck/fail'], raw: ['hello', 300], ...exchange, ignores: ends },
      { name: 'not any more', posts: ['/healthcheck/ok'], raw: ['hello', 50, 'end'], ...exchange },
    ],
    undefined,
    { log: ['DOWNSTREAM_LOCAL_CLOSE_REASON'] },
  ),
  settings(
    'backs off',
    '{ cluster: dead, max_connect_attempts: 3, backoff_options: { base_interval: 0.01s, max_interval: 0.02s } }',
    [{ ...hello, raw: [300], ignores: ends }],
    [cluster('dead', ['dead'])],
    { log: ['UPSTREAM_REQUEST_ATTEMPT_COUNT'] },
  ),
  settings(
    'hosts by metadata',
    '{ cluster: both, metadata_match: { filter_metadata: { envoy.lb: { v: b } } } }',
    // Subsets are made with the cluster, or with its first connection.
    [{ name: 'the one', raw: ['hello', 50, 'end'], ...exchange, ignores: /lb_subsets_created/ }],
    [
      {
        ...cluster('both', []),
        lb_subset_config: { fallback_policy: 'NO_FALLBACK', subset_selectors: [{ keys: ['v'] }] },
        load_assignment: {
          cluster_name: 'both',
          endpoints: [
            {
              lb_endpoints: [
                endpoint('echo', '{ metadata: { filter_metadata: { envoy.lb: { v: a } } } }'),
                endpoint('bye', '{ metadata: { filter_metadata: { envoy.lb: { v: b } } } }'),
              ],
            },
          ],
        },
      },
    ],
  ),
  settings(
    'hashes the source',
    '{ cluster: both, hash_policy: [{ source_ip: {} }] }',
    [hello, { ...hello, name: 'again' }],
    [cluster('both', ['echo', 'echo'], '{ lb_policy: RING_HASH }')],
  ),
  ...(['', ', request_id_header: X-Own-Id, request_id_metadata_key: own'] as const).map((more): Group =>
    settings(
      `ids of tunnels${more}`,
      `{ cluster: one, tunneling_config: { hostname: 'a.test:80', request_id_extension: { typed_config: { '@type': ${kinds}.request_id.uuid.v3.UuidRequestIdConfig } }${more} } }`,
      [{ ...hello, raw: ['hello', 400, 'end'], upstream: [{ tunnel: 'echo' }], ignores: /complete$|\.end$/ }],
      [cluster('one', ['one'])],
      { log: ['DYNAMIC_METADATA(envoy.filters.network.tcp_proxy)'] },
    ),
  ),
  settings(
    'tells TLVs',
    `{ cluster: echo, ${tlvs} }`,
    [{ name: 'in the header', raw: ['hello', 100, 'end'], ...exchange, ignores: bytes }],
    [telling],
  ),
  ...(['ADD_IF_ABSENT', 'OVERWRITE_BY_TYPE_IF_EXISTS_OR_ADD', 'APPEND_IF_EXISTS_OR_ADD'] as const).map(
    (policy): Group =>
      settings(
        `tells TLVs, ${policy}`,
        `{ cluster: echo, proxy_protocol_tlv_merge_policy: ${policy}, ${tlvs} }`,
        [{ name: 'beside those of the client', raw: [`${header}hello`, 100, 'end'], ...exchange }],
        [telling],
        { listener: proxied },
      ),
  ),
];
