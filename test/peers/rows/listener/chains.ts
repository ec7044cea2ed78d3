import { load } from 'js-yaml';
import { cluster, tcp, type HttpParts, type Yaml } from '../../config.ts';
import type { Group, Row, Segment } from '../../row.ts';

/** Everything that a listener and its filters count. */
export const listenerStats = /^(listener|tcp|tls_inspector|http_inspector|proxy_proto)\.|^downstream_cx_proxy_proto/;

const listenerType = 'type.googleapis.com/envoy.extensions.filters.listener.';
const filter = (name: string, type: string, settings: string): Yaml => ({
  name: `envoy.filters.listener.${name}`,
  typed_config: { '@type': listenerType + type, ...(load(settings) as Yaml) },
});

export const tlsInspector = (settings = '{}'): Yaml =>
  filter('tls_inspector', 'tls_inspector.v3.TlsInspector', settings);
export const httpInspector = (): Yaml => filter('http_inspector', 'http_inspector.v3.HttpInspector', '{}');
export const proxyProtocol = (settings = '{}'): Yaml =>
  filter('proxy_protocol', 'proxy_protocol.v3.ProxyProtocol', settings);

/** What a listener's log tells of a connection. */
export const told: readonly string[] = [
  'FILTER_CHAIN_NAME',
  'REQUESTED_SERVER_NAME',
  'RESPONSE_FLAGS',
  'RESPONSE_CODE_DETAILS',
  'DOWNSTREAM_TRANSPORT_FAILURE_REASON',
  'TLS_JA3_FINGERPRINT',
  'TLS_JA4_FINGERPRINT',
  'DOWNSTREAM_REMOTE_ADDRESS',
  'DOWNSTREAM_LOCAL_ADDRESS',
  'DOWNSTREAM_DIRECT_REMOTE_ADDRESS',
  'DOWNSTREAM_DIRECT_LOCAL_ADDRESS',
  'DYNAMIC_METADATA(envoy.filters.listener.tls_inspector)',
  'DYNAMIC_METADATA(envoy.filters.listener.proxy_protocol)',
  'ACCESS_LOG_TYPE',
  'PROTOCOL',
  'BYTES_RECEIVED',
  'BYTES_SENT',
  'UPSTREAM_CLUSTER',
];

/** A listener whose chains all carry bytes to an origin that answers once, and whose own log says which was chosen. */
export function carried(
  name: string,
  filters: readonly Yaml[],
  chains: Readonly<Record<string, string>>,
  rows: readonly Row[],
  more: Yaml = {},
  parts: HttpParts = {},
): Group {
  const listener = { listener_filters: filters, listener_filters_timeout: '0.4s', ...more };
  return {
    name: `listener: ${name}`,
    config: tcp('{ cluster: bye, access_log: [] }', [cluster('bye', ['bye'])], {
      ...parts,
      listenerLog: told,
      listener: JSON.stringify(listener),
      chains: (network) =>
        Object.entries(chains).map(([chain, match]) => ({
          name: chain,
          filter_chain_match: load(match) as Yaml,
          filters: network,
        })),
    }),
    stats: listenerStats,
    rows,
  };
}

/** Bytes, and the line that the listener's log has of them when it is over. */
export function sent(name: string, raw: string | Buffer | readonly (Segment | Buffer)[], more: Partial<Row> = {}): Row {
  const pieces: readonly (Segment | Buffer)[] = Array.isArray(raw) ? raw : [raw as string | Buffer];
  const segments = pieces.map((piece) => (Buffer.isBuffer(piece) ? piece.toString('latin1') : piece));
  // Whether the upstream has ended first, chance decides.
  return {
    name,
    raw: segments,
    answers: 0,
    until: 'closed',
    logLines: 1,
    waitMs: 1500,
    ignores: /upstream_flush_total/,
    ...more,
  };
}
