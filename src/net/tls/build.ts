import type { Connection } from '../../core/connection.ts';
import { DownstreamTransportFailure, RemoteConnectionFailure } from '../../core/failures.ts';
import type { Address } from '../../core/peer.ts';
import { PeerValidation } from '../../identity/peer-validation.ts';
import type { ValidationSecret } from '../../identity/secret-data.ts';
import { problemWithoutRoots } from '../../identity/trust.ts';
import type { SecretWatcher } from '../../identity/secret-store.ts';
import type { DownstreamTlsData, UpstreamTlsData } from '../../identity/tls-context-data.ts';
import type { DialHandler, Dialing, DialOptions } from '../network.ts';
import type { DownstreamTransport, TransportOptions, UpstreamTransport } from '../transport.ts';
import { ClientContext } from './client-context.ts';
import { PeerVerifier } from './context/peer-verifier.ts';
import { SecretSet } from './secret-set.ts';
import { ServerContext } from './server-context.ts';
import { TlsConnection } from './tls-connection.ts';
import { TlsDialing } from './tls-dialing.ts';
import { tlsEngine } from './tls-engine.ts';
import { TlsPeer } from './tls-peer.ts';
import { TlsStats } from './tls-stats.ts';
import type { TlsTools } from './tls-tools.ts';

/** Where no transport_socket_connect_timeout is configured. Envoy waits for ever: a client that says nothing holds a connection. */
const handshakeMsMax = 60_000;

const secretMissing = 'TLS_error: Secret is not supplied by SDS';

/** Throws what is wrong with a secret that is there. */
export function buildDownstreamTls(data: DownstreamTlsData, tools: TlsTools): DownstreamTransport {
  return new TlsServerTransport(data, tools);
}

/** Throws what is wrong with a secret that is there. */
export function buildUpstreamTls(data: UpstreamTlsData, tools: TlsTools): UpstreamTransport {
  return new TlsClientTransport(data, tools);
}

/** Null as well where the secrets do not make a context: what was there stays. */
function orKept<Context>(build: () => Context | null, { log }: TlsTools): Context | null {
  try {
    return build();
  } catch (error) {
    log.warn(`a TLS context stays as it was, for its secrets are of no use now: ${(error as Error).message}`);
    return null;
  }
}

function newVerifier(validation: ValidationSecret | null, stats: TlsStats, tools: TlsTools): PeerVerifier | null {
  if (validation === null) return null;
  const problem = problemWithoutRoots(validation);
  if (problem !== '') throw new Error(problem);
  return new PeerVerifier(tlsEngine().ssl, validation, new PeerValidation(validation, tools.compileRegex), stats);
}

class TlsServerTransport implements DownstreamTransport, SecretWatcher {
  private readonly data: DownstreamTlsData;
  private readonly tools: TlsTools;
  private readonly stats: TlsStats;
  private readonly secrets: SecretSet;
  /** Null: a secret has not come yet. */
  private context: ServerContext | null;

  constructor(data: DownstreamTlsData, tools: TlsTools) {
    this.data = data;
    this.tools = tools;
    this.stats = new TlsStats(tools.scope, 'downstream');
    this.secrets = new SecretSet(data, tools.secrets);
    this.context = this.build();
    this.secrets.watch(this);
  }

  accept(raw: Connection, handshakeTimeoutMs: number): Connection {
    const { context, tools } = this;
    if (context === null) {
      this.stats.secretsNotReady();
      return this.refuse(raw, secretMissing);
    }
    if (context.isFull) return this.refuse(raw, 'too many handshakes are under way');
    const peer = new TlsPeer(raw.peer, raw.peer.serverName);
    peer.alpn = context.protocolFor(raw.peer.applicationProtocols);
    const connection = new TlsConnection(tlsEngine(), raw, context.open(), peer, context, tools.turns);
    tools.turns.timers.schedule(connection, tools.turns.clock.now + (handshakeTimeoutMs || handshakeMsMax));
    connection.begin();
    return connection;
  }

  onSecretChanged(): void {
    const before = this.context;
    const next = this.rebuilt();
    if (next === null) return;
    this.context = next;
    before?.replaced();
    if (this.tools.countsUpdates) this.stats.updatedBySecrets();
  }

  release(): void {
    this.secrets.unwatch(this);
    this.context?.replaced();
    this.context = null;
  }

  /** Whoever gets it attaches first. */
  private refuse(raw: Connection, why: string): Connection {
    this.tools.turns.markDirty({ flush: () => raw.destroy(DownstreamTransportFailure.with(why)) });
    return raw;
  }

  private rebuilt(): ServerContext | null {
    return orKept(() => this.build(), this.tools);
  }

  private build(): ServerContext | null {
    const gathered = this.secrets.gather();
    if (gathered === null) return null;
    const { certificates, validation, ticketKeys } = gathered;
    return new ServerContext({
      data: this.data,
      certificates,
      validation,
      verifier: newVerifier(validation, this.stats, this.tools),
      ticketKeys: ticketKeys?.keys ?? this.tools.ticketKeys,
      stats: this.stats,
      turns: this.tools.turns,
      log: this.tools.log,
    });
  }
}

const nobody: Dialing = { cancel() {} };

class TlsClientTransport implements UpstreamTransport, SecretWatcher {
  readonly isSecure: boolean;
  private readonly data: UpstreamTlsData;
  private readonly tools: TlsTools;
  private readonly stats: TlsStats;
  private readonly secrets: SecretSet;
  private context: ClientContext | null;
  private isReleased: boolean;

  constructor(data: UpstreamTlsData, tools: TlsTools) {
    this.isSecure = true;
    this.data = data;
    this.tools = tools;
    this.stats = new TlsStats(tools.scope, 'upstream');
    this.secrets = new SecretSet(data, tools.secrets);
    this.isReleased = false;
    this.context = this.build();
    this.secrets.watch(this);
  }

  dial(address: Address, options: DialOptions, wanted: TransportOptions, handler: DialHandler): Dialing {
    // A request that waits for its retry may come after the cluster has gone.
    const context = this.context ?? (this.isReleased ? this.rebuilt() : null);
    if (context !== null) {
      const dialing = new TlsDialing(context, this.tools, address, options, wanted, handler);
      if (this.isReleased) context.replaced();
      return dialing;
    }
    this.stats.secretsNotReady();
    let isCancelled = false;
    const fail = (): void => {
      if (!isCancelled) handler.onDialFailure(RemoteConnectionFailure.with(secretMissing));
    };
    this.tools.turns.markDirty({ flush: fail });
    return { ...nobody, cancel: () => (isCancelled = true) };
  }

  onSecretChanged(): void {
    const before = this.context;
    const next = this.rebuilt();
    if (next === null) return;
    this.context = next;
    before?.replaced();
    if (this.tools.countsUpdates) this.stats.updatedBySecrets();
  }

  release(): void {
    this.isReleased = true;
    this.secrets.unwatch(this);
    this.context?.replaced();
    this.context = null;
  }

  private rebuilt(): ClientContext | null {
    return orKept(() => this.build(), this.tools);
  }

  private build(): ClientContext | null {
    const gathered = this.secrets.gather();
    if (gathered === null) return null;
    const { certificates, validation } = gathered;
    const verifier = newVerifier(validation, this.stats, this.tools);
    return new ClientContext({ data: this.data, certificates, validation, verifier, stats: this.stats });
  }
}
