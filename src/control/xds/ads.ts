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
  private readonly stats: () => ControlPlaneStats;
  /** Null: none is configured. What is asked for waits for one. */
  private source: ApiSourceData | null;
  private open: OpenConversation | null;
  /** In the order in which they were asked for: the next stream's, too. */
  private readonly watches: Set<Watch>;
  private isStarted: boolean;

  /** `stats`: asked for when there is a source. */
  constructor(surroundings: ConversationSurroundings, stats: () => ControlPlaneStats) {
    this.surroundings = surroundings;
    this.stats = stats;
    this.source = null;
    this.open = null;
    this.watches = new Set();
    this.isStarted = false;
  }

  /** Another control plane, perhaps: everything is asked for anew, and what has come stays until then. */
  replace(source: ApiSourceData | null): void {
    if (JSON.stringify(source) === JSON.stringify(this.source)) return;
    this.source = source;
    this.open?.stop();
    this.open = source === null ? null : openConversation(methods, source, this.surroundings, this.stats());
    for (const watch of this.watches) this.open?.conversation.watch(watch);
    if (this.isStarted) this.open?.start();
  }

  /** Opens the stream, and keeps it open. */
  begin(): void {
    if (this.isStarted) return;
    this.isStarted = true;
    this.open?.start();
  }

  end(): void {
    this.open?.stop();
  }

  // SubscriptionStream

  get conversation(): Conversation | null {
    return this.open?.conversation ?? null;
  }

  start(watch: Watch): void {
    this.watches.add(watch);
    if (this.open !== null) {
      this.open.conversation.watch(watch);
      return;
    }
    // The words are Envoy's.
    watch.user.onRefused('ADS must be configured to support an ADS config source');
  }

  stop(watch: Watch): void {
    if (this.watches.delete(watch)) this.open?.conversation.unwatch(watch);
  }
}
