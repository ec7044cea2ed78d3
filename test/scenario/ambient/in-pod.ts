/**
 * Runs as root in namespaces of its own (`ambientRules`): a CNI plugin, `sekisho ztunnel` in shared mode, a server and
 * clients in pods. Prints what the clients saw, as JSON. `node in-pod.ts backend 4|6`: the family of the addresses.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as rules from './ambient-rules.ts';
import { cniPlugin, podServer, Program, seenInPod } from './programs.ts';

const [backend, family] = process.argv.slice(2);
const of = (address: string): string => (family === '6' ? rules.ipv6Of(address) : address);
const clientAddress = of(rules.clientAddress);
const serverAddress = of(rules.serverAddress);
const plainAddress = of(rules.plainAddress);
const vip = family === '6' ? 'fd10::1' : '10.10.0.1';
const main = join(import.meta.dirname, '../../../src/main.ts');

const config = `
workloads:
- { uid: c//v1/Pod/shop/client, name: client, namespace: shop, serviceAccount: client, workloadIps: ['${clientAddress}'], protocol: HBONE, services: {} }
- { uid: c//v1/Pod/shop/server, name: server, namespace: shop, serviceAccount: server, workloadIps: ['${serverAddress}'], protocol: HBONE, services: { shop/server.shop.svc.cluster.local: { 80: 15000 } } }
services:
- { name: server, namespace: shop, hostname: server.shop.svc.cluster.local, vips: ['/${vip}'], ports: { 80: 15000 } }
policies:
- { name: no-debug, namespace: shop, scope: Namespace, action: Deny, dryRun: false, rules: [[[{ destinationPorts: [6060] }]]] }
- { name: strict, namespace: shop, scope: Namespace, action: Deny, dryRun: false, rules: [[[{ destinationPorts: [16000, 16003, 8080] }], [{ notPrincipals: [!Presence []] }]]] }
`;

writeFileSync('/run/config.yaml', config);
const plugin = cniPlugin('/run/cni.sock', ['client', 'server']);
await plugin.said(/^listening/);
const ztunnel = new Program(process.execPath, [main, 'ztunnel'], {
  FAKE_CA: 'true',
  XDS_ADDRESS: '',
  LOCAL_XDS_PATH: '/run/config.yaml',
  INPOD_UDS: '/run/cni.sock',
  ZTUNNEL_WORKER_THREADS: '2',
  SEKISHO_IO_BACKEND: backend,
  USER_TIMEOUT_ENABLED: 'true',
  SEKISHO_EXCLUDE_INBOUND_PORTS: '16003',
  SEKISHO_EXCLUDE_OUTBOUND_PORTS: '8080',
});
await ztunnel.said(/started/);
await plugin.said(/^snapshot 0a00/);
const servers = [podServer('server', serverAddress), podServer('plain', plainAddress)];
for (const server of servers) await server.said(/^listening/);

const seen: Record<string, unknown> = {
  byAddress: await seenInPod('client', 'double', serverAddress, '15000'),
  byService: await seenInPod('client', 'double', vip, '80'),
  name: await seenInPod('client', 'resolve', 'server.shop.svc.cluster.local', family),
  shortName: await seenInPod('client', 'resolve', 'server', family),
  toPlain: await seenInPod('client', 'double', plainAddress, '15000'),
  fromPlain: await seenInPod('plain', 'double', serverAddress, '15000'),
  fromPlainStrict: await seenInPod('plain', 'double', serverAddress, '16000'),
  fromPlainExcluded: await seenInPod('plain', 'abandon', serverAddress, '16003'),
  toExcluded: await seenInPod('client', 'echo', serverAddress, '8080'),
  bulk: await seenInPod('client', 'bulk', serverAddress, '16000', String(20_000_000)),
  short: await seenInPod('client', 'short', serverAddress, '15000', '1000'),
  reset: await seenInPod('client', 'echo', serverAddress, '16001'),
  denied: await seenInPod('client', 'echo', serverAddress, '6060'),
  nobodyThere: await seenInPod('client', 'echo', serverAddress, '4'),
  ownListener: await seenInPod('client', 'echo', family === '6' ? '::1' : '127.0.0.1', '15001'),
  serversHbonePort: await seenInPod('client', 'echo', serverAddress, '15008'),
  serversOutbound: await seenInPod('client', 'echo', serverAddress, '15001'),
  plainToHbone: await seenInPod('plain', 'echo', serverAddress, '15008'),
};
const dump = (await fetch('http://127.0.0.1:15000/config_dump').then((answer) => answer.json())) as {
  readonly workloads: readonly { readonly name: string; readonly workloadIps: readonly string[] }[];
};
seen['dumped'] = dump.workloads.find(({ name }) => name === 'server')?.workloadIps;
plugin.child.stdin!.write('server\n');
await plugin.said(/^deleted/);
seen['afterDeletion'] = await seenInPod('client', 'double', serverAddress, '15000');
console.log(JSON.stringify(seen));
for (const program of [...servers, ztunnel, plugin]) await program.kill();
process.exit(0);
