/** Whose certificate is revoked gets in no more, is connected to no more, and goes where it is there. */
import { afterEach, expect, test } from 'vitest';
import { ending, readExactly, socks, World, type Proxy } from './world.ts';

const client = '127.48.0.1';
const server = '127.48.0.2';
const port = 18_148;
const identityOf = (name: string): string => `spiffe://cluster.local/ns/shop/sa/${name}`;

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

async function pair(): Promise<{ a: Proxy; b: Proxy; w: World }> {
  world = await World.make(config);
  const info = (name: string) => ({ name, namespace: 'shop', serviceAccount: name });
  const a = await world.proxy({ host: client, info: info('a') });
  const b = await world.proxy({ host: server, info: info('b') });
  await world.server(server, port, (socket) => void socket.pipe(socket));
  return { a, b, w: world };
}

test.each(['a', 'b'])('of %s', async (name) => {
  const { a, b, w } = await pair();
  const { socket } = await socks(a, server, port);
  socket.write('x');
  await readExactly(socket, 1);
  const gone = ending(socket);
  await w.revoke(identityOf(name));
  expect(await gone).toBe('ECONNRESET');
  const ended = [...(await a.reporter.ended(1)), ...(await b.reporter.ended(1))];
  expect(ended.map(({ error }) => error?.flags)).toContain('CERT_REVOKED');
  expect((await socks(a, server, port)).reply).not.toBe(0);
  // The server says so as it turns a client away; the client may hear no more than the end.
  const refused = name === 'a' ? (await b.reporter.ended(2))[1] : (await a.reporter.ended(2))[1];
  expect(refused.error).toMatchObject({ flags: 'CERT_REVOKED', text: expect.stringContaining('revoked') as string });
});

test('of somebody else', async () => {
  const { a, w } = await pair();
  const { socket } = await socks(a, server, port);
  w.issued.set(identityOf('c'), await w.identity(identityOf('c')));
  await w.revoke(identityOf('c'));
  socket.write('x');
  expect((await readExactly(socket, 1)).toString()).toBe('x');
  expect((await socks(a, server, port)).reply).toBe(0);
});
