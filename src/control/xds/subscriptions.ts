import type { ApiSourceData, ConfigSourceData } from '../../identity/config-source-data.ts';
import type { StatsScope } from '../../observe/stats/stats.ts';
import type { Node } from '../../proto/envoy/config/core/v3/base_pb.js';
import { packedKinds } from '../packed-kinds.ts';
import { Ads } from './ads.ts';
import { GrpcSubscription, type SubscriptionStream } from './grpc-subscription.ts';
import { PathSubscription, type PathSurroundings } from './path-subscription.ts';
import type { Watch } from './protocol/watch.ts';
import type { ResourceKind, Subscription, SubscriptionUser } from './resource-kind.ts';
import { ControlPlaneStats } from './stream/control-plane-stats.ts';
import { openConversation, type ConversationSurroundings } from './stream/open-conversation.ts';
import type { XdsSurroundings } from './stream/xds-stream.ts';
import { SubscriptionStats, type CountedAs, type SetText } from './subscription-stats.ts';

export interface SubscriptionsEnvironment extends XdsSurroundings, Omit<PathSurroundings, 'prepare' | 'entered'> {
  /** The main thread's root scope, and where texts among the stats go: for `control_plane` of ADS. */
  readonly stats: StatsScope;
  readonly setText: SetText;
  /** As control planes are told. */
  node(): Node;
  /** Begin and end of whatever is done after something was waited for. */
  enter(): void;
  leave(): void;
  /**
   * Loads what these message names need, before anything that names them is handed over. Each is told once.
   * @returns null: it is there already
   */
  prepare(kinds: readonly string[]): Promise<void> | null;
}

/** The one door to whatever a ConfigSource names: files, streams of their own, and the one stream that carries all. */
export class Subscriptions {
  private readonly environment: SubscriptionsEnvironment;
  private readonly surroundings: ConversationSurroundings & PathSurroundings;
  /** Message names that were prepared for. */
  private readonly prepared: Set<string>;
  /** Type URLs → how many hold them. */
  private readonly held: Map<string, number>;
  private readonly ads: Ads;

  constructor(environment: SubscriptionsEnvironment) {
    this.environment = environment;
    this.prepared = new Set();
    this.held = new Map();
    const { clock, timers, random, log, localAddress, watches } = environment;
    this.surroundings = {
      clock,
      timers,
      random,
      log,
      localAddress,
      watches,
      held: this.held,
      cluster: (name) => environment.cluster(name),
      node: () => environment.node(),
      entered: (act) => {
        environment.enter();
        act();
        environment.leave();
      },
      prepare: (packed) => this.prepare(packed),
    };
    const { stats, setText } = environment;
    this.ads = new Ads(this.surroundings, () => new ControlPlaneStats(stats, '', setText));
  }

  /**
   * Nothing is asked for before its `start`.
   * @param names none, or `*` among them: all that there are
   * @param namespace whatever is named `<namespace>/…` is for this user, and `names` only say what is to be sent of it:
   * virtual hosts; empty: what `names` say is
   */
  open(
    kind: ResourceKind,
    names: readonly string[],
    { from, initialFetchTimeoutMs }: ConfigSourceData,
    user: SubscriptionUser,
    counted: CountedAs,
    namespace = '',
  ): Subscription {
    const { surroundings } = this;
    const stats = new SubscriptionStats(counted.scope, counted.prefix, counted.setText);
    if (from.kind === 'path') return new PathSubscription(kind, from, surroundings, user, stats);
    const stream = from.kind === 'ads' ? this.ads : this.own(kind, from, counted);
    const options = { kind, names, namespace, initialFetchTimeoutMs };
    return new GrpcSubscription(options, surroundings, stream, user, stats);
  }

  /** `dynamic_resources.ads_config`; null: none. What came over the one before goes on over this one. */
  setAds(source: ApiSourceData | null): void {
    this.ads.replace(source);
  }

  /** Opens the stream of ADS: as Envoy, once the clusters are there that need no other source. */
  startAds(): void {
    this.ads.begin();
  }

  /**
   * Nothing is said over ADS of this kind until it is let go: clusters that are waited for are not acknowledged, as in
   * Envoy, so that no other comes before they are there.
   * @returns how to let it go, once
   */
  hold({ typeUrl }: ResourceKind): () => void {
    this.held.set(typeUrl, (this.held.get(typeUrl) ?? 0) + 1);
    return () => {
      const others = (this.held.get(typeUrl) ?? 1) - 1;
      if (others > 0) this.held.set(typeUrl, others);
      else if (this.held.delete(typeUrl)) this.ads.conversation?.onReleased();
    };
  }

  /** Streams of their own end with their subscriptions. */
  stop(): void {
    this.ads.end();
  }

  private own(kind: ResourceKind, source: ApiSourceData, { scope, prefix, setText }: CountedAs): SubscriptionStream {
    const stats = new ControlPlaneStats(scope, prefix, setText);
    const own = openConversation(kind, source, { ...this.surroundings, held: noneHeld }, stats);
    return {
      conversation: own.conversation,
      start: (watch: Watch) => {
        own.conversation.watch(watch);
        own.start();
      },
      stop: () => own.stop(),
    };
  }

  private prepare(packed: Uint8Array): Promise<void> | null {
    const kinds = [...packedKinds(packed)].filter((kind) => !this.prepared.has(kind));
    if (kinds.length === 0) return null;
    const ready = this.environment.prepare(kinds);
    if (ready === null) this.remember(kinds);
    return ready === null ? null : this.rememberAfter(ready, kinds);
  }

  private async rememberAfter(ready: Promise<void>, kinds: readonly string[]): Promise<void> {
    await ready;
    this.remember(kinds);
  }

  private remember(kinds: readonly string[]): void {
    for (const kind of kinds) this.prepared.add(kind);
  }
}

const noneHeld: ReadonlyMap<string, number> = new Map();
