import type { Message } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import type { ApiSourceData } from '../../../identity/config-source-data.ts';
import type { Node } from '../../../proto/envoy/config/core/v3/base_pb.js';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '../../../proto/envoy/service/discovery/v3/discovery_pb.js';
import { fromBinary, toBinary } from '../../../proto/protobuf.js';
import type { GrpcMethod } from '../../../cluster/grpc/grpc-call.ts';
import type { Conversation, ConversationOptions } from '../protocol/conversation.ts';
import { Delta } from '../protocol/delta.ts';
import { Sotw } from '../protocol/sotw.ts';
import type { ControlPlaneStats } from './control-plane-stats.ts';
import { XdsStream, type Arrival, type XdsSurroundings } from './xds-stream.ts';

/** What every conversation of the process is held in. */
export interface ConversationSurroundings extends XdsSurroundings {
  /** As control planes are told. */
  node(): Node;
  /** Does what belongs to an entry into the event loop. */
  entered(act: () => void): void;
  /** Type URLs of which nothing is said for now. */
  readonly held: ReadonlyMap<string, number>;
  /** Loads what a response needs before it can be read. @returns null: it is there already */
  prepare(packed: Uint8Array): Promise<void> | null;
}

/** `/package.Service/Method` of both protocols; empty: there is none. */
export interface ConversationMethods {
  readonly streamMethod: string;
  readonly deltaMethod: string;
}

/** A stream to a control plane, and what is asked for over it. */
export interface OpenConversation {
  readonly conversation: Conversation;
  start(): void;
  stop(): void;
}

/** In the protocol that the source names. Nothing is sent before its `start`. */
export function openConversation(
  { streamMethod, deltaMethod }: ConversationMethods,
  source: ApiSourceData,
  surroundings: ConversationSurroundings,
  stats: ControlPlaneStats,
): OpenConversation {
  const options = conversationOptions(source, surroundings, stats);
  const entered = (act: () => void): void => surroundings.entered(act);
  if (source.protocol === 'GRPC') {
    const method = methodOf(streamMethod, DiscoveryRequestSchema, DiscoveryResponseSchema, surroundings);
    const stream = new XdsStream(method, source, surroundings, stats, entered);
    const conversation = new Sotw(options, stream);
    stream.attach(conversation);
    return { conversation, start: () => stream.start(), stop: () => stream.stop() };
  }
  const method = methodOf(deltaMethod, DeltaDiscoveryRequestSchema, DeltaDiscoveryResponseSchema, surroundings);
  const stream = new XdsStream(method, source, surroundings, stats, entered);
  const conversation = new Delta(options, stream);
  stream.attach(conversation);
  return { conversation, start: () => stream.start(), stop: () => stream.stop() };
}

function conversationOptions(
  { nodeOnFirstMessageOnly }: ApiSourceData,
  surroundings: ConversationSurroundings,
  stats: ControlPlaneStats,
): ConversationOptions {
  const { log, clock, timers, held } = surroundings;
  return {
    node: surroundings.node(),
    nodeOnFirstMessageOnly,
    stats,
    log,
    clock,
    timers,
    held,
    defer: deferred((act) => surroundings.entered(act)),
  };
}

/** Thousands may ask at once: it is done once. */
function deferred(entered: (act: () => void) => void): (act: () => void) => void {
  let isWaiting = false;
  return (act) => {
    if (isWaiting) return;
    isWaiting = true;
    queueMicrotask(() => {
      isWaiting = false;
      entered(act);
    });
  };
}

function methodOf<Request extends Message, Response extends Message>(
  path: string,
  request: GenMessage<Request>,
  response: GenMessage<Response>,
  surroundings: ConversationSurroundings,
): GrpcMethod<Request, Arrival<Response>> {
  return {
    path,
    encode: (message) => toBinary(request, message),
    decode: (bytes) => ({ response: fromBinary(response, bytes), ready: surroundings.prepare(bytes) }),
  };
}
