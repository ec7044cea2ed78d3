import type { RevokedCertificates } from '../../identity/revocation-list.ts';
import type { SecretStore } from '../../identity/secret-store.ts';
import { certificateKey, clientsKey, rootsKey, type CertificateSource } from '../certificates/certificate-source.ts';
import { certificateSecret, trustSecret } from '../certificates/identity-tls.ts';
import type { IdentityMessage } from './thread-messages.ts';

/** A thread's certificates: the main thread has them made, and tells each thread of each. */
export class ThreadCertificates implements CertificateSource {
  private readonly secrets: SecretStore;
  private readonly ask: (identity: string) => void;
  /** That were given, to be trusted anew when others are revoked. */
  private readonly known: Map<string, IdentityMessage>;
  private revoked: RevokedCertificates | undefined;
  private readonly waiting: Map<string, ((problem: string) => void)[]>;

  constructor(secrets: SecretStore, ask: (identity: string) => void) {
    this.secrets = secrets;
    this.ask = ask;
    this.known = new Map();
    this.revoked = undefined;
    this.waiting = new Map();
  }

  has(identity: string): boolean {
    return this.secrets.get(certificateKey(identity)) !== null;
  }

  request(identity: string, ready: (problem: string) => void): void {
    const waiting = this.waiting.get(identity);
    if (waiting !== undefined) {
      waiting.push(ready);
      return;
    }
    this.waiting.set(identity, [ready]);
    this.ask(identity);
  }

  set(message: IdentityMessage): void {
    const { identity, chain, key } = message;
    this.known.set(identity, message);
    // The certificate last: whoever has it has what it needs.
    this.trust(message);
    this.secrets.set(certificateKey(identity), certificateSecret(chain, key, identity));
    this.tell(identity, '');
  }

  /** Nobody who has one of these is trusted from now on. */
  revoke(revoked: RevokedCertificates): void {
    this.revoked = revoked;
    for (const message of this.known.values()) this.trust(message);
  }

  private trust({ identity, trustDomain, roots }: IdentityMessage): void {
    this.secrets.set(rootsKey(identity), trustSecret(roots, identity, '', this.revoked));
    this.secrets.set(clientsKey(identity), trustSecret(roots, identity, trustDomain, this.revoked));
  }

  failed(identity: string, problem: string): void {
    this.tell(identity, problem);
  }

  private tell(identity: string, problem: string): void {
    const waiting = this.waiting.get(identity) ?? [];
    this.waiting.delete(identity);
    for (const ready of waiting) ready(problem);
  }
}
