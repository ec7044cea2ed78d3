import type { CertificateFacts, TlsFacts } from '../../../src/core/tls-facts.ts';

/** A certificate that says nothing but what a test gives it. */
export function certificateFacts(changes: Partial<CertificateFacts> = {}): CertificateFacts {
  return {
    der: new Uint8Array(),
    subject: '',
    issuer: '',
    serial: '',
    sha1: '',
    sha256: '',
    validFromEpochMs: 0,
    validToEpochMs: 0,
    dnsNames: [],
    uris: [],
    emails: [],
    ipAddresses: [],
    otherNames: [],
    pem: '',
    ...changes,
  };
}

/** A handshake in which the client presented nothing. */
export function tlsFacts(changes: Partial<TlsFacts> = {}): TlsFacts {
  return {
    version: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    group: 'X25519',
    sessionId: '',
    isResumed: false,
    handshakeMs: 3.7,
    peerChain: [],
    peerIssuer: null,
    isPeerVerified: false,
    local: null,
    ...changes,
  };
}
