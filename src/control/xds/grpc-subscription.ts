import type { Clock, Timed } from '../../core/clock.ts';
import type { ApiSourceData } from '../../identity/config-source-data.ts';
import type { Node } from '../../proto/envoy/config/core/v3/base_pb.js';
import { ControlPlaneStats } from './control-plane-stats.ts';
import type { OpenedResource, ResourceKind, Subscription, SubscriptionUser } from './resource-kind.ts';
import { Sotw, sotwMethod } from './sotw.ts';
import { Delta, deltaMethod } from './delta.ts';
import type { WatchUser } from './xds-protocol.ts';
import { SubscriptionStats, type CountedAs } from './subscription-stats.ts';
import { XdsStream, type XdsSurroundings } from './xds-stream.ts';

export interface GrpcSubscriptionOptions {
  readonly kind: ResourceKind;
  readonly names: readonly string[];
  readonly source: ApiSourceData;
  /** 0: waits for ever. */
  readonly initialFetchTimeoutMs: number;
  readonly node: Node;
}

/** Resources of one kind over a stream of their own, as Envoy has it for every source that is not ADS. */
export class GrpcSubscription implements Subscription, WatchUser, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly options: GrpcSubscriptionOptions;
  private readonly surroundings: XdsSurroundings;
  private readonly user: SubscriptionUser;
  private readonly stats: SubscriptionStats;
  private readonly stream: OwnStream;

  constructor(
    options: GrpcSubscriptionOptions,
    surroundings: XdsSurroundings,
    user: SubscriptionUser,
    { scope, prefix, setText }: CountedAs,
  ) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.options = options;
    this.surroundings = surroundings;
    this.user = user;
    this.stats = new SubscriptionStats(scope, prefix, setText);
    const stats = new ControlPlaneStats(scope, prefix, setText);
    this.stream =
      options.source.protocol === 'GRPC'
        ? sotwStream(options, surroundings, stats, this)
        : deltaStream(options, surroundings, stats, this);
  }

  start(): void {
    const { initialFetchTimeoutMs } = this.options;
    const { clock, timers } = this.surroundings;
    this.stats.attempt.inc();
    if (initialFetchTimeoutMs > 0) timers.schedule(this, clock.now + initialFetchTimeoutMs);
    this.stream.start();
  }

  stop(): void {
    this.surroundings.timers.cancel(this);
    this.stream.stop();
  }

  setNames(names: readonly string[]): void {
    this.stats.attempt.inc();
    this.stream.setNames(names);
  }

  /** Nothing has come in time. */
  tick(): void {
    this.stats.failed(this.stats.fetchTimeout);
    this.surroundings.log.warn(`gRPC config: initial fetch timed out for ${this.options.kind.typeUrl}`);
    this.user.onGivenUp();
  }

  // WatchUser

  onResources(resources: readonly OpenedResource[], version: string): string {
    const { clock } = this.surroundings;
    const began = performance.now();
    const refusal = this.user.onResources(resources, version);
    if (refusal === '') this.hasTaken(version, clock, performance.now() - began);
    else this.onRefused();
    return refusal;
  }

  onRefused(): void {
    this.surroundings.timers.cancel(this);
    this.stats.failed(this.stats.rejected);
    this.user.onGivenUp();
  }

  onStreamFailed(): void {
    this.stats.failed(this.stats.failure);
  }

  private hasTaken(version: string, clock: Clock, durationMs: number): void {
    this.surroundings.timers.cancel(this);
    this.stats.succeeded(version, clock.epochMs, durationMs);
  }
}

type OwnStream = Subscription;

function sotwStream(
  { kind, names, source, node }: GrpcSubscriptionOptions,
  surroundings: XdsSurroundings,
  stats: ControlPlaneStats,
  user: WatchUser,
): OwnStream {
  const { nodeOnFirstMessageOnly } = source;
  const options = { node, nodeOnFirstMessageOnly, stats, log: surroundings.log };
  const protocol = new Sotw(options, (request) => stream.send(request));
  const stream = new XdsStream(sotwMethod(kind.streamMethod), source, surroundings, protocol, stats);
  protocol.watch(kind, names, user);
  return {
    start: () => stream.start(),
    stop: () => stream.stop(),
    setNames: (others) => protocol.watch(kind, others, user),
  };
}

function deltaStream(
  { kind, names, source, node }: GrpcSubscriptionOptions,
  surroundings: XdsSurroundings,
  stats: ControlPlaneStats,
  user: WatchUser,
): OwnStream {
  const { nodeOnFirstMessageOnly } = source;
  const options = { node, nodeOnFirstMessageOnly, stats, log: surroundings.log };
  const protocol = new Delta(options, (request) => stream.send(request));
  const stream = new XdsStream(deltaMethod(kind.deltaMethod), source, surroundings, protocol, stats);
  protocol.watch(kind, names, user);
  return {
    start: () => stream.start(),
    stop: () => stream.stop(),
    setNames: (others) => protocol.watch(kind, others, user),
  };
}
