import type { Counter, Histogram, StatsScope } from '../../observe/stats/stats.ts';
import { grpcMethodOf, type GrpcMethod } from './grpc-method.ts';

/** Methods that one cluster counts by name: paths come from clients. Further ones are counted without a name. */
export const methodsMax = 4096;
/** Paths that are known at once; there may be several of one method. */
const pathsMax = 4096;
/** Statuses that one method counts by name: they come from upstreams. gRPC has 17. */
const statusesMax = 64;

/** What is counted of one method of one cluster, or of all of them together. Source: Envoy `Grpc::ContextImpl`. */
export class MethodStats {
  private readonly scope: StatsScope;
  private readonly statuses: Map<string, Counter>;
  private requests: Counter | null;
  private responses: Counter | null;
  private success: Counter | null;
  private failure: Counter | null;
  private total: Counter | null;
  private time: Histogram | null;

  constructor(scope: StatsScope) {
    this.scope = scope;
    this.statuses = new Map();
    this.requests = null;
    this.responses = null;
    this.success = null;
    this.failure = null;
    this.total = null;
    this.time = null;
  }

  requestMessages(count: number): void {
    this.requests ??= this.scope.counter('request_message_count');
    this.requests.add(count);
  }

  responseMessages(count: number): void {
    this.responses ??= this.scope.counter('response_message_count');
    this.responses.add(count);
  }

  /** `grpc-status` of a head or of trailers; undefined: there was none, and nothing is counted. */
  status(status: string | undefined): void {
    if (status === undefined) return;
    this.statusCounter(status)?.inc();
    this.result(status === '0');
  }

  result(isSuccess: boolean): void {
    if (isSuccess) {
      this.success ??= this.scope.counter('success');
      this.success.inc();
    } else {
      this.failure ??= this.scope.counter('failure');
      this.failure.inc();
    }
    this.total ??= this.scope.counter('total');
    this.total.inc();
  }

  upstreamTime(ms: number): void {
    this.time ??= this.scope.histogram('upstream_rq_time');
    this.time.record(ms);
  }

  private statusCounter(status: string): Counter | null {
    const known = this.statuses.get(status);
    if (known !== undefined) return known;
    if (this.statuses.size >= statusesMax) return null;
    const counter = this.scope.counter(status);
    this.statuses.set(status, counter);
    return counter;
  }
}

/** Which methods are counted by name. */
export interface MethodNaming {
  /** The name that stats have for a method (`service.method`); null: it is counted with all others. */
  nameOf(method: GrpcMethod): string | null;
}

export const everyMethod: MethodNaming = { nameOf: ({ service, method }) => `${service}.${method}` };

/** One cluster's. */
class ClusterMethods {
  readonly byPath: Map<string, MethodStats | null>;
  private readonly scope: StatsScope;
  private readonly naming: MethodNaming;
  private readonly byName: Map<string, MethodStats>;
  private readonly unnamed: MethodStats;

  constructor(scope: StatsScope, naming: MethodNaming) {
    this.byPath = new Map();
    this.scope = scope;
    this.naming = naming;
    this.byName = new Map();
    this.unnamed = new MethodStats(scope);
  }

  find(path: string): MethodStats | null {
    const method = grpcMethodOf(path);
    const stats = method === null ? null : this.named(this.naming.nameOf(method));
    if (this.byPath.size < pathsMax) this.byPath.set(path, stats);
    return stats;
  }

  private named(name: string | null): MethodStats {
    if (name === null) return this.unnamed;
    const known = this.byName.get(name);
    if (known !== undefined) return known;
    if (this.byName.size >= methodsMax) return this.unnamed;
    const stats = new MethodStats(this.scope.scope(name));
    this.byName.set(name, stats);
    return stats;
  }
}

/** The methods of every cluster, found by path. */
export class MethodStatsTable {
  private readonly protocol: string;
  private readonly naming: MethodNaming;
  private readonly clusters: WeakMap<StatsScope, ClusterMethods>;

  /** Names begin with `cluster.<name>.<protocol>.` */
  constructor(protocol: 'grpc' | 'grpc-web', naming: MethodNaming) {
    this.protocol = protocol;
    this.naming = naming;
    this.clusters = new WeakMap();
  }

  /** Null: the path names no method. */
  find(cluster: StatsScope, path: string): MethodStats | null {
    let methods = this.clusters.get(cluster);
    if (methods === undefined) {
      methods = new ClusterMethods(cluster.scope(this.protocol), this.naming);
      this.clusters.set(cluster, methods);
    }
    const known = methods.byPath.get(path);
    return known === undefined ? methods.find(path) : known;
  }
}
