import type { CertificateFacts } from '../../core/tls-facts.ts';
import { formatAddress, type Address } from '../../core/peer.ts';
import type { CertificateSecret, ValidationSecret } from '../../identity/secret-data.ts';
import type { UpstreamTlsData } from '../../identity/tls-context-data.ts';
import type { TransportOptions } from '../transport.ts';
import { callbacks } from './context/callbacks.ts';
import { ClientSessions } from './context/client-sessions.ts';
import { KeyLog } from './context/key-log.ts';
import { useCertificate } from './context/own-certificate.ts';
import type { PeerVerifier } from './context/peer-verifier.ts';
import { protocolList } from './context/protocol-list.ts';
import { newSslContext } from './context/ssl-context.ts';
import { trust } from './context/trust.ts';
import { ownFacts } from './handshake/own-facts.ts';
import type { Pointer } from './open-ssl/open-ssl.ts';
import { tlsEngine, type TlsEngine } from './tls-engine.ts';
import type { TlsStats } from './tls-stats.ts';

const Control = { SetServerName: 55, SetSessionCacheMode: 44 } as const;
/** Sessions are ours to keep. */
const clientSessionsElsewhere = 1n | 0x300n;
const verifyPeer = 1;

export interface ClientContextParts {
  readonly data: UpstreamTlsData;
  readonly certificates: readonly CertificateSecret[];
  readonly validation: ValidationSecret | null;
  readonly verifier: PeerVerifier | null;
  readonly stats: TlsStats;
}

/** One generation of a cluster's TLS context. */
export class ClientContext {
  readonly parts: ClientContextParts;
  readonly sessions: ClientSessions;
  readonly keyLog: KeyLog | null;
  readonly local: CertificateFacts | null;
  private readonly engine: TlsEngine;
  private readonly context: Pointer;
  private users: number;
  private isReplaced: boolean;

  /** Throws what is wrong with a secret. */
  constructor(parts: ClientContextParts) {
    this.parts = parts;
    this.engine = tlsEngine();
    this.context = this.newContext();
    const { ssl } = this.engine;
    this.sessions = new ClientSessions(ssl, parts.data.maxSessionKeys);
    this.keyLog = parts.data.keyLog === null ? null : new KeyLog(parts.data.keyLog);
    this.local = parts.certificates.length === 0 ? null : ownFacts(ssl, this.context).facts;
    this.users = 0;
    this.isReplaced = false;
  }

  /** The SNI that a connection sends; empty: none. */
  serverName(wanted: TransportOptions): string {
    return wanted.serverName === '' ? this.parts.data.sni : wanted.serverName;
  }

  /** The DNS name that the server's certificate must have, instead of those configured; empty: not asked. */
  validatedName(wanted: TransportOptions): string {
    return this.parts.data.autoSniSanValidation ? this.serverName(wanted) : '';
  }

  endpoint(address: Address, wanted: TransportOptions): string {
    return `${formatAddress(address)}|${wanted.key}`;
  }

  /** An SSL object that will say ClientHello, and resume where it can. */
  open(address: Address, wanted: TransportOptions): Pointer {
    const { ssl } = this.engine;
    const opened = this.engine.open(this.context);
    ssl.SSL_set_connect_state(opened);
    const serverName = this.serverName(wanted);
    if (serverName !== '') {
      const text = Buffer.from(`${serverName}\0`, 'latin1');
      ssl.SSL_ctrl(opened, Control.SetServerName, 0n, ssl.addressOf(text));
    }
    const protocols = this.protocols(wanted);
    if (protocols.length > 0) {
      const list = protocolList(protocols);
      ssl.SSL_set_alpn_protos(opened, list, list.length);
    }
    const session = this.sessions.take(this.endpoint(address, wanted));
    if (session !== 0n) {
      ssl.SSL_set_session(opened, session);
      ssl.SSL_SESSION_free(session);
    }
    return opened;
  }

  /** Somebody dials with it, or has a connection: the context stays, whatever replaces it. */
  use(): void {
    this.users++;
  }

  unuse(): void {
    this.users--;
    this.closeWhenUnused();
  }

  replaced(): void {
    this.isReplaced = true;
    this.sessions.close();
    this.closeWhenUnused();
  }

  /** Sessions that come after it was replaced belong to what no longer holds. */
  get keepsSessions(): boolean {
    return !this.isReplaced;
  }

  private protocols(wanted: TransportOptions): readonly string[] {
    if (wanted.applicationProtocols.length > 0) return wanted.applicationProtocols;
    const { alpn } = this.parts.data;
    return alpn.length > 0 ? alpn : wanted.applicationProtocolsFallback;
  }

  private closeWhenUnused(): void {
    if (!this.isReplaced || this.users > 0) return;
    this.engine.ssl.SSL_CTX_free(this.context);
    this.parts.verifier?.close();
    this.keyLog?.close();
  }

  private newContext(): Pointer {
    const { ssl } = this.engine;
    const { data, certificates, validation } = this.parts;
    const context = newSslContext(ssl, data, false, false, data.allowRenegotiation);
    try {
      for (const secret of certificates) useCertificate(ssl, context, secret);
      if (validation !== null) trust(ssl, context, validation, false);
      const asked = callbacks();
      // Asked in any case: what is not to be checked, the callback lets pass.
      ssl.SSL_CTX_set_verify(context, verifyPeer, 0n);
      ssl.SSL_CTX_set_cert_verify_callback(context, asked.verifyPeer, 0n);
      if (data.keyLog !== null) ssl.SSL_CTX_set_keylog_callback(context, asked.logKey);
      if (data.maxSessionKeys > 0) {
        ssl.SSL_CTX_ctrl(context, Control.SetSessionCacheMode, clientSessionsElsewhere, 0n);
        ssl.SSL_CTX_sess_set_new_cb(context, asked.newSession);
      }
      return context;
    } catch (error) {
      ssl.SSL_CTX_free(context);
      throw error;
    }
  }
}
