/**
 * A program: a control plane that sends what istiod has sent, with bytes that are others, cut out or put in. Prints what
 * sekisho said to it. Arguments: `lds_config` or `cds_config`, how many responses, and a number that chance begins with.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiscoveryResponseSchema } from '../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { ClusterLoadAssignmentSchema } from '../../src/proto/envoy/config/endpoint/v3/endpoint_pb.js';
import { anyPack, create, fromBinary, toBinary } from '../../src/proto/protobuf.js';
import { endpointKind } from '../../src/control/xds/resource-kinds.ts';
import { repository } from '../peers/binaries.ts';
import { recorded, recordedNodes } from '../xds/recorded-control-plane.ts';
import { namesOf, XdsServer, type XdsPeer } from '../xds/xds-server.ts';

const [asked, count, seed] = process.argv.slice(2);

let chance = Math.imul(Number(seed), 2_654_435_761) >>> 0;

/** 0 ≤ x < n. */
function draw(n: number): number {
  chance = (Math.imul(chance, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((chance / 2 ** 32) * n);
}

const recordings = new Map<string, Uint8Array[]>();
for (const { typeUrl, bytes } of recordedNodes().flatMap((node) => recorded(node, 'sotw')))
  recordings.set(typeUrl, [...(recordings.get(typeUrl) ?? []), bytes]);

function damage(bytes: Uint8Array): Uint8Array {
  let now = Buffer.from(bytes);
  for (let changes = draw(4); changes > 0; changes--) {
    const at = draw(now.length);
    const how = draw(3);
    if (how === 0) now[at] = draw(256);
    else if (how === 1) now = Buffer.concat([now.subarray(0, at), Buffer.from([draw(256)]), now.subarray(at)]);
    else now = Buffer.concat([now.subarray(0, at), now.subarray(at + 1 + draw(4))]);
  }
  return now;
}

let sent = 0;
let refused = 0;
let taken = 0;
/** Clusters whose endpoints were sent last. */
let answered = '';

/** Of every cluster that is asked for, no endpoints: nobody is to wait. */
function sendEndpoints(peer: XdsPeer, names: readonly string[]): void {
  const resources = names.map((clusterName) =>
    anyPack(ClusterLoadAssignmentSchema, create(ClusterLoadAssignmentSchema, { clusterName })),
  );
  const response = create(DiscoveryResponseSchema, { typeUrl: endpointKind.typeUrl, nonce: 'endpoints', resources });
  peer.write(toBinary(DiscoveryResponseSchema, response));
}

/** Some of a recorded response's resources. */
function send(peer: XdsPeer, typeUrl: string): void {
  const list = recordings.get(typeUrl);
  if (list === undefined || sent >= Number(count)) return;
  const message = fromBinary(DiscoveryResponseSchema, list[draw(list.length)]);
  const from = draw(message.resources.length);
  message.resources = message.resources.slice(from, from + 1 + draw(3));
  for (const resource of message.resources) resource.value = damage(resource.value);
  message.versionInfo = String(++sent);
  message.nonce = String(sent);
  peer.write(toBinary(DiscoveryResponseSchema, message));
}

const { promise: done, resolve } = Promise.withResolvers<void>();
const server = await XdsServer.start((peer, request) => {
  const { typeUrl, responseNonce, errorDetail } = request;
  const isAnswered = responseNonce === 'endpoints' && answered === namesOf(request).join();
  if (typeUrl === endpointKind.typeUrl && !isAnswered) sendEndpoints(peer, namesOf(request));
  if (typeUrl === endpointKind.typeUrl) answered = namesOf(request).join();
  if (responseNonce !== '' && errorDetail !== undefined) refused++;
  else if (responseNonce !== '') taken++;
  if (refused + taken >= Number(count)) resolve();
  setImmediate(() => send(peer, typeUrl));
});

function cluster(name: string): object {
  const kind = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  const http2 = { '@type': `type.googleapis.com/${kind}`, explicit_http_config: { http2_protocol_options: {} } };
  const address = { socket_address: { address: '127.0.0.1', port_value: server.port } };
  const load = { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
  return { name, load_assignment: load, typed_extension_protocol_options: { [kind]: http2 } };
}

const services = [{ envoy_grpc: { cluster_name: 'xds-grpc' } }];
const bootstrap = {
  node: { id: 'me', cluster: 'mine' },
  admin: { address: { socket_address: { address: '127.0.0.1', port_value: 9999 } } },
  dynamic_resources: {
    ads_config: { api_type: 'GRPC', transport_api_version: 'V3', grpc_services: services },
    [asked]: { ads: {}, resource_api_version: 'V3' },
  },
  static_resources: { clusters: [cluster('xds-grpc'), cluster('sds-grpc')] },
};
const folder = mkdtempSync(join(tmpdir(), 'sekisho-damaged-'));
writeFileSync(join(folder, 'bootstrap.json'), JSON.stringify(bootstrap));
const child = spawn(
  join(repository, 'node_modules/.bin/node'),
  [join(repository, 'src/main.ts'), '-c', join(folder, 'bootstrap.json'), '-l', 'critical', '--concurrency', '1'],
  // A damaged path of a log is one in the current folder.
  { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
);
let log = '';
for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
child.once('exit', () => resolve());
// A cluster may have come to wait for ever for what it names, and its response for the cluster.
let before = -1;
const patience = setInterval(() => {
  if (refused + taken === before && before > 0) resolve();
  before = refused + taken;
}, 3000);
await done;
clearInterval(patience);
const isAlive = child.exitCode === null && (await fetch('http://127.0.0.1:9999/server_info')).status === 200;
child.kill('SIGKILL');
server.stop();
rmSync(folder, { recursive: true, force: true });
process.stdout.write(JSON.stringify({ isAlive, refused, taken, log: log.slice(-3000) }));
process.exit(0);
