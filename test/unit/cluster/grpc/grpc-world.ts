import { fromBinary, toBinary, create } from '@bufbuild/protobuf';
import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { ClusterRuntime } from '../../../../src/cluster/cluster-runtime.ts';
import type { GrpcCallUser, GrpcMethod } from '../../../../src/cluster/grpc/grpc-call.ts';
import { GrpcClient } from '../../../../src/cluster/grpc/grpc-client.ts';
import type { GrpcStatus } from '../../../../src/cluster/grpc/grpc-status.ts';
import type { Headers } from '../../../../src/core/headers.ts';
import { Loop } from '../../../../src/net/loop.ts';
import { NodeNetwork } from '../../../../src/net/node-network.ts';
import { clusterData, hostData, World } from '../cluster-fixture.ts';

/** A method whose messages are strings, as `google.protobuf.StringValue`. */
export const method: GrpcMethod<string, string> = {
  path: '/test.Service/Method',
  encode: (value) => toBinary(StringValueSchema, create(StringValueSchema, { value })),
  decode: (bytes) => fromBinary(StringValueSchema, bytes).value,
};

/** The frame of a message, as a gRPC server writes it. */
export function framed(text: string): Buffer {
  const message = method.encode(text);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Messages of a whole body. */
export function unframed(body: Buffer): string[] {
  const messages: string[] = [];
  for (let at = 0; at < body.length;) {
    const size = body.readUInt32BE(at + 1);
    messages.push(method.decode(body.subarray(at + 5, at + 5 + size)));
    at += 5 + size;
  }
  return messages;
}

/** Sends a status behind the body. */
export function endWith(
  stream: ServerHttp2Stream,
  trailers: Record<string, string>,
  body: Buffer = Buffer.alloc(0),
): void {
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  if (!stream.headersSent) stream.respond(answerHead, { waitForTrailers: true });
  stream.end(body);
}

export const answerHead = { ':status': 200, 'content-type': 'application/grpc' };

/** Writes down what it hears. */
export class Recorder implements GrpcCallUser<string> {
  readonly log: string[] = [];
  readonly ended: Promise<GrpcStatus>;
  /** Called with each message. */
  onEach: ((message: string) => void) | null = null;
  onRoom: (() => void) | null = null;
  private readonly resolve: (status: GrpcStatus) => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<GrpcStatus>();
    this.ended = promise;
    this.resolve = resolve;
  }

  onHead(headers: Headers): void {
    this.log.push(`head ${headers.get('x-head') ?? '-'}`);
  }

  onMessage(message: string): void {
    this.log.push(message);
    this.onEach?.(message);
  }

  onDrain(): void {
    this.log.push('drain');
    this.onRoom?.();
  }

  onStatus(status: GrpcStatus): void {
    this.log.push(`status ${status.code} ${status.message}`.trimEnd());
    this.resolve(status);
  }
}

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: Promise<Buffer>) => unknown;

export interface GrpcWorld {
  readonly client: GrpcClient;
  readonly cluster: ClusterRuntime;
  readonly world: World;
}

/** A client whose cluster has this port; null: no host. */
export function clientFor(port: number | null): GrpcWorld {
  const world = new World();
  const network = new NodeNetwork(new Loop());
  const hosts = port === null ? [] : [hostData('127.0.0.1', { address: { kind: 'ip', host: '127.0.0.1', port } })];
  const http = { ...clusterData().http, protocol: 'http2' as const };
  const cluster = new ClusterRuntime(world.data({ hosts, http }), { ...world.environment, network });
  onTestFinished(() => cluster.drain());
  return { client: new GrpcClient(cluster, network.clock, network.timers, () => 0), cluster, world };
}

/** Node's HTTP/2 server, and a client of it. */
export async function serve(handler: Handler): Promise<GrpcWorld> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => resolve(Buffer.concat(chunks)));
    handler(stream as ServerHttp2Stream, headers, promise);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  return clientFor((server.address() as AddressInfo).port);
}
