import { once } from 'node:events';
import { connect, createServer, Socket, type AddressInfo } from 'node:net';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterEach, expect, it } from 'vitest';
import { SocketPeer } from '../../../src/net/socket-peer.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** Both ends of a connection to `listen`. */
async function pair(listen: object): Promise<{ client: Socket; server: Socket; port: number }> {
  const listening = createServer();
  open.push(listening);
  listening.listen(listen);
  await once(listening, 'listening');
  const place = listening.address() as AddressInfo | string;
  const to = typeof place === 'string' ? { path: place } : { host: '127.0.0.1', port: place.port };
  const client = connect(to);
  const [server] = (await once(listening, 'connection')) as [Socket];
  await once(client, 'connect').catch(() => {});
  open.push({ close: () => client.destroy() }, { close: () => server.destroy() });
  return { client, server, port: typeof place === 'string' ? 0 : place.port };
}

it('tells both ends of a TCP connection', async () => {
  const { client, server, port } = await pair({ host: '127.0.0.1', port: 0 });
  const peer = new SocketPeer(server, null, null);
  expect(peer.local).toEqual({ kind: 'ip', host: '127.0.0.1', port });
  expect(peer.remote).toEqual({ kind: 'ip', host: '127.0.0.1', port: client.localPort });
  expect([peer.directRemote, peer.directLocal]).toEqual([peer.remote, peer.local]);
  expect([peer.serverName, peer.alpn, peer.transportProtocol]).toEqual(['', '', 'raw_buffer']);
});

it('shows an IPv4 address that came over a socket for both families as what it is', async () => {
  const { server } = await pair({ host: '::', port: 0 });
  expect(server.remoteAddress).toBe('::ffff:127.0.0.1');
  expect(new SocketPeer(server, null, null).remote).toMatchObject({ kind: 'ip', host: '127.0.0.1' });
});

it('has no name for the ends of a Unix socket', async () => {
  const path = join(tmpdir(), `sekisho-peer-${process.pid}`);
  const { server } = await pair({ path });
  open.push({ close: () => rmSync(path, { force: true }) });
  const peer = new SocketPeer(server, null, null);
  expect([peer.remote, peer.local]).toEqual([
    { kind: 'pipe', host: '', port: 0 },
    { kind: 'pipe', host: '', port: 0 },
  ]);
});

it('believes what it is told, and asks the kernel for neither end twice', async () => {
  const { server } = await pair({ host: '127.0.0.1', port: 0 });
  const known = { kind: 'ip', host: '192.0.2.1', port: 7 } as const;
  const told = new SocketPeer(server, known, null);
  expect(told.remote).toBe(known);
  const read = told.local;
  server.destroy();
  await once(server, 'close');
  expect(told.local).toBe(read);
});

it('knows nothing of a socket that has gone before it was asked', () => {
  expect(new SocketPeer(new Socket(), null, null).remote).toEqual({ kind: 'pipe', host: '', port: 0 });
});
