/** A control plane for secrets, over gRPC as @grpc/grpc-js speaks it. */
import { Server, ServerCredentials, type ServerDuplexStream, type ServiceDefinition } from '@grpc/grpc-js';
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
  type DiscoveryRequest,
} from '../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { SecretSchema, type Secret } from '../src/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { anyPack, create, fromBinary, fromJson, toBinary } from '../src/proto/protobuf.js';

export const secretTypeUrl = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';

type Call = ServerDuplexStream<Buffer, Buffer>;

const asIs = (bytes: Buffer): Buffer => bytes;

const service: ServiceDefinition = {
  StreamSecrets: {
    path: '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets',
    requestStream: true,
    responseStream: true,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
};

/** One stream that a client has opened. */
export class SdsStream {
  readonly metadata: Record<string, unknown>;
  readonly requests: DiscoveryRequest[];
  isOpen: boolean;
  /** Nonce of the last response. */
  sent: string;
  private readonly call: Call;

  constructor(call: Call) {
    this.metadata = call.metadata.getMap();
    this.requests = [];
    this.isOpen = true;
    this.sent = '';
    this.call = call;
  }

  get names(): readonly string[] {
    return this.requests.at(-1)?.resourceNames ?? [];
  }

  /** Of the newest answer that the client took, or refused. */
  get last(): DiscoveryRequest {
    return this.requests.at(-1)!;
  }

  write(bytes: Uint8Array): void {
    this.call.write(Buffer.from(bytes));
  }

  /** Ends in good order. */
  end(): void {
    this.isOpen = false;
    this.call.end();
  }
}

/** Answers every stream with what it has of the names that are asked for, and with what changes. */
export class SdsServer {
  readonly streams: SdsStream[];
  /** Where it is reached: a port of 127.0.0.1, or the path of a Unix socket. */
  readonly port: number;
  private readonly server: Server;
  private readonly secrets: Map<string, Secret>;
  private readonly waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[];
  private version: number;

  private constructor(server: Server, port: number) {
    this.server = server;
    this.port = port;
    this.streams = [];
    this.secrets = new Map();
    this.waiting = [];
    this.version = 0;
  }

  /** @param at `127.0.0.1:0`, or `unix:` and a path */
  static async start(at = '127.0.0.1:0', credentials = ServerCredentials.createInsecure()): Promise<SdsServer> {
    const server = new Server();
    let sds: SdsServer | null = null;
    server.addService(service, { StreamSecrets: (call: Call) => sds?.opened(call) });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(at, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
    });
    sds = new SdsServer(server, port);
    return sds;
  }

  /** @param secret a Secret in JSON, without its name; whoever asks for it is told at once */
  set(name: string, secret: object): void {
    this.secrets.set(name, fromJson(SecretSchema, { name, ...secret }));
    for (const stream of this.streams) if (stream.isOpen && stream.names.includes(name)) this.send(stream);
  }

  /** What it has of the names that the stream has asked for last, or exactly these. */
  send(stream: SdsStream, secrets?: readonly Secret[]): void {
    const list = secrets ?? stream.names.flatMap((name) => this.secrets.get(name) ?? []);
    const version = String(++this.version);
    const response = create(DiscoveryResponseSchema, {
      versionInfo: `v${version}`,
      nonce: `n${version}`,
      typeUrl: secretTypeUrl,
      controlPlane: { identifier: 'test' },
      resources: list.map((secret) => anyPack(SecretSchema, secret)),
    });
    stream.sent = response.nonce;
    stream.write(toBinary(DiscoveryResponseSchema, response));
  }

  /** The newest open stream for a name. */
  streamFor(name: string): SdsStream | undefined {
    return this.streams.findLast(({ isOpen, names }) => isOpen && names.includes(name));
  }

  /** Resolves when it holds, looked at after every request. */
  async until(isMet: () => boolean): Promise<void> {
    if (isMet()) return;
    await new Promise<void>((resolve) => this.waiting.push({ isMet, resolve }));
  }

  /** Resolves with the first request of a stream for `name` of which this is so. */
  async request(name: string, isIt: (request: DiscoveryRequest) => boolean = () => true): Promise<DiscoveryRequest> {
    const find = (): DiscoveryRequest | undefined =>
      this.streams
        .flatMap(({ requests }) => requests)
        .find((request) => request.resourceNames.includes(name) && isIt(request));
    await this.until(() => find() !== undefined);
    return find()!;
  }

  /** Resolves when whoever asks for it has said yes or no to the newest. */
  async answered(name: string): Promise<void> {
    await this.until(() => {
      const stream = this.streamFor(name);
      return stream !== undefined && stream.sent !== '' && stream.last.responseNonce === stream.sent;
    });
  }

  /** Nobody is served any more, and nobody can connect. */
  stop(): void {
    this.server.forceShutdown();
  }

  private opened(call: Call): void {
    const stream = new SdsStream(call);
    this.streams.push(stream);
    call.on('data', (bytes: Buffer) => {
      const request = fromBinary(DiscoveryRequestSchema, bytes);
      const isAnswer = request.responseNonce !== '';
      stream.requests.push(request);
      if (!isAnswer && stream.names.some((name) => this.secrets.has(name))) this.send(stream);
      this.look();
    });
    const closed = (): void => {
      stream.isOpen = false;
      this.look();
    };
    call.on('end', () => call.end());
    call.on('cancelled', closed);
    call.on('error', closed);
    call.on('close', closed);
  }

  private look(): void {
    for (const one of this.waiting.slice()) {
      if (!one.isMet()) continue;
      this.waiting.splice(this.waiting.indexOf(one), 1);
      one.resolve();
    }
  }
}
