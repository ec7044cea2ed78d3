import { GrpcCode } from '../../../cluster/grpc/grpc-status.ts';
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
} from '../../../proto/envoy/service/discovery/v3/discovery_pb.js';
import { create } from '../../../proto/protobuf.js';
import {
  truncated,
  type Conversation,
  type ConversationOptions,
  type RequestStream,
  type StreamUser,
} from './conversation.ts';
import { openDeltaResources } from './discovery.ts';
import { Interest } from './interest.ts';
import { TimesToLive } from './times-to-live.ts';
import type { Watch } from './watch.ts';
import { Watches } from './watches.ts';

/** One type of a conversation. */
class Topic {
  readonly typeUrl: string;
  readonly watches: Watches;
  readonly interest: Interest;
  readonly timesToLive: TimesToLive;

  constructor(typeUrl: string, watches: Watches, interest: Interest, timesToLive: TimesToLive) {
    this.typeUrl = typeUrl;
    this.watches = watches;
    this.interest = interest;
    this.timesToLive = timesToLive;
  }
}

/** Answers that wait until they may be said. */
const answersMax = 10_000;

/** What became of a response. */
interface Answer {
  readonly topic: Topic;
  readonly nonce: string;
  /** Empty: it was taken. */
  readonly refusal: string;
}

/**
 * The incremental protocol: a response has what has changed, and is taken or refused as a whole. Knows neither the kinds
 * nor the stream, which may carry one kind or all.
 */
export class Delta implements Conversation, StreamUser<DeltaDiscoveryResponse> {
  private readonly options: ConversationOptions;
  private readonly stream: RequestStream<DeltaDiscoveryRequest>;
  /** By type URL, in the order in which they were first asked for. */
  private readonly topics: Map<string, Topic>;
  private answers: Answer[];
  /** Whatever is asked for now is said later. */
  private isHeld: boolean;
  private hasSaidNode: boolean;

  constructor(options: ConversationOptions, stream: RequestStream<DeltaDiscoveryRequest>) {
    this.options = options;
    this.stream = stream;
    this.topics = new Map();
    this.answers = [];
    this.isHeld = false;
    this.hasSaidNode = false;
  }

  // Conversation

  watch(watch: Watch): void {
    const { watches, interest } = this.topicOf(watch.kind.typeUrl);
    interest.change(watches.add(watch), []);
    this.touched();
  }

  unwatch(watch: Watch): void {
    const topic = this.topicOf(watch.kind.typeUrl);
    this.leave(topic, topic.watches.remove(watch));
    if (topic.watches.isEmpty) topic.timesToLive.clear();
  }

  rename(watch: Watch, names: readonly string[]): void {
    const topic = this.topicOf(watch.kind.typeUrl);
    const { added, removed } = topic.watches.rename(watch, names);
    topic.interest.change(added, []);
    this.leave(topic, removed);
  }

  onReleased(): void {
    this.flush();
  }

  // StreamUser

  onOpened(): void {
    this.hasSaidNode = false;
    this.answers = [];
    for (const { interest } of this.topics.values()) interest.restart();
    this.flush();
  }

  onFailed(): void {
    this.answers = [];
    this.held(() => {
      for (const { watches } of this.topics.values()) for (const { user } of watches) user.onStreamFailed();
    });
  }

  onRoom(): void {
    this.flush();
  }

  onResponse(response: DeltaDiscoveryResponse): void {
    const { typeUrl, nonce, systemVersionInfo, controlPlane } = response;
    const { log, stats } = this.options;
    const topic = this.topics.get(typeUrl);
    if (topic === undefined || !topic.interest.hasAsked) {
      const what = `DeltaDiscoveryResponse (with version ${systemVersionInfo})`;
      log.warn(`Dropping received ${what} for non-existent subscription ${typeUrl}.`);
      return;
    }
    if (controlPlane !== undefined) stats.identified(controlPlane.identifier);
    let refusal = '';
    this.held(() => {
      refusal = this.take(topic, response);
    });
    if (refusal !== '') log.warn(`delta config for ${typeUrl} rejected: ${refusal}`);
    // What the response made others ask for goes first: as Envoy, which only pauses the others.
    this.flush();
    this.answers.push({ topic, nonce, refusal: truncated(refusal) });
    // Who sends so many without waiting learns what became of the newest.
    if (this.answers.length > answersMax) this.answers.shift();
    this.flush();
  }

  // ---- inside

  private take(topic: Topic, response: DeltaDiscoveryResponse): string {
    const { resources, removedResources: removed } = response;
    const { watches, interest, timesToLive } = topic;
    const opened = openDeltaResources(topic.typeUrl, resources, removed, (name) => interest.versionOf(name));
    if (typeof opened === 'string') {
      for (const { user } of watches) user.onRefused(opened);
      return opened;
    }
    const { resources: set, hasHeartbeats } = opened;
    const refusal = this.share(watches, set, removed, response.systemVersionInfo, hasHeartbeats);
    if (refusal !== '') return refusal;
    for (const { name, version } of resources) interest.take(name, version);
    for (const [name, ms] of opened.timesToLive) if (interest.versionOf(name) !== '') timesToLive.set(name, ms);
    for (const name of removed) {
      interest.drop(name);
      timesToLive.set(name, 0);
    }
    return '';
  }

  private share(
    watches: Watches,
    set: Parameters<Watches['shares']>[0],
    removed: readonly string[],
    version: string,
    hasHeartbeats: boolean,
  ): string {
    const refusals: string[] = [];
    const isEmpty = set.length === 0 && removed.length === 0 && !hasHeartbeats;
    // That there is nothing is an answer to those who want all.
    if (isEmpty) for (const { user } of watches.unnamed) refusals.push(user.onDelta([], [], version));
    for (const [watch, share] of watches.shares(set, removed))
      if (watches.has(watch)) refusals.push(watch.user.onDelta(share.set, share.removed, version));
    return refusals.filter((refusal) => refusal !== '').join('; ');
  }

  private topicOf(typeUrl: string): Topic {
    const known = this.topics.get(typeUrl);
    if (known !== undefined) return known;
    const { clock, timers } = this.options;
    const watches = new Watches();
    const interest = new Interest(this.isOnDemand(typeUrl));
    const timesToLive = new TimesToLive(clock, timers, (name) => this.expired(topic, name));
    const topic = new Topic(typeUrl, watches, interest, timesToLive);
    this.topics.set(typeUrl, topic);
    return topic;
  }

  private isOnDemand(typeUrl: string): boolean {
    return this.options.onDemand?.has(typeUrl) === true;
  }

  private expired({ watches, interest }: Topic, name: string): void {
    this.held(() => {
      interest.drop(name);
      for (const [watch, { removed }] of watches.shares([], [name]))
        if (watches.has(watch)) watch.user.onDelta([], removed, '');
    });
    this.flush();
  }

  private leave({ interest, timesToLive }: Topic, names: readonly string[]): void {
    interest.change([], names);
    for (const name of names) timesToLive.set(name, 0);
    this.touched();
  }

  private touched(): void {
    if (!this.isHeld && this.stream.isOpen) this.options.defer(() => this.flush());
  }

  private held(act: () => void): void {
    this.isHeld = true;
    try {
      act();
    } finally {
      this.isHeld = false;
    }
  }

  /** Answers go before what else there is to say, and say it for their type. */
  private flush(): void {
    if (this.isHeld || !this.stream.isOpen) return;
    const { held } = this.options;
    for (;;) {
      const i = this.answers.findIndex(({ topic }) => !held.has(topic.typeUrl));
      const topic = i >= 0 ? this.answers[i].topic : this.nextPending();
      if (topic === null || !this.stream.mayAsk()) break;
      this.say(topic, i >= 0 ? this.answers.splice(i, 1)[0] : undefined);
    }
    this.options.stats.pendingRequests.set(this.answers.length);
  }

  private nextPending(): Topic | null {
    for (const topic of this.topics.values()) {
      if (topic.interest.isPending && !this.options.held.has(topic.typeUrl)) return topic;
    }
    return null;
  }

  private say({ typeUrl, interest }: Topic, answer: Answer | undefined): void {
    const { node, nodeOnFirstMessageOnly } = this.options;
    const saysNode = !this.hasSaidNode || !nodeOnFirstMessageOnly;
    this.hasSaidNode = true;
    const { nonce = '', refusal = '' } = answer ?? {};
    // istiod ignores an answer that comes too late, with whatever else it says.
    const saysNames = answer === undefined || !this.isOnDemand(typeUrl);
    this.stream.send(
      create(DeltaDiscoveryRequestSchema, {
        typeUrl,
        responseNonce: nonce,
        ...(saysNames && interest.say()),
        ...(saysNode && { node }),
        ...(refusal !== '' && { errorDetail: { code: GrpcCode.Internal, message: refusal } }),
      }),
    );
  }
}
