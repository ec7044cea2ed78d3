import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { openOriginalDestinations } from '../../../src/net/original-destination.ts';
import { SocketPeer } from '../../../src/net/socket-peer.ts';

it.each(['127.0.0.1', '::1'])(
  'a connection to %s that nobody has redirected has none, or its own address',
  async (host) => {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, host);
    const [socket] = await once(server, 'connection');
    const peer = new SocketPeer(socket, null, null);
    // With connection tracking in the kernel it is told, and equal.
    expect([null, peer.local]).toContainEqual(peer.originalDestination);
    client.destroy();
    socket.destroy();
    server.close();
  },
);

it('asks nothing of what is no IP socket', () => {
  const destinations = openOriginalDestinations();
  expect(destinations.of(-1, { kind: 'ip', host: '127.0.0.1', port: 1 })).toBeNull();
  expect(destinations.of(0, { kind: 'pipe', host: '/x', port: 0 })).toBeNull();
});
