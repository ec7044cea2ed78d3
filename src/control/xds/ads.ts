import type { ApiSourceData } from '../../identity/config-source-data.ts';
import type { SubscriptionStream } from './grpc-subscription.ts';
import type { Conversation } from './protocol/conversation.ts';
import type { Watch } from './protocol/watch.ts';
import type { ControlPlaneStats } from './stream/control-plane-stats.ts';
import { openConversation, type ConversationSurroundings, type OpenConversation } from './stream/open-conversation.ts';

const methods = {
  streamMethod: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
  deltaMethod: '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
};

/** The one stream over which all kinds come that are to come by ADS. */
export class Ads implements SubscriptionStream {
  private readonly surroundings: ConversationSurroundings;
  private readonly stats: ControlPlaneStats;
  private source: ApiSourceData;
  private open: OpenConversation;
  /** In the order in which they were asked for: the next stream's, too. */
  private readonly watches: Set<Watch>;
  private isStarted: boolean;

  constructor(source: ApiSourceData, surroundings: ConversationSurroundings, stats: ControlPlaneStats) {
    this.surroundings = surroundings;
    this.stats = stats;
    this.source = source;
    this.open = openConversation(methods, source, surroundings, stats);
    this.watches = new Set();
    this.isStarted = false;
  }

  /** Another control plane, perhaps: everything is asked for anew, and what has come stays until then. */
  replace(source: ApiSourceData): void {
    if (isSame(source, this.source)) return;
    this.source = source;
    this.open.stop();
    this.open = openConversation(methods, source, this.surroundings, this.stats);
    for (const watch of this.watches) this.open.conversation.watch(watch);
    if (this.isStarted) this.open.start();
  }

  /** Opens the stream, and keeps it open. */
  begin(): void {
    if (this.isStarted) return;
    this.isStarted = true;
    this.open.start();
  }

  end(): void {
    this.open.stop();
  }

  // SubscriptionStream

  get conversation(): Conversation {
    return this.open.conversation;
  }

  start(watch: Watch): void {
    this.watches.add(watch);
    this.open.conversation.watch(watch);
  }

  stop(watch: Watch): void {
    if (this.watches.delete(watch)) this.open.conversation.unwatch(watch);
  }
}

function isSame(one: ApiSourceData, other: ApiSourceData): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
