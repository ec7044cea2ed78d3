/**
 * Runs in a network namespace of its own, whose iptables send everything to port 15001 but what comes from 127.0.0.6,
 * as Istio's do. `node redirected-traffic.ts envoy|sekisho [flags]` prints what clients were told, as JSON.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { envoy, Proxy, sekisho } from '../peers/proxy.ts';

const hcm =
  "'@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const router =
  "{ name: r, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router } }";
const manager = (route: string): string =>
  `{ name: h, typed_config: { ${hcm}, stat_prefix: h, http_filters: [${router}], route_config: { virtual_hosts: [{ name: v, domains: ['*'], routes: [{ match: { prefix: / }, ${route} }] }] } } }`;

const config = `
admin: { address: { socket_address: { address: 127.0.0.1, port_value: 9901 } } }
static_resources:
  listeners:
  - name: virtual
    address: { socket_address: { address: 0.0.0.0, port_value: 15001 } }
    use_original_dst: true
    filter_chains: [{ filters: [${manager('route: { cluster: pass }')}] }]
  - name: service
    address: { socket_address: { address: 10.9.9.9, port_value: 80 } }
    bind_to_port: false
    filter_chains: [{ filters: [${manager("direct_response: { status: 200, body: { inline_string: 'service' } }")}] }]
  - name: six
    address: { socket_address: { address: '::1', port_value: 15001 } }
    use_original_dst: true
    filter_chains: [{ filters: [${manager('route: { cluster: pass6 }')}] }]
  clusters:
  - { name: pass, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED, connect_timeout: 1s, upstream_bind_config: { source_address: { address: 127.0.0.6, port_value: 0 } } }
  - { name: pass6, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED, connect_timeout: 1s, original_dst_lb_config: { upstream_port_override: 7006 } }
`;

async function ask(url: string): Promise<string> {
  const { statusCode, body } = await request(url, { headersTimeout: 5000 });
  const text = await body.text();
  return statusCode === 200 ? text : String(statusCode);
}

const [name, ...flags] = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), 'sekisho-redirected-'));
const origin = createServer((incoming, response) => {
  const { remoteAddress, localAddress, localPort } = incoming.socket;
  response.setHeader('connection', 'close').end(`${remoteAddress} to ${localAddress}:${localPort}`);
});
await new Promise<void>((resolve) => origin.listen(7000, '0.0.0.0', resolve));
const origin6 = createServer((incoming, response) => {
  response.setHeader('connection', 'close').end(`to ${incoming.socket.localAddress}:${incoming.socket.localPort}`);
});
await new Promise<void>((resolve) => origin6.listen(7006, '::1', resolve));
const file = join(directory, 'config.yaml');
writeFileSync(file, config);
const proxy = await Proxy.start(name === 'envoy' ? envoy : sekisho, file, 9901, flags);
const answers: Record<string, string> = {};
for (const url of [
  'http://127.0.0.5:7000/',
  'http://127.0.0.7:7000/',
  'http://127.0.0.5:7001/',
  'http://10.9.9.9/',
  'http://[::1]:7106/',
])
  answers[url] = await ask(url).catch((error: Error) => error.message);
await proxy.stop();
origin.close();
origin6.close();
rmSync(directory, { recursive: true, force: true });
console.log(JSON.stringify(answers));
process.exit(0);
