import { GrpcCode } from '../../cluster/grpc/grpc-status.ts';
import type { GrpcMethod } from '../../cluster/grpc/grpc-call.ts';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
} from '../../proto/envoy/service/discovery/v3/discovery_pb.js';
import { create, fromBinary, toBinary } from '../../proto/protobuf.js';
import { openDeltaResources } from './discovery.ts';
import type { ResourceKind } from './resource-kind.ts';
import { refusalMax, type ConversationOptions, type WatchUser, type XdsProtocol } from './xds-protocol.ts';

/** One kind of resource on a stream. */
class Watch {
  readonly kind: ResourceKind;
  readonly names: readonly string[];
  readonly user: WatchUser;
  /** Of each resource that was taken, its version: the next stream begins with them. */
  readonly versions: Map<string, string>;

  constructor(kind: ResourceKind, names: readonly string[], user: WatchUser) {
    this.kind = kind;
    this.names = names;
    this.user = user;
    this.versions = new Map();
  }

  wants(name: string): boolean {
    return this.names.length === 0 || this.names.includes(name);
  }
}

/** A gRPC method whose messages are those of the incremental protocol. */
export function deltaMethod(path: string): GrpcMethod<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
  return {
    path,
    encode: (request) => toBinary(DeltaDiscoveryRequestSchema, request),
    decode: (bytes) => fromBinary(DeltaDiscoveryResponseSchema, bytes),
  };
}

/** The incremental protocol: a response has what has changed, and is taken or refused as a whole. */
export class Delta implements XdsProtocol<DeltaDiscoveryResponse> {
  private readonly options: ConversationOptions;
  /** By type URL, in the order in which they are asked for. */
  private readonly watches: Map<string, Watch>;
  private readonly send: (request: DeltaDiscoveryRequest) => void;
  private isOpen: boolean;
  private hasSaidNode: boolean;

  constructor(options: ConversationOptions, send: (request: DeltaDiscoveryRequest) => void) {
    this.options = options;
    this.watches = new Map();
    this.send = send;
    this.isOpen = false;
    this.hasSaidNode = false;
  }

  /** Asks for these names of a kind; no names: for all that there are. Once for a kind. */
  watch(kind: ResourceKind, names: readonly string[], user: WatchUser): void {
    const watch = new Watch(kind, names, user);
    this.watches.set(kind.typeUrl, watch);
    if (this.isOpen) this.ask(watch);
  }

  // XdsProtocol

  onOpened(): void {
    this.isOpen = true;
    this.hasSaidNode = false;
    for (const watch of this.watches.values()) this.ask(watch);
  }

  onFailed(): void {
    this.isOpen = false;
    for (const { user } of this.watches.values()) user.onStreamFailed();
  }

  onResponse(response: DeltaDiscoveryResponse): void {
    if (response.controlPlane !== undefined) this.options.stats.identified(response.controlPlane.identifier);
    const watch = this.watches.get(response.typeUrl);
    if (watch === undefined) {
      this.options.log.warn(`the control plane sent resources of type ${response.typeUrl}, which nobody has asked for`);
      return;
    }
    const refusal = this.take(watch, response);
    if (refusal !== '') this.options.log.warn(`delta config for ${response.typeUrl} rejected: ${refusal}`);
    this.say(watch, { responseNonce: response.nonce }, refusal);
  }

  // ---- inside

  private take(watch: Watch, { resources, removedResources, systemVersionInfo }: DeltaDiscoveryResponse): string {
    const own = resources.filter(({ name }) => watch.wants(name));
    const opened = openDeltaResources(watch.kind, own);
    if (typeof opened === 'string') {
      watch.user.onRefused();
      return opened;
    }
    const refusal = opened.length === 0 ? '' : watch.user.onResources(opened, systemVersionInfo);
    if (refusal !== '') return refusal;
    for (const { name, version } of own) watch.versions.set(name, version);
    for (const name of removedResources) watch.versions.delete(name);
    return '';
  }

  private ask(watch: Watch): void {
    const initialResourceVersions = Object.fromEntries(watch.versions);
    this.say(watch, { resourceNamesSubscribe: [...watch.names], initialResourceVersions }, '');
  }

  private say(
    watch: Watch,
    what: {
      responseNonce?: string;
      resourceNamesSubscribe?: string[];
      initialResourceVersions?: Record<string, string>;
    },
    refusal: string,
  ): void {
    const { node, nodeOnFirstMessageOnly } = this.options;
    const saysNode = !this.hasSaidNode || !nodeOnFirstMessageOnly;
    this.hasSaidNode = true;
    this.send(
      create(DeltaDiscoveryRequestSchema, {
        typeUrl: watch.kind.typeUrl,
        ...what,
        ...(saysNode && { node }),
        ...(refusal !== '' && { errorDetail: { code: GrpcCode.Internal, message: refusal.slice(0, refusalMax) } }),
      }),
    );
  }
}
