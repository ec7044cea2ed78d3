import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, type ClientDuplexStream } from '@grpc/grpc-js';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeAddedRoots } from '../../../../src/agent/discovery/added-roots.ts';
import {
  deltaPath,
  listenerType,
  nameTableType,
  stateOfTheWorldPath,
} from '../../../../src/agent/discovery/discovery-messages.ts';
import { DiscoveryRelay, type ResourceHandler } from '../../../../src/agent/discovery/discovery-relay.ts';
import { GrpcChannel } from '../../../../src/agent/grpc/grpc-channel.ts';
import { GrpcServer } from '../../../../src/agent/grpc/grpc-server.ts';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '../../../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { create, fromBinary, toBinary } from '../../../../src/proto/protobuf.js';
import { Istiod, type Call } from '../../../istiod.ts';
import { KeptLog } from '../../../kept-log.ts';

const clusterType = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';

let folder: string;
let istiod: Istiod;
let server: GrpcServer;
let relay: DiscoveryRelay;
let client: Client;
let up: Call[];
let asked: Buffer[];
let token: string;
let onAsked: () => void;
let taken: Uint8Array[];
const log = new KeptLog();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'xds-'));
  up = [];
  asked = [];
  taken = [];
  token = 'one';
  onAsked = () => {};
  istiod = await Istiod.start({
    onStream: (call) => {
      up.push(call);
      call.on('error', () => {});
      call.on('data', (bytes: Buffer) => {
        asked.push(bytes);
        onAsked();
      });
    },
  });
  const tls = { roots: istiod.authority.rootPem, serverName: 'istiod.istio-system.svc', certificate: null };
  const take: ResourceHandler = (bytes) => {
    if (bytes.length === 1) throw new Error('too short');
    taken.push(bytes);
  };
  relay = new DiscoveryRelay({
    channel: new GrpcChannel({ host: '127.0.0.1', port: istiod.port, tls: () => tls }),
    metadata: () => ({ authorization: `Bearer ${token}` }),
    own: new Map([[nameTableType, take]]),
    log,
  });
  server = await GrpcServer.listen(join(folder, 'XDS'), relay.methods);
  client = new Client(`unix:${join(folder, 'XDS')}`, credentials.createInsecure());
});
afterEach(() => {
  client.close();
  server.close();
  relay.close();
  istiod.stop();
  rmSync(folder, { recursive: true });
});

type Stream = ClientDuplexStream<Uint8Array, Buffer>;

function open(path: string): Stream {
  const stream = client.makeBidiStreamRequest<Uint8Array, Buffer>(
    path,
    (bytes) => Buffer.from(bytes),
    (bytes) => bytes,
  );
  stream.on('error', () => {});
  return stream;
}

async function askedFor(count: number): Promise<void> {
  while (asked.length < count) await new Promise<void>((resolve) => (onAsked = resolve));
}

const next = (stream: Stream): Promise<Buffer> => new Promise((resolve) => stream.once('data', resolve));
const sotw = (init: Parameters<typeof create<typeof DiscoveryRequestSchema>>[1]): Uint8Array =>
  toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, init));

describe('state of the world', () => {
  test('messages are handed on byte for byte, with the token of the moment', async () => {
    const stream = open(stateOfTheWorldPath);
    const request = sotw({ typeUrl: clusterType, node: { id: 'n' } });
    stream.write(request);
    await askedFor(1);
    expect(asked[0]).toEqual(Buffer.from(request));
    expect(up[0].metadata.getMap()).toMatchObject({ authorization: 'Bearer one' });
    const answer = toBinary(
      DiscoveryResponseSchema,
      create(DiscoveryResponseSchema, { typeUrl: clusterType, nonce: 'x' }),
    );
    const answered = next(stream);
    up[0].write(Buffer.from(answer));
    expect(await answered).toEqual(Buffer.from(answer));
    token = 'two';
    open(stateOfTheWorldPath).write(request);
    await askedFor(2);
    expect(up[1].metadata.getMap()).toMatchObject({ authorization: 'Bearer two' });
  });

  test('own types are asked for behind the listeners, kept, and acknowledged or refused', async () => {
    const stream = open(stateOfTheWorldPath);
    const heard: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => heard.push(bytes));
    stream.write(sotw({ typeUrl: clusterType }));
    stream.write(sotw({ typeUrl: listenerType }));
    await askedFor(3);
    expect(fromBinary(DiscoveryRequestSchema, asked[2])).toMatchObject({ typeUrl: nameTableType, responseNonce: '' });
    for (const [nonce, length] of [
      ['good', 2],
      ['bad', 1],
    ] as const) {
      const resources = [{ typeUrl: nameTableType, value: new Uint8Array(length) }];
      const answer = create(DiscoveryResponseSchema, { typeUrl: nameTableType, nonce, versionInfo: 'v', resources });
      up[0].write(Buffer.from(toBinary(DiscoveryResponseSchema, answer)));
    }
    await askedFor(5);
    const answers = asked.slice(3).map((bytes) => fromBinary(DiscoveryRequestSchema, bytes));
    expect(answers[0]).toMatchObject({ versionInfo: 'v', responseNonce: 'good' });
    expect(answers[0].errorDetail).toBeUndefined();
    expect(answers[1]).toMatchObject({ responseNonce: 'bad', errorDetail: { code: 13, message: 'too short' } });
    expect(taken).toEqual([new Uint8Array(2)]);
    expect(heard).toEqual([]);
  });
});

test('delta: the same, of its own form', async () => {
  const stream = open(deltaPath);
  const request = create(DeltaDiscoveryRequestSchema, { typeUrl: listenerType });
  stream.write(toBinary(DeltaDiscoveryRequestSchema, request));
  await askedFor(2);
  expect(fromBinary(DeltaDiscoveryRequestSchema, asked[1])).toMatchObject({ typeUrl: nameTableType });
  const resource = { typeUrl: nameTableType, value: new Uint8Array(3) };
  const answer = create(DeltaDiscoveryResponseSchema, {
    typeUrl: nameTableType,
    nonce: 'n',
    resources: [{ name: 'x', version: '1', resource }],
  });
  up[0].write(Buffer.from(toBinary(DeltaDiscoveryResponseSchema, answer)));
  await askedFor(3);
  expect(fromBinary(DeltaDiscoveryRequestSchema, asked[2])).toMatchObject({ responseNonce: 'n' });
  expect(taken).toEqual([new Uint8Array(3)]);
});

test('how the control plane ends a stream is how it ends here', async () => {
  const stream = open(stateOfTheWorldPath);
  const ended = new Promise((resolve) => stream.once('error', resolve));
  stream.write(sotw({ typeUrl: clusterType }));
  await askedFor(1);
  up[0].emit('error', Object.assign(new Error('go away'), { code: 7, details: 'go away, now' }));
  expect(await ended).toMatchObject({ code: 7, details: 'go away, now' });
  expect(relay.failures).toBe(1);
});

test('a control plane that is not there ends the stream, and the next one finds it again', async () => {
  const { authority, port } = istiod;
  istiod.stop();
  const lost = open(stateOfTheWorldPath);
  expect(await new Promise((resolve) => lost.once('error', resolve))).toMatchObject({ code: 14 });
  istiod = await Istiod.start({ authority, port, onStream: (call) => void call.on('data', onAsked) });
  const found = new Promise<void>((resolve) => (onAsked = resolve));
  open(stateOfTheWorldPath).write(sotw({ typeUrl: clusterType }));
  await found;
});

test('a method that there is not', async () => {
  const stream = open('/some.Service/Method');
  expect(await new Promise((resolve) => stream.once('error', resolve))).toMatchObject({ code: 12 });
});

test("roots of the mesh's configuration", () => {
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string('./etc/istio/proxy');
  writer.tag(34, WireType.LengthDelimited).string('one').tag(34, WireType.LengthDelimited).string('two');
  expect(decodeAddedRoots(writer.finish())).toEqual(['one', 'two']);
});
