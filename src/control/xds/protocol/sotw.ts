import { GrpcCode } from '../../../cluster/grpc/grpc-status.ts';
import {
  DiscoveryRequestSchema,
  type DiscoveryRequest,
  type DiscoveryResponse,
} from '../../../proto/envoy/service/discovery/v3/discovery_pb.js';
import { create } from '../../../proto/protobuf.js';
import {
  truncated,
  type Conversation,
  type ConversationOptions,
  type RequestStream,
  type StreamUser,
} from './conversation.ts';
import { wildcard } from '../resource-kind.ts';
import { openResources, type Opened } from './discovery.ts';
import { TimesToLive } from './times-to-live.ts';
import type { Watch } from './watch.ts';
import { Watches } from './watches.ts';

/** How far the conversation about one type has come. */
class Topic {
  readonly typeUrl: string;
  readonly watches: Watches;
  readonly timesToLive: TimesToLive;
  /** Last taken. */
  version: string;
  /** Of the last response on this stream. */
  nonce: string;
  /** Of the last response; empty: it was taken, or the control plane knows. */
  refusal: string;

  constructor(typeUrl: string, watches: Watches, timesToLive: TimesToLive) {
    this.typeUrl = typeUrl;
    this.watches = watches;
    this.timesToLive = timesToLive;
    this.version = '';
    this.nonce = '';
    this.refusal = '';
  }
}

/**
 * The state-of-the-world protocol: every response has all of a type, and is answered by what was taken of it. Knows
 * neither the kinds nor the stream, which may carry one kind or all.
 */
export class Sotw implements Conversation, StreamUser<DiscoveryResponse> {
  private readonly options: ConversationOptions;
  private readonly stream: RequestStream<DiscoveryRequest>;
  /** By type URL, in the order in which they were first asked for. */
  private readonly topics: Map<string, Topic>;
  /** Those of which there is something to say. */
  private readonly pending: Set<Topic>;
  /** Whatever is asked for now is said later. */
  private isHeld: boolean;
  private hasSaidNode: boolean;

  constructor(options: ConversationOptions, stream: RequestStream<DiscoveryRequest>) {
    this.options = options;
    this.stream = stream;
    this.topics = new Map();
    this.pending = new Set();
    this.isHeld = false;
    this.hasSaidNode = false;
  }

  // Conversation

  watch(watch: Watch): void {
    const topic = this.topicOf(watch.kind.typeUrl);
    topic.watches.add(watch);
    this.touch(topic);
  }

  unwatch(watch: Watch): void {
    const topic = this.topicOf(watch.kind.typeUrl);
    for (const name of topic.watches.remove(watch)) topic.timesToLive.set(name, 0);
    if (topic.watches.isEmpty) topic.timesToLive.clear();
    // Who wanted all leaves nothing that could be said: no names are all of them.
    if (watch.names.size > 0 || !topic.watches.isEmpty) this.touch(topic);
  }

  rename(watch: Watch, names: readonly string[]): void {
    const topic = this.topicOf(watch.kind.typeUrl);
    for (const name of topic.watches.rename(watch, names).removed) topic.timesToLive.set(name, 0);
    this.touch(topic);
  }

  onReleased(): void {
    this.flush();
  }

  // StreamUser

  onOpened(): void {
    this.hasSaidNode = false;
    this.pending.clear();
    for (const topic of this.topics.values()) {
      topic.nonce = '';
      topic.refusal = '';
      if (!topic.watches.isEmpty) this.pending.add(topic);
    }
    this.flush();
  }

  onFailed(): void {
    this.pending.clear();
    this.held(() => {
      for (const { watches } of this.topics.values()) for (const { user } of watches) user.onStreamFailed();
    });
  }

  onRoom(): void {
    this.flush();
  }

  onResponse(response: DiscoveryResponse): void {
    const { typeUrl, nonce, versionInfo, controlPlane, resources } = response;
    const { log, stats } = this.options;
    const topic = this.topics.get(typeUrl);
    if (topic === undefined) {
      log.debug(`Ignoring the message for type URL ${typeUrl} as it has no current subscribers.`);
      return;
    }
    if (controlPlane !== undefined) stats.identified(controlPlane.identifier);
    topic.nonce = nonce;
    if (topic.watches.isEmpty) {
      // Nobody cares any more. That there is nothing is fine; what there is is not taken.
      if (resources.length === 0) topic.version = versionInfo;
      else {
        log.warn(`Ignoring unwatched type URL ${typeUrl}`);
        this.answer(topic);
      }
      return;
    }
    this.held(() => {
      topic.refusal = truncated(this.take(topic, response));
    });
    if (topic.refusal === '') topic.version = versionInfo;
    this.answer(topic);
  }

  // ---- inside

  private take(topic: Topic, { resources, versionInfo }: DiscoveryResponse): string {
    const opened = openResources(topic.typeUrl, resources, versionInfo, topic.version);
    if (typeof opened !== 'string') return this.share(topic, opened, versionInfo);
    for (const { user } of topic.watches) user.onRefused(opened);
    return opened;
  }

  /** Each hears of its own; the others of those whose part is refused still get theirs. */
  private share({ watches, timesToLive }: Topic, opened: Opened, version: string): string {
    for (const [name, ms] of opened.timesToLive) timesToLive.set(name, ms);
    const { resources, hasHeartbeats } = opened;
    const refusals: string[] = [];
    for (const watch of watches.unnamed) {
      // Of what only lives on nothing came: the rest is not all that there is.
      const refusal = hasHeartbeats
        ? resources.length > 0 && watch.user.onDelta(resources, [], version)
        : watch.user.onResources(resources, version);
      if (refusal) refusals.push(refusal);
    }
    for (const [watch, { set }] of watches.shares(resources, [])) {
      if (watch.isWildcard || !watches.has(watch)) continue;
      const refusal = watch.user.onResources(set, version);
      if (refusal !== '') refusals.push(refusal);
    }
    return refusals.join('; ');
  }

  private topicOf(typeUrl: string): Topic {
    const known = this.topics.get(typeUrl);
    if (known !== undefined) return known;
    const { clock, timers } = this.options;
    const watches = new Watches();
    const timesToLive = new TimesToLive(clock, timers, (name) => this.expired(watches, name));
    const topic = new Topic(typeUrl, watches, timesToLive);
    this.topics.set(typeUrl, topic);
    return topic;
  }

  private expired(watches: Watches, name: string): void {
    this.held(() => {
      for (const [watch, { removed }] of watches.shares([], [name]))
        if (watches.has(watch)) watch.user.onDelta([], removed, '');
    });
    this.flush();
  }

  private touch(topic: Topic): void {
    if (!this.stream.isOpen) return;
    this.pending.add(topic);
    if (!this.isHeld) this.options.defer(() => this.flush());
  }

  /** What the response made others ask for goes first, then what became of it: as Envoy, which only pauses the others. */
  private answer(topic: Topic): void {
    this.pending.delete(topic);
    this.pending.add(topic);
    this.flush();
  }

  private held(act: () => void): void {
    this.isHeld = true;
    try {
      act();
    } finally {
      this.isHeld = false;
    }
  }

  private flush(): void {
    if (this.isHeld || !this.stream.isOpen) return;
    const { held } = this.options;
    for (const topic of this.pending) {
      if (held.has(topic.typeUrl)) continue;
      if (!this.stream.mayAsk()) break;
      this.pending.delete(topic);
      this.ask(topic);
    }
    this.options.stats.pendingRequests.set(this.pending.size);
  }

  private ask(topic: Topic): void {
    const { typeUrl, version, nonce, refusal, watches } = topic;
    const saysNode = !this.hasSaidNode || !this.options.nodeOnFirstMessageOnly;
    this.hasSaidNode = true;
    topic.refusal = '';
    this.stream.send(
      create(DiscoveryRequestSchema, {
        versionInfo: version,
        resourceNames: namesOf(watches),
        typeUrl,
        responseNonce: nonce,
        ...(saysNode && { node: this.options.node }),
        ...(refusal !== '' && { errorDetail: { code: GrpcCode.Internal, message: refusal } }),
      }),
    );
  }
}

/** All are asked for by no name, unless somebody says so, or wants some by name. */
function namesOf(watches: Watches): string[] {
  const names = [...watches.names];
  const isAll = names.length === 1 && names[0] === wildcard;
  return isAll && ![...watches].some((watch) => watch.names.size > 0) ? [] : names;
}
