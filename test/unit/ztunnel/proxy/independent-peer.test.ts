/** HBONE with somebody else's HTTP/2 and TLS at the other end: node:http2, as a client and as a server. */
import { once } from 'node:events';
import * as http2 from 'node:http2';
import { connect } from 'node:net';
import * as tls from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { readLocalConfig } from '../../../../src/ztunnel/state/local/local-config.ts';
import { noChange } from '../../../../src/ztunnel/state/mesh.ts';
import type { Issued } from '../../../certificates.ts';
import { readAll, readExactly, socks, World, type Proxy } from './world.ts';

const client = '127.42.0.1';
const server = '127.42.0.2';
const target = 18_081;

const config = `
workloads:
- { uid: a, name: billing-0, namespace: shop, serviceAccount: billing, workloadIps: [${client}], protocol: HBONE, services: {}, canonicalName: billing-app, workloadName: billing-dep, canonicalRevision: v1 }
- { uid: b, name: ledger-0, namespace: shop, serviceAccount: ledger, workloadIps: [${server}], protocol: HBONE, services: {}, canonicalName: ledger-app, locality: { region: eu, zone: eu-a } }
`;

const billing = 'spiffe://cluster.local/ns/shop/sa/billing';
const ledger = 'spiffe://cluster.local/ns/shop/sa/ledger';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function world(): Promise<World> {
  const made = await World.make(config);
  ends.push(() => made.close());
  return made;
}

const ledgerProxy = (w: World): Promise<Proxy> =>
  w.proxy({ host: server, info: { name: 'ledger-0', namespace: 'shop', serviceAccount: 'ledger' } });
const billingProxy = (w: World): Promise<Proxy> =>
  w.proxy({ host: client, info: { name: 'billing-0', namespace: 'shop', serviceAccount: 'billing' } });

const presented = ({ chainPem, keyPem }: Issued, ca: string): tls.SecureContextOptions => ({
  cert: chainPem,
  key: keyPem,
  ca,
});

/** A session of node:http2 over its own TLS, from `client`. */
async function session(w: World, identity: Issued): Promise<http2.ClientHttp2Session> {
  const socket = tls.connect({
    host: server,
    port: 15008,
    localAddress: client,
    ALPNProtocols: ['h2'],
    ...presented(identity, w.authority.rootPem),
    checkServerIdentity: () => undefined,
  } as tls.ConnectionOptions);
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  const opened = http2.connect('https://hbone', { createConnection: () => socket });
  opened.on('error', () => {});
  ends.push(() => opened.destroy());
  return opened;
}

/** The status that a CONNECT is answered with, and its stream. */
async function ask(
  from: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
): Promise<{ status: number; stream: http2.ClientHttp2Stream; head: http2.IncomingHttpHeaders }> {
  const stream = from.request(headers, { endStream: false });
  stream.on('error', () => {});
  const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & { ':status': number }];
  return { status: head[':status'], stream, head };
}

const connectTo = (authority: string): http2.OutgoingHttpHeaders => ({
  ':method': 'CONNECT',
  ':authority': authority,
});

test('a client of node:http2 gets through, with half-closes, and sees the settings of ztunnel', async () => {
  const w = await world();
  const { reporter } = await ledgerProxy(w);
  await w.server(server, target, (socket) => {
    void readAll(socket).then((all) => socket.end(`${all.toString()} and back`));
  });
  const from = await session(w, await w.identity(billing));
  const settings = once(from, 'remoteSettings');
  const { status, stream, head } = await ask(from, connectTo(`${server}:${target}`));
  expect(status).toBe(200);
  expect(head['baggage']).toBe(
    'k8s.cluster.name=Kubernetes,k8s.namespace.name=shop,service.name=ledger-app,cloud.region=eu,cloud.availability_zone=eu-a',
  );
  stream.end('there');
  stream.setEncoding('utf8');
  let text = '';
  for await (const chunk of stream) text += chunk as string;
  expect(text).toBe('there and back');
  expect((await settings)[0]).toMatchObject({
    maxConcurrentStreams: 200,
    initialWindowSize: 4 * 1024 * 1024,
    maxFrameSize: 1024 * 1024,
    maxHeaderListSize: 65_536,
  });
  const [done] = await reporter.ended(1);
  expect(done.facts.sourceIdentity).toBe(billing);
  expect(done).toMatchObject({ error: null, receivedBytes: 5, sentBytes: 14 });
});

test.each([
  ['GET', { ':method': 'GET', ':authority': 'a', ':scheme': 'https', ':path': '/' }, 400],
  ['no port', connectTo(server), 400],
  ['another address', connectTo(`127.42.0.9:${target}`), 400],
  ['loopback', connectTo(`127.0.0.1:${target}`), 400],
  ['a name that nobody has', connectTo(`nobody.example:${target}`), 503],
  ['the port of HBONE itself', connectTo(`${server}:15008`), 503],
  ['a closed port', connectTo(`${server}:5`), 503],
])('CONNECT: %s', async (_what, headers, status) => {
  const w = await world();
  await ledgerProxy(w);
  const from = await session(w, await w.identity(billing));
  expect((await ask(from, headers)).status).toBe(status);
  // The connection carries on.
  await w.server(server, target, (socket) => socket.end('x'));
  expect((await ask(from, connectTo(`${server}:${target}`))).status).toBe(200);
});

test('a client of another trust domain, or of no SPIFFE name, gets no answer', async () => {
  const w = await world();
  await ledgerProxy(w);
  for (const wish of [{ uris: ['spiffe://other.domain/ns/shop/sa/billing'] }, { dns: ['billing'] }]) {
    const from = await session(w, await w.authority.issue(wish));
    const stream = from.request(connectTo(`${server}:${target}`));
    const answered = new Promise<boolean>((resolve) => {
      stream.on('error', () => {});
      stream.on('response', () => resolve(true));
      stream.on('close', () => resolve(false));
    });
    expect(await answered).toBe(false);
    expect(from.destroyed).toBe(true);
  }
});

/** A server of HBONE made of node:http2, whose certificate is `identity`. */
async function hboneServer(
  w: World,
  identity: string,
  onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
): Promise<http2.ServerHttp2Session[]> {
  const sessions: http2.ServerHttp2Session[] = [];
  const listening = http2.createSecureServer({
    ...presented(await w.identity(identity), w.authority.rootPem),
    requestCert: true,
    rejectUnauthorized: true,
  });
  listening.on('session', (one) => {
    one.on('error', () => {});
    sessions.push(one);
  });
  listening.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    onStream(stream as http2.ServerHttp2Stream, headers);
  });
  listening.listen(15008, server);
  await once(listening, 'listening');
  ends.push(() => {
    for (const one of sessions) one.destroy();
    listening.close();
  });
  return sessions;
}

test('a server of node:http2 sees what ztunnel would send', async () => {
  const w = await world();
  const a = await billingProxy(w);
  const seen: http2.IncomingHttpHeaders[] = [];
  const sessions = await hboneServer(w, ledger, (stream, headers) => {
    seen.push(headers);
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  });
  const { socket, reply } = await socks(a, server, target);
  expect(reply).toBe(0);
  socket.write('x');
  await readExactly(socket, 1);
  const [headers] = seen;
  expect(headers[':method']).toBe('CONNECT');
  expect(headers[':authority']).toBe(`${server}:${target}`);
  expect(headers['baggage']).toBe(
    'k8s.cluster.name=Kubernetes,k8s.namespace.name=shop,k8s.deployment.name=billing-dep,service.name=billing-app,service.version=v1',
  );
  expect(headers['forwarded']).toMatch(/^for="127\.0\.0\.1:\d+"$/);
  expect(headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  const [{ remoteSettings, socket: over }] = sessions;
  expect(remoteSettings).toMatchObject({
    enablePush: false,
    initialWindowSize: 4 * 1024 * 1024,
    maxFrameSize: 1024 * 1024,
    maxHeaderListSize: 16_384,
  });
  expect((over as tls.TLSSocket).getPeerCertificate().subjectaltname).toBe(`URI:${billing}`);
  expect((over as tls.TLSSocket).getProtocol()).toBe('TLSv1.3');
});

test('a server whose certificate is of somebody else is not spoken to', async () => {
  const w = await world();
  const a = await billingProxy(w);
  let streams = 0;
  await hboneServer(w, 'spiffe://cluster.local/ns/shop/sa/thief', () => streams++);
  const { reply } = await socks(a, server, target);
  expect(reply).not.toBe(0);
  const [done] = await a.reporter.ended(1);
  expect(done.error?.flags).toBe('TLS_FAILURE');
  expect(streams).toBe(0);
});

test('GOAWAY: what is open goes on, and what is new goes over a new connection', async () => {
  const w = await world();
  const a = await billingProxy(w);
  const sessions = await hboneServer(w, ledger, (stream) => {
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  });
  const first = await socks(a, server, target);
  sessions[0].goaway(http2.constants.NGHTTP2_NO_ERROR);
  first.socket.write('still');
  expect((await readExactly(first.socket, 5)).toString()).toBe('still');
  const second = await socks(a, server, target);
  expect(second.reply).toBe(0);
  expect(sessions).toHaveLength(2);
  first.socket.write('here');
  expect((await readExactly(first.socket, 4)).toString()).toBe('here');
});

test('a server that takes few streams gets a connection for each lot of them', async () => {
  const w = await world();
  const a = await billingProxy(w);
  const streams: http2.ServerHttp2Stream[] = [];
  const sessions = await hboneServer(w, ledger, (stream) => {
    streams.push(stream);
    stream.session!.settings({ maxConcurrentStreams: 2 });
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  });
  for (let i = 0; i < 5; i++) {
    const { socket } = await socks(a, server, target);
    socket.write('x');
    await readExactly(socket, 1);
  }
  expect(sessions.length).toBeGreaterThanOrEqual(2);
  expect(streams).toHaveLength(5);
});

test('another network: a tunnel in a tunnel, to somebody who proves to be of the service', async () => {
  const w = await world();
  w.mesh.apply(
    readLocalConfig(`
workloads:
- { uid: gw, name: gw, namespace: istio, serviceAccount: gw, workloadIps: [${server}], protocol: HBONE, services: {} }
- { uid: far, name: far, namespace: shop, serviceAccount: web, workloadIps: [], protocol: HBONE, network: west, networkGateway: { destination: /${server} }, services: { shop/web.shop: { 80: 8080 } } }
services:
- { name: web, namespace: shop, hostname: web.shop, vips: [/127.42.9.9], ports: { 80: 8080 }, subjectAltNames: ["spiffe://cluster.local/ns/shop/sa/web"] }
`),
  );
  w.mesh.apply({ ...noChange, removedAddresses: ['b'] });
  const a = await billingProxy(w);
  const far = http2.createSecureServer({
    ...presented(await w.identity('spiffe://cluster.local/ns/shop/sa/web'), w.authority.rootPem),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const seen: http2.IncomingHttpHeaders[] = [];
  far.on('stream', (stream, headers) => {
    seen.push(headers);
    (stream as http2.ServerHttp2Stream).respond({ ':status': 200 });
    stream.pipe(stream);
  });
  far.listen(25_009, server);
  await once(far, 'listening');
  ends.push(() => far.close());
  const authorities: unknown[] = [];
  await hboneServer(w, 'spiffe://cluster.local/ns/istio/sa/gw', (stream, headers) => {
    authorities.push(headers[':authority']);
    stream.respond({ ':status': 200 });
    const onward = connect(25_009, server);
    onward.on('error', () => {});
    stream.pipe(onward).pipe(stream);
  });
  const { socket, reply } = await socks(a, '127.42.9.9', 80);
  expect(reply).toBe(0);
  socket.write('across');
  expect((await readExactly(socket, 6)).toString()).toBe('across');
  expect(authorities).toEqual(['web.shop:80']);
  expect(seen[0]).toMatchObject({ ':authority': 'web.shop:80', 'x-forwarded-network': '' });
  socket.destroy();
  expect(await a.reporter.ended(1)).toHaveLength(1);
});
