import type { CertificateSecret, SecretRef, TicketKeysSecret, ValidationSecret } from './secret-data.ts';

/** What builders tell transport sockets by: the names of their messages. */
export const downstreamTlsKind = 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
export const upstreamTlsKind = 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';

export type TlsVersion = 'TLSv1_0' | 'TLSv1_1' | 'TLSv1_2' | 'TLSv1_3';

/** CommonTlsContext with defaults filled in: what either end has. */
export interface CommonTlsData {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** BoringSSL's names, for TLS 1.2 and below; `[A|B]` is a group of equal preference. Empty: the default list. */
  readonly cipherSuites: readonly string[];
  /** `X25519`, `P-256` …; empty: the default list. */
  readonly curves: readonly string[];
  /** `rsa_pss_rsae_sha256` …; empty: the default list. */
  readonly signatureAlgorithms: readonly string[];
  /** Of TLS 1.3 only what has AES: FIPS_202205; absent: no. */
  readonly isFips?: boolean;
  readonly alpn: readonly string[];
  readonly certificates: readonly SecretRef<CertificateSecret>[];
  readonly validation: ValidationData | null;
  readonly keyLog: KeyLogData | null;
}

/** combined_validation_context has both: what SDS brings is merged into `base`. */
export interface ValidationData {
  readonly base: ValidationSecret | null;
  readonly secret: SecretRef<ValidationSecret> | null;
}

/** Empty ranges: any address. */
export interface KeyLogData {
  readonly path: string;
  readonly localRanges: readonly { readonly address: string; readonly length: number }[];
  readonly remoteRanges: readonly { readonly address: string; readonly length: number }[];
}

export interface DownstreamTlsData extends CommonTlsData {
  readonly requireClientCertificate: boolean;
  /** Null: keys of our own, made at the start and shared by the workers. */
  readonly ticketKeys: SecretRef<TicketKeysSecret> | null;
  readonly statelessResumption: boolean;
  readonly statefulResumption: boolean;
  /** 0: the library's default. */
  readonly sessionTimeoutSeconds: number;
  readonly ocspStaplePolicy: 'LENIENT_STAPLING' | 'STRICT_STAPLING' | 'MUST_STAPLE';
  readonly fullScanCertsOnSniMismatch: boolean;
  readonly preferClientCiphers: boolean;
}

export interface UpstreamTlsData extends CommonTlsData {
  /** Empty: none. */
  readonly sni: string;
  /** SNI is the host's `hostname`. */
  readonly autoHostSni: boolean;
  /** The certificate must name what SNI asks for. */
  readonly autoSniSanValidation: boolean;
  readonly allowRenegotiation: boolean;
  /** 0: no resumption. */
  readonly maxSessionKeys: number;
  readonly enforceRsaKeyUsage: boolean;
}
