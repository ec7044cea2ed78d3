import type { SecretStore } from './identity/secret-store.ts';
import type { DownstreamTlsData, UpstreamTlsData } from './identity/tls-context-data.ts';
import { namesTls } from './identity/tls-context-kinds.ts';
import type { Network } from './net/network.ts';
import type { TlsTools, TlsTurns } from './net/tls/tls-tools.ts';
import type { DownstreamTransport, UpstreamTransport } from './net/transport.ts';
import type { StatsScope } from './observe/stats/stats.ts';
import { Regex } from './route/regex.ts';

/** TLS of one thread. OpenSSL is opened where a configuration names a TLS context. */
export class TlsTransports {
  private readonly turns: TlsTurns;
  private readonly secrets: SecretStore;
  private ticketKeys: readonly Uint8Array[];
  private readonly log: TlsTools['log'];
  private readonly countsUpdates: boolean;
  private builders: typeof import('./net/tls/build.ts') | null;

  /** `ticketKeys`: read when the first TLS context is named. */
  constructor(
    turns: TlsTurns,
    secrets: SecretStore,
    ticketKeys: readonly Uint8Array[],
    log: TlsTools['log'],
    countsUpdates = true,
  ) {
    this.turns = turns;
    this.secrets = secrets;
    this.ticketKeys = ticketKeys;
    this.log = log;
    this.countsUpdates = countsUpdates;
    this.builders = null;
  }

  /** `kinds`: message names that a configuration has, which may be of anything. */
  async load(kinds: readonly string[]): Promise<void> {
    if (this.isLoadedFor(kinds)) return;
    this.ticketKeys = this.ticketKeys.map((key) => key.slice());
    this.builders = await import('./net/tls/build.ts');
  }

  isLoadedFor(kinds: readonly string[]): boolean {
    return this.builders !== null || !namesTls(kinds);
  }

  /** `scope`: of the listener. */
  downstream(data: DownstreamTlsData, network: Network, scope: StatsScope): DownstreamTransport {
    return this.builders!.buildDownstreamTls(data, this.tools(network, scope));
  }

  /** `scope`: of the cluster. */
  upstream(data: UpstreamTlsData, network: Network, scope: StatsScope): UpstreamTransport {
    return this.builders!.buildUpstreamTls(data, this.tools(network, scope));
  }

  private tools(network: Network, scope: StatsScope): TlsTools {
    const { turns, secrets, ticketKeys, log, countsUpdates } = this;
    const compileRegex = (pattern: string): { test(text: string): boolean } => {
      const regex = new Regex(pattern);
      return { test: (text) => regex.matches(text) };
    };
    return { network, turns, secrets, scope, ticketKeys, compileRegex, log, countsUpdates };
  }
}
