import type {
  CertificateSecret,
  SecretData,
  SecretRef,
  TicketKeysSecret,
  ValidationSecret,
} from '../../identity/secret-data.ts';
import type { SecretStore, SecretWatcher } from '../../identity/secret-store.ts';
import type { CommonTlsData, DownstreamTlsData, UpstreamTlsData } from '../../identity/tls-context-data.ts';

/** What a context is made of, all of it there. */
export interface GatheredSecrets {
  readonly certificates: readonly CertificateSecret[];
  readonly validation: ValidationSecret | null;
  readonly ticketKeys: TicketKeysSecret | null;
}

/** The secrets that a TLS context names, as they are now. */
export class SecretSet {
  private readonly data: CommonTlsData;
  private readonly ticketKeys: SecretRef<TicketKeysSecret> | null;
  private readonly store: SecretStore;

  constructor(data: DownstreamTlsData | UpstreamTlsData, store: SecretStore) {
    this.data = data;
    this.ticketKeys = 'ticketKeys' in data ? data.ticketKeys : null;
    this.store = store;
  }

  /** Null: one has not come yet. */
  gather(): GatheredSecrets | null {
    const certificates: CertificateSecret[] = [];
    for (const ref of this.data.certificates) {
      const secret = this.resolve(ref);
      if (secret === null) return null;
      certificates.push(secret);
    }
    const ticketKeys = this.ticketKeys === null ? null : this.resolve(this.ticketKeys);
    if (this.ticketKeys !== null && ticketKeys === null) return null;
    const { validation } = this.data;
    if (validation === null) return { certificates, validation: null, ticketKeys };
    if (validation.secret === null) return { certificates, validation: validation.base, ticketKeys };
    const brought = this.resolve(validation.secret);
    if (brought === null) return null;
    return { certificates, validation: merged(validation.base, brought), ticketKeys };
  }

  watch(watcher: SecretWatcher): void {
    for (const key of this.keys()) this.store.watch(key, watcher);
  }

  unwatch(watcher: SecretWatcher): void {
    for (const key of this.keys()) this.store.unwatch(key, watcher);
  }

  private keys(): string[] {
    const refs: (SecretRef<SecretData> | null | undefined)[] = [
      ...this.data.certificates,
      this.ticketKeys,
      this.data.validation?.secret,
    ];
    return refs.flatMap((ref) => (ref === null || ref === undefined || ref.inline !== null ? [] : [ref.key]));
  }

  private resolve<Secret extends SecretData>(ref: SecretRef<Secret>): Secret | null {
    return ref.inline ?? (this.store.get(ref.key) as Secret | null);
  }
}

/** combined_validation_context: what SDS brings is merged into the default as protobuf merges. */
function merged(base: ValidationSecret | null, brought: ValidationSecret): ValidationSecret {
  if (base === null) return brought;
  const hasCa = brought.trustedCaPem !== '';
  const hasCrl = brought.crlPem !== '';
  return {
    kind: 'validation',
    trustedCaPem: hasCa ? brought.trustedCaPem : base.trustedCaPem,
    trustedCaOrigin: hasCa ? brought.trustedCaOrigin : base.trustedCaOrigin,
    crlPem: hasCrl ? brought.crlPem : base.crlPem,
    crlOrigin: hasCrl ? brought.crlOrigin : base.crlOrigin,
    sanMatchers: [...base.sanMatchers, ...brought.sanMatchers],
    certificateHashes: [...base.certificateHashes, ...brought.certificateHashes],
    spkiHashes: [...base.spkiHashes, ...brought.spkiHashes],
    allowExpired: base.allowExpired || brought.allowExpired,
    acceptUntrusted: base.acceptUntrusted || brought.acceptUntrusted,
    onlyVerifyLeafCrl: base.onlyVerifyLeafCrl || brought.onlyVerifyLeafCrl,
    maxVerifyDepth: brought.maxVerifyDepth ?? base.maxVerifyDepth,
    requireSignedCertificateTimestamp:
      base.requireSignedCertificateTimestamp || brought.requireSignedCertificateTimestamp,
    spiffeTrustDomains: brought.spiffeTrustDomains ?? base.spiffeTrustDomains,
    suppressClientCaList: base.suppressClientCaList === true || brought.suppressClientCaList === true,
  };
}
