/** What `istioctl ztunnel-config` reads of our /config_dump (ISTIOCTL_BIN names the program). */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Program } from '../../scenario/ambient/programs.ts';
import { findProgram, missing, repository } from '../binaries.ts';
import { freePorts } from '../ports.ts';

const istioctl = findProgram('istioctl');
if (istioctl === null) console.log(`what istioctl reads of a ztunnel: ${missing('istioctl')}`);

const host = '127.51.0.1';
const config = `
workloads:
- { uid: c//v1/Pod/shop/client, name: client, namespace: shop, serviceAccount: client, workloadIps: [${host}, 'fd00::1'], protocol: HBONE, node: n1, services: { shop/shop.example: { 80: 8080 } } }
- { uid: c//v1/Pod/shop/legacy, name: legacy, namespace: shop, serviceAccount: legacy, workloadIps: [127.51.0.2], protocol: TCP, node: n1, services: {} }
services:
- { name: shop, namespace: shop, hostname: shop.example, vips: [/10.10.0.1], ports: { 80: 8080 } }
policies:
- { name: no-debug, namespace: shop, scope: Namespace, action: Deny, dryRun: false, rules: [[[{ destinationPorts: [6060] }]]] }
`;

/** A connection of the workload to itself, open as long as the test. */
async function openConnection(): Promise<void> {
  const server = createServer((socket) => void socket.on('error', () => {}).pipe(socket)).listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host, port: 15_080 });
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  await once(socket, 'connect');
  socket.write(Buffer.from([5, 1, 0, 5, 1, 0, 1, ...host.split('.').map(Number), port >> 8, port & 255]));
  socket.write('x');
  let heard = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    heard += (chunk as Buffer).toString('latin1');
    if (heard.endsWith('x')) break;
  }
}

async function dumped(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-dump-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [adminPort, statsPort, readinessPort] = await freePorts(3);
  const ztunnel = new Program(process.execPath, [join(repository, 'src/main.ts'), 'ztunnel'], {
    FAKE_CA: 'true',
    XDS_ADDRESS: '',
    LOCAL_XDS: config,
    PROXY_MODE: 'dedicated',
    PROXY_WORKLOAD_INFO: 'shop/client/client',
    UNSTABLE_ENABLE_SOCKS5: 'true',
    SEKISHO_LISTEN_ADDRESS: host,
    ADMIN_PORT: String(adminPort),
    STATS_PORT: String(statsPort),
    READINESS_PORT: String(readinessPort),
  });
  onTestFinished(() => ztunnel.kill());
  await ztunnel.said(/started/);
  await openConnection();
  const dump = join(folder, 'dump.json');
  const response = await fetch(`http://127.0.0.1:${adminPort}/config_dump`);
  writeFileSync(dump, await response.text());
  return dump;
}

test.skipIf(istioctl === null)('workloads, services, policies, certificates and connections', async () => {
  const dump = await dumped();
  const rows = (what: string): string[][] => {
    const text = execFileSync(istioctl!, ['ztunnel-config', what, '--file', dump], { encoding: 'utf8' });
    const lines = text.trim().split('\n').slice(1);
    return lines.map((line) => line.trim().split(/\s{2,}|(?<=\S) (?=\S)/));
  };
  expect(rows('workload')).toEqual([
    ['shop', 'client', `${host},fd00::1`, 'n1', 'None', 'HBONE'],
    ['shop', 'legacy', '127.51.0.2', 'n1', 'None', 'TCP'],
  ]);
  expect(rows('service')).toEqual([['shop', 'shop', '10.10.0.1', 'None', '1/1']]);
  expect(rows('policy')).toEqual([['shop', 'no-debug', 'Deny', 'Namespace']]);
  const certificates = rows('certificate');
  expect(certificates.map(([identity, type, state]) => [identity, type, state])).toEqual([
    ['spiffe://cluster.local/ns/shop/sa/client', 'Leaf', 'Available'],
    ['spiffe://cluster.local/ns/shop/sa/client', 'Root', 'Available'],
  ]);
  const directions = rows('connections').map((row) => [row[0], row[1], row.at(-1)]);
  expect(directions.toSorted((a, b) => a.join().localeCompare(b.join()))).toEqual([
    ['client.shop', 'Inbound', 'HBONE'],
    ['client.shop', 'Outbound', 'HBONE'],
  ]);
});
