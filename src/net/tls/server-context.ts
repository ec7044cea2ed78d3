import type { Failure } from '../../core/failure.ts';
import { DownstreamLocalClose, DownstreamTransportFailure } from '../../core/failures.ts';
import type { CertificateFacts } from '../../core/tls-facts.ts';
import type { CertificateSecret, ValidationSecret } from '../../identity/secret-data.ts';
import { clientCertificateDemand } from '../../identity/trust.ts';
import { stapleOf } from './context/staple.ts';
import type { DownstreamTlsData } from '../../identity/tls-context-data.ts';
import { callbacks } from './context/callbacks.ts';
import { CertificateChoice, type OwnCertificate } from './context/certificate-choice.ts';
import { readHello } from './context/client-hello.ts';
import { KeyLog } from './context/key-log.ts';
import { useCertificate } from './context/own-certificate.ts';
import { verifyModes, type PeerVerifier } from './context/peer-verifier.ts';
import { sessionIdentity } from './context/session-identity.ts';
import { ticketCallback } from './context/session-tickets.ts';
import { newSslContext, ownOrder } from './context/ssl-context.ts';
import { trust } from './context/trust.ts';
import type { Handshake } from './handshake/handshake.ts';
import { failureText, resetText } from './handshake/failure-text.ts';
import { failedFacts, handshakeFacts, negotiatedAlpn, peerSignature } from './handshake/handshake-facts.ts';
import { handshakeQueue, type HandshakeQueue } from './handshake/handshake-queue.ts';
import { ownFacts } from './handshake/own-facts.ts';
import type { Pointer } from './open-ssl/open-ssl.ts';
import type { TlsConnection } from './tls-connection.ts';
import { tlsEngine, type TlsEngine } from './tls-engine.ts';
import type { TlsStats } from './tls-stats.ts';
import type { TlsLog, TlsTurns } from './tls-tools.ts';

const Control = { SetStatusCallback: 63, SetSessionCacheMode: 44 } as const;
const SessionCache = { Off: 0n, Server: 2n } as const;
const noTickets = 1n << 14n;
/** Alert. */
const handshakeFailure = 40;
const KeyTypeEc = 408;

/** What a server's context is made of: the configuration, and its secrets as they are now. */
export interface ServerContextParts {
  readonly data: DownstreamTlsData;
  readonly certificates: readonly CertificateSecret[];
  readonly validation: ValidationSecret | null;
  readonly verifier: PeerVerifier | null;
  readonly ticketKeys: readonly Uint8Array[];
  readonly stats: TlsStats;
  readonly turns: TlsTurns;
  readonly log: TlsLog;
}

/** One generation of a listener's TLS context. Handshakes that began on it end on it, whatever comes after. */
export class ServerContext implements Handshake {
  readonly isClient: boolean;
  readonly ticketKeys: readonly Uint8Array[];
  private readonly parts: ServerContextParts;
  private readonly engine: TlsEngine;
  private readonly queue: HandshakeQueue;
  private readonly own: readonly OwnCertificate[];
  private readonly choice: CertificateChoice;
  private readonly keyLog: KeyLog | null;
  private shaking: number;
  private isReplaced: boolean;

  /** Throws what is wrong with a secret. */
  constructor(parts: ServerContextParts) {
    this.isClient = false;
    this.ticketKeys = parts.ticketKeys;
    this.parts = parts;
    this.engine = tlsEngine();
    this.queue = handshakeQueue(parts.turns);
    const made: OwnCertificate[] = [];
    try {
      for (const secret of parts.certificates) made.push(this.newContext(secret));
    } catch (error) {
      for (const { context } of made) this.engine.ssl.SSL_CTX_free(context);
      throw error;
    }
    this.own = made;
    this.choice = new CertificateChoice(made, parts.data.fullScanCertsOnSniMismatch);
    this.keyLog = parts.data.keyLog === null ? null : new KeyLog(parts.data.keyLog);
    this.shaking = 0;
    this.isReplaced = false;
  }

  /** Too many clients are at their handshakes already. */
  get isFull(): boolean {
    return this.queue.isFull;
  }

  /**
   * What is agreed on with a client that offers these; empty: nothing. Known before the handshake is over, as in Envoy: a
   * server that speaks first is heard by then.
   */
  protocolFor(offered: readonly string[]): string {
    return this.parts.data.alpn.find((protocol) => offered.includes(protocol)) ?? '';
  }

  /** An SSL object that waits for a ClientHello. */
  open(): Pointer {
    const { ssl } = this.engine;
    const opened = this.engine.open(this.own[0].context);
    ssl.SSL_set_accept_state(opened);
    this.shaking++;
    this.queue.began();
    return opened;
  }

  /** Another generation takes the next connections. */
  replaced(): void {
    this.isReplaced = true;
    this.closeWhenDone();
  }

  // Handshake

  mayWork(connection: TlsConnection): boolean {
    return this.queue.mayWork(connection);
  }

  spent(ms: number): void {
    this.queue.spent(ms);
  }

  onSecured(connection: TlsConnection): void {
    const { ssl } = this.engine;
    const { peer } = connection;
    const handle = connection.ssl;
    peer.alpn = negotiatedAlpn(ssl, handle);
    const handshakeMs = this.parts.turns.clock.now - connection.openedMs;
    const facts = handshakeFacts(ssl, handle, handshakeMs, peer.isVerified, true, this.localOf(handle));
    peer.tls = facts;
    this.parts.stats.secured(facts, peerSignature(ssl, handle));
    this.done();
  }

  onFailed(connection: TlsConnection, errors: string, closed?: Failure): Failure {
    const { stats } = this.parts;
    connection.peer.transportFailureReason = errors === '' ? resetText(closed) : errors;
    this.tellFailure(connection, errors);
    if (errors.includes(':WRONG_VERSION_NUMBER:')) connection.raw.write(protocolVersionAlert.slice());
    if (errors !== '') {
      stats.failed(errors);
      this.parts.log.debug(failureText(connection, errors));
    }
    this.done();
    return DownstreamTransportFailure.with(errors === '' ? resetText(closed) : errors);
  }

  onTimeout(connection: TlsConnection): Failure {
    this.tellFailure(connection, '');
    this.parts.stats.timedOut();
    this.done();
    return DownstreamLocalClose.with('transport socket timeout was reached');
  }

  onAbandoned(): void {
    this.done();
  }

  onBroken(): void {
    this.parts.stats.count('connection_error');
  }

  onOver(): void {}

  // HandshakeQuestions

  selectProtocol(connection: TlsConnection, offered: readonly string[]): number {
    const { peer } = connection;
    peer.alpn = this.protocolFor(offered);
    return offered.indexOf(peer.alpn);
  }

  verifyPeer(connection: TlsConnection, store: Pointer): boolean {
    return this.parts.verifier?.verify(connection, store, noNames, '') ?? true;
  }

  onClientHello(connection: TlsConnection): number {
    const { ssl } = this.engine;
    const hello = readHello(ssl, connection.ssl);
    if (hello.isTls13) ssl.SSL_clear_options(connection.ssl, ownOrder);
    const chosen = this.choice.choose(hello);
    if (chosen !== this.own[0]) ssl.SSL_set_SSL_CTX(connection.ssl, chosen.context);
    return !hello.asksForStaple || this.maySendStaple(chosen) ? 0 : handshakeFailure;
  }

  /** False: without a staple this certificate is not presented. */
  private maySendStaple(chosen: OwnCertificate): boolean {
    const { stats, data, turns } = this.parts;
    stats.count('ocsp_staple_requests');
    if (chosen.staple?.isFresh(turns.clock.epochMs) === true) return true;
    const policy = chosen.isMustStaple ? 'MUST_STAPLE' : data.ocspStaplePolicy;
    if (policy === 'LENIENT_STAPLING' || (policy === 'STRICT_STAPLING' && chosen.staple === null)) {
      stats.count('ocsp_staple_omitted');
      return true;
    }
    stats.count('ocsp_staple_failed');
    return false;
  }

  staple(connection: TlsConnection): Uint8Array | null {
    const staple = this.chosenBy(connection.ssl)?.staple ?? null;
    if (staple === null || !staple.isFresh(this.parts.turns.clock.epochMs)) return null;
    this.parts.stats.count('ocsp_staple_responses');
    return staple.response;
  }

  logKey(connection: TlsConnection, line: string): void {
    this.keyLog?.log(connection.peer, line);
  }

  keepSession(): boolean {
    return false;
  }

  private tellFailure(connection: TlsConnection, errors: string): void {
    const local = this.chosenBy(connection.ssl)?.facts ?? null;
    const facts = failedFacts(this.engine.ssl, connection, local);
    // OpenSSL has chosen these before it looks for a signature, BoringSSL after.
    const isEarly = errors.includes(':NO_COMMON_SIGNATURE_ALGORITHMS:');
    connection.peer.tls = isEarly ? { ...facts, cipher: '', group: '' } : facts;
  }

  private chosenBy(handle: Pointer): OwnCertificate | null {
    const context = this.engine.ssl.SSL_get_SSL_CTX(handle);
    return this.own.find((own) => own.context === context) ?? null;
  }

  private localOf(handle: Pointer): CertificateFacts | null {
    return this.chosenBy(handle)?.facts ?? null;
  }

  private done(): void {
    this.shaking--;
    this.queue.ended();
    this.closeWhenDone();
  }

  private closeWhenDone(): void {
    // A handshake may still choose another certificate's context; connections hold their own.
    if (!this.isReplaced || this.shaking > 0) return;
    for (const { context } of this.own) this.engine.ssl.SSL_CTX_free(context);
    this.parts.verifier?.close();
    this.keyLog?.close();
  }

  private newContext(secret: CertificateSecret): OwnCertificate {
    const { ssl } = this.engine;
    const { data, validation } = this.parts;
    const context = newSslContext(ssl, data, true, !data.preferClientCiphers, false);
    try {
      useCertificate(ssl, context, secret);
      if (validation !== null) trust(ssl, context, validation, true);
      const demand = clientCertificateDemand(validation, data.requireClientCertificate);
      ssl.SSL_CTX_set_verify(context, verifyModes[demand], 0n);
      const asked = callbacks();
      ssl.SSL_CTX_set_cert_verify_callback(context, asked.verifyPeer, 0n);
      if (data.alpn.length > 0) ssl.SSL_CTX_set_alpn_select_cb(context, asked.selectProtocol, 0n);
      if (data.keyLog !== null) ssl.SSL_CTX_set_keylog_callback(context, asked.logKey);
      ssl.SSL_CTX_set_client_hello_cb(context, asked.clientHello, 0n);
      if (secret.ocspStaple !== null) ssl.SSL_CTX_callback_ctrl(context, Control.SetStatusCallback, asked.staple);
      this.setSessions(context);
      const { facts, keyType } = ownFacts(ssl, context);
      return {
        context,
        facts,
        isEcdsa: keyType === KeyTypeEc,
        isMustStaple: facts.isMustStaple,
        staple: secret.ocspStaple === null ? null : stapleOf(secret.ocspStaple),
      };
    } catch (error) {
      ssl.SSL_CTX_free(context);
      throw error;
    }
  }

  private setSessions(context: Pointer): void {
    const { ssl } = this.engine;
    const { data } = this.parts;
    const identity = sessionIdentity(this.parts);
    ssl.SSL_CTX_set_session_id_context(context, identity, identity.length);
    const cache = data.statefulResumption ? SessionCache.Server : SessionCache.Off;
    ssl.SSL_CTX_ctrl(context, Control.SetSessionCacheMode, cache, 0n);
    if (data.sessionTimeoutSeconds > 0) ssl.SSL_CTX_set_timeout(context, BigInt(data.sessionTimeoutSeconds));
    if (data.statelessResumption) {
      ssl.SSL_CTX_set_num_tickets(context, 1n);
      ssl.SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticketCallback());
    } else {
      ssl.SSL_CTX_set_options(context, noTickets);
      ssl.SSL_CTX_set_num_tickets(context, 0n);
    }
  }
}

const noNames: readonly string[] = [];

/** Fatal, protocol_version: what BoringSSL says to those who do not speak TLS at all, where OpenSSL says nothing. */
const protocolVersionAlert = Uint8Array.of(21, 3, 1, 0, 2, 2, 70);
