/**
 * An X.509 certificate as logs, headers and policies speak of it. `identity/certificate.ts` reads it lazily from DER.
 * Texts are bytes, one per character (latin1), as header values are.
 */
export interface CertificateFacts {
  readonly der: Uint8Array;
  /** RFC 2253, as Envoy prints it: `CN=a,O=b`. */
  readonly subject: string;
  readonly issuer: string;
  /** Lower-case hexadecimal, without leading zeros as BoringSSL prints it. */
  readonly serial: string;
  /** Of the DER, lower-case hexadecimal. */
  readonly sha1: string;
  readonly sha256: string;
  readonly validFromEpochMs: number;
  readonly validToEpochMs: number;
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  readonly emails: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly otherNames: readonly string[];
  /** With line ends, not URL-encoded. */
  readonly pem: string;
}

/** What a TLS handshake says of both ends. One that failed says what it got to: the rest is empty, `handshakeMs` NaN. */
export interface TlsFacts {
  /** `TLSv1.2`, `TLSv1.3`. */
  readonly version: string;
  /** As Envoy's `ssl.ciphers.*`: `TLS_AES_128_GCM_SHA256`, `ECDHE-RSA-AES128-GCM-SHA256`. */
  readonly cipher: string;
  /** As Envoy's `ssl.curves.*`: `X25519`, `P-256`. */
  readonly group: string;
  /** Hexadecimal; empty: none. */
  readonly sessionId: string;
  readonly isResumed: boolean;
  /** Of a server: the name that its client asked for; empty or absent: none. */
  readonly serverName?: string;
  /** From the first byte of the transport until it was complete. */
  readonly handshakeMs: number;
  /** What the peer presented, its own first; empty: nothing. Of a resumed session, what was presented then. */
  readonly peerChain: readonly CertificateFacts[];
  /** Who signed the peer's certificate, by the verified chain: presented, or of the trust bundle; null: not verified. */
  readonly peerIssuer: CertificateFacts | null;
  /** In this handshake the chain above was checked against a trust bundle or a pin, and holds: not where it was resumed. */
  readonly isPeerVerified: boolean;
  /** What this end presented; null: nothing. */
  readonly local: CertificateFacts | null;
}
