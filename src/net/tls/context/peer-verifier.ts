import type { CertificateFacts } from '../../../core/tls-facts.ts';
import { readCertificate } from '../../../identity/certificate.ts';
import type { PeerValidation, ValidationFailure } from '../../../identity/peer-validation.ts';
import { revokedAmong } from '../../../identity/revocation-list.ts';
import type { ValidationSecret } from '../../../identity/secret-data.ts';
import type { ClientCertificateDemand } from '../../../identity/trust.ts';
import { chainOf, derOf } from '../handshake/handshake-facts.ts';
import type { OpenSsl, Pointer } from '../open-ssl/open-ssl.ts';
import type { TlsConnection } from '../tls-connection.ts';
import type { TlsStats } from '../tls-stats.ts';
import { TrustDomains } from './trust.ts';

/** X509_V_ERR_*: what our side found, and by what the peer is told an alert. */
const VerifyError = {
  UnableToGetCrl: 3,
  NotYetValid: 9,
  Expired: 10,
  SelfSignedLeaf: 18,
  UnableToGetIssuer: 20,
  ChainTooLong: 22,
  Revoked: 23,
  InvalidPurpose: 26,
  /** Told as bad_certificate. */
  Rejected: 28,
  /** No number of OpenSSL's: told as certificate_unknown. */
  Unknown: 9999,
} as const;

/** Where the alert is another than OpenSSL's: BoringSSL's. */
const toldAs: Readonly<Record<number, number>> = { [VerifyError.NotYetValid]: VerifyError.Expired };

/** Of a certificate that does not say. */
const anyKeyUsage = 0xffff_ffff;
const digitalSignature = 0x80;

const VerifyMode = { None: 0, Peer: 1, FailIfNoCertificate: 2 } as const;

/** Decides on the peer's chain inside a handshake: OpenSSL verifies it, and what is configured besides is looked at then. */
export class PeerVerifier {
  private readonly ssl: OpenSsl;
  private readonly secret: ValidationSecret;
  private readonly validation: PeerValidation;
  private readonly domains: TrustDomains | null;
  private readonly stats: TlsStats;

  constructor(ssl: OpenSsl, secret: ValidationSecret, validation: PeerValidation, stats: TlsStats) {
    this.ssl = ssl;
    this.secret = secret;
    this.validation = validation;
    this.domains = secret.spiffeTrustDomains === null ? null : new TrustDomains(ssl, secret.spiffeTrustDomains);
    this.stats = stats;
  }

  /** Something is checked: without a trust bundle, a pin or names, Envoy takes any certificate. */
  get checks(): boolean {
    const { trustedCaPem, certificateHashes, spkiHashes, sanMatchers } = this.secret;
    return (
      trustedCaPem !== '' ||
      this.domains !== null ||
      certificateHashes.length > 0 ||
      spkiHashes.length > 0 ||
      sanMatchers.length > 0
    );
  }

  /**
   * `store`: X509_STORE_CTX. `names`: one of which the certificate must have besides what is configured; `serverName`: which
   * it must have instead (empty: none).
   */
  verify(connection: TlsConnection, store: Pointer, names: readonly string[], serverName: string): boolean {
    const { ssl, domains, secret } = this;
    const der = derOf(ssl, ssl.X509_STORE_CTX_get0_cert(store));
    if (der === null) return this.refuse(connection, store, noCertificate);
    const leaf = readCertificate(der);
    connection.peer.presented = chainOf(ssl, ssl.X509_STORE_CTX_get0_untrusted(store), leaf);
    if (domains !== null) {
      const chosen = this.validation.chooseTrustDomain(leaf);
      if (typeof chosen !== 'string') return this.refuse(connection, store, chosen);
      domains.lead(store, chosen);
    }
    if (domains !== null || secret.trustedCaPem !== '') {
      if (!this.verifyChain(connection, store)) return false;
      // Let in although untrusted: Envoy looks no further.
      if (!connection.peer.isVerified) return true;
    }
    if (secret.revoked !== undefined) {
      const revoked = revokedAmong(connection.peer.presented, secret.revoked);
      if (revoked !== null) return this.refuse(connection, store, revocation(revoked), VerifyError.Revoked);
    }
    return this.validate(connection, store, leaf, names, serverName);
  }

  /** RFC 8446 section 4.4.2.2: a key that signs handshakes must be for signing, where its certificate says for what. */
  allowsSigning(store: Pointer): boolean {
    const usage = this.ssl.X509_get_key_usage(this.ssl.X509_STORE_CTX_get0_cert(store));
    return usage === anyKeyUsage || (usage & digitalSignature) !== 0;
  }

  close(): void {
    this.domains?.close();
  }

  private verifyChain(connection: TlsConnection, store: Pointer): boolean {
    const { ssl } = this;
    if (ssl.X509_verify_cert(store) === 1) {
      connection.peer.isVerified = true;
      return true;
    }
    const error = ssl.X509_STORE_CTX_get_error(store);
    const depth = ssl.X509_STORE_CTX_get_error_depth(store);
    const told = this.domains === null ? toldAs[error] : VerifyError.Unknown;
    if (told !== undefined) ssl.X509_STORE_CTX_set_error(store, told);
    ssl.ERR_clear_error();
    this.stats.count('fail_verify_error');
    // trust_chain_verification: ACCEPT_UNTRUSTED.
    if (this.secret.acceptUntrusted) return true;
    connection.peer.verification = this.wordsOf(error, depth);
    return false;
  }

  /** In BoringSSL's words, and Envoy's around them. */
  private wordsOf(error: number, depth: number): string {
    const isShort = error === VerifyError.SelfSignedLeaf || error === VerifyError.ChainTooLong;
    const spoken = isShort ? VerifyError.UnableToGetIssuer : error;
    const why = this.ssl
      .text(this.ssl.X509_verify_cert_error_string(BigInt(spoken)))
      .replace('self-signed', 'self signed')
      .replace('unsuitable', 'unsupported');
    const isOfCrl = error === VerifyError.Revoked || error === VerifyError.UnableToGetCrl;
    const crl = isOfCrl ? 'certificate revocation check against provided CRLs failed: ' : '';
    return `verify cert failed: X509_verify_cert: certificate verification error at depth ${depth}: ${crl}${why}`;
  }

  private validate(
    connection: TlsConnection,
    store: Pointer,
    leaf: CertificateFacts,
    names: readonly string[],
    serverName: string,
  ): boolean {
    const failure = this.validation.check(leaf, names, serverName);
    if (failure === null) {
      if (this.validation.pins) connection.peer.isVerified = true;
      return true;
    }
    if (this.secret.acceptUntrusted) {
      this.stats.count(failure.stat);
      connection.peer.isVerified = false;
      return true;
    }
    return this.refuse(connection, store, failure);
  }

  private refuse(
    connection: TlsConnection,
    store: Pointer,
    { stat, reason, advice }: ValidationFailure,
    error: number = stat === 'fail_verify_cert_hash' ? VerifyError.Rejected : VerifyError.Unknown,
  ): boolean {
    this.stats.count(stat);
    connection.peer.isVerified = false;
    connection.peer.verification = reason;
    connection.peer.advice = advice;
    this.ssl.X509_STORE_CTX_set_error(store, error);
    return false;
  }
}

function revocation({ subject, serial }: CertificateFacts): ValidationFailure {
  return {
    stat: 'fail_verify_error',
    reason: 'verify cert failed: certificate revoked',
    advice: `certificate ${serial} '${subject}' is in a revocation list`,
  };
}

const noCertificate: ValidationFailure = {
  stat: 'fail_verify_error',
  reason: 'verify cert failed: no certificate',
  advice: 'the certificate is larger than 64 KiB',
};

/** `SSL_CTX_set_verify`'s mode. */
export const verifyModes: Readonly<Record<ClientCertificateDemand, number>> = {
  none: VerifyMode.None,
  optional: VerifyMode.Peer,
  required: VerifyMode.Peer | VerifyMode.FailIfNoCertificate,
};
