import type { ApiSourceData, ConfigSourceData } from '../../identity/config-source-data.ts';
import type { Node } from '../../proto/envoy/config/core/v3/base_pb.js';
import { GrpcSubscription } from './grpc-subscription.ts';
import { PathSubscription, type PathSurroundings } from './path-subscription.ts';
import type { ResourceKind, Subscription, SubscriptionUser } from './resource-kind.ts';
import type { CountedAs } from './subscription-stats.ts';
import type { XdsSurroundings } from './xds-stream.ts';

export interface SubscriptionsEnvironment extends XdsSurroundings, PathSurroundings {
  /** As control planes are told. */
  node(): Node;
}

/** The one door to whatever a ConfigSource names: files, streams of their own, and the one stream that carries all. */
export class Subscriptions {
  private readonly environment: SubscriptionsEnvironment;

  constructor(environment: SubscriptionsEnvironment) {
    this.environment = environment;
  }

  /**
   * Nothing is asked for before its `start`.
   * @param names none, or `*` among them: all that there are
   */
  open(
    kind: ResourceKind,
    names: readonly string[],
    { from, initialFetchTimeoutMs }: ConfigSourceData,
    user: SubscriptionUser,
    counted: CountedAs,
  ): Subscription {
    const { environment } = this;
    switch (from.kind) {
      case 'path':
        return new PathSubscription(kind, from, environment, user, counted);
      case 'api': {
        const node = environment.node();
        const options = { kind, names, source: from, initialFetchTimeoutMs, node };
        return new GrpcSubscription(options, environment, user, counted);
      }
      case 'ads':
        throw new Error(`there is no ads_config, over which ${kind.typeUrl} is to come`);
    }
  }

  /** `dynamic_resources.ads_config`; null: none. What goes over the one before goes over this one. */
  setAds(_source: ApiSourceData | null): void {}
}
