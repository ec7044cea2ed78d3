/**
 * Runs as root in a network namespace of its own, a pod whose inbound connections TPROXY sends to port 15006 and whose
 * outbound ones go to 15001, as Istio's rules do; another pod is at the other end of its interface.
 * `node tproxied-traffic.ts envoy|sekisho [flags]` prints whom servers have seen, as JSON.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { envoy, Proxy, sekisho } from '../peers/proxy.ts';
import { main, node } from './agent-pod.ts';

/** Of Istio's proxies where TPROXY is used: they are root, and their group tells them apart. */
const proxyGroup = 1337;
const applicationUser = 4000;

const type = "'@type': type.googleapis.com/envoy.extensions.filters";
const router = `{ name: r, typed_config: { ${type}.http.router.v3.Router } }`;
const manager = (cluster: string): string =>
  `{ name: h, typed_config: { ${type}.network.http_connection_manager.v3.HttpConnectionManager, stat_prefix: h, http_filters: [${router}], route_config: { response_headers_to_add: [{ header: { key: x-by, value: ${cluster} } }], virtual_hosts: [{ name: v, domains: ['*'], routes: [{ match: { prefix: / }, route: { cluster: ${cluster} } }] }] } } }`;
const tcp = (cluster: string): string =>
  `{ name: t, typed_config: { ${type}.network.tcp_proxy.v3.TcpProxy, stat_prefix: t, cluster: ${cluster} } }`;
const at = (address: string, port: number): string =>
  `{ socket_address: { address: '${address}', port_value: ${port} } }`;
const originalDst = (name: string, more = ''): string =>
  `{ name: ${name}, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED, connect_timeout: 2s, ${more} }`;

/** As istiod makes it for this mode of interception. */
const config = `
admin: { address: ${at('127.0.0.1', 9901)} }
static_resources:
  listeners:
  - name: virtualInbound
    traffic_direction: INBOUND
    address: ${at('0.0.0.0', 15_006)}
    additional_addresses: [{ address: ${at('::', 15_006)} }]
    transparent: true
    listener_filters:
    - { name: d, typed_config: { ${type}.listener.original_dst.v3.OriginalDst } }
    - { name: s, typed_config: { ${type}.listener.original_src.v3.OriginalSrc, mark: 1337 } }
    filter_chains:
    - { filter_chain_match: { destination_port: 8080 }, filters: [${manager('inbound')}] }
    - { filters: [${tcp('InboundPassthroughCluster')}] }
  - name: virtualOutbound
    traffic_direction: OUTBOUND
    address: ${at('0.0.0.0', 15_001)}
    additional_addresses: [{ address: ${at('::', 15_001)} }]
    transparent: true
    use_original_dst: true
    filter_chains: [{ filters: [${tcp('PassthroughCluster')}] }]
  - name: service
    traffic_direction: OUTBOUND
    address: ${at('10.96.0.1', 80)}
    bind_to_port: false
    filter_chains: [{ filters: [${manager('itself')}] }]
  - name: elsewhere
    traffic_direction: OUTBOUND
    address: ${at('0.0.0.0', 7000)}
    additional_addresses: [{ address: ${at('::', 7000)} }]
    bind_to_port: false
    filter_chains: [{ filters: [${manager('PassthroughCluster')}] }]
  clusters:
  - ${originalDst('inbound', "upstream_bind_config: { source_address: { address: 127.0.0.6, port_value: 0 }, extra_source_addresses: [{ address: { address: '::6', port_value: 0 } }] }")}
  - ${originalDst('InboundPassthroughCluster', "upstream_bind_config: { source_address: { address: 127.0.0.6, port_value: 0 }, extra_source_addresses: [{ address: { address: '::6', port_value: 0 } }] }")}
  - ${originalDst('PassthroughCluster')}
  - name: itself
    connect_timeout: 2s
    load_assignment: { cluster_name: itself, endpoints: [{ lb_endpoints: [{ endpoint: { address: ${at('10.9.9.9', 8080)} } }] }] }
`;

const children: ChildProcess[] = [];

/** Resolves when it has said something. */
async function background(command: string, args: readonly string[], uid = 0): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], uid, gid: uid, cwd: '/' });
  children.push(child);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

async function run(command: string, args: readonly string[], uid = 0): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], uid, gid: uid, cwd: '/' });
  const [output, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return (output + error).trim();
}

/** HTTP of these ports and TCP of 9000: each says who is at the other end, and where that one went. */
const servers = (ports: readonly number[]): string => `
  const ends = (s) => s.remoteAddress + ' to ' + s.localAddress + ':' + s.localPort;
  const servers = [];
  for (const host of ['0.0.0.0', '::']) {
    for (const port of ${JSON.stringify(ports)})
      servers.push([require('http').createServer((q, r) => r.setHeader('connection', 'close').end(ends(q.socket))), port, host]);
    servers.push([require('net').createServer((s) => s.end(ends(s)).on('error', () => {}).resume()), 9000, host]);
  }
  Promise.all(servers.map(([s, port, host]) => new Promise((done) => s.listen({ port, host, ipv6Only: true }, done)))).then(() => console.log('there'));
`;

const ask = (url: string): string =>
  `require('http').get('${url}',{agent:false,timeout:5000},r=>{let t='';r.on('data',d=>t+=d);r.on('end',()=>process.stdout.write(r.statusCode+' '+(r.headers['x-by']??'nobody')+' '+t))}).on('timeout',()=>process.exit()).on('error',e=>process.stdout.write(e.code))`;
const hear = (host: string): string =>
  `const s=require('net').connect(9000,'${host}');s.setTimeout(5000,()=>process.exit());s.on('data',d=>process.stdout.write(d)).on('error',e=>process.stdout.write(e.code))`;

const [name, ...flags] = process.argv.slice(2);
const neighbour = await background('unshare', ['-n', 'sh', '-c', 'echo there; exec sleep 1000']);
const inNeighbour = ['-t', String(neighbour.pid), '-n'];
await run('ip', ['link', 'set', 'eth0peer', 'netns', String(neighbour.pid)]);
for (const words of [
  'link set lo up',
  'link set eth0peer up',
  'address add 10.9.9.1/24 dev eth0peer',
  'address add fd00::1/64 dev eth0peer nodad',
])
  await run('nsenter', [...inNeighbour, 'ip', ...words.split(' ')]);
await background('nsenter', [...inNeighbour, process.execPath, '-e', servers([7000])]);
await background(process.execPath, ['-e', servers([8080, 15_020])], applicationUser);
const rules = ['-p', '15001', '-z', '15006', '-u', '1337', '-g', '1337', '-m', 'TPROXY', '-i', '*', '-b', '*'];
const set = await run(node, [main, 'istio-iptables', ...rules, '-d', '15090,15021,15020', '--dual-stack']);

const directory = mkdtempSync(join(tmpdir(), 'sekisho-tproxied-'));
const file = join(directory, 'config.yaml');
writeFileSync(file, config);
// What is started from here on is the proxy's.
process.setgid!(proxyGroup);
const proxy = await Proxy.start(name === 'envoy' ? envoy : sekisho, file, 9901, flags);
const fromNeighbour = (script: string): Promise<string> =>
  run('nsenter', [...inNeighbour, process.execPath, '-e', script]);
const fromApplication = (script: string): Promise<string> => run(process.execPath, ['-e', script], applicationUser);
const seen = {
  set,
  inbound: await fromNeighbour(ask('http://10.9.9.9:8080/')),
  inbound6: await fromNeighbour(ask('http://[fd00::9]:8080/')),
  passedThrough: await fromNeighbour(hear('10.9.9.9')),
  passedThrough6: await fromNeighbour(hear('fd00::9')),
  excluded: await fromNeighbour(ask('http://10.9.9.9:15020/')),
  nobodyListens: await fromNeighbour(ask('http://10.9.9.9:8081/')),
  outbound: await fromApplication(ask('http://10.9.9.1:7000/')),
  outbound6: await fromApplication(ask('http://[fd00::1]:7000/')),
  serviceThatIsItself: await fromApplication(ask('http://10.96.0.1/')),
};
await proxy.stop();
for (const child of children) child.kill('SIGKILL');
rmSync(directory, { recursive: true, force: true });
process.stdout.write(JSON.stringify(seen));
process.exit(0);
