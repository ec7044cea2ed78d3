/** A thread's certificates of workloads: those that there are lie in its SecretStore. */
export interface CertificateSource {
  /** The store has one that is good. */
  has(identity: string): boolean;
  /** Asks for one, ahead of those that nobody waits for. `ready` hears an empty problem, or why there is none; later. */
  request(identity: string, ready: (problem: string) => void): void;
}

/** Keys in the SecretStore. */
export function certificateKey(identity: string): string {
  return `certificate:${identity}`;
}

/** Whom its clients may be: of its own trust domain. */
export function clientsKey(identity: string): string {
  return `clients:${identity}`;
}

/** Whom its servers may be signed by. */
export function rootsKey(identity: string): string {
  return `roots:${identity}`;
}
