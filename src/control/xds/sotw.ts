import { GrpcCode } from '../../cluster/grpc/grpc-status.ts';
import type { GrpcMethod } from '../../cluster/grpc/grpc-call.ts';
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
  type DiscoveryRequest,
  type DiscoveryResponse,
} from '../../proto/envoy/service/discovery/v3/discovery_pb.js';
import { create, fromBinary, toBinary } from '../../proto/protobuf.js';
import { openResources } from './discovery.ts';
import type { ResourceKind } from './resource-kind.ts';
import { refusalMax, type ConversationOptions, type WatchUser, type XdsProtocol } from './xds-protocol.ts';

/** One kind of resource on a stream, and how far the conversation about it has come. */
class Watch {
  readonly kind: ResourceKind;
  readonly user: WatchUser;
  names: readonly string[];
  /** Last taken. */
  version: string;
  /** Of the last response on this stream. */
  nonce: string;

  constructor(kind: ResourceKind, names: readonly string[], user: WatchUser) {
    this.kind = kind;
    this.user = user;
    this.names = names;
    this.version = '';
    this.nonce = '';
  }
}

/** A gRPC method whose messages are those of the state-of-the-world protocol. */
export function sotwMethod(path: string): GrpcMethod<DiscoveryRequest, DiscoveryResponse> {
  return {
    path,
    encode: (request) => toBinary(DiscoveryRequestSchema, request),
    decode: (bytes) => fromBinary(DiscoveryResponseSchema, bytes),
  };
}

/**
 * The state-of-the-world protocol: every response has all of a kind, and is answered by what was taken of it. Knows
 * neither the kinds nor the stream, which may carry one kind or all.
 */
export class Sotw implements XdsProtocol<DiscoveryResponse> {
  private readonly options: ConversationOptions;
  /** By type URL, in the order in which they are asked for. */
  private readonly watches: Map<string, Watch>;
  private readonly send: (request: DiscoveryRequest) => void;
  private isOpen: boolean;
  private hasSaidNode: boolean;

  constructor(options: ConversationOptions, send: (request: DiscoveryRequest) => void) {
    this.options = options;
    this.watches = new Map();
    this.send = send;
    this.isOpen = false;
    this.hasSaidNode = false;
  }

  /** Asks for these names of a kind, and for no others from now on; no names: for all that there are. */
  watch(kind: ResourceKind, names: readonly string[], user: WatchUser): void {
    const watch = new Watch(kind, names, user);
    watch.version = this.watches.get(kind.typeUrl)?.version ?? '';
    watch.nonce = this.watches.get(kind.typeUrl)?.nonce ?? '';
    this.watches.set(kind.typeUrl, watch);
    if (this.isOpen) this.ask(watch);
  }

  // XdsProtocol

  onOpened(): void {
    this.isOpen = true;
    this.hasSaidNode = false;
    for (const watch of this.watches.values()) {
      watch.nonce = '';
      this.ask(watch);
    }
  }

  onFailed(): void {
    this.isOpen = false;
    for (const { user } of this.watches.values()) user.onStreamFailed();
  }

  onResponse(response: DiscoveryResponse): void {
    if (response.controlPlane !== undefined) this.options.stats.identified(response.controlPlane.identifier);
    const watch = this.watches.get(response.typeUrl);
    if (watch === undefined) {
      this.options.log.warn(`the control plane sent resources of type ${response.typeUrl}, which nobody has asked for`);
      return;
    }
    watch.nonce = response.nonce;
    const refusal = this.take(watch, response);
    if (refusal === '') watch.version = response.versionInfo;
    else this.options.log.warn(`gRPC config for ${response.typeUrl} rejected: ${refusal}`);
    this.ask(watch, refusal);
  }

  // ---- inside

  private take(watch: Watch, response: DiscoveryResponse): string {
    const opened = openResources(watch.kind, response.resources, response.versionInfo);
    if (typeof opened === 'string') {
      watch.user.onRefused();
      return opened;
    }
    if (watch.names.length === 0) return watch.user.onResources(opened, response.versionInfo);
    // Servers may send what others have asked for. Where nothing of ours is among it, there is nothing new.
    const own = opened.filter(({ name }) => watch.names.includes(name));
    return own.length === 0 ? '' : watch.user.onResources(own, response.versionInfo);
  }

  /** Also answers the response before: what was taken of it, and why not. */
  private ask(watch: Watch, refusal = ''): void {
    const saysNode = !this.hasSaidNode || !this.options.nodeOnFirstMessageOnly;
    this.hasSaidNode = true;
    this.send(
      create(DiscoveryRequestSchema, {
        versionInfo: watch.version,
        resourceNames: [...watch.names],
        typeUrl: watch.kind.typeUrl,
        responseNonce: watch.nonce,
        ...(saysNode && { node: this.options.node }),
        ...(refusal !== '' && { errorDetail: { code: GrpcCode.Internal, message: refusal.slice(0, refusalMax) } }),
      }),
    );
  }
}
