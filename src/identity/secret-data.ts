import type { RevokedCertificates } from './revocation-list.ts';

/** A certificate with its key: everything read, nothing parsed. PEM is text, DER and PKCS#12 are bytes. */
export interface CertificateSecret {
  readonly kind: 'certificate';
  /** Leaf first. Empty where `pkcs12` has it. */
  readonly chainPem: string;
  readonly keyPem: string;
  readonly pkcs12: Uint8Array | null;
  /** Of the key or the PKCS#12 file; empty: none. */
  readonly password: string;
  /** DER of an OCSP response; null: none. */
  readonly ocspStaple: Uint8Array | null;
  /** Where it came from, for messages: a file's name, `<inline>`, an SDS resource. */
  readonly origin: string;
}

export type SanType = 'DNS' | 'URI' | 'EMAIL' | 'IP_ADDRESS' | 'OTHER_NAME';

/** `string_match` of a SAN matcher. A regular expression is RE2's. */
export interface SanMatcherData {
  readonly type: SanType;
  /** Dotted; empty but for OTHER_NAME. */
  readonly oid: string;
  readonly match: {
    readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains' | 'regex';
    readonly value: string;
    readonly ignoreCase: boolean;
  };
}

/** CertificateValidationContext. */
export interface ValidationSecret {
  readonly kind: 'validation';
  /** PEM of all of them; empty: chains are not verified. */
  readonly trustedCaPem: string;
  readonly trustedCaOrigin: string;
  /** PEM; empty: none. */
  readonly crlPem: string;
  readonly crlOrigin: string;
  readonly sanMatchers: readonly SanMatcherData[];
  /** Lower-case hexadecimal without colons. */
  readonly certificateHashes: readonly string[];
  /** Base64 of SHA-256. */
  readonly spkiHashes: readonly string[];
  readonly allowExpired: boolean;
  readonly acceptUntrusted: boolean;
  readonly onlyVerifyLeafCrl: boolean;
  /** Null: Envoy's default, 100. */
  readonly maxVerifyDepth: number | null;
  readonly requireSignedCertificateTimestamp: boolean;
  /** `envoy.tls.cert_validator.spiffe`: trust domain → PEM of its roots; null: the default validator. */
  readonly spiffeTrustDomains: Readonly<Record<string, string>> | null;
  /** Clients are not told whose certificates are taken. */
  readonly suppressClientCaList?: boolean;
  /**
   * Beside `crlPem`, for who is lenient: a list may be missing, or old. Of the thread alone, which may share it among many.
   */
  readonly revoked?: RevokedCertificates;
}

/** The first encrypts; all decrypt. Each has 80 bytes: name 16, HMAC key 32, AES key 32. */
export interface TicketKeysSecret {
  readonly kind: 'ticket-keys';
  readonly keys: readonly Uint8Array[];
}

export interface GenericSecret {
  readonly kind: 'generic';
  readonly value: Uint8Array;
  /** `secrets`: several by name. */
  readonly values?: Readonly<Record<string, Uint8Array>>;
}

export type SecretData = CertificateSecret | ValidationSecret | TicketKeysSecret | GenericSecret;

/** A secret as a TLS context names it. */
export interface SecretRef<Secret extends SecretData> {
  /** Key in the SecretStore: unique for a resource of one SDS source; of an inline one a name for messages. */
  readonly key: string;
  /** Null: the SecretStore has it, or will. */
  readonly inline: Secret | null;
}
