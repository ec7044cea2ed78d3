import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { AcceptedConnection } from '../../../../src/core/connection.ts';
import { ReceiveBuffers } from '../../../../src/net/uring/receive-buffers.ts';
import { Ring } from '../../../../src/net/uring/ring.ts';
import { listenOptions } from '../sockets.ts';
import { noRing, openRingNetwork } from './rings.ts';

describe.skipIf(noRing !== '')('memory that the kernel chooses from', () => {
  it('is twice as much once it did not do, however many have heard of it, up to a limit', () => {
    const ring = new Ring();
    const buffers = new ReceiveBuffers(ring);
    let count = 16;
    expect(buffers.take(count)).toBeUndefined();
    for (const expected of [32, 64, 128, 256, 512, 512]) {
      ring.handOver();
      for (let heard = 0; heard < 3; heard++) buffers.grow();
      count = expected;
      expect(buffers.take(count - 1)).toBeInstanceOf(Buffer);
      expect(buffers.take(count)).toBeUndefined();
    }
    ring.close();
  });

  it('loses nothing where more connections are written to at once than there are buffers', async () => {
    const network = openRingNetwork();
    const clientsCount = 100;
    const received = new Map<number, string>();
    const { promise: isWhole, resolve } = Promise.withResolvers<void>();
    let bytes = 0;
    const listening = await network.listen({ kind: 'ip', host: '127.0.0.1', port: 0 }, listenOptions, {
      onAccepted: (connection: AcceptedConnection) => {
        connection.attach({
          onBytes: (chunk) => {
            received.set(connection.id, (received.get(connection.id) ?? '') + Buffer.from(chunk).toString('latin1'));
            bytes += chunk.length;
            if (bytes === clientsCount * 'first 00 second 00 '.length) resolve();
          },
          onDrain: () => {},
          onEnd: () => connection.end(),
          onClosed: () => {},
        });
      },
      onAcceptFailure: () => {},
    });
    const clients: Socket[] = [];
    const { port } = listening.address as { port: number };
    for (let i = 0; i < clientsCount; i++) clients.push(connect({ port, host: '127.0.0.1' }));
    await Promise.all(clients.map((client) => once(client, 'connect')));
    const number = (i: number): string => String(i).padStart(2, '0');
    clients.forEach((client, i) => client.write(`first ${number(i)} `));
    await new Promise(setImmediate);
    clients.forEach((client, i) => client.write(`second ${number(i)} `));
    await isWhole;
    const expected = clients.map((_, i) => `first ${number(i)} second ${number(i)} `);
    expect([...received.values()].sort()).toEqual(expected.sort());
    for (const client of clients) client.destroy();
    listening.close();
    network.close();
  });
});
