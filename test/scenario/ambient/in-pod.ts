/**
 * Runs as root in namespaces of its own (`ambientRules`): a CNI plugin, `sekisho ztunnel` in shared mode, a server and
 * clients in pods. Prints what the clients saw, as JSON. `node in-pod.ts backend`.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { clientAddress, plainAddress, serverAddress } from './ambient-rules.ts';

const [backend] = process.argv.slice(2);
const here = import.meta.dirname;
const main = join(here, '../../../src/main.ts');
const children: ChildProcess[] = [];

const config = `
workloads:
- { uid: c//v1/Pod/shop/client, name: client, namespace: shop, serviceAccount: client, workloadIps: [${clientAddress}], protocol: HBONE, services: {} }
- { uid: c//v1/Pod/shop/server, name: server, namespace: shop, serviceAccount: server, workloadIps: [${serverAddress}], protocol: HBONE, services: { shop/server: { 80: 15000 } } }
services:
- { name: server, namespace: shop, hostname: server, vips: [/10.10.0.1], ports: { 80: 15000 } }
policies:
- { name: no-debug, namespace: shop, scope: Namespace, action: Deny, dryRun: false, rules: [[[{ destinationPorts: [6060] }]]] }
- { name: strict, namespace: shop, scope: Namespace, action: Deny, dryRun: false, rules: [[[{ destinationPorts: [16000] }], [{ notPrincipals: [!Presence []] }]]] }
`;

/** A program, and the line by which it says that it has begun. */
function started(
  command: string,
  args: readonly string[],
  line: RegExp,
  env: NodeJS.ProcessEnv = {},
): Promise<ChildProcess> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (text) => {
      log.push(text);
      if (line.test(text)) resolve(child);
    });
  });
}

const log: string[] = [];

/** Not synchronous: whoever does not read what a program says holds it up. */
async function inPod(pod: string, ...args: readonly string[]): Promise<unknown> {
  const client = join(here, 'pod-client.ts');
  const command = ['netns', 'exec', pod, process.execPath, client, ...args];
  const { stdout } = await promisify(execFile)('ip', command, { encoding: 'utf8', timeout: 20_000 });
  return JSON.parse(stdout) as unknown;
}

writeFileSync('/run/config.yaml', config);
const pods = ['client', 'server'].map((name) => `${name},shop,${name},${name},/run/netns/${name}`);
const plugin = started('python3', [join(here, 'cni-plugin.py'), '/run/cni.sock', ...pods], /^snapshot 0a00/);
await new Promise<void>((resolve) => {
  const look = setInterval(() => {
    if (!log.includes('listening')) return;
    clearInterval(look);
    resolve();
  }, 20);
});
await started(process.execPath, [main, 'ztunnel'], /started/, {
  FAKE_CA: 'true',
  XDS_ADDRESS: '',
  LOCAL_XDS_PATH: '/run/config.yaml',
  INPOD_UDS: '/run/cni.sock',
  ZTUNNEL_WORKER_THREADS: '2',
  SEKISHO_IO_BACKEND: backend,
});
const cni = await plugin;
for (const [pod, address] of [
  ['server', serverAddress],
  ['plain', plainAddress],
])
  await started('ip', ['netns', 'exec', pod, process.execPath, join(here, 'pod-server.ts'), address], /^listening/);

const seen: Record<string, unknown> = {
  byAddress: await inPod('client', 'double', serverAddress, '15000'),
  byService: await inPod('client', 'double', '10.10.0.1', '80'),
  toPlain: await inPod('client', 'double', plainAddress, '15000'),
  fromPlain: await inPod('plain', 'double', serverAddress, '15000'),
  fromPlainStrict: await inPod('plain', 'double', serverAddress, '16000'),
  bulk: await inPod('client', 'bulk', serverAddress, '16000', String(20_000_000)),
  short: await inPod('client', 'short', serverAddress, '15000', '1000'),
  reset: await inPod('client', 'echo', serverAddress, '16001'),
  denied: await inPod('client', 'echo', serverAddress, '6060'),
  nobodyThere: await inPod('client', 'echo', serverAddress, '4'),
  ownListener: await inPod('client', 'echo', '127.0.0.1', '15001'),
  serversHbonePort: await inPod('client', 'echo', serverAddress, '15008'),
  serversOutbound: await inPod('client', 'echo', serverAddress, '15001'),
  plainToHbone: await inPod('plain', 'echo', serverAddress, '15008'),
};
cni.stdin!.write('server\n');
await new Promise<void>((resolve) => {
  const look = setInterval(() => {
    if (!log.some((line) => line.startsWith('deleted'))) return;
    clearInterval(look);
    resolve();
  }, 20);
});
seen['afterDeletion'] = await inPod('client', 'double', serverAddress, '15000');
console.log(JSON.stringify(seen));
for (const child of children) child.kill('SIGKILL');
process.exit(0);
