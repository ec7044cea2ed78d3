import type { Connection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { ConnectionTimeout, RemoteConnectionFailure } from '../../core/failures.ts';
import type { Address } from '../../core/peer.ts';
import type { DialHandler, Dialing, DialOptions } from '../network.ts';
import type { TransportOptions } from '../transport.ts';
import type { ClientContext } from './client-context.ts';
import type { Handshake } from './handshake/handshake.ts';
import { failureText, resetText } from './handshake/failure-text.ts';
import { failedFacts, handshakeFacts, negotiatedAlpn, peerSignature } from './handshake/handshake-facts.ts';
import type { Pointer } from './open-ssl/open-ssl.ts';
import { TlsConnection } from './tls-connection.ts';
import { tlsEngine } from './tls-engine.ts';
import { TlsPeer } from './tls-peer.ts';
import type { TlsTools } from './tls-tools.ts';

const noKeys: readonly Uint8Array[] = [];
const keyUsageIsWrong = 'KEY_USAGE_BIT_INCORRECT';

/** One attempt to open a connection with TLS: the transport first, then the handshake, both within the connect timeout. */
export class TlsDialing implements Dialing, DialHandler, Handshake {
  readonly isClient: boolean;
  readonly ticketKeys: readonly Uint8Array[];
  private readonly context: ClientContext;
  private readonly tools: TlsTools;
  private readonly address: Address;
  private readonly wanted: TransportOptions;
  private readonly startedMs: number;
  private readonly deadlineMs: number;
  private handler: DialHandler | null;
  private transport: Dialing | null;
  private connection: TlsConnection | null;

  constructor(
    context: ClientContext,
    tools: TlsTools,
    address: Address,
    options: DialOptions,
    wanted: TransportOptions,
    handler: DialHandler,
  ) {
    this.isClient = true;
    this.ticketKeys = noKeys;
    this.context = context;
    this.tools = tools;
    this.address = address;
    this.wanted = wanted;
    this.startedMs = tools.turns.clock.now;
    this.deadlineMs = this.startedMs + options.connectTimeoutMs;
    this.handler = handler;
    this.connection = null;
    this.transport = null;
    context.use();
    this.transport = tools.network.dial(address, options, this);
  }

  cancel(): void {
    if (this.handler === null) return;
    this.handler = null;
    if (this.connection === null) this.context.unuse();
    this.transport?.cancel();
    this.connection?.destroy(RemoteConnectionFailure);
  }

  // DialHandler: of the transport

  onConnected(raw: Connection): void {
    const { context, tools } = this;
    this.transport = null;
    const peer = new TlsPeer(raw.peer, context.serverName(this.wanted));
    const handle = context.open(this.address, this.wanted);
    this.connection = new TlsConnection(tlsEngine(), raw, handle, peer, this, tools.turns);
    tools.turns.timers.schedule(this.connection, this.deadlineMs);
    this.connection.begin();
  }

  onDialFailure(failure: Failure): void {
    this.transport = null;
    this.context.unuse();
    this.take()?.onDialFailure(failure);
  }

  // Handshake

  mayWork(): boolean {
    return true;
  }

  spent(): void {}

  onSecured(connection: TlsConnection): void {
    const { ssl } = tlsEngine();
    const { context, tools } = this;
    const { peer } = connection;
    peer.alpn = negotiatedAlpn(ssl, connection.ssl);
    const handshakeMs = tools.turns.clock.now - connection.openedMs;
    const facts = handshakeFacts(ssl, connection.ssl, handshakeMs, peer.isVerified, false, context.local);
    peer.tls = facts;
    context.parts.stats.secured(facts, peerSignature(ssl, connection.ssl));
    this.take()?.onConnected(connection);
  }

  onFailed(connection: TlsConnection, errors: string, closed?: Failure): Failure {
    connection.peer.tls = failedFacts(tlsEngine().ssl, connection, this.context.local);
    if (errors !== '') {
      this.context.parts.stats.failed(errors);
      this.tools.log.debug(failureText(connection, errors));
    }
    const failure = RemoteConnectionFailure.with(errors === '' ? resetText(closed) : this.textOf(connection, errors));
    this.take()?.onDialFailure(failure);
    return failure;
  }

  onTimeout(): Failure {
    this.take()?.onDialFailure(ConnectionTimeout);
    return ConnectionTimeout;
  }

  onAbandoned(): void {}

  onBroken(): void {
    this.context.parts.stats.count('connection_error');
  }

  onOver(): void {
    this.context.unuse();
  }

  // HandshakeQuestions

  selectProtocol(): number {
    return -1;
  }

  verifyPeer(connection: TlsConnection, store: Pointer): boolean {
    const { verifier, data, stats } = this.context.parts;
    if (verifier === null) return true;
    const names = this.wanted.subjectAltNames;
    const serverName = this.context.validatedName(this.wanted);
    const checks = verifier.checks || names.length > 0 || serverName !== '';
    if (checks && !verifier.verify(connection, store, names, serverName)) return false;
    if (verifier.allowsSigning(store)) return true;
    stats.count('was_key_usage_invalid');
    if (!data.enforceRsaKeyUsage) return true;
    connection.peer.verification = keyUsageIsWrong;
    return false;
  }

  onClientHello(): number {
    return 0;
  }

  staple(): Uint8Array | null {
    return null;
  }

  logKey(connection: TlsConnection, line: string): void {
    this.context.keyLog?.log(connection.peer, line);
  }

  keepSession(_: TlsConnection, session: Pointer): boolean {
    const { context } = this;
    return context.keepsSessions && context.sessions.keep(context.endpoint(this.address, this.wanted), session);
  }

  private textOf({ peer }: TlsConnection, errors: string): string {
    if (peer.verification === keyUsageIsWrong) return keyUsageError;
    // BoringSSL adds whether the server has said anything before.
    return peer.tls?.cipher === ''
      ? errors.replace(/\|[0-9]+:[^|]*:SSLV3_ALERT_HANDSHAKE_FAILURE/, `$&${onClientHello}`)
      : errors;
  }

  /** The handler hears exactly one thing. */
  private take(): DialHandler | null {
    const { handler } = this;
    this.handler = null;
    return handler;
  }
}

const onClientHello = '|268435610:SSL routines:OPENSSL_internal:HANDSHAKE_FAILURE_ON_CLIENT_HELLO';
const keyUsageError = 'TLS_error:|268435617:SSL routines:OPENSSL_internal:KEY_USAGE_BIT_INCORRECT:TLS_error_end';
