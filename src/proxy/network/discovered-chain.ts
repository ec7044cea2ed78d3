import type { Connection } from '../../core/connection.ts';
import type { ExtensionData } from '../../core/extension.ts';
import { DownstreamLocalClose } from '../../core/failures.ts';
import type { NetworkFilterFactory } from '../../filter/network/network-filter.ts';
import type { Discovered } from '../../listener/discovered.ts';
import type { DiscoveredExtension } from '../../listener/extension-sources.ts';
import type { NetworkFilterData } from '../../listener/listener-data.ts';
import type { ActiveConnection, ConnectionHandler } from '../../listener/network-filter.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import { ChangingHandler } from './changing-handler.ts';
import { FilteredHandler } from './filtered-handler.ts';

export interface DiscoveredChainEnvironment {
  readonly discovered: Discovered<DiscoveredExtension>;
  buildTerminal(config: ExtensionData): ConnectionHandler;
  /** `index`: its place in the chain. */
  buildFilter(config: ExtensionData, index: number): NetworkFilterFactory;
  /** Connections that come while a configuration is missing: `network_extension_config_missing`. */
  readonly missing: Counter;
}

const nobody: ActiveConnection = { isIdle: true };

/**
 * A filter chain some of whose network filters come by ECDS. Another of one is for connections that begin from there on;
 * while one is missing there are none. Source: Envoy `ListenerImpl::createNetworkFilterChain`.
 */
export class DiscoveredChain implements ConnectionHandler {
  private readonly inner: FilteredHandler;
  private readonly environment: DiscoveredChainEnvironment;
  private readonly terminal: ChangingHandler;
  /** By place; null: it has not come. The terminal one is not among them. */
  private readonly filters: (NetworkFilterFactory | null)[];
  private readonly followed: (() => void)[];

  constructor(configured: readonly NetworkFilterData[], environment: DiscoveredChainEnvironment) {
    this.environment = environment;
    this.terminal = new ChangingHandler();
    this.filters = configured.slice(0, -1).map(() => null);
    this.inner = new FilteredHandler([], this.terminal);
    this.followed = [];
    for (const [i, filter] of configured.entries()) this.follow(filter, i);
  }

  handle(connection: Connection, filterChainName: string): ActiveConnection {
    const { inner, terminal, environment } = this;
    const isMissing = terminal.isMissing || this.filters.includes(null);
    if (!isMissing && inner.filters.length > 0) return inner.handle(connection, filterChainName);
    if (!isMissing) return terminal.handle(connection, filterChainName);
    environment.missing.inc();
    connection.destroy(DownstreamLocalClose);
    return nobody;
  }

  drain(atOnce: boolean): void {
    this.inner.drain(atOnce);
  }

  end(): void {
    this.inner.end();
  }

  closeAll(): void {
    this.inner.closeAll();
  }

  overloadChanged(): void {
    this.inner.overloadChanged();
  }

  release(): void {
    for (const unfollow of this.followed) unfollow();
    this.inner.release();
  }

  private follow({ name, kind, data, discovery }: NetworkFilterData, index: number): void {
    if (discovery === undefined) {
      this.take({ name, kind, data }, index);
      return;
    }
    const { discovered } = this.environment;
    const take = ({ config }: DiscoveredExtension): void => this.take(config, index);
    const now = discovered.get(discovery.key);
    if (now !== null) take(now);
    this.followed.push(discovered.follow(discovery.key, take));
  }

  private take(config: ExtensionData | null, index: number): void {
    const { environment, filters } = this;
    if (index === filters.length) {
      this.terminal.replace(config === null ? null : environment.buildTerminal(config));
      return;
    }
    filters[index] = config === null ? null : environment.buildFilter(config, index);
    this.inner.filters = filters.filter((filter) => filter !== null);
  }
}
