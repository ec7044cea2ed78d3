import type { CertificateFacts } from '../core/tls-facts.ts';
import { Certificate, keyUsages, readCertificate } from './certificate.ts';
import { matchesDnsName, SanMatcher, type RegexCompiler } from './san-matcher.ts';
import type { ValidationSecret } from './secret-data.ts';
import { trustDomainOfUri } from './spiffe-id.ts';

/** Why a peer's certificate is not accepted. */
export interface ValidationFailure {
  /** Which of Envoy's `ssl.…` counts it. */
  readonly stat: 'fail_verify_error' | 'fail_verify_san' | 'fail_verify_cert_hash';
  /** Envoy's text. */
  readonly reason: string;
  /** Which certificate and why, in a sentence for the operator. */
  readonly advice: string;
}

/** Of the names in a message: a certificate may have thousands. */
const namesShownMax = 100;

/** What of a CertificateValidationContext is decided on the leaf alone, after its chain has been verified. */
export class PeerValidation {
  private readonly secret: ValidationSecret;
  private readonly matchers: readonly SanMatcher[];
  private readonly isSpiffe: boolean;
  private readonly hashes: ReadonlySet<string>;
  private readonly publicKeys: ReadonlySet<string>;

  constructor(secret: ValidationSecret, compileRegex: RegexCompiler) {
    this.secret = secret;
    this.isSpiffe = secret.spiffeTrustDomains !== null;
    // SPIFFE says nothing of names of other types, so its validator does not look at them.
    const matchers = this.isSpiffe ? secret.sanMatchers.filter(({ type }) => type === 'URI') : secret.sanMatchers;
    this.matchers = matchers.map((matcher) => new SanMatcher(matcher, compileRegex));
    this.hashes = new Set(this.isSpiffe ? [] : secret.certificateHashes);
    this.publicKeys = new Set(this.isSpiffe ? [] : secret.spkiHashes);
  }

  /** The leaf must have a name or a hash of those configured, so that one which passes `check` is a verified one. */
  get pins(): boolean {
    return this.matchers.length > 0 || this.hashes.size > 0 || this.publicKeys.size > 0;
  }

  /**
   * The SPIFFE validator's look at a leaf before its chain: which trust domain's bundle that must lead to.
   * @returns a domain of `spiffeTrustDomains`, or why there is none
   */
  chooseTrustDomain(leaf: CertificateFacts): string | ValidationFailure {
    const certificate = certificateOf(leaf);
    const authority = keyUsages.keyCertSign | keyUsages.crlSign;
    if (certificate.isAuthority || ((certificate.keyUsage ?? 0) & authority) !== 0) {
      return failure('fail_verify_error', 'cert precheck', leaf, 'may sign other certificates, which no workload may');
    }
    const [uri] = certificate.uris;
    const domain = uri === undefined ? null : trustDomainOfUri(uri);
    const known = this.secret.spiffeTrustDomains ?? {};
    if (domain !== null && Object.hasOwn(known, domain)) return domain;
    const why =
      uri === undefined
        ? 'has no URI name'
        : `has the first URI name '${uri}', which is of no configured trust domain (${Object.keys(known).join(', ')})`;
    return failure('fail_verify_error', 'no trust bundle store', leaf, why);
  }

  /** As `chooseTrustDomain`; null: none. */
  trustDomainOf(leaf: CertificateFacts): string | null {
    const chosen = this.chooseTrustDomain(leaf);
    return typeof chosen === 'string' ? chosen : null;
  }

  /**
   * @param sanOverride `auto_san_validation` and its like: the leaf must have one of these names besides what is configured
   * @param serverName `auto_sni_san_validation`: instead of the configured names it must have this DNS name; empty: not asked
   * @returns null: it may stay
   */
  check(leaf: CertificateFacts, sanOverride: readonly string[], serverName = ''): ValidationFailure | null {
    const certificate = certificateOf(leaf);
    if (this.isSpiffe) return this.checkSpiffeNames(certificate);
    if (sanOverride.length > 0) {
      if (!hasName(certificate, sanOverride)) return wrongOverride(certificate, sanOverride);
    } else if (serverName !== '') {
      if (!certificate.dnsNames.some((name) => matchesDnsName(serverName, name)))
        return wrongNames(certificate, `'${serverName}' (auto_sni_san_validation)`);
      return this.checkHashes(certificate);
    }
    if (this.matchers.length > 0 && !this.matchesNames(certificate))
      return wrongNames(certificate, this.secret.sanMatchers.map(describeMatcher).join(', '));
    return this.checkHashes(certificate);
  }

  private checkSpiffeNames(certificate: Certificate): ValidationFailure | null {
    if (this.matchers.length === 0 || this.matchesNames(certificate)) return null;
    const wanted = this.secret.sanMatchers.filter(({ type }) => type === 'URI').map(describeMatcher);
    return failure('fail_verify_san', 'SAN match', certificate, `has none of the names ${wanted.join(', ')}`);
  }

  private matchesNames({ names }: Certificate): boolean {
    return this.matchers.some((matcher) => names.some((name) => matcher.matches(name)));
  }

  private checkHashes(certificate: Certificate): ValidationFailure | null {
    const { hashes, publicKeys } = this;
    if (hashes.size === 0 && publicKeys.size === 0) return null;
    if (hashes.size > 0 && hashes.has(certificate.sha256)) return null;
    if (publicKeys.size > 0 && publicKeys.has(certificate.spkiSha256)) return null;
    const why = `is not among those that verify_certificate_hash and verify_certificate_spki name: its SHA-256 is ${certificate.sha256}, its public key's ${certificate.spkiSha256}`;
    return failure('fail_verify_cert_hash', 'cert hash and spki', certificate, why);
  }
}

function certificateOf(facts: CertificateFacts): Certificate {
  return facts instanceof Certificate ? facts : readCertificate(facts.der);
}

/** A DNS name may have a wildcard; names of other types are compared letter by letter. */
function hasName({ names }: Certificate, wanted: readonly string[]): boolean {
  return names.some(({ type, value }) =>
    wanted.some((name) => (type === 'DNS' ? matchesDnsName(name, value) : name === value)),
  );
}

function wrongOverride(certificate: Certificate, wanted: readonly string[]): ValidationFailure {
  const reason = `verify SAN list, expected SANs: [${wanted.join(', ')}], certificate SANs: [${shownNames(certificate)}]`;
  return failure('fail_verify_san', reason, certificate, `has none of the names ${wanted.join(', ')}`);
}

function wrongNames(certificate: Certificate, wanted: string): ValidationFailure {
  const reason = `SAN matcher, certificate SANs are [${shownNames(certificate)}]`;
  return failure('fail_verify_san', reason, certificate, `has none of the names ${wanted}`);
}

function failure(
  stat: ValidationFailure['stat'],
  reason: string,
  { subject, serial }: CertificateFacts,
  why: string,
): ValidationFailure {
  return {
    stat,
    reason: `verify cert failed: ${reason}`,
    advice: `the certificate '${subject}' (serial number ${serial}) ${why}`,
  };
}

function shownNames({ names }: Certificate): string {
  return names
    .slice(0, namesShownMax)
    .map(({ value }) => value)
    .join(', ');
}

function describeMatcher({ type, match }: ValidationSecret['sanMatchers'][number]): string {
  return `${type} ${match.kind} '${match.value}'`;
}
