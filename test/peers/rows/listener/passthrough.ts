import { cluster, http, tcp, type Yaml } from '../../config.ts';
import type { Group } from '../../row.ts';
import { serverTls } from '../../tls/config.ts';
import { httpInspector, listenerStats, sent, tlsInspector, told } from './chains.ts';

const proxied = (name: string): Yaml => ({
  name: 'envoy.filters.network.tcp_proxy',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
    stat_prefix: name,
    cluster: name,
  },
});

const cipher = /cipher|TLS_SESSION_ID|BYTES_SENT/;

/** A TLS client's bytes go to the origin that its SNI names, and the origin answers its handshake. */
const bySni: Group = {
  name: 'listener: TLS passed through by SNI',
  config: tcp('{ cluster: dead, access_log: [] }', [cluster('secure', ['secure']), cluster('bye', ['bye'])], {
    listenerLog: told,
    listener: JSON.stringify({ listener_filters: [tlsInspector()], listener_filters_timeout: '0.4s' }),
    chains: () => [
      { name: 'secure', filter_chain_match: { server_names: ['server.test'] }, filters: [proxied('secure')] },
      { name: 'plain', filter_chain_match: { transport_protocol: 'raw_buffer' }, filters: [proxied('bye')] },
    ],
  }),
  origins: { secure: { certificate: 'server' } },
  stats: listenerStats,
  rows: [
    { name: 'a name that a chain has', tls: {}, ignores: cipher },
    { name: 'over HTTP/2', over: 'h2', tls: {}, ignores: cipher },
    { name: 'a name that no chain has', tls: { serverName: 'other.test' }, logLines: 1, until: 'closed', waitMs: 1500 },
    sent('plain text', 'hello'),
  ],
};

/** Plain text, TLS by name and TLS of anybody on one port. */
const mixed: Group = {
  name: 'listener: plain text and TLS on one port',
  config: http({
    listenerLog: told,
    listener: JSON.stringify({
      listener_filters: [tlsInspector(), httpInspector()],
      listener_filters_timeout: '0.4s',
    }),
    chains: (filters) => [
      { name: 'plain', filter_chain_match: { transport_protocol: 'raw_buffer' }, filters },
      {
        name: 'named',
        filter_chain_match: { transport_protocol: 'tls', server_names: ['server.test'] },
        filters,
        transport_socket: serverTls(['server'], { alpn_protocols: ['h2', 'http/1.1'] }),
      },
      {
        name: 'istio',
        filter_chain_match: { transport_protocol: 'tls', application_protocols: ['istio', 'istio-h2'] },
        filters,
        transport_socket: serverTls(['server'], { alpn_protocols: ['istio-h2', 'istio', 'h2'] }),
      },
      { name: 'raw', filter_chain_match: { transport_protocol: 'tls' }, filters },
    ],
  }),
  stats: /^(listener\.(?!.*\.ssl\.)|http|tls_inspector|http_inspector)/,
  rows: [
    { name: 'plain text', logLines: 2, ignores: cipher },
    { name: 'HTTP/2 in plain text', over: 'h2', logLines: 2, ignores: cipher },
    { name: 'TLS', tls: {}, logLines: 2, ignores: cipher },
    { name: 'TLS, HTTP/2', over: 'h2', tls: {}, logLines: 2, ignores: cipher },
    { name: 'TLS, HTTP/1.1 by ALPN', tls: { alpn: ['http/1.1'] }, logLines: 2, ignores: cipher },
    { name: 'Istio’s ALPN', tls: { serverName: null, alpn: ['istio'] }, logLines: 2, ignores: cipher },
    {
      name: 'Istio’s ALPN of HTTP/2',
      over: 'h2',
      tls: { serverName: null, alpn: ['istio-h2', 'istio'] },
      logLines: 2,
      ignores: cipher,
    },
    {
      name: 'TLS on a chain of plain text',
      tls: { serverName: 'other.test' },
      until: 'closed',
      logLines: 2,
      waitMs: 1500,
      ignores: cipher,
    },
  ],
};

/** A chain that wants TLS, without a filter that looks for it: nothing is put in for it. */
const uninspected: Group = {
  name: 'listener: nobody looks for TLS',
  config: http({
    listenerLog: told,
    chains: (filters) => [
      {
        name: 'named',
        filter_chain_match: { server_names: ['server.test'] },
        filters,
        transport_socket: serverTls(),
      },
      { name: 'otherwise', filter_chain_match: {}, filters, transport_socket: serverTls() },
    ],
  }),
  stats: /^(listener\.(?!.*\.ssl\.)|http|tls_inspector)/,
  rows: [
    { name: 'a client that names a chain', tls: {}, logLines: 2, ignores: cipher },
    { name: 'ALPN that nobody has configured', tls: { alpn: ['h2', 'http/1.1'] }, logLines: 2, ignores: cipher },
    { name: 'ALPN that nobody has configured, and HTTP/2', over: 'h2', tls: {}, logLines: 2, ignores: cipher },
  ],
};

/** Groups about TLS that is told by its first bytes. */
export const passedThrough: readonly Group[] = [bySni, mixed, uninspected];
