/** COMPLIANCE_POLICY=pqc: keys are exchanged by X25519MLKEM768, or not at all. */
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { readZtunnelSettings } from '../../../../src/ztunnel/settings.ts';
import { readExactly, socks, World } from './world.ts';

const client = '127.50.0.1';
const server = '127.50.0.2';
const port = 18_150;

const config = `
workloads:
- { uid: c//v1/Pod/shop/a, name: a, namespace: shop, serviceAccount: a, workloadIps: [${client}], protocol: HBONE, services: {} }
- { uid: c//v1/Pod/shop/b, name: b, namespace: shop, serviceAccount: b, workloadIps: [${server}], protocol: HBONE, services: {} }
`;

let world: World | null = null;
afterEach(() => {
  world?.close();
  world = null;
});

async function pair(clientsPolicy: string, serversPolicy: string) {
  world = await World.make(config);
  const info = (name: string) => ({ name, namespace: 'shop', serviceAccount: name });
  const settingsOf = (policy: string) => {
    const variables = { COMPLIANCE_POLICY: policy };
    const { isPostQuantum } = readZtunnelSettings(variables, { processors: 2, exists: () => false }).proxy;
    return { isPostQuantum };
  };
  const a = await world.proxy({ host: client, info: info('a'), settings: settingsOf(clientsPolicy) });
  await world.proxy({ host: server, info: info('b'), settings: settingsOf(serversPolicy) });
  await world.server(server, port, (socket) => void socket.pipe(socket));
  return { a, w: world };
}

test('between two that ask for it', async () => {
  const { a } = await pair('pqc', 'pqc');
  const { socket, reply } = await socks(a, server, port);
  expect(reply).toBe(0);
  socket.write('x');
  expect((await readExactly(socket, 1)).toString()).toBe('x');
});

/** What a client of OpenSSL that offers these groups comes to. */
async function handshake(w: World, groups: string): Promise<string> {
  const { chainPem, keyPem } = await w.identity('spiffe://cluster.local/ns/shop/sa/other');
  const options: ConnectionOptions = {
    host: server,
    port: 15_008,
    cert: chainPem,
    key: keyPem,
    ca: w.authority.rootPem,
    ecdhCurve: groups,
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined,
  };
  const socket: TLSSocket = connect(options);
  const outcome = await Promise.race([
    once(socket, 'secureConnect').then(() => 'done'),
    once(socket, 'error').then(([error]) => (error as NodeJS.ErrnoException).code ?? 'failed'),
  ]).catch((error: NodeJS.ErrnoException) => error.code ?? 'failed');
  socket.on('error', () => {});
  socket.destroy();
  return outcome;
}

test('a server that asks for it takes nobody who cannot', async () => {
  const { w } = await pair('', 'pqc');
  expect(await handshake(w, 'X25519MLKEM768')).toBe('done');
  expect(await handshake(w, 'X25519:P-256')).toBe('ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE');
});

test('a client that asks for it speaks to no server that cannot', async () => {
  const { a } = await pair('pqc', '');
  const { reply } = await socks(a, server, port);
  expect(reply).not.toBe(0);
  const [refused] = await a.reporter.ended(1);
  expect(refused.error?.flags).toBe('TLS_FAILURE');
});
