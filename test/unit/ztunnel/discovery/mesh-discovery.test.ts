import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { GrpcChannel } from '../../../../src/agent/grpc/grpc-channel.ts';
import { machineTime } from '../../../../src/agent/identity/later.ts';
import { Loop } from '../../../../src/net/loop.ts';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from '../../../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { create, fromBinary, toBinary } from '../../../../src/proto/protobuf.js';
import { nodeOf } from '../../../../src/ztunnel/discovery/discovery-decode.ts';
import { IstiodStream, type Termination } from '../../../../src/ztunnel/discovery/istiod-stream.ts';
import { MeshDiscovery } from '../../../../src/ztunnel/discovery/mesh-discovery.ts';
import { readZtunnelSettings } from '../../../../src/ztunnel/settings.ts';
import { Mesh } from '../../../../src/ztunnel/state/mesh.ts';
import { LineLog } from '../../../../src/ztunnel/telemetry/line-log.ts';
import { LogLines } from '../../../../src/ztunnel/telemetry/log-lines.ts';
import { Istiod } from './istiod.ts';

const recorded = join(import.meta.dirname, '../../../fixtures/istiod-1.29.6/ambient/ztunnel/delta');
const wds = join(import.meta.dirname, '../../../fixtures/ztunnel/wds');
const address = 'type.googleapis.com/istio.workload.Address';
const authorization = 'type.googleapis.com/istio.security.Authorization';

/** As istiod gave it. */
const response = (name: string): Buffer => gunzipSync(readFileSync(join(recorded, `${name}.pb.gz`)));

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

interface Request {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly error: string;
  readonly versions: readonly string[];
  readonly nodeId: string;
  readonly subscribed: readonly string[];
}

/** A client of `istiod`, and what becomes of what it is told. */
async function discover(answer: (request: Request, count: number) => Uint8Array | 'end' | null) {
  const requests: Request[] = [];
  const waiting: (() => void)[] = [];
  const istiod = await Istiod.start({
    onRequest: (stream, bytes) => {
      const message = fromBinary(DeltaDiscoveryRequestSchema, bytes);
      const request = {
        typeUrl: message.typeUrl,
        nonce: message.responseNonce,
        error: message.errorDetail?.message ?? '',
        versions: Object.keys(message.initialResourceVersions),
        nodeId: message.node?.id ?? '',
        subscribed: message.resourceNamesSubscribe,
      };
      requests.push(request);
      const given = answer(request, requests.length);
      if (given === 'end') stream.end();
      else if (given !== null) stream.write(Buffer.from(given));
      for (const tell of waiting.splice(0)) tell();
    },
  });
  const mesh = new Mesh();
  const ended: Termination[] = [];
  const first: string[] = [];
  const loop = new Loop();
  const stream = new IstiodStream({
    channel: new GrpcChannel({ host: '127.0.0.1', port: istiod.port, tls: null }),
    metadata: () => ({}),
    later: machineTime,
    entered: (act) => act(),
    onMessage: () => {},
    onEnded: (why) => ended.push(why),
  });
  const settings = readZtunnelSettings(
    { POD_NAME: 'ztunnel-abc', POD_NAMESPACE: 'istio-system', INSTANCE_IP: '127.0.4.1', NODE_NAME: 'node-1' },
    { processors: 2, exists: () => false },
  );
  const discovery = new MeshDiscovery(stream, nodeOf(settings), loop, new LineLog(new LogLines(false, () => {}), 'x'), {
    apply: (change) => mesh.apply(change),
    onFirst: (typeUrl) => first.push(typeUrl),
  });
  ends.push(
    () => discovery.stop(),
    () => istiod.close(),
  );
  discovery.start();
  const until = async (isDone: () => boolean): Promise<void> => {
    while (!isDone()) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return { mesh, requests, first, ended, until };
}

const acknowledged = (requests: readonly Request[]): boolean =>
  requests.filter(({ nonce }) => nonce !== '').length >= 2;

test("istiod's recorded stream is taken and acknowledged", async () => {
  const { mesh, requests, until, first } = await discover(({ typeUrl, nonce }) => {
    if (nonce !== '') return null;
    return response(typeUrl === address ? 'istio.Address' : 'istio.Authorization');
  });
  await until(() => acknowledged(requests));
  expect(requests.map(({ error }) => error)).toEqual(requests.map(() => ''));
  expect(requests[0].nodeId).toBe('ztunnel~127.0.4.1~ztunnel-abc.istio-system~istio-system.svc.cluster.local');
  expect(new Set(first)).toEqual(new Set([address, authorization]));
  const uids = [...mesh.allWorkloads].map(({ uid }) => uid);
  expect(uids).toHaveLength(8);
  expect(uids).toContain('Kubernetes//Pod/default/shop-v2');
  expect([...mesh.services.all].map(({ hostname }) => hostname)).toContain('shop.default.svc.cluster.local');
  expect([...mesh.allPolicies].length).toBeGreaterThan(0);
});

test('what is wrong is refused by name, and what is good beside it counts', async () => {
  const packed = (name: string, file: string) => ({
    name,
    version: '1',
    resource: { typeUrl: address, value: new Uint8Array(readFileSync(join(wds, file))) },
  });
  const { mesh, requests, until } = await discover(({ typeUrl, nonce }) => {
    if (nonce !== '' || typeUrl !== address) return null;
    return toBinary(
      DeltaDiscoveryResponseSchema,
      create(DeltaDiscoveryResponseSchema, {
        typeUrl,
        nonce: 'n1',
        resources: [packed('bad', 'address-workload-bad-ip.bin'), packed('good', 'address-workload-pod.bin')],
      }),
    );
  });
  await until(() => requests.some(({ nonce }) => nonce === 'n1'));
  expect(requests.find(({ nonce }) => nonce === 'n1')!.error).toContain('bad: an address of');
  expect([...mesh.allWorkloads].map(({ name }) => name)).toEqual(['billing-0']);
});

test('a stream that ends is opened again, and says what it has', async () => {
  const { requests, until, ended } = await discover(({ typeUrl, nonce, versions }) => {
    if (typeUrl !== address) return null;
    if (nonce !== '' && versions.length === 0 && requestsOf() === 0) return 'end';
    return nonce === '' && versions.length === 0 ? response('istio.Address') : null;
  });
  function requestsOf(): number {
    return ended.length;
  }
  await until(() => requests.some(({ versions }) => versions.length > 0));
  expect(requests.find(({ versions }) => versions.length > 0)!.versions).toContain('Kubernetes//Pod/default/shop-v2');
  expect(ended).toEqual(['Complete']);
});
