/**
 * Runs as root in namespaces of its own (`ambientRules`): clients' node and servers' node, each with a proxy of its
 * kind, and a CA for both. Prints what was seen, as JSON. `node two-nodes.ts clientsKind serversKind`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  clientNodeAddress,
  outsideAddress,
  plainAddress,
  secondServerAddress,
  serverAddress,
  serverNodeAddress,
} from '../../scenario/ambient/ambient-rules.ts';
import { outputInPod, podClient, podServer, seenInPod } from '../../scenario/ambient/programs.ts';
import { Istiod } from '../../istiod.ts';
import { doubling, meshConfig, port, web } from './mesh-config.ts';
import { until } from '../../scenario/wait.ts';
import { LivePolicies } from './live-policies.ts';
import { NodeProxy, type Kind } from './node-proxy.ts';

const [clientsKind, serversKind] = process.argv.slice(2) as [Kind, Kind];

const authorityName = 'istiod.tests';
const policies = new LivePolicies();
const istiod = await Istiod.start({
  address: outsideAddress,
  dns: [authorityName],
  lifeMs: 86_400_000,
  onStream: (call) => policies.serve(call),
});
const certificates = '/run/certificates';
mkdirSync(certificates);
const file = (name: string, text: string): string => {
  const path = join(certificates, name);
  writeFileSync(path, text);
  return path;
};
const rootsPath = file('roots.pem', istiod.authority.rootPem);
const stranger = await istiod.authority.issue({ uris: ['spiffe://cluster.local/ns/shop/sa/client'] });
file('chain.pem', stranger.chainPem);
file('key.pem', stranger.keyPem);
const common = { authorityUrl: `https://${outsideAddress}:${istiod.port}`, authorityName, rootsPath };
const started = (node: string): NodeProxy['wish'] => {
  const isServers = node === 'servers';
  return {
    ...common,
    node,
    kind: isServers ? serversKind : clientsKind,
    address: isServers ? serverNodeAddress : clientNodeAddress,
    pods: isServers ? ['server', 'second'] : ['client', 'other'],
    configPath: file(`${node}.yaml`, meshConfig(isServers ? 'second' : 'somebody')),
  };
};
const clients = await NodeProxy.start(started('clients'));
let servers = await NodeProxy.start(started('servers'));
const applications = [
  podServer('server', serverAddress),
  podServer('second', secondServerAddress),
  podServer('plain', plainAddress),
];
for (const application of applications) await application.said(/^listening/);

const server = serverAddress;
/** What is said of connections to and from the pod outside the mesh. */
const plain: Record<string, string[]> = {};

/** The version in an alert, and what it says, are the library's. */
function withAlert(answer: unknown): unknown {
  return typeof answer === 'string' && answer.length === 7 && answer.codePointAt(0) === 21 ? 'a TLS alert' : answer;
}

/** How many connections have ended. */
function closedOf(text: string): number {
  const ends = text.matchAll(/^istio_tcp_connections_closed_total\{.* (\d+)$/gm);
  return [...ends].reduce((sum, [, count]) => sum + Number(count), 0);
}

const proxyOf = { clients, servers };
/** What is said of a connection by both, without what differs each time. */
const access: Record<string, Record<string, string[]>> = {};

/** `act`, and what both proxies say of the connections to an address when they have said something. */
async function logged(name: string, to: string, act: Promise<unknown>): Promise<unknown> {
  const isOfIt = (line: string): boolean => line.includes(`${to} `);
  const before = { clients: clients.accessLines().length, servers: servers.accessLines().length };
  const result = await act;
  access[name] = {};
  for (const node of ['clients', 'servers'] as const) {
    const lines = (): string[] => proxyOf[node].accessLines().slice(before[node]).filter(isOfIt);
    await until(`${node}' proxy to tell of '${name}'`, () => lines().length > 0);
    access[name][node] = lines();
  }
  return result;
}

const seen: Record<string, unknown> = {};
seen['byAddress'] = await logged(
  'byAddress',
  `${server}:${port.doubling}`,
  seenInPod('client', 'double', server, port.doubling),
);
seen['byService'] = await logged(
  'byService',
  `${server}:${port.doubling}`,
  seenInPod('client', 'double', doubling.address, doubling.port),
);
seen['curl'] = await outputInPod('client', 'curl', '-sS', `http://${server}:${port.web}/a`, `http://${web.address}/b`);
seen['bulk'] = await seenInPod('client', 'bulk', server, port.echo, '20000000');
seen['short'] = await seenInPod('client', 'short', server, port.doubling, '1000');
/** Of connections that went well, and of all. */
const metrics: Record<string, string> = {};
const allMetrics: Record<string, string> = {};
for (const node of ['clients', 'servers'] as const)
  metrics[node] = await until('connections to be counted', async () => {
    const text = await proxyOf[node].metrics();
    return closedOf(text) >= 1000 + 5 && text;
  });
Object.assign(seen, {
  serversEndFirst: await seenInPod('client', 'greet', server, port.greeting),
  clientsWordsAfterIt: await seenInPod('client', 'listen', server, port.telling),
  serversReset: await logged(
    'serversReset',
    `${server}:${port.resetting}`,
    seenInPod('client', 'echo', server, port.resetting),
  ),
  clientsReset: await logged(
    'clientsReset',
    `${server}:${port.forClient}`,
    seenInPod('client', 'abandon', server, port.forClient),
  ),
  clientsResetAtServer: await seenInPod('client', 'listen', server, port.telling),
  denied: await logged('denied', `${server}:${port.debug}`, seenInPod('client', 'echo', server, port.debug)),
  notAllowed: await logged(
    'notAllowed',
    `${server}:${port.forClient}`,
    seenInPod('other', 'echo', server, port.forClient),
  ),
  allowed: await seenInPod('other', 'double', server, port.doubling),
  anothersIdentity: await logged(
    'anothersIdentity',
    `${secondServerAddress}:15008`,
    seenInPod('client', 'echo', secondServerAddress, port.echo),
  ),
  nobodyThere: await logged('nobodyThere', `${server}:4`, seenInPod('client', 'echo', server, '4')),
  toPlain: await seenInPod('client', 'double', plainAddress, port.doubling),
  fromPlain: await seenInPod('plain', 'double', server, port.doubling),
  fromPlainStrict: await seenInPod('plain', 'double', server, port.echo),
  ownListener: await seenInPod('client', 'echo', '127.0.0.1', '15001'),
  serversHbonePort: await seenInPod('client', 'echo', server, '15008'),
  serversOutbound: await seenInPod('client', 'echo', server, '15001'),
  plainToHbone: withAlert(await seenInPod('plain', 'echo', server, '15008')),
  connects: JSON.parse(
    await outputInPod(
      'plain',
      process.execPath,
      join(import.meta.dirname, 'hbone-client.ts'),
      server,
      certificates,
      `${server}:${port.doubling}`,
      `${server}:${port.debug}`,
      `${server}:15001`,
      `${server}:15008`,
      `${server}:4`,
      `${plainAddress}:${port.doubling}`,
      `${secondServerAddress}:${port.doubling}`,
      '127.0.0.1:15000',
      '[::1]:15000',
      'doubling.example:80',
      'nobody.example:80',
      server,
    ),
  ),
});
const isPlain = (line: string): boolean => line.includes(plainAddress) && !line.includes(':15008 ');
for (const [node, count] of [
  ['clients', 1],
  ['servers', 2],
] as const) {
  plain[node] = await until(`${node}' proxy to tell of plain connections`, () => {
    const lines = proxyOf[node].accessLines().filter((line) => isPlain(line));
    return lines.length >= count && lines;
  });
  allMetrics[node] = await proxyOf[node].metrics();
}

const judged = podClient('client', 'hold', server, port.echo);
await judged.said(/^open/);
const late = logged('deniedWhileOpen', `${server}:${port.echo}`, judged.said(/^"/));
policies.deny(Number(port.echo));
seen['deniedWhileOpen'] = JSON.parse((await late) as string);
seen['deniedAnew'] = await seenInPod('client', 'double', server, port.echo);
policies.allow();
await until('the policy to be forgotten', async () => {
  const answer = await seenInPod('client', 'double', server, port.echo);
  return typeof answer === 'string' && answer.startsWith('hello');
});
seen['policiesRefused'] = policies.refusals;

const open = podClient('client', 'hold', server, port.forClient);
await open.said(/^open/);
const whenGone = servers.end();
// The listeners are closed at once; what is open goes on until the deadline.
await until('nobody new to be taken', async () => {
  const answer = await seenInPod('client', 'double', server, port.doubling);
  return typeof answer === 'string' && !answer.includes('hello');
});
seen['openWhileItGoes'] = open.lines.length === 1 ? 'open' : open.lines;
seen['openWhenItHasGone'] = JSON.parse(await open.said(/^"/));
seen['statusOfWhoWent'] = await whenGone;
await servers.kill();
servers = await NodeProxy.start(started('servers'), 1);
await seenInPod('client', 'listen', server, port.telling);

/** A connection of its own, whose proxies are told to go by nobody. */
const held = podClient('client', 'hold', server, port.forClient);
await held.said(/^open/);
await servers.kill();
seen['serversProxyKilled'] = JSON.parse(await held.said(/^"/));
seen['withoutServersProxy'] = await seenInPod('client', 'double', server, port.doubling);
servers = await NodeProxy.start(started('servers'), 2);
seen['serversProxyAnew'] = await seenInPod('client', 'double', server, port.doubling);
await seenInPod('client', 'listen', server, port.telling);
const last = podClient('client', 'hold', server, port.forClient);
await last.said(/^open/);
await clients.kill();
seen['clientsProxyKilled'] = JSON.parse(await last.said(/^"/));
seen['clientsProxyKilledAtServer'] = await seenInPod('plain', 'listen', server, port.telling);
console.log(JSON.stringify({ seen, access: { ...access, plain }, metrics, allMetrics }));
await servers.kill();
istiod.stop();
process.exit(0);
