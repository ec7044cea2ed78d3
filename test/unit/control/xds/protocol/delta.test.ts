import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { secretKind } from '../../../../../src/control/xds/resource-kinds.ts';
import { Subscriptions } from '../../../../../src/control/xds/subscriptions.ts';
import type { OpenedResource, SubscriptionUser } from '../../../../../src/control/xds/resource-kind.ts';
import { SecretSchema } from '../../../../../src/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  type DeltaDiscoveryRequest,
} from '../../../../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { anyPack, create, fromBinary, toBinary } from '../../../../../src/proto/protobuf.js';
import { apiSource, XdsWorld } from '../xds-world.ts';

type Call = ServerDuplexStream<Buffer, Buffer>;

/** One stream at a time, answered by hand. */
class DeltaServer {
  port = 0;
  private readonly requests: DeltaDiscoveryRequest[] = [];
  private call: Call | null = null;
  private waiting: (() => void) | null = null;

  static async start(): Promise<DeltaServer> {
    const own = new DeltaServer();
    const server = new Server();
    const asIs = (bytes: Buffer): Buffer => bytes;
    const method = {
      path: secretKind.deltaMethod,
      requestStream: true,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    server.addService({ DeltaSecrets: method }, { DeltaSecrets: (call: Call) => own.opened(call) });
    own.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
    onTestFinished(() => server.forceShutdown());
    return own;
  }

  async next(): Promise<DeltaDiscoveryRequest> {
    while (this.requests.length === 0) await new Promise<void>((resolve) => (this.waiting = resolve));
    return this.requests.shift()!;
  }

  send(nonce: string, secrets: readonly (readonly [name: string, version: string])[], removed: string[] = []): void {
    const resources = secrets.map(([name, version]) => ({
      name,
      version,
      resource: anyPack(SecretSchema, create(SecretSchema, { name })),
    }));
    const response = create(DeltaDiscoveryResponseSchema, {
      systemVersionInfo: `s${nonce}`,
      nonce,
      typeUrl: secretKind.typeUrl,
      resources,
      removedResources: removed,
    });
    this.call!.write(Buffer.from(toBinary(DeltaDiscoveryResponseSchema, response)));
  }

  end(): void {
    this.call!.end();
  }

  private opened(call: Call): void {
    this.call = call;
    call.on('data', (bytes: Buffer) => {
      this.requests.push(fromBinary(DeltaDiscoveryRequestSchema, bytes));
      this.waiting?.();
    });
    call.on('error', () => {});
  }
}

class Taker implements SubscriptionUser {
  readonly taken: string[] = [];
  refusal = '';

  onResources(resources: readonly OpenedResource[], version: string): string {
    if (this.refusal === '') this.taken.push(`${version} ${resources.map(({ name }) => name).join(' ')}`);
    return this.refusal;
  }

  onGivenUp(): void {}
}

test('asks once, takes what has changed, refuses, and begins the next stream with what it has', async () => {
  const server = await DeltaServer.start();
  const world = new XdsWorld();
  world.addCluster('sds', { kind: 'ip', host: '127.0.0.1', port: server.port });
  const taker = new Taker();
  const source = { from: apiSource('sds', { protocol: 'DELTA_GRPC' }), initialFetchTimeoutMs: 0 };
  const subscription = new Subscriptions(world).open(secretKind, ['one'], source, taker, world.countedAs('one'));
  onTestFinished(() => subscription.stop());
  subscription.start();
  expect(await server.next()).toMatchObject({
    resourceNamesSubscribe: ['one'],
    initialResourceVersions: {},
    node: { id: 'me' },
  });
  server.send('1', [
    ['one', 'a'],
    ['other', 'z'],
  ]);
  const taken = await server.next();
  expect([taken.responseNonce, taken.resourceNamesSubscribe, taken.errorDetail]).toEqual(['1', [], undefined]);
  taker.refusal = 'no good';
  server.send('2', [['one', 'b']]);
  expect(await server.next()).toMatchObject({ responseNonce: '2', errorDetail: { code: 13, message: 'one: no good' } });
  server.end();
  expect(await server.next()).toMatchObject({
    resourceNamesSubscribe: ['one'],
    initialResourceVersions: { one: 'a' },
  });
  server.send('3', [], ['one']);
  expect((await server.next()).responseNonce).toBe('3');
  expect(taker.taken).toEqual(['s1 one']);
  expect(world.shown('sds.one')).toMatchObject({ update_success: 2, update_rejected: 1, update_failure: 1 });
});
