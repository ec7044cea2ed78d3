import type { CertificateFacts } from '../../../core/tls-facts.ts';
import type { Pointer } from '../open-ssl/open-ssl.ts';
import type { HelloFacts } from './client-hello.ts';
import type { Staple } from './staple.ts';

/** One configured certificate, loaded. */
export interface OwnCertificate {
  /** `SSL_CTX` that has this certificate alone. */
  readonly context: Pointer;
  readonly facts: CertificateFacts;
  readonly isEcdsa: boolean;
  /** Its own rule: never presented without a staple to who asks for one. */
  readonly isMustStaple: boolean;
  /** Null: none configured. */
  readonly staple: Staple | null;
}

/**
 * Which of several certificates a client gets: the one that is named exactly, then by a wildcard one level up, of ECDSA
 * where the client takes it (letters are compared as they are); else the first of a key that it takes, or simply the first. Source: Envoy
 * `source/common/tls/default_tls_certificate_selector.cc`.
 */
export class CertificateChoice {
  private readonly all: readonly OwnCertificate[];
  private readonly byName: Map<string, OwnCertificate[]>;
  private readonly fullScan: boolean;

  constructor(all: readonly OwnCertificate[], fullScanOnMismatch: boolean) {
    this.all = all;
    this.byName = new Map();
    this.fullScan = fullScanOnMismatch;
    for (const certificate of all) {
      for (const name of namesOf(certificate.facts)) {
        const same = this.byName.get(name);
        if (same === undefined) this.byName.set(name, [certificate]);
        // Of one name and key the first is taken.
        else if (!same.some(({ isEcdsa }) => isEcdsa === certificate.isEcdsa)) same.push(certificate);
      }
    }
  }

  choose({ serverName, takesEcdsa }: HelloFacts): OwnCertificate {
    const named = serverName === '' ? undefined : this.named(serverName);
    if (named !== undefined) return fitting(named, takesEcdsa) ?? named[0];
    const scans = serverName === '' || this.fullScan;
    return (scans ? fitting(this.all, takesEcdsa) : null) ?? this.all[0];
  }

  private named(serverName: string): readonly OwnCertificate[] | undefined {
    const exact = this.byName.get(serverName);
    if (exact !== undefined) return exact;
    const dot = serverName.indexOf('.');
    return dot < 0 ? undefined : this.byName.get(`*${serverName.slice(dot)}`);
  }
}

function fitting(certificates: readonly OwnCertificate[], takesEcdsa: boolean): OwnCertificate | null {
  const ecdsa = takesEcdsa ? certificates.find(({ isEcdsa }) => isEcdsa) : undefined;
  return ecdsa ?? certificates.find(({ isEcdsa }) => !isEcdsa) ?? null;
}

function namesOf(facts: CertificateFacts): readonly string[] {
  if (facts.dnsNames.length > 0) return facts.dnsNames;
  const common = /(?:^|,)CN=([^,]+)/.exec(facts.subject);
  return common === null ? [] : [common[1]];
}
