import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Connection, ConnectionSink } from '../../../../src/core/connection.ts';
import { dialOptions, listenOptions } from '../sockets.ts';
import { noRing, openRingNetwork } from './rings.ts';

/** Gives everything to the other connection, which holds it back when it is full. */
class Pipe implements ConnectionSink {
  to: Connection | null = null;
  readonly from: Connection;
  /** What came before there was another connection. */
  private readonly early: Uint8Array[] = [];
  private hasEnded = false;

  constructor(from: Connection) {
    this.from = from;
    from.attach(this);
  }

  join(to: Connection): void {
    this.to = to;
    for (const chunk of this.early) to.write(chunk);
    if (this.hasEnded) to.end();
  }

  onBytes(chunk: Uint8Array): void {
    if (this.to === null) this.early.push(chunk);
    else if (!this.to.write(chunk)) this.from.pause();
  }

  onDrain(): void {
    this.back!.from.resume();
  }

  onEnd(): void {
    this.hasEnded = true;
    this.to?.end();
  }

  onClosed(): void {}

  back: Pipe | null = null;
}

async function echo(port: number, body: Buffer, firstBytes: number): Promise<string> {
  const client: Socket = connect({ port, host: '127.0.0.1' });
  const hash = createHash('sha256');
  client.on('data', (chunk) => hash.update(chunk));
  client.write(body.subarray(0, firstBytes));
  client.end(body.subarray(firstBytes));
  await once(client, 'close');
  return hash.digest('hex');
}

describe.skipIf(noRing !== '')('many connections at once', () => {
  it('pass everything on, in order, through small buffers, whatever the sizes', async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const network = openRingNetwork();
    const options = { ...listenOptions, bufferLimit: 32 * 1024 };
    const listening = await network.listen({ kind: 'ip', host: '127.0.0.1', port: 0 }, options, {
      onAccepted: (downstream) => {
        const there = new Pipe(downstream);
        network.dial(
          { kind: 'ip', host: '127.0.0.1', port },
          { ...dialOptions, bufferLimit: 32 * 1024 },
          {
            onConnected: (upstream) => {
              const back = new Pipe(upstream);
              [there.back, back.back] = [back, there];
              back.to = downstream;
              there.join(upstream);
            },
            onDialFailure: (failure) => {
              throw new Error(failure.detail);
            },
          },
        );
      },
      onAcceptFailure: (message) => {
        throw new Error(message);
      },
    });
    const sizes = [1, 100, 2048, 2049, 8191, 8192, 8193, 65_536, 300_000, 2_000_000];
    const bodies = Array.from({ length: 200 }, (_, index) => randomBytes(sizes[index % sizes.length]));
    const echoes = bodies.map((body, index) => echo(listening.address.port, body, (index * 997) % (body.length + 1)));
    const expected = bodies.map((body) => createHash('sha256').update(body).digest('hex'));
    expect(await Promise.all(echoes)).toEqual(expected);
    listening.close();
    server.close();
  }, 60_000);
});
