/** The server's side of xDS as @grpc/grpc-js speaks it: streams of every kind, answered by whoever starts it. */
import { Server, ServerCredentials, type ServerDuplexStream, type ServiceDefinition } from '@grpc/grpc-js';
import * as kinds from '../../src/control/xds/resource-kinds.ts';
import type { ResourceKind } from '../../src/control/xds/resource-kind.ts';
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
  type DeltaDiscoveryRequest,
  type DiscoveryRequest,
} from '../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { fromBinary } from '../../src/proto/protobuf.js';

type Call = ServerDuplexStream<Buffer, Buffer>;

/** A request of either protocol. */
export type XdsRequest = DiscoveryRequest | DeltaDiscoveryRequest;

/** Names that a request asks for, of either protocol. */
export function namesOf(request: XdsRequest): readonly string[] {
  return isDelta(request) ? request.resourceNamesSubscribe : request.resourceNames;
}

export function isDelta(request: XdsRequest): request is DeltaDiscoveryRequest {
  return request.$typeName === 'envoy.service.discovery.v3.DeltaDiscoveryRequest';
}

/** One stream that a client has opened. */
export class XdsPeer {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly metadata: Record<string, unknown>;
  /** All that came on it, in order. */
  readonly requests: XdsRequest[];
  isOpen: boolean;
  private readonly call: Call;

  constructor(path: string, call: Call) {
    this.path = path;
    this.metadata = call.metadata.getMap();
    this.requests = [];
    this.isOpen = true;
    this.call = call;
  }

  get isDelta(): boolean {
    return this.path.slice(this.path.lastIndexOf('/') + 1).startsWith('Delta');
  }

  /** A response, packed. */
  write(bytes: Uint8Array): void {
    if (this.isOpen) this.call.write(Buffer.from(bytes));
  }

  /** Ends in good order. */
  end(): void {
    this.isOpen = false;
    this.call.end();
  }

  /** Breaks. */
  reset(): void {
    this.isOpen = false;
    this.call.destroy(new Error('the control plane is away'));
  }
}

const ads: Pick<ResourceKind, 'streamMethod' | 'deltaMethod'> = {
  streamMethod: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
  deltaMethod: '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
};

const paths = [ads, ...Object.values(kinds)]
  .flatMap(({ streamMethod, deltaMethod }) => [streamMethod, deltaMethod])
  .filter((path) => path !== '');

/** Serves all the discovery services of xDS; every stream is `onRequest`'s. */
export class XdsServer {
  /** Every stream that was ever opened. */
  readonly peers: XdsPeer[];
  /** Of 127.0.0.1; 0 where it listens on a Unix socket. */
  readonly port: number;
  private readonly server: Server;
  private readonly onRequest: (peer: XdsPeer, request: XdsRequest) => void;
  private waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[];

  private constructor(server: Server, port: number, onRequest: (peer: XdsPeer, request: XdsRequest) => void) {
    this.server = server;
    this.port = port;
    this.onRequest = onRequest;
    this.peers = [];
    this.waiting = [];
  }

  /** @param at `127.0.0.1:0`, or `unix:` and a path */
  static async start(
    onRequest: (peer: XdsPeer, request: XdsRequest) => void,
    at = '127.0.0.1:0',
    credentials = ServerCredentials.createInsecure(),
  ): Promise<XdsServer> {
    const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
    let own: XdsServer | null = null;
    for (const path of paths) {
      const method = path.slice(path.lastIndexOf('/') + 1);
      server.addService(definition(path, method), { [method]: (call: Call) => own?.opened(path, call) });
    }
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(at, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
    });
    own = new XdsServer(server, at.startsWith('unix:') ? 0 : port, onRequest);
    return own;
  }

  /** All requests, of all streams, in the order of the streams. */
  get requests(): readonly XdsRequest[] {
    return this.peers.flatMap(({ requests }) => requests);
  }

  /** Resolves when it holds, looked at after everything that happens. */
  async until(isMet: () => boolean): Promise<void> {
    if (isMet()) return;
    await new Promise<void>((resolve) => this.waiting.push({ isMet, resolve }));
  }

  /** Resolves with the first request of which this is so. */
  async request(isIt: (request: XdsRequest) => boolean): Promise<XdsRequest> {
    const find = (): XdsRequest | undefined => this.requests.find((request) => isIt(request));
    await this.until(() => find() !== undefined);
    return find()!;
  }

  /** Nobody is served any more, and nobody can connect. */
  stop(): void {
    this.server.forceShutdown();
  }

  private opened(path: string, call: Call): void {
    const peer = new XdsPeer(path, call);
    this.peers.push(peer);
    call.on('data', (bytes: Buffer) => {
      const request = peer.isDelta
        ? fromBinary(DeltaDiscoveryRequestSchema, bytes)
        : fromBinary(DiscoveryRequestSchema, bytes);
      peer.requests.push(request);
      this.onRequest(peer, request);
      this.look();
    });
    const closed = (): void => {
      peer.isOpen = false;
      this.look();
    };
    call.on('end', () => call.end());
    call.on('cancelled', closed);
    call.on('error', closed);
    call.on('close', closed);
  }

  private look(): void {
    const met = this.waiting.filter(({ isMet }) => isMet());
    this.waiting = this.waiting.filter((one) => !met.includes(one));
    for (const { resolve } of met) resolve();
  }
}

const asIs = (bytes: Buffer): Buffer => bytes;

function definition(path: string, method: string): ServiceDefinition {
  return {
    [method]: {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  };
}
