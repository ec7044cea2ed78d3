import { cluster, http, tcp } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { downstreamOperators, serverTls, trusting } from '../../tls/config.ts';

const speaks = (certificate: string, alpn: string[] = ['h2', 'http/1.1']) =>
  http({ transport: serverTls([certificate], { alpn_protocols: alpn }), log: downstreamOperators });

const versions: readonly Row[] = [
  { name: 'TLS 1.3', tls: { minVersion: 'TLSv1.3' } },
  { name: 'TLS 1.2', tls: { maxVersion: 'TLSv1.2' } },
];

/** What a listener with each kind of certificate does with clients of each version. */
const kinds: readonly Group[] = ['server_rsa', 'server_p384', 'server_ed25519', 'server_chain', 'server_deep'].map(
  (certificate) => ({
    name: `TLS: a certificate of the kind ${certificate}`,
    config: speaks(certificate),
    tls: { alpn: ['http/1.1'] },
    rows: [
      ...versions,
      ...versions.map(({ name, tls }): Row => ({ name: `${name}, h2`, over: 'h2', tls: { ...tls } })),
      ...versions.map(({ name, tls }): Row => ({ name: `${name}, no ALPN`, tls: { ...tls, alpn: [] } })),
    ],
  }),
);

const matrix: Group = {
  name: 'TLS: versions and ALPN',
  config: speaks('server'),
  tls: {},
  rows: [
    ...versions,
    { name: 'TLS 1.3, h2', over: 'h2', tls: { minVersion: 'TLSv1.3' } },
    { name: 'TLS 1.2, h2', over: 'h2', tls: { maxVersion: 'TLSv1.2' } },
    { name: 'TLS 1.3, http/1.1', tls: { minVersion: 'TLSv1.3', alpn: ['http/1.1'] } },
    { name: 'TLS 1.2, http/1.1', tls: { maxVersion: 'TLSv1.2', alpn: ['http/1.1'] } },
    { name: 'the listener prefers', over: 'h2', tls: { alpn: ['http/1.1', 'h2'] } },
    { name: 'nothing in common', tls: { alpn: ['spdy/3', 'istio'] } },
    { name: 'no ALPN, HTTP/2 by its first bytes', over: 'h2', tls: { alpn: [] } },
    { name: 'ALPN says HTTP/1.1 and HTTP/2 comes', over: 'h2', tls: { alpn: ['http/1.1'] }, waitMs: 1500, logLines: 1 },
    { name: 'TLS 1.1', tls: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }, logLines: 0 },
    { name: 'no SNI', tls: { serverName: null } },
    { name: 'an SNI that no certificate names', tls: { serverName: 'nobody.test' } },
    { name: 'several requests on one connection', request: [{}, { body: 'x'.repeat(100_000) }, { path: '/c' }] },
    { name: 'pipelined', ignores: /upstream_(cx|rq_pending)/, mode: 'pipelined', request: [{}, { path: '/b' }] },
    { name: 'connections together', mode: 'together', staggerMs: 60, request: [{}, { path: '/b' }, { path: '/c' }] },
    { name: 'streams together', over: 'h2', mode: 'together', request: [{}, { path: '/b' }, { body: 'hello' }] },
    { name: 'a large answer', upstream: [{ body: 'y'.repeat(300_000) }] },
    { name: 'a head in pieces', raw: ['GET / HT', 20, 'TP/1.1\r\nhost: a\r\n', 20, '\r\n'] },
    { name: 'the client leaves in between', raw: ['GET / HTTP/1.1\r\nhost', 20, 'end'], until: 'closed' },
    {
      name: 'the client resets in between',
      raw: ['GET / HTTP/1.1\r\nhost', 20, 'reset'],
      until: 'closed',
      logLines: 0,
      // Whether close_notify or the reset is read first, chance decides.
      ignores: /^log/,
    },
  ],
};

const chacha = 'TLS_CHACHA20_POLY1305_SHA256';
const suites: Group = {
  name: 'TLS: cipher suites and groups',
  config: http({
    transport: serverTls(['server', 'server_rsa'], {
      tls_params: {
        tls_minimum_protocol_version: 'TLSv1_2',
        cipher_suites: ['[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]', 'ECDHE-RSA-AES256-GCM-SHA384'],
        ecdh_curves: ['P-256', 'X25519'],
      },
    }),
    log: downstreamOperators,
  }),
  tls: {},
  rows: [
    { name: 'TLS 1.3 with AES-256', tls: { ciphers: 'TLS_AES_256_GCM_SHA384' } },
    { name: 'TLS 1.3 with AES-128 first', tls: { ciphers: `TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:${chacha}` } },
    { name: 'TLS 1.3 with ChaCha first', tls: { ciphers: `${chacha}:TLS_AES_256_GCM_SHA384` } },
    {
      name: 'TLS 1.2 with both of the equal ones',
      tls: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256' },
    },
    { name: 'TLS 1.2 with RSA alone', tls: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES256-GCM-SHA384' } },
    {
      name: 'TLS 1.2 with none of them',
      tls: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
      logLines: 0,
    },
    { name: 'P-256 alone', tls: { groups: 'P-256' } },
    { name: 'P-384 alone', tls: { groups: 'P-384' }, logLines: 0 },
    { name: 'X25519 first', tls: { groups: 'X25519:P-256' } },
  ],
};

const several: Group = {
  name: 'TLS: several certificates',
  config: http({
    transport: serverTls(['server_rsa', 'server', 'server_two_rsa', 'server_two']),
    log: ['DOWNSTREAM_LOCAL_SUBJECT', 'DOWNSTREAM_LOCAL_URI_SAN'],
  }),
  tls: { maxVersion: 'TLSv1.2' },
  rows: [
    { name: 'by name', tls: { serverName: 'two.test' } },
    { name: 'by name, in capitals', tls: { serverName: 'TWO.test' } },
    { name: 'by wildcard', tls: { serverName: 'a.wild.test' } },
    { name: 'a wildcard is of one label', tls: { serverName: 'a.b.wild.test' } },
    { name: 'no such name', tls: { serverName: 'nobody.test' } },
    { name: 'no name', tls: { serverName: null } },
    { name: 'ECDSA where the client can', tls: { serverName: 'server.test' } },
    {
      name: 'RSA where it cannot',
      tls: { serverName: 'two.test', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
    },
    {
      name: 'RSA by signature algorithms',
      tls: { serverName: 'two.test', minVersion: 'TLSv1.3', signatureAlgorithms: 'rsa_pss_rsae_sha256' },
    },
  ],
};

const sessions = (name: string, context: string, common = {}): Group => ({
  name: `TLS: sessions, ${name}`,
  config: http({
    transport: serverTls(['server'], common, context),
    log: ['DOWNSTREAM_TLS_SESSION_ID', 'DOWNSTREAM_PEER_SUBJECT', 'DOWNSTREAM_PEER_ISSUER_SERIAL'],
  }),
  rows: [
    { name: 'TLS 1.3', tls: { minVersion: 'TLSv1.3', resumes: true, certificate: 'client_chain' } },
    { name: 'TLS 1.2', tls: { maxVersion: 'TLSv1.2', resumes: true, certificate: 'client_chain' } },
  ],
});

const overTcp: Group = {
  name: 'TLS: in front of tcp_proxy',
  config: tcp('{ cluster: echo }', [cluster('echo', ['echo'])], {
    transport: serverTls(['server'], trusting(), '{ require_client_certificate: true }'),
    log: downstreamOperators,
  }),
  rows: [
    { name: 'there and back', tls: { certificate: 'client' }, raw: ['hello', 30, 'end'], until: 'closed' },
    { name: 'a refused client', tls: {}, raw: ['hello'], until: 'closed' },
    { name: 'plain', raw: 'hello there, server', until: 'closed' },
  ],
};

/** Groups of finished handshakes. */
export const tlsHandshakes: readonly Group[] = [
  matrix,
  ...kinds,
  suites,
  several,
  overTcp,
  sessions('tickets and cache', '{}'),
  sessions('with a client certificate', '{ require_client_certificate: true }', trusting()),
  sessions('no tickets', '{ disable_stateless_session_resumption: true }'),
  sessions('no cache', '{ disable_stateful_session_resumption: true }'),
  sessions('neither', '{ disable_stateless_session_resumption: true, disable_stateful_session_resumption: true }'),
];
