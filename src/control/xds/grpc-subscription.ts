import type { Clock, Timed, Timers } from '../../core/clock.ts';
import type { Log } from '../../observe/log/log.ts';
import type { Conversation } from './protocol/conversation.ts';
import { Watch, type WatchUser } from './protocol/watch.ts';
import type { OpenedResource, ResourceKind, Subscription, SubscriptionUser } from './resource-kind.ts';
import type { SubscriptionStats } from './subscription-stats.ts';

/** What a subscription asks over: a stream of its own, or the one that all share. */
export interface SubscriptionStream {
  /** Another after the shared one was replaced; null: there is none now. */
  readonly conversation: Conversation | null;
  start(watch: Watch): void;
  stop(watch: Watch): void;
}

export interface GrpcSubscriptionOptions {
  readonly kind: ResourceKind;
  readonly names: readonly string[];
  /** Empty: names are names. */
  readonly namespace: string;
  /** 0: waits for ever. */
  readonly initialFetchTimeoutMs: number;
}

export interface GrpcSubscriptionSurroundings {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

/** Resources of one kind over a stream to a control plane. */
export class GrpcSubscription implements Subscription, WatchUser, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly options: GrpcSubscriptionOptions;
  private readonly surroundings: GrpcSubscriptionSurroundings;
  private readonly user: SubscriptionUser;
  private readonly stats: SubscriptionStats;
  private readonly stream: SubscriptionStream;
  private readonly watch: Watch;

  constructor(
    options: GrpcSubscriptionOptions,
    surroundings: GrpcSubscriptionSurroundings,
    stream: SubscriptionStream,
    user: SubscriptionUser,
    stats: SubscriptionStats,
  ) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.options = options;
    this.surroundings = surroundings;
    this.user = user;
    this.stats = stats;
    this.stream = stream;
    this.watch = new Watch(options.kind, options.names, this, options.namespace);
  }

  // Subscription

  start(): void {
    const { initialFetchTimeoutMs } = this.options;
    const { clock, timers } = this.surroundings;
    this.stats.attempt.inc();
    if (initialFetchTimeoutMs > 0) timers.schedule(this, clock.now + initialFetchTimeoutMs);
    this.stream.start(this.watch);
  }

  stop(): void {
    this.surroundings.timers.cancel(this);
    this.stream.stop(this.watch);
  }

  setNames(names: readonly string[]): void {
    this.stats.attempt.inc();
    const { conversation } = this.stream;
    if (conversation === null) this.watch.names = new Set(names);
    else conversation.rename(this.watch, names);
  }

  /** Nothing has come in time. */
  tick(): void {
    this.stats.failed(this.stats.fetchTimeout);
    this.surroundings.log.warn(`gRPC config: initial fetch timed out for ${this.options.kind.typeUrl}`);
    this.user.onGivenUp();
  }

  // WatchUser

  onResources(resources: readonly OpenedResource[], version: string): string {
    return this.take(resources, version, () => this.user.onResources(resources, version));
  }

  onDelta(set: readonly OpenedResource[], removed: readonly string[], version: string): string {
    return this.take(set, version, () => {
      if (this.user.onDelta !== undefined) return this.user.onDelta(set, removed, version);
      if (set.length > 0) return this.user.onResources(set, version);
      // That it is gone is an answer, too.
      this.user.onGivenUp();
      return '';
    });
  }

  onRefused(refusal: string): void {
    this.surroundings.timers.cancel(this);
    this.stats.failed(this.stats.rejected);
    this.surroundings.log.warn(`gRPC config for ${this.options.kind.typeUrl} rejected: ${refusal}`);
    this.user.onGivenUp();
  }

  onStreamFailed(): void {
    this.stats.failed(this.stats.failure);
  }

  // ---- inside

  private take(resources: readonly OpenedResource[], version: string, give: () => string): string {
    const { clock, timers } = this.surroundings;
    timers.cancel(this);
    const began = performance.now();
    const refusal = named(give(), resources);
    if (refusal === '') this.stats.succeeded(version, clock.epochMs, performance.now() - began);
    else this.onRefused(refusal);
    return refusal;
  }
}

/** A refusal says which resource it is about; where there is one only, whoever refuses it may leave that out. */
function named(refusal: string, resources: readonly OpenedResource[]): string {
  if (refusal === '' || resources.length !== 1) return refusal;
  const [{ name }] = resources;
  return refusal.includes(name) ? refusal : `${name}: ${refusal}`;
}
