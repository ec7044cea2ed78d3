/** From one workload's proxy to another's: SOCKS or redirection, HBONE, policies, and what ends connections. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { readLocalConfig } from '../../../../src/ztunnel/state/local/local-config.ts';
import { noChange } from '../../../../src/ztunnel/state/mesh.ts';
import { ending, readAll, readExactly, socks, World, type Proxy } from './world.ts';

const client = '127.41.0.1';
const server = '127.41.0.2';
const plain = '127.41.0.3';
const serverPort = 18_080;

const config = `
workloads:
- { uid: c//v1/Pod/shop/billing-0, name: billing-0, namespace: shop, serviceAccount: billing, workloadIps: [${client}], protocol: HBONE, services: {}, canonicalName: billing }
- uid: c//v1/Pod/shop/ledger-0
  name: ledger-0
  namespace: shop
  serviceAccount: ledger
  workloadIps: [${server}]
  protocol: HBONE
  services: { shop/ledger.shop.svc.cluster.local: { 80: ${serverPort} } }
- { uid: c//v1/Pod/shop/legacy-0, name: legacy-0, namespace: shop, workloadIps: [${plain}], protocol: TCP, services: {} }
services:
- { name: ledger, namespace: shop, hostname: ledger.shop.svc.cluster.local, vips: [/127.41.9.9], ports: { 80: ${serverPort} } }
`;

const onlyOthers = readLocalConfig(`
policies:
- { name: only-others, namespace: shop, scope: Namespace, action: Allow, dryRun: false, rules: [[[{ principals: [!Exact cluster.local/ns/shop/sa/other] }]]] }
`);

let world: World | null = null;
afterEach(() => {
  world?.close();
  world = null;
});

async function pair(): Promise<{ world: World; a: Proxy; b: Proxy }> {
  world = await World.make(config);
  const a = await world.proxy({
    host: client,
    info: { name: 'billing-0', namespace: 'shop', serviceAccount: 'billing' },
  });
  const b = await world.proxy({
    host: server,
    info: { name: 'ledger-0', namespace: 'shop', serviceAccount: 'ledger' },
  });
  return { world, a, b };
}

test('bytes go through a tunnel of both identities, and half-closes with them', async () => {
  const { world: w, a, b } = await pair();
  await w.server(server, serverPort, (socket) => {
    void readAll(socket).then((all) => socket.end(Buffer.concat([all, all])));
  });
  const { socket, reply } = await socks(a, '127.41.9.9', 80);
  expect(reply).toBe(0);
  socket.end('hello world');
  expect((await readAll(socket)).toString()).toBe('hello worldhello world');
  const [out] = await a.reporter.ended(1);
  const [inn] = await b.reporter.ended(1);
  const ledger = 'spiffe://cluster.local/ns/shop/sa/ledger';
  const billing = 'spiffe://cluster.local/ns/shop/sa/billing';
  expect(out).toMatchObject({ error: null, sentBytes: 22, receivedBytes: 11 });
  expect(out.facts).toMatchObject({
    direction: 'outbound',
    sourceIdentity: billing,
    destinationIdentity: ledger,
    destinationAddress: { host: server, port: 15008 },
    hboneAddress: `${server}:${serverPort}`,
    service: { hostname: 'ledger.shop.svc.cluster.local' },
  });
  expect(inn).toMatchObject({ error: null, sentBytes: 22, receivedBytes: 11 });
  expect(inn.facts).toMatchObject({
    direction: 'inbound',
    sourceIdentity: billing,
    destinationIdentity: ledger,
    hboneAddress: `${server}:${serverPort}`,
    service: { hostname: 'ledger.shop.svc.cluster.local' },
  });
  expect(a.asked).toEqual([billing]);
  expect(b.asked).toEqual([ledger]);
});

test('many connections share one that carries them', async () => {
  const { world: w, a } = await pair();
  await w.server(server, serverPort, (socket) => void socket.pipe(socket));
  const clients = await Promise.all(Array.from({ length: 20 }, () => socks(a, server, serverPort)));
  for (const [i, { socket }] of clients.entries()) {
    socket.write(`message ${i % 10}`);
    expect((await readExactly(socket, 9)).toString()).toBe(`message ${i % 10}`);
  }
  expect(a.proxy.pod.pool.connections).toBe(1);
});

test('megabytes both ways arrive as they left, whoever reads slowly', async () => {
  const { world: w, a } = await pair();
  await w.server(server, serverPort, (socket) => void socket.pipe(socket));
  const { socket } = await socks(a, server, serverPort);
  const sent = Buffer.alloc(12 * 1024 * 1024, 'abcdefghijklmnopqrstuvwxyz');
  const received: Buffer[] = [];
  socket.end(sent);
  for await (const chunk of socket) {
    received.push(chunk as Buffer);
    if (received.length % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(Buffer.concat(received).equals(sent)).toBe(true);
});

test('a reset at either end is a reset at the other', async () => {
  const { world: w, a } = await pair();
  const sockets: Socket[] = [];
  await w.server(server, serverPort, (socket) => {
    sockets.push(socket);
    socket.write('x');
  });
  const first = await socks(a, server, serverPort);
  await readExactly(first.socket, 1);
  sockets[0].resetAndDestroy();
  expect(await ending(first.socket)).toBe('ECONNRESET');
  const second = await socks(a, server, serverPort);
  await readExactly(second.socket, 1);
  second.socket.resetAndDestroy();
  expect(await ending(sockets[1])).toBe('ECONNRESET');
});

test('a policy turns a client away, by who it is', async () => {
  const { world: w, a, b } = await pair();
  w.mesh.apply(onlyOthers);
  const { reply } = await socks(a, server, serverPort);
  expect(reply).not.toBe(0);
  expect((await a.reporter.ended(1))[0].error).toEqual({ text: 'http status: 401 Unauthorized', flags: 'CONNECT' });
  expect((await b.reporter.ended(1))[0].error).toEqual({
    text: 'connection closed due to policy rejection: allow policies exist, but none allowed',
    flags: 'DENY',
  });
});

test('a policy that comes later ends what is open, and only that', async () => {
  const { world: w, a, b } = await pair();
  await w.server(server, serverPort, (socket) => void socket.pipe(socket));
  const { socket } = await socks(a, server, serverPort);
  socket.write('open');
  expect((await readExactly(socket, 4)).toString()).toBe('open');
  const closed = ending(socket);
  w.mesh.apply(onlyOthers);
  expect(await closed).toBe('ECONNRESET');
  expect((await b.reporter.ended(1))[0].error?.flags).toBe('DENY');
  w.mesh.apply({ ...noChange, removedPolicies: ['shop/only-others'] });
  const again = await socks(a, server, serverPort);
  expect(again.reply).toBe(0);
  expect(a.proxy.pod.pool.connections).toBe(1);
});

test('a policy that comes while the server is being connected to counts', async () => {
  const { world: w, a, b } = await pair();
  await w.server(server, serverPort, (socket) => void socket.pipe(socket));
  const open = b.reporter.open.bind(b.reporter);
  b.reporter.open = (facts) => {
    // Behind the decision, before the server answers.
    queueMicrotask(() => w.mesh.apply(onlyOthers));
    return open(facts);
  };
  const { socket } = await socks(a, server, serverPort);
  await ending(socket);
  expect((await b.reporter.ended(1))[0].error?.flags).toBe('DENY');
});

test('a workload outside the mesh and an address that nobody knows are connected to as they are', async () => {
  const { world: w, a } = await pair();
  for (const host of [plain, '127.41.0.4']) {
    await w.server(host, serverPort, (socket) => void socket.pipe(socket));
    const { socket, reply } = await socks(a, host, serverPort);
    expect(reply).toBe(0);
    socket.write('x');
    expect((await readExactly(socket, 1)).toString()).toBe('x');
    socket.end();
  }
  const [out] = await a.reporter.ended(1);
  expect(out.facts).toMatchObject({ hboneAddress: '', sourceIdentity: '' });
});

test('a port that nobody listens at', async () => {
  const { a, b } = await pair();
  expect((await socks(a, server, 4)).reply).not.toBe(0);
  expect((await a.reporter.ended(1))[0].error?.text).toBe('http status: 503 Service Unavailable');
  expect((await b.reporter.ended(1))[0].error).toEqual({
    text: 'connection failed: Connection refused (os error 111)',
    flags: 'CONNECT',
  });
});

test('a sandwiched waypoint gets what is meant for others, behind a PROXY header that names the client', async () => {
  const { world: w, a } = await pair();
  w.mesh.apply(
    readLocalConfig(`
workloads:
- { uid: c//v1/Pod/shop/ledger-0, name: ledger-0, namespace: shop, serviceAccount: ledger, workloadIps: [${server}], protocol: HBONE, services: {}, applicationTunnel: { protocol: PROXY, port: 18090 } }
services:
- { name: orders, namespace: shop, hostname: orders, vips: [/127.41.9.10], ports: { 80: 8080 }, waypoint: { destination: /${server} } }
`),
  );
  let first: Promise<Buffer> | null = null;
  await w.server('127.0.0.1', 18_090, (socket) => {
    first = readAll(socket);
    socket.end('from the waypoint');
  });
  const { socket, reply } = await socks(a, '127.41.9.10', 80);
  expect(reply).toBe(0);
  socket.end('hello');
  expect((await readAll(socket)).toString()).toBe('from the waypoint');
  const received = (await first!).toString('latin1');
  expect(received.slice(0, 12)).toBe('\r\n\r\n\0\r\nQUIT\n');
  expect(received).toContain('spiffe://cluster.local/ns/shop/sa/billing');
  // What was asked for.
  expect(received.slice(20, 24)).toBe(String.fromCharCode(127, 41, 9, 10));
  expect(received.slice(26, 28)).toBe(String.fromCharCode(0, 80));
  expect(received.endsWith('hello')).toBe(true);
});

test('a workload that is deleted before the control plane knew it turns away who waited', async () => {
  world = await World.make(config);
  const nobody = await world.proxy({
    host: client,
    info: { name: 'unheard-of', namespace: 'shop', serviceAccount: 'billing' },
  });
  const { host, port } = nobody.addresses.socks as { host: string; port: number };
  const socket = connect({ host, port });
  const ended = ending(socket);
  const greeted = once(socket, 'data');
  socket.write(Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 41, 9, 9, 0, 80]));
  await greeted;
  nobody.proxy.close();
  await ended;
  const [refused] = await nobody.reporter.ended(1);
  expect(refused.error?.text).toBe('failed to fetch information about local workload');
});

test('a workload that is deleted loses what came in', async () => {
  const { world: w, a } = await pair();
  await w.server(server, serverPort, (socket) => void socket.pipe(socket));
  const { socket } = await socks(a, server, serverPort);
  socket.write('x');
  await readExactly(socket, 1);
  const closed = ending(socket);
  w.mesh.apply({ ...noChange, removedAddresses: ['c//v1/Pod/shop/ledger-0'] });
  expect(await closed).toBe('ECONNRESET');
});
