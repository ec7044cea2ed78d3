/** A ztunnel whose control plane has told of workloads, and not yet of policies: nobody gets in. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { create, fromBinary, toBinary } from '../../../src/proto/protobuf.js';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from '../../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { Action, AuthorizationSchema, Scope } from '../../../src/proto/istio/authorization_pb.js';
import { AddressSchema, TunnelProtocol } from '../../../src/proto/istio/workload_pb.js';
import { Istiod, type Call } from '../../istiod.ts';
import { repository } from '../../peers/binaries.ts';
import { freePorts } from '../../peers/ports.ts';
import { until } from '../wait.ts';
import { Program } from './programs.ts';

const host = '127.49.0.1';
const addressType = 'type.googleapis.com/istio.workload.Address';
const authorizationType = 'type.googleapis.com/istio.security.Authorization';

function send(call: Call, typeUrl: string, name: string, value: Uint8Array): void {
  const resources = [{ name, version: '1', resource: { typeUrl, value } }];
  const message = create(DeltaDiscoveryResponseSchema, { typeUrl, nonce: name, systemVersionInfo: '1', resources });
  call.write(Buffer.from(toBinary(DeltaDiscoveryResponseSchema, message)));
}

const workload = toBinary(
  AddressSchema,
  create(AddressSchema, {
    type: {
      case: 'workload',
      value: {
        uid: 'c//v1/Pod/shop/server',
        name: 'server',
        namespace: 'shop',
        serviceAccount: 'server',
        addresses: [Uint8Array.from(host.split('.').map(Number))],
        tunnelProtocol: TunnelProtocol.HBONE,
      },
    },
  }),
);
const denial = toBinary(
  AuthorizationSchema,
  create(AuthorizationSchema, {
    namespace: 'shop',
    name: 'nobody',
    scope: Scope.NAMESPACE,
    action: Action.DENY,
    rules: [{ clauses: [{ matches: [{ notDestinationPorts: [1] }] }] }],
  }),
);

/** The error of a connection that is not taken. */
async function refused(port: number): Promise<string> {
  const socket = connect({ host, port });
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once('connect', () => resolve('connected'));
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  const outcome = await promise;
  socket.destroy();
  return outcome;
}

/** What a peer with a good certificate is answered. */
async function asked(istiod: Istiod): Promise<number> {
  const { chainPem, keyPem } = await istiod.authority.issue({ uris: ['spiffe://cluster.local/ns/shop/sa/client'] });
  const session = connectHttp2(`https://${host}:15008`, {
    cert: chainPem,
    key: keyPem,
    ca: istiod.authority.rootPem,
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined,
  });
  const stream = session.request({ ':method': 'CONNECT', ':authority': `${host}:9` }, { endStream: false });
  const [headers] = (await once(stream, 'response')) as [{ ':status': number }];
  stream.on('error', () => {});
  session.destroy();
  return headers[':status'];
}

test('nobody gets in before the policies are known', async () => {
  const { promise: policiesAsked, resolve: onPolicies } = Promise.withResolvers<Call>();
  const seen = new Set<string>();
  const istiod = await Istiod.start({
    onStream: (call) => {
      call.on('error', () => {});
      call.on('end', () => call.end());
      call.on('data', (bytes: Buffer) => {
        const { typeUrl } = fromBinary(DeltaDiscoveryRequestSchema, bytes);
        if (seen.has(typeUrl)) return;
        seen.add(typeUrl);
        if (typeUrl === addressType) send(call, addressType, 'c//v1/Pod/shop/server', workload);
        else if (typeUrl === authorizationType) onPolicies(call);
      });
    },
  });
  onTestFinished(() => istiod.stop());
  const [adminPort, statsPort, readinessPort] = await freePorts(3);
  const url = `https://127.0.0.1:${istiod.port}`;
  const ztunnel = new Program(process.execPath, [join(repository, 'src/main.ts'), 'ztunnel'], {
    XDS_ADDRESS: url,
    CA_ADDRESS: url,
    ALT_XDS_HOSTNAME: 'istiod.istio-system.svc',
    ALT_CA_HOSTNAME: 'istiod.istio-system.svc',
    XDS_ROOT_CA: istiod.authority.rootPem,
    CA_ROOT_CA: istiod.authority.rootPem,
    PROXY_MODE: 'dedicated',
    PROXY_WORKLOAD_INFO: 'shop/server/server',
    SEKISHO_LISTEN_ADDRESS: host,
    ADMIN_PORT: String(adminPort),
    STATS_PORT: String(statsPort),
    READINESS_PORT: String(readinessPort),
  });
  onTestFinished(() => ztunnel.kill());
  const call = await policiesAsked;
  // The workload is known by now, and what is not known yet counts.
  await until('the workload to be known', async () => {
    const dump = await fetch(`http://127.0.0.1:${adminPort}/config_dump`).then((answer) => answer.text());
    return dump.includes('c//v1/Pod/shop/server');
  });
  const ready = (): Promise<Response> => fetch(`http://${host}:${readinessPort}/healthz/ready`);
  const notReady = await ready();
  expect([notReady.status, await notReady.text()]).toEqual([500, expect.stringContaining('xds')]);
  for (const port of [15001, 15006, 15008]) expect(await refused(port)).toBe('ECONNREFUSED');
  send(call, authorizationType, 'shop/nobody', denial);
  await until('the ztunnel to be ready', async () => (await ready()).status === 200);
  expect(await asked(istiod)).toBe(401);
});
