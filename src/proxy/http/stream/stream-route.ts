import type { Cluster } from '../../../cluster/cluster.ts';
import type { HttpVersion } from '../../../core/head.ts';
import type { StatsScope } from '../../../observe/stats/stats.ts';
import type { ClusterChoice, ForwardAction, Route, RouteTable } from '../../../route/route.ts';
import { takeStreamDuration } from '../forward/grpc-timeout.ts';
import type { HttpStream } from './stream.ts';

const noConfigs: readonly unknown[] = [];

/** Where one stream goes, and what that says of its filters: decided when its head has come, and again when a filter asks. */
export class StreamRoute {
  /** Null: none matched, or none has been looked for. */
  route: Route | null;
  /** The route's cluster for this stream; null: the route does not forward. */
  choice: ClusterChoice | null;
  /** Null: there is none of that name, or no choice. */
  cluster: Cluster | null;
  private readonly stream: HttpStream;
  /** As it was when the stream began: another that comes meanwhile is not for it. */
  private readonly table: RouteTable;
  private isDecided: boolean;
  /** By position in the chain: 1 where the filter is off for this stream; null: none is. */
  private filtersOff: Uint8Array | null;

  constructor(stream: HttpStream) {
    this.route = null;
    this.choice = null;
    this.cluster = null;
    this.stream = stream;
    this.table = stream.manager.routes;
    this.isDecided = false;
    this.filtersOff = null;
  }

  /** There are other routes than those that it has. */
  get isOutdated(): boolean {
    return this.table !== this.stream.manager.routes;
  }

  clear(): void {
    const { outcome } = this.stream;
    this.route = null;
    this.choice = null;
    this.cluster = null;
    this.isDecided = false;
    outcome.upstreamCluster = '';
    outcome.upstreamClusterRaw = '';
    outcome.clusterMetadata = null;
  }

  /** Unless it has been decided since it was cleared. */
  ensure(): void {
    if (!this.isDecided) this.decide();
  }

  decide(): void {
    const { stream } = this;
    const { outcome } = stream;
    this.isDecided = true;
    const route = this.table.match(stream.requestHead, stream);
    this.route = route;
    if (route !== null) {
      outcome.routeName = route.name;
      outcome.routeMetadata = route.metadata;
      outcome.virtualHostMetadata = route.virtualHostMetadata;
      outcome.virtualHostName = route.virtualHostName;
      if (route.action.kind === 'forward') this.forwardTo(route.action);
    }
    this.chooseFilters();
  }

  /** Those of the stream's chain that the route, or its choice among clusters, switches off. */
  chooseFilters(): void {
    this.filtersOff = this.stream.chain.off(this.route, this.choice?.filterDisabled ?? null);
  }

  isFilterOff(index: number): boolean {
    return this.filtersOff !== null && this.filtersOff[index] === 1;
  }

  perFilterConfigs(filterName: string): readonly unknown[] {
    const perFilter = this.choice?.perFilter ?? this.route?.perFilter;
    if (perFilter === undefined || perFilter.size === 0) return noConfigs;
    return perFilter.get(filterName) ?? noConfigs;
  }

  get clusterStats(): StatsScope | null {
    this.ensure();
    return this.choice === null || this.cluster === null ? null : this.cluster.stats.scope;
  }

  get upstreamVersion(): HttpVersion | null {
    this.ensure();
    if (this.choice === null || this.cluster === null) return null;
    return this.cluster.upstreamVersion?.(this.stream.requestHead.version) ?? null;
  }

  get answerLimits(): Cluster['answerLimits'] | null {
    return this.choice === null || this.cluster === null ? null : (this.cluster.answerLimits ?? null);
  }

  get namedHostsPort(): number {
    this.ensure();
    return this.choice === null || this.cluster === null ? 0 : (this.cluster.namedHostsPort ?? 0);
  }

  get missingCluster(): string {
    this.ensure();
    return this.choice === null || this.cluster !== null ? '' : this.choice.name;
  }

  private forwardTo(action: ForwardAction): void {
    const { stream } = this;
    this.choose(action.cluster(stream.requestHead, stream.random, stream.outcome));
    if (action.idleTimeoutMs >= 0) stream.timeouts.setIdle(action.idleTimeoutMs);
    if (action.flushTimeoutMs >= 0) stream.codecStream.flushWithin?.(action.flushTimeoutMs);
    if (action.maxStreamDurationMs < 0 && action.grpcTimeoutHeaderMaxMs < 0) return;
    const managerMs = stream.manager.data.timeouts.maxStreamDurationMs;
    stream.timeouts.setDuration(takeStreamDuration(stream.requestHead, action, managerMs));
  }

  /** The cluster that the next try goes to. */
  choose(choice: ClusterChoice): void {
    const { name } = choice;
    const { outcome, manager } = this.stream;
    this.choice = choice;
    const cluster = name === '' ? null : (manager.clusters.get(name) ?? null);
    this.cluster = cluster;
    if (cluster === null) return;
    outcome.upstreamCluster = cluster.statName;
    outcome.upstreamClusterRaw = cluster.name;
    outcome.clusterMetadata = cluster.metadata;
  }
}
