import type { OpenSsl, Pointer } from '../open-ssl/open-ssl.ts';

/** Endpoints that sessions are kept for; the longest unused goes. */
const endpointsMax = 1024;

/** On the wire. */
const tls13 = 0x0304;

/**
 * Sessions that servers offered to resume, by endpoint and by what was asked of it. One of TLS 1.3 is used once (RFC 8446
 * appendix C.4), so that connections cannot be linked to each other; up to TLS 1.2 no new one comes with its use.
 */
export class ClientSessions {
  private readonly ssl: OpenSsl;
  private readonly perEndpoint: number;
  private readonly sessions: Map<string, Pointer[]>;

  /** `perEndpoint`: max_session_keys; 0: none are kept. */
  constructor(ssl: OpenSsl, perEndpoint: number) {
    this.ssl = ssl;
    this.perEndpoint = perEndpoint;
    this.sessions = new Map();
  }

  /** Takes over the reference to `session` when it says true. */
  keep(endpoint: string, session: Pointer): boolean {
    if (this.perEndpoint === 0) return false;
    const kept = this.sessions.get(endpoint) ?? [];
    kept.push(session);
    if (kept.length > this.perEndpoint) this.ssl.SSL_SESSION_free(kept.shift()!);
    this.sessions.delete(endpoint);
    this.sessions.set(endpoint, kept);
    if (this.sessions.size > endpointsMax) this.drop(this.sessions.keys().next().value!);
    return true;
  }

  /** 0n: none. The caller frees it. */
  take(endpoint: string): Pointer {
    const kept = this.sessions.get(endpoint);
    const session = kept?.at(-1) ?? 0n;
    if (session === 0n) return session;
    if (this.ssl.SSL_SESSION_get_protocol_version(session) < tls13) {
      this.ssl.SSL_SESSION_up_ref(session);
      return session;
    }
    kept!.pop();
    if (kept!.length === 0) this.sessions.delete(endpoint);
    return session;
  }

  close(): void {
    for (const endpoint of this.sessions.keys()) this.drop(endpoint);
  }

  private drop(endpoint: string): void {
    for (const session of this.sessions.get(endpoint) ?? []) this.ssl.SSL_SESSION_free(session);
    this.sessions.delete(endpoint);
  }
}
