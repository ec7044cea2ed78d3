import type { Clusters } from '../../cluster/cluster.ts';
import type { Clock, Timers } from '../../core/clock.ts';
import type { Connection } from '../../core/connection.ts';
import { DownstreamLocalClose } from '../../core/failures.ts';
import type { RuntimeView } from '../../core/runtime-view.ts';
import type { Drain } from '../../listener/drain.ts';
import type { ActiveConnection, ConnectionHandler } from '../../listener/network-filter.ts';
import type { AccessLog } from '../../observe/access-log/access-log.ts';
import { passedNotes, type ConnectionNotes } from '../../observe/connection-notes.ts';
import type { RouteTable } from '../../route/route.ts';
import type { HttpTracing } from '../trace/http-tracing.ts';
import type { HttpFilterChain } from './stream/filter-chain.ts';
import type { HcmData } from './hcm-data.ts';
import type { HcmStats } from './stats/hcm-stats.ts';
import type { LocalReplies } from './response/local-reply.ts';
import type { MissingRoutes } from './on-demand/missing-routes.ts';
import type { HttpOverload } from './overload/http-overload.ts';
import type { RequestPreparation } from './request/preparation.ts';
import type { ResponsePreparation } from './response/preparation.ts';
import type { RouteStatsDirectory } from './stats/route-stats.ts';
import type { ServerCodecs } from './connection/server-codecs.ts';
import { ServerConnection } from './connection/server-connection.ts';
import type { Upgrades } from './upgrades.ts';

/** Everything a connection manager is made of; `build.ts` makes it. */
export interface HttpConnectionManagerParts {
  readonly data: HcmData;
  readonly chain: HttpFilterChain;
  readonly upgrades: Upgrades;
  /** Null: they come by RDS. */
  readonly routes: RouteTable | null;
  readonly clusters: Clusters;
  readonly runtime: RuntimeView;
  readonly stats: HcmStats;
  readonly accessLogs: readonly AccessLog[];
  readonly requestPreparation: RequestPreparation;
  readonly responsePreparation: ResponsePreparation;
  readonly localReplies: LocalReplies;
  readonly listenerMetadata: Readonly<Record<string, unknown>> | null;
  readonly routeStats: RouteStatsDirectory;
  /** What requests of our own say that they come from. */
  readonly localAddress: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly codecs: ServerCodecs;
  /** Absent, null: there is no `tracing`. */
  readonly tracing?: HttpTracing | null;
  /** Absent, null: nobody can be asked for routes. */
  readonly missingRoutes?: MissingRoutes | null;
  /** Null: no overload manager is configured, or its listener bypasses it. */
  readonly overload: HttpOverload | null;
  /** Its own: of its listener, and of the process where the admin asked for it. */
  readonly drain: Drain;
  /** True while responses should close their connections, whatever `drain` says. */
  readonly shouldCloseOnResponse: () => boolean;
}

/** Until RDS has told others. */
const noRoutes: RouteTable = { name: '', match: () => null };

/** A filter chain's http_connection_manager in one worker. */
export class HttpConnectionManager implements ConnectionHandler {
  readonly data: HcmData;
  /** Of streams that begin now. */
  chain: HttpFilterChain;
  upgrades: Upgrades;
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
  readonly listenerMetadata: Readonly<Record<string, unknown>> | null;
  readonly routeStats: RouteStatsDirectory;
  readonly localAddress: string;
  readonly tracing: HttpTracing | null;
  readonly overload: HttpOverload | null;
  /** Null: nobody can be asked for routes. */
  readonly missingRoutes: MissingRoutes | null;
  private readonly isProcessDraining: () => boolean;
  private readonly connections: Set<ServerConnection>;
  private readonly ownDrain: Drain;
  private isEnding: boolean;
  private table: RouteTable;
  /** Builds what has come by RDS, once a stream asks: of many configurations few are ever asked. Null: it is built. */
  private unbuilt: (() => RouteTable) | null;
  /** What it hears of no more when its last connection has gone. */
  private readonly followed: (() => void)[];

  constructor(parts: HttpConnectionManagerParts) {
    this.data = parts.data;
    this.chain = parts.chain;
    this.upgrades = parts.upgrades;
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
    this.routeStats = parts.routeStats;
    this.localAddress = parts.localAddress;
    this.listenerMetadata = parts.listenerMetadata;
    this.tracing = parts.tracing ?? null;
    this.overload = parts.overload;
    this.missingRoutes = parts.missingRoutes ?? null;
    this.isProcessDraining = parts.shouldCloseOnResponse;
    this.connections = new Set();
    this.ownDrain = parts.drain;
    this.isEnding = false;
    this.table = parts.routes ?? noRoutes;
    this.unbuilt = null;
    this.followed = [];
  }

  /** What streams that begin now are routed by. */
  get routes(): RouteTable {
    return this.unbuilt === null ? this.table : this.built();
  }

  /** Another route configuration, for streams that begin from here on. `internalOnly`: its `internal_only_headers`. */
  takeRoutes(internalOnly: readonly string[], build: () => RouteTable): void {
    this.unbuilt = build;
    this.requestPreparation.useInternalOnly(internalOnly);
  }

  private built(): RouteTable {
    this.table = this.unbuilt!();
    this.unbuilt = null;
    return this.table;
  }

  /** `unfollow` ends what tells it of changes. */
  follows(unfollow: () => void): void {
    this.followed.push(unfollow);
  }

  release(): void {
    for (const unfollow of this.followed) unfollow();
  }

  handle(connection: Connection, filterChainName: string, notes: ConnectionNotes | null = null): ActiveConnection {
    const active = new ServerConnection(this, connection, filterChainName, notes ?? passedNotes(connection.peer));
    this.connections.add(active);
    return active;
  }

  refused(): void {
    this.stats.cxTotal.inc();
    this.stats.cxDestroy.inc();
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

  overloadChanged(): void {
    const { overload, data } = this;
    if (overload === null) return;
    const { idleMs, maxConnectionDurationMs } = data.timeouts;
    const idleBefore = overload.connectionIdleMs(idleMs);
    const maxBefore = overload.connectionMaxMs(maxConnectionDurationMs);
    overload.takeTimers();
    const idleLonger = overload.connectionIdleMs(idleMs) - idleBefore;
    const maxLonger = overload.connectionMaxMs(maxConnectionDurationMs) - maxBefore;
    for (const connection of this.connections) connection.stretch(idleLonger, maxLonger);
  }

  removed(connection: ServerConnection): void {
    this.connections.delete(connection);
  }
}
