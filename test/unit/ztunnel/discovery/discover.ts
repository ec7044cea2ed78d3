/** A client of a control plane of the tests. */
import { afterEach } from 'vitest';
import { GrpcChannel } from '../../../../src/agent/grpc/grpc-channel.ts';
import { machineTime } from '../../../../src/agent/identity/later.ts';
import { Loop } from '../../../../src/net/loop.ts';
import { DeltaDiscoveryRequestSchema } from '../../../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { fromBinary } from '../../../../src/proto/protobuf.js';
import { nodeOf } from '../../../../src/ztunnel/discovery/discovery-decode.ts';
import { IstiodStream, type Termination } from '../../../../src/ztunnel/discovery/istiod-stream.ts';
import { MeshDiscovery } from '../../../../src/ztunnel/discovery/mesh-discovery.ts';
import { readZtunnelSettings } from '../../../../src/ztunnel/settings.ts';
import { Mesh } from '../../../../src/ztunnel/state/mesh.ts';
import { LineLog } from '../../../../src/ztunnel/telemetry/line-log.ts';
import { LogLines } from '../../../../src/ztunnel/telemetry/log-lines.ts';
import { Istiod } from './istiod.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

export interface Request {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly error: string;
  readonly versions: readonly string[];
  readonly nodeId: string;
  readonly subscribed: readonly string[];
  readonly unsubscribed: readonly string[];
}

export function requestOf(bytes: Uint8Array): Request {
  const message = fromBinary(DeltaDiscoveryRequestSchema, bytes);
  return {
    typeUrl: message.typeUrl,
    nonce: message.responseNonce,
    error: message.errorDetail?.message ?? '',
    versions: Object.keys(message.initialResourceVersions),
    nodeId: message.node?.id ?? '',
    subscribed: message.resourceNamesSubscribe,
    unsubscribed: message.resourceNamesUnsubscribe,
  };
}

/** A client of `istiod`, and what becomes of what it is told. */
export async function discover(
  answer: (request: Request, count: number) => Uint8Array | 'end' | null,
  isOnDemand = false,
) {
  const requests: Request[] = [];
  const waiting: (() => void)[] = [];
  const istiod = await Istiod.start({
    onRequest: (stream, bytes) => {
      const request = requestOf(bytes);
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
    knows: isOnDemand ? (key) => mesh.knows(key) : null,
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
  return { mesh, requests, first, ended, until, addresses: discovery.addresses! };
}
