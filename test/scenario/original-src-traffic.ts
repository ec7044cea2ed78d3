/**
 * Runs in a network namespace of its own, where what goes to 203.0.113.0/24 and 2001:db8::/32 comes back, and where
 * nothing with the mark 99 gets out. `node original-src-traffic.ts envoy|sekisho [flags]` prints whom the upstream saw,
 * as JSON.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { envoy, Proxy, sekisho } from '../peers/proxy.ts';

const type = "'@type': type.googleapis.com/envoy.extensions.filters";
const router = `{ name: r, typed_config: { ${type}.http.router.v3.Router } }`;
const hcm = `{ name: h, typed_config: { ${type}.network.http_connection_manager.v3.HttpConnectionManager, stat_prefix: h, http_filters: [${router}], route_config: { virtual_hosts: [{ name: v, domains: ['*'], routes: [{ match: { prefix: /six }, route: { cluster: six } }, { match: { prefix: / }, route: { cluster: four } }] }] } } }`;
const tcp = `{ name: t, typed_config: { ${type}.network.tcp_proxy.v3.TcpProxy, stat_prefix: t, cluster: four } }`;

/** Clients say themselves who they are. */
const listener = (port: number, mark: number, filter: string, address = '127.0.0.1', more = ''): string => `
  - address: { socket_address: { address: '${address}', port_value: ${port} } }
    ${more}
    listener_filters:
    - { name: p, typed_config: { ${type}.listener.proxy_protocol.v3.ProxyProtocol } }
    - { name: o, typed_config: { ${type}.listener.original_src.v3.OriginalSrc, mark: ${mark} } }
    filter_chains: [{ filters: [${filter}] }]`;

const cluster = (name: string, address: string): string => `
  - name: ${name}
    upstream_bind_config: { source_address: { address: '${address}', port_value: 0 } }
    load_assignment: { cluster_name: ${name}, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: '${address}', port_value: 7000 } } } }] }] }`;

const config = `
admin: { address: { socket_address: { address: 127.0.0.1, port_value: 9901 } } }
static_resources:
  listeners:${listener(8001, 0, hcm)}${listener(8002, 7, hcm)}${listener(8003, 99, hcm)}${listener(8004, 0, tcp)}${listener(8005, 0, hcm, '203.0.113.1', 'freebind: true')}${listener(8006, 0, hcm, '203.0.113.2', 'transparent: true')}${listener(8007, 0, hcm, '2001:db8::1', 'freebind: true')}${listener(8008, 0, hcm, '2001:db8::2', 'transparent: true')}
  clusters:${cluster('four', '127.0.0.1')}${cluster('six', '::1')}
`;

/** The status, and whom the upstream saw. */
async function ask(port: number, from: string, path: string, host = '127.0.0.1'): Promise<string> {
  const isSix = from.includes(':');
  const socket = connect({ port, host, ...(host.includes(':') ? {} : { localAddress: '127.0.0.1' }) });
  socket.setTimeout(5000, () => socket.destroy(new Error('no answer')));
  socket.write(`PROXY ${isSix ? 'TCP6' : 'TCP4'} ${from} ${isSix ? '::1' : '127.0.0.1'} 4321 80\r\n`);
  socket.write(`GET ${path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n`);
  const answer = await text(socket);
  const [head, body] = answer.split('\r\n\r\n');
  const status = head.split(' ')[1];
  return status === '200' ? body : status;
}

const [name, ...flags] = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), 'sekisho-original-src-'));
const origin = createServer((incoming, response) => {
  const body = incoming.socket.remoteAddress ?? '';
  response.writeHead(200, { 'content-length': body.length }).end(body);
});
const origin6 = createServer((incoming, response) => {
  const body = incoming.socket.remoteAddress ?? '';
  response.writeHead(200, { 'content-length': body.length }).end(body);
});
await once(origin.listen(7000, '127.0.0.1'), 'listening');
await once(origin6.listen(7000, '::1'), 'listening');
const file = join(directory, 'config.yaml');
writeFileSync(file, config);
const proxy = await Proxy.start(name === 'envoy' ? envoy : sekisho, file, 9901, flags);
// What was bound freely answers when this machine has the address.
execFileSync('ip', ['address', 'add', '203.0.113.1/32', 'dev', 'lo']);
const asked: readonly (readonly [number, string, string, string?])[] = [
  [8001, '203.0.113.9', '/'],
  [8001, '203.0.113.9', '/again'],
  [8001, '203.0.113.10', '/'],
  [8001, '2001:db8::9', '/six'],
  [8001, '2001:db8::9', '/four'],
  [8002, '203.0.113.9', '/'],
  [8003, '203.0.113.9', '/'],
  [8004, '203.0.113.11', '/'],
  [8005, '203.0.113.12', '/', '203.0.113.1'],
  [8006, '203.0.113.12', '/', '203.0.113.2'],
  [8007, '203.0.113.12', '/', '2001:db8::1'],
  [8008, '203.0.113.12', '/', '2001:db8::2'],
];
const answers: Record<string, string> = {};
for (const [port, from, path, host] of asked)
  answers[`${port} ${from} ${path}`] = await ask(port, from, path, host).catch((error: Error) => error.message);
await proxy.stop();
rmSync(directory, { recursive: true, force: true });
console.log(JSON.stringify(answers));
process.exit(0);
