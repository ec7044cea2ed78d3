import { describe, expect, it } from 'vitest';
import type { Peer } from '../../../../src/core/peer.ts';
import type { TlsFacts } from '../../../../src/core/tls-facts.ts';
import { compileFormat } from '../../../../src/observe/format/format.ts';
import { pemForHeaders } from '../../../../src/observe/format/tls-commands.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';
import { certificateFacts, tlsFacts } from '../../core/tls-fixture.ts';

const client = certificateFacts({
  subject: String.raw`CN=cli\C3\A9nt,OU=a\;b,O=Te\"st\, Inc`,
  issuer: 'CN=intermediate,O=Test',
  serial: '7a56',
  sha1: '2e3c',
  sha256: 'fe3d',
  validFromEpochMs: 1795279863000,
  validToEpochMs: 1826815863000,
  dnsNames: ['client.test', 'b.client.test'],
  uris: ['spiffe://td/ns/a/sa/client', 'urn:two'],
  emails: ['client@test'],
  ipAddresses: ['10.0.0.1', '::1'],
  otherNames: ['other'],
  pem: '-----BEGIN CERTIFICATE-----\nMII+/w==\n-----END CERTIFICATE-----\n',
});
const intermediate = certificateFacts({ serial: '78a2', sha1: 'f2ee', sha256: '0a89' });
const server = certificateFacts({ subject: 'CN=server.test', dnsNames: ['server.test'], uris: ['urn:s'] });

const facts = tlsFacts({
  peerChain: [client, intermediate],
  peerIssuer: intermediate,
  isPeerVerified: true,
  local: server,
});

function peer(tls: TlsFacts | null): Peer {
  const address = { kind: 'ip', host: '127.0.0.1', port: 1 } as const;
  return {
    remote: address,
    local: address,
    directRemote: address,
    directLocal: address,
    serverName: tls === null ? '' : 'server.test',
    alpn: '',
    transportProtocol: tls === null ? 'raw_buffer' : 'tls',
    applicationProtocols: [],
    ja3: tls === null ? '' : '944d',
    ja4: tls === null ? '' : 't13d',
    tls,
  };
}

function outcome(tls: TlsFacts | null): Outcome {
  const made = new Outcome();
  made.peer = peer(tls);
  made.upstreamPeer = peer(tls);
  return made;
}

const print = (format: string, o: Outcome): string => compileFormat(format).format(o);

/** What Envoy 1.39 prints of such a connection. */
const printed: Readonly<Record<string, string>> = {
  DOWNSTREAM_LOCAL_DNS_SAN: 'server.test',
  DOWNSTREAM_LOCAL_EMAIL_SAN: '-',
  DOWNSTREAM_LOCAL_IP_SAN: '-',
  DOWNSTREAM_LOCAL_OTHERNAME_SAN: '-',
  DOWNSTREAM_LOCAL_SUBJECT: 'CN=server.test',
  DOWNSTREAM_LOCAL_URI_SAN: 'urn:s',
  DOWNSTREAM_PEER_CERT: '-----BEGIN%20CERTIFICATE-----%0AMII%2B%2Fw%3D%3D%0A-----END%20CERTIFICATE-----%0A',
  DOWNSTREAM_PEER_CERT_V_END: '2027-11-21T16:51:03.000Z',
  DOWNSTREAM_PEER_CERT_V_START: '2026-11-21T16:51:03.000Z',
  'DOWNSTREAM_PEER_CERT_V_END(%s.%3f)': '1826815863.000',
  'DOWNSTREAM_PEER_CERT_V_START(%b %e %H:%M:%S %Y %Z)': 'Nov 21 16:51:03 2026 UTC',
  DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1: '2e3c,f2ee',
  DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256: 'fe3d,0a89',
  DOWNSTREAM_PEER_CHAIN_SERIALS: '7a56,78a2',
  DOWNSTREAM_PEER_DNS_SAN: 'client.test,b.client.test',
  DOWNSTREAM_PEER_EMAIL_SAN: 'client@test',
  DOWNSTREAM_PEER_FINGERPRINT_1: '2e3c',
  DOWNSTREAM_PEER_FINGERPRINT_256: 'fe3d',
  DOWNSTREAM_PEER_IP_SAN: '10.0.0.1,::1',
  DOWNSTREAM_PEER_ISSUER: 'CN=intermediate,O=Test',
  DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256: '0a89',
  DOWNSTREAM_PEER_ISSUER_SERIAL: '78a2',
  DOWNSTREAM_PEER_OTHERNAME_SAN: 'other',
  DOWNSTREAM_PEER_SERIAL: '7a56',
  DOWNSTREAM_PEER_SUBJECT: String.raw`CN=cli\C3\A9nt,OU=a\;b,O=Te\"st\, Inc`,
  DOWNSTREAM_PEER_URI_SAN: 'spiffe://td/ns/a/sa/client,urn:two',
  DOWNSTREAM_TLS_CIPHER: 'TLS_AES_256_GCM_SHA384',
  DOWNSTREAM_TLS_GROUP: 'X25519',
  DOWNSTREAM_TLS_SESSION_ID: '-',
  DOWNSTREAM_TLS_VERSION: 'TLSv1.3',
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: '-',
  TLS_JA3_FINGERPRINT: '944d',
  TLS_JA4_FINGERPRINT: 't13d',
  REQUESTED_SERVER_NAME: 'server.test',
  UPSTREAM_LOCAL_DNS_SAN: 'server.test',
  UPSTREAM_LOCAL_IP_SAN: '-',
  UPSTREAM_LOCAL_URI_SAN: 'urn:s',
  UPSTREAM_PEER_CERT: '-----BEGIN%20CERTIFICATE-----%0AMII%2B%2Fw%3D%3D%0A-----END%20CERTIFICATE-----%0A',
  UPSTREAM_PEER_CERT_V_END: '2027-11-21T16:51:03.000Z',
  UPSTREAM_PEER_CERT_V_START: '2026-11-21T16:51:03.000Z',
  UPSTREAM_PEER_DNS_SAN: 'client.test,b.client.test',
  UPSTREAM_PEER_IP_SAN: '10.0.0.1,::1',
  UPSTREAM_PEER_ISSUER: 'CN=intermediate,O=Test',
  UPSTREAM_PEER_SUBJECT: String.raw`CN=cli\C3\A9nt,OU=a\;b,O=Te\"st\, Inc`,
  UPSTREAM_PEER_URI_SAN: 'spiffe://td/ns/a/sa/client,urn:two',
  UPSTREAM_SERVER_NAME: 'server.test',
  UPSTREAM_TLS_CIPHER: 'TLS_AES_256_GCM_SHA384',
  UPSTREAM_TLS_GROUP: 'X25519',
  UPSTREAM_TLS_SESSION_ID: '-',
  UPSTREAM_TLS_VERSION: 'TLSv1.3',
};

describe('operators of TLS', () => {
  it.each(Object.entries(printed))('%s', (name, text) => {
    expect(print(`%${name}%`, outcome(facts))).toBe(text);
  });

  it.each(Object.keys(printed))('nothing of a plain connection: %s', (name) => {
    expect(print(`%${name}%`, outcome(null))).toBe('-');
  });

  it.each(Object.keys(printed).filter((name) => name.includes('_PEER_')))(
    'nothing without a certificate: %s',
    (name) => {
      expect(print(`%${name}%`, outcome({ ...facts, peerChain: [], peerIssuer: null }))).toBe('-');
    },
  );

  it('prints the handshake in the log of a listener alone, as Envoy', () => {
    const o = outcome(facts);
    expect(print('%DOWNSTREAM_HANDSHAKE_DURATION%', o)).toBe('-');
    o.accessLogType = 'NotSet';
    expect(print('%DOWNSTREAM_HANDSHAKE_DURATION%', o)).toBe('3');
    o.peer = peer({ ...facts, handshakeMs: NaN });
    expect(print('%DOWNSTREAM_HANDSHAKE_DURATION%', o)).toBe('-');
  });

  it('prints why a handshake failed without spaces', () => {
    const o = outcome(null);
    o.downstreamTransportFailureReason =
      'TLS_error:|268435612:SSL routines:OPENSSL_internal:HTTP_REQUEST:TLS_error_end';
    expect(print('%DOWNSTREAM_TRANSPORT_FAILURE_REASON%', o)).toBe(
      'TLS_error:|268435612:SSL_routines:OPENSSL_internal:HTTP_REQUEST:TLS_error_end',
    );
  });

  it('times the handshakes of both sides', () => {
    const o = outcome(facts);
    o.connectionStartMs = 10;
    o.startMs = 14;
    o.upstreamConnectStartMs = 20;
    o.upstreamConnectEndMs = 21;
    expect(print('%COMMON_DURATION(DS_CX_BEG:DS_RX_BEG)%', o)).toBe('4');
    expect(print('%COMMON_DURATION(US_CX_END:US_HS_END:us)%', o)).toBe('3700');
    expect(print('%COMMON_DURATION(DS_CX_BEG:DS_CX_END)%', o)).toBe('-');
  });

  it('encodes the PEM of a certificate once', () => {
    expect(pemForHeaders(client)).toBe(pemForHeaders(client));
  });
});
