import type { SecretStore } from '../../identity/secret-store.ts';
import { certificateKey, clientsKey, rootsKey, type CertificateSource } from '../certificates/certificate-source.ts';
import { certificateSecret, trustSecret } from '../certificates/identity-tls.ts';
import type { IdentityMessage } from './thread-messages.ts';

/** A thread's certificates: the main thread has them made, and tells each thread of each. */
export class ThreadCertificates implements CertificateSource {
  private readonly secrets: SecretStore;
  private readonly ask: (identity: string) => void;
  private readonly waiting: Map<string, ((problem: string) => void)[]>;

  constructor(secrets: SecretStore, ask: (identity: string) => void) {
    this.secrets = secrets;
    this.ask = ask;
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

  set({ identity, trustDomain, chain, key, roots }: IdentityMessage): void {
    // The certificate last: whoever has it has what it needs.
    this.secrets.set(rootsKey(identity), trustSecret(roots, identity));
    this.secrets.set(clientsKey(identity), trustSecret(roots, identity, trustDomain));
    this.secrets.set(certificateKey(identity), certificateSecret(chain, key, identity));
    this.tell(identity, '');
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
