import type { Clusters } from '../../cluster/cluster.ts';
import type { Clock, Timers } from '../../core/clock.ts';
import type { Connection } from '../../core/connection.ts';
import { DownstreamLocalClose } from '../../core/failures.ts';
import type { RuntimeView } from '../../core/runtime-view.ts';
import type { RouterData } from '../../filter/router/router-data.ts';
import type { Drain } from '../../listener/drain.ts';
import type { ActiveConnection, ConnectionHandler } from '../../listener/network-filter.ts';
import type { AccessLog } from '../../observe/access-log.ts';
import type { Route, RouteTable } from '../../route/route.ts';
import type { HttpFilterChain } from './filter-chain.ts';
import type { HcmData } from './hcm-data.ts';
import type { HcmStats } from './hcm-stats.ts';
import type { LocalReplies } from './local-reply.ts';
import type { RequestPreparation } from './request/preparation.ts';
import type { ResponsePreparation } from './response/preparation.ts';
import type { RouteStatsDirectory } from './route-stats.ts';
import type { ServerCodecs } from './server-codecs.ts';
import { ServerConnection } from './server-connection.ts';

/** Everything a connection manager is made of; `build.ts` makes it. */
export interface HttpConnectionManagerParts {
  readonly data: HcmData;
  readonly router: RouterData;
  readonly chain: HttpFilterChain;
  /** By position in the chain: filters that are off unless a route switches them on; null: none. */
  readonly defaultOff: Uint8Array | null;
  readonly routes: RouteTable;
  readonly clusters: Clusters;
  readonly runtime: RuntimeView;
  readonly stats: HcmStats;
  readonly accessLogs: readonly AccessLog[];
  readonly requestPreparation: RequestPreparation;
  readonly responsePreparation: ResponsePreparation;
  readonly localReplies: LocalReplies;
  readonly listenerMetadata: Readonly<Record<string, unknown>> | null;
  readonly routeStats: RouteStatsDirectory;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly codecs: ServerCodecs;
  /** Its own: of its listener, and of the process where the admin asked for it. */
  readonly drain: Drain;
  /** True while responses should close their connections, whatever `drain` says. */
  readonly shouldCloseOnResponse: () => boolean;
}

/** A filter chain's http_connection_manager in one worker. */
export class HttpConnectionManager implements ConnectionHandler {
  readonly data: HcmData;
  readonly router: RouterData;
  readonly chain: HttpFilterChain;
  readonly clusters: Clusters;
  readonly runtime: RuntimeView;
  readonly stats: HcmStats;
  readonly accessLogs: readonly AccessLog[];
  readonly requestPreparation: RequestPreparation;
  readonly responsePreparation: ResponsePreparation;
  readonly localReplies: LocalReplies;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly codecs: ServerCodecs;
  readonly routes: RouteTable;
  readonly listenerMetadata: Readonly<Record<string, unknown>> | null;
  readonly routeStats: RouteStatsDirectory;
  private readonly defaultOff: Uint8Array | null;
  private readonly isProcessDraining: () => boolean;
  private readonly connections: Set<ServerConnection>;
  private readonly offByLevels: WeakMap<ReadonlyMap<string, boolean>, Uint8Array>;
  private readonly ownDrain: Drain;
  private isEnding: boolean;

  constructor(parts: HttpConnectionManagerParts) {
    this.data = parts.data;
    this.router = parts.router;
    this.chain = parts.chain;
    this.clusters = parts.clusters;
    this.runtime = parts.runtime;
    this.stats = parts.stats;
    this.accessLogs = parts.accessLogs;
    this.requestPreparation = parts.requestPreparation;
    this.responsePreparation = parts.responsePreparation;
    this.localReplies = parts.localReplies;
    this.clock = parts.clock;
    this.timers = parts.timers;
    this.codecs = parts.codecs;
    this.routes = parts.routes;
    this.routeStats = parts.routeStats;
    this.listenerMetadata = parts.listenerMetadata;
    this.defaultOff = parts.defaultOff;
    this.isProcessDraining = parts.shouldCloseOnResponse;
    this.connections = new Set();
    this.offByLevels = new WeakMap();
    this.ownDrain = parts.drain;
    this.isEnding = false;
  }

  handle(connection: Connection, filterChainName: string): ActiveConnection {
    const active = new ServerConnection(this, connection, filterChainName);
    this.connections.add(active);
    return active;
  }

  /**
   * Which filters are off for a stream on this route: the `FilterConfig.disabled` of its levels over the filters' own
   * default. `ofEntry`: where a weighted cluster adds a level, all levels together.
   */
  filtersOff(route: Route | null, ofEntry: ReadonlyMap<string, boolean> | null): Uint8Array | null {
    if (route === null) return this.defaultOff;
    const disabled = ofEntry ?? route.filterDisabled;
    if (disabled.size === 0) return this.defaultOff;
    let off = this.offByLevels.get(disabled);
    if (off === undefined) {
      const names = this.chain.names;
      off = this.defaultOff === null ? new Uint8Array(names.length) : this.defaultOff.slice();
      for (let i = 0; i < names.length; i++) {
        const isOff = disabled.get(names[i]);
        if (isOff !== undefined) off[i] = isOff ? 1 : 0;
      }
      this.offByLevels.set(disabled, off);
    }
    return off;
  }

  shouldCloseOnResponse(): boolean {
    return this.isEnding || this.ownDrain.asksToGo || this.isProcessDraining();
  }

  drain(atOnce: boolean): void {
    if (atOnce) this.isEnding = true;
    else this.ownDrain.begin();
  }

  end(): void {
    this.isEnding = true;
    for (const connection of this.connections) connection.drain();
  }

  closeAll(): void {
    for (const { connection } of this.connections) connection.destroy(DownstreamLocalClose.with('drain_time_is_over'));
  }

  removed(connection: ServerConnection): void {
    this.connections.delete(connection);
  }
}
