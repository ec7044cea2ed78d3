/**
 * Runs as root in a network namespace of its own: a control plane, and two pods in namespaces of theirs, each with the
 * rules of `sekisho iptables`, `sekisho agent` as Istio's user, and an application that knows nothing of either. Prints
 * what the client was told, as JSON.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Istiod } from '../istiod.ts';
import { AgentPod, main, node } from './agent-pod.ts';
import {
  clusterType,
  Discovery,
  downstreamTls,
  httpManager,
  listenerType,
  nameTable,
  nameTableType,
  originalCluster,
  originalDestination,
  socketAddress,
  staticCluster,
  tcpProxy,
  upstreamTls,
  type Told,
} from './mesh-resources.ts';
import { until } from './wait.ts';

/** Of Istio's proxies, and of an application. */
const proxyUser = 1337;
const applicationUser = 4000;
const applicationPort = 8080;
const serviceAddress = '10.96.0.1';
/** This network's address on the bridge. */
const gateway = '10.9.0.1';
const serverNumber = 2;
const serverIdentity = 'spiffe://cluster.local/ns/default/sa/server';

const ends: (() => unknown)[] = [];
const atEnd = (end: () => unknown): void => void ends.push(end);

async function run(command: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return (output + error).trim();
}

/** A pod's own network, on one bridge with all others: 10.9.0.n. */
class PodNetwork {
  readonly address: string;
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess, number: number) {
    this.child = child;
    this.address = `10.9.0.${number}`;
  }

  static async make(number: number): Promise<PodNetwork> {
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    const child = spawn('unshare', ['-n', 'sh', '-c', 'echo there; exec sleep 1000'], { stdio: [...stdio] });
    atEnd(() => child.kill('SIGKILL'));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const network = new PodNetwork(child, number);
    const [here, there] = [`pod${number}`, `pod${number}peer`];
    for (const words of [
      `link add ${here} type veth peer name ${there}`,
      `link set ${there} netns ${child.pid}`,
      `link set ${here} master bridge0`,
      `link set ${here} up`,
    ])
      await run('ip', ...words.split(' '));
    for (const words of [
      'link set lo up',
      `link set ${there} name eth0`,
      'link set eth0 up',
      `address add ${network.address}/24 dev eth0`,
      `route add default via ${gateway}`,
    ])
      await run(...network.command(), 'ip', ...words.split(' '));
    return network;
  }

  /** What runs in it, as this user. */
  command(user = 0): [string, ...string[]] {
    const as = user === 0 ? [] : ['setpriv', '--reuid', `${user}`, '--regid', `${user}`, '--clear-groups'];
    return ['nsenter', '-t', String(this.child.pid), '-n', ...as];
  }

  /** @returns what the script prints */
  script(user: number, script: string): Promise<string> {
    return run(...this.command(user), process.execPath, '-e', script);
  }
}

function told(nodeId: string): Told {
  const names = { [nameTableType]: [nameTable('server.mesh', serviceAddress)] };
  if (nodeId.includes('~server.'))
    return {
      ...names,
      [clusterType]: [
        originalCluster('inbound', { upstreamBindConfig: { sourceAddress: { address: '127.0.0.6', portValue: 0 } } }),
      ],
      [listenerType]: [
        {
          name: 'virtualInbound',
          trafficDirection: 'INBOUND',
          address: socketAddress('0.0.0.0', 15_006),
          listenerFilters: [originalDestination],
          filterChains: [
            {
              transportSocket: downstreamTls,
              filters: [
                httpManager('inbound', {
                  forwardClientCertDetails: 'SANITIZE_SET',
                  setCurrentClientCertDetails: { uri: true },
                }),
              ],
            },
          ],
        },
      ],
    };
  return {
    ...names,
    [clusterType]: [
      staticCluster('server', `10.9.0.${serverNumber}`, applicationPort, {
        transportSocket: upstreamTls(serverIdentity),
      }),
      originalCluster('PassthroughCluster'),
    ],
    [listenerType]: [
      {
        name: 'virtualOutbound',
        trafficDirection: 'OUTBOUND',
        address: socketAddress('0.0.0.0', 15_001),
        useOriginalDst: true,
        filterChains: [{ filters: [tcpProxy('PassthroughCluster')] }],
      },
      {
        name: 'service',
        trafficDirection: 'OUTBOUND',
        address: socketAddress(serviceAddress, 80),
        bindToPort: false,
        filterChains: [{ filters: [httpManager('server')] }],
      },
    ],
  };
}

async function startPod(name: string, number: number, istiod: Istiod): Promise<PodNetwork> {
  const network = await PodNetwork.make(number);
  const rules = ['-p', '15001', '-z', '15006', '-u', '1337', '-m', 'REDIRECT', '-i', '*', '-x', '', '-b', '*'];
  const dns = ['-d', '15090,15021,15020', '--redirect-dns', '--capture-all-dns'];
  await run(...network.command(), node, main, 'istio-iptables', ...rules, ...dns);
  const wish = {
    istiod,
    istiodAddress: gateway,
    runner: network.command(proxyUser),
    variables: {
      POD_NAME: name,
      SERVICE_ACCOUNT: name,
      INSTANCE_IP: network.address,
      ISTIO_META_DNS_CAPTURE: 'true',
      DNS_PROXY_ADDR: '127.0.0.1:15053',
    },
  };
  const pod = await AgentPod.make(wish, atEnd);
  await run('chown', '-R', `${proxyUser}:${proxyUser}`, pod.folder);
  pod.start(atEnd);
  const ready = `fetch('http://127.0.0.1:${pod.readyPort}/healthz/ready').then(a=>process.stdout.write(String(a.status)),()=>{})`;
  await until(`${name} to be ready`, async () => {
    if (pod.hasEnded) throw new Error(pod.output);
    return (await network.script(applicationUser, ready)) === '200';
  }).catch((error: Error) => {
    throw new Error(`${error.message}\n${pod.output}`);
  });
  return network;
}

const discovery = new Discovery(told);
const istiod = await Istiod.start({ address: '0.0.0.0', onStream: (call) => discovery.onStream(call) });
await new Promise<void>(
  (resolve) =>
    void createServer((asked, response) => void response.end(`outside of the mesh: ${asked.headers.host}`)).listen(
      7000,
      resolve,
    ),
);
const [server, client] = await Promise.all([startPod('server', serverNumber, istiod), startPod('client', 3, istiod)]);

const application = spawn(
  ...(([program, ...args]) => [program, [...args, process.execPath, '-e', serverScript()]] as const)(
    server.command(applicationUser),
  ),
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
atEnd(() => application.kill('SIGKILL'));
await new Promise((resolve) => application.stdout.once('data', resolve));

function serverScript(): string {
  const answer =
    "JSON.stringify({from:q.socket.remoteAddress,cert:q.headers['x-forwarded-client-cert'],host:q.headers.host})";
  return `require('http').createServer((q,r)=>r.end(${answer})).listen(${applicationPort},'0.0.0.0',()=>console.log('listening'))`;
}

const get = (url: string, host: string): string =>
  `require('http').get('${url}',{agent:false,timeout:5000,headers:{host:'${host}'}},r=>{let t=r.statusCode+' ';r.on('data',d=>t+=d);r.on('end',()=>process.stdout.write(t))}).on('timeout',()=>process.exit()).on('error',e=>process.stdout.write(e.code))`;
const resolve = (name: string): string =>
  `const {Resolver}=require('dns').promises;const r=new Resolver({timeout:2000,tries:1});r.setServers(['10.96.0.10']);r.resolve4('${name}').then(a=>process.stdout.write(a.join()),e=>process.stdout.write(e.code))`;

const seen = {
  name: await client.script(applicationUser, resolve('server.mesh')),
  service: await client.script(applicationUser, get(`http://${serviceAddress}/`, 'server.mesh')),
  passedThrough: await client.script(applicationUser, get(`http://${gateway}:7000/`, 'outside')),
  withoutCertificate: await client.script(proxyUser, get(`http://${server.address}:${applicationPort}/`, 'server')),
  identities: istiod.asked.flatMap(({ uris }) => uris).toSorted(),
};
for (const end of ends.toReversed()) await end();
process.stdout.write(JSON.stringify(seen));
process.exit();
