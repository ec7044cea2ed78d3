/**
 * Runs as root in a network namespace of its own: a control plane, and two pods in namespaces of theirs, each with the
 * rules of `sekisho iptables` for the mode of interception that is the argument, `sekisho agent`, and an application
 * that knows nothing of either. Prints what the client was told, as JSON.
 */
import { createServer } from 'node:http';
import { Istiod } from '../istiod.ts';
import { AgentPod, main, node } from './agent-pod.ts';
import {
  applicationPort,
  egressPort,
  httpProxyPort,
  serverAddress,
  serviceAddress,
  toldTo,
  type InterceptionMode,
} from './mesh-of-two.ts';
import { Discovery } from './mesh-resources.ts';
import { applicationUser, gateway, PodNetwork, run, type User } from './pod-network.ts';
import { within } from './wait.ts';

const mode = process.argv[2] as InterceptionMode;
/** Istio's. Addresses of others need a privilege: then the group tells it apart. */
const proxyUser: User = { uid: mode === 'TPROXY' ? 0 : 1337, gid: 1337 };

const ends: (() => unknown)[] = [];
const atEnd = (end: () => unknown): void => void ends.push(end);

async function setRules(network: PodNetwork): Promise<void> {
  if (mode === 'NONE') return;
  const rules = ['-p', '15001', '-z', '15006', '-u', '1337', '-g', '1337', '-m', mode, '-i', '*', '-x', '', '-b', '*'];
  const dns = ['-d', '15090,15021,15020', '--redirect-dns', '--capture-all-dns'];
  await run(...network.command(), node, main, 'istio-iptables', ...rules, ...dns);
}

async function startPod(name: string, number: number, istiod: Istiod): Promise<PodNetwork> {
  const network = await PodNetwork.make(number, atEnd);
  await setRules(network);
  const wish = {
    istiod,
    istiodAddress: gateway,
    runner: network.command(proxyUser),
    variables: {
      POD_NAME: name,
      SERVICE_ACCOUNT: name,
      INSTANCE_IP: network.address,
      ISTIO_META_INTERCEPTION_MODE: mode,
      ...(mode !== 'NONE' && { ISTIO_META_DNS_CAPTURE: 'true', DNS_PROXY_ADDR: '127.0.0.1:15053' }),
    },
  };
  const pod = await AgentPod.make(wish, atEnd);
  await run('chown', '-R', `${proxyUser.uid}:${proxyUser.gid}`, pod.folder);
  pod.start(atEnd);
  const ended = async (): Promise<never> => {
    await pod.ended();
    throw new Error(`${name} has ended`);
  };
  const ready = network.script(applicationUser, untilReady(pod.readyPort));
  await Promise.race([within(`${name} to be ready`, ready), ended()]).catch((error: Error) => {
    throw new Error(`${error.message}\n${pod.output}`);
  });
  return network;
}

/** One process asks again and again: starting others takes what the pods need to start. */
function untilReady(port: number): string {
  const url = `http://127.0.0.1:${port}/healthz/ready`;
  return `setTimeout(()=>process.exit(),60_000);const again=()=>setTimeout(ask,50);const ask=()=>fetch('${url}').then(a=>a.status===200?process.exit():again(),again);ask()`;
}

function serverScript(): string {
  const answer =
    "JSON.stringify({from:q.socket.remoteAddress,cert:q.headers['x-forwarded-client-cert'],host:q.headers.host})";
  const address = mode === 'NONE' ? '127.0.0.1' : '0.0.0.0';
  return `require('http').createServer((q,r)=>r.end(${answer})).listen(${applicationPort},'${address}',()=>console.log('listening'))`;
}

/** @param path a whole URL where the server is a proxy */
function get(url: string, host: string, path?: string): string {
  const options = JSON.stringify({ agent: false, timeout: 5000, headers: { host }, path });
  return `require('http').get('${url}',${options},r=>{let t=r.statusCode+' ';r.on('data',d=>t+=d);r.on('end',()=>process.stdout.write(t))}).on('timeout',()=>process.exit()).on('error',e=>process.stdout.write(e.code))`;
}

const resolve = (name: string): string =>
  `const {Resolver}=require('dns').promises;const r=new Resolver({timeout:2000,tries:1});r.setServers(['10.96.0.10']);r.resolve4('${name}').then(a=>process.stdout.write(a.join()),e=>process.stdout.write(e.code))`;

const discovery = new Discovery((nodeId) => toldTo(mode, nodeId));
const istiod = await Istiod.start({ address: '0.0.0.0', onStream: (call) => discovery.onStream(call) });
await new Promise<void>(
  (done) =>
    void createServer((asked, response) => void response.end(`outside of the mesh: ${asked.headers.host}`)).listen(
      7000,
      done,
    ),
);
const [server, client] = await Promise.all([startPod('server', 2, istiod), startPod('client', 3, istiod)]);
await server.background(applicationUser, serverScript(), atEnd);

const asked = (script: string): Promise<string> => client.script(applicationUser, script);
const ofMode =
  mode === 'NONE'
    ? {
        service: await asked(get(`http://127.0.0.1:${egressPort}/`, 'server.mesh')),
        byProxy: await asked(get(`http://127.0.0.1:${httpProxyPort}/`, 'server.mesh', 'http://server.mesh/')),
      }
    : {
        name: await asked(resolve('server.mesh')),
        service: await asked(get(`http://${serviceAddress}/`, 'server.mesh')),
      };
const seen = {
  ...ofMode,
  passedThrough: await asked(get(`http://${gateway}:7000/`, 'outside')),
  withoutCertificate: await client.script(proxyUser, get(`http://${serverAddress}:${applicationPort}/`, 'server')),
  identities: istiod.asked.flatMap(({ uris }) => uris).toSorted(),
  modes: [...new Set(discovery.requests.flatMap(({ node: of }) => of?.metadata?.['INTERCEPTION_MODE'] ?? []))],
};
for (const end of ends.toReversed()) await end();
process.stdout.write(JSON.stringify(seen));
process.exit();
