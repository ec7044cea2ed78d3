import { expect, test } from 'vitest';
import type { Connection } from '../../../../src/core/connection.ts';
import { ClosedLocally } from '../../../../src/core/failures.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { parseAuthority } from '../../../../src/tunnel/hbone/authority.ts';
import type { ServerTunnel } from '../../../../src/tunnel/hbone/server-tunnel.ts';
import { TunnelNetwork } from '../../../../src/tunnel/hbone/tunnel-network.ts';
import { Relay } from '../../../../src/tunnel/relay.ts';
import { dialOptions } from '../../net/sockets.ts';
import { Heard, HboneWorld } from './world.ts';

/** Sends back what comes. */
function echo(tunnel: ServerTunnel): void {
  tunnel.accept(new Headers(), (connection) => {
    connection.attach({
      onBytes: (chunk) => void connection.write(Buffer.from(chunk)),
      onDrain: () => {},
      onEnd: () => connection.end(),
      onClosed: () => {},
    });
  });
}

test('tunnels share a connection, as many as it takes, and then another', async () => {
  const world = await HboneWorld.open(echo, { streamsPerConnectionMax: 3 });
  const tunnels = await Promise.all(Array.from({ length: 7 }, () => world.tunnel()));
  expect(world.carriers.length).toBe(3);
  for (const [i, { tunnel, heard }] of tunnels.entries()) {
    tunnel.write(Buffer.from(`number ${i}`));
    await heard.until(({ text }) => text === `number ${i}`);
  }
  expect(world.pool.connections).toBe(3);
});

test('a half-close goes there and comes back', async () => {
  const world = await HboneWorld.open(echo);
  const { tunnel, heard } = await world.tunnel();
  tunnel.write(Buffer.from('last words'));
  tunnel.end();
  await heard.until(({ failure }) => failure !== null);
  expect([heard.text, heard.hasEnded, heard.failure!.kind.name]).toEqual(['last words', true, 'closed-by-peer']);
});

test('a refusal ends its stream, and nothing beside it', async () => {
  let count = 0;
  const world = await HboneWorld.open((tunnel) => (count++ === 0 ? tunnel.refuse(401) : echo(tunnel)));
  expect(await world.ask()).toBe(401);
  const { tunnel, heard } = await world.tunnel();
  tunnel.write(Buffer.from('x'));
  await heard.until(({ text }) => text === 'x');
  expect(world.carriers).toHaveLength(1);
});

test('a connection that breaks takes its tunnels with it, and the next tunnel opens another', async () => {
  const world = await HboneWorld.open(echo);
  const { heard } = await world.tunnel();
  world.carriers[0].close(ClosedLocally);
  await heard.until(({ failure }) => failure !== null);
  await world.tunnel();
  expect(world.carriers).toHaveLength(2);
});

test('a server that drains keeps what is open, and what is new goes elsewhere', async () => {
  const world = await HboneWorld.open(echo);
  const { tunnel, heard } = await world.tunnel();
  world.carriers[0].drain();
  tunnel.write(Buffer.from('still here'));
  await heard.until(({ text }) => text === 'still here');
  await world.tunnel();
  expect(world.carriers).toHaveLength(2);
  tunnel.write(Buffer.from('!'));
  await heard.until(({ text }) => text === 'still here!');
});

test('readers that do not read stall their own tunnels, and none beside them', async () => {
  const served: Connection[] = [];
  const world = await HboneWorld.open((tunnel) =>
    tunnel.accept(new Headers(), (connection) => {
      served.push(connection);
      const heard = new Heard();
      connection.attach(served.length <= 8 ? heard : echoSink(connection));
      if (served.length <= 8) connection.pause();
    }),
  );
  // Twice the connection's window is written for those that do not read.
  const slow = await Promise.all(Array.from({ length: 8 }, () => world.tunnel()));
  for (const { tunnel } of slow) tunnel.write(Buffer.alloc(4 * 1024 * 1024));
  const { tunnel, heard } = await world.tunnel();
  for (let i = 0; i < 40; i++) tunnel.write(Buffer.alloc(256 * 1024));
  await heard.until(({ bytes }) => bytes === 40 * 256 * 1024);
  expect(world.carriers).toHaveLength(1);
});

function echoSink(connection: Connection) {
  return {
    onBytes: (chunk: Uint8Array) => void connection.write(Buffer.from(chunk)),
    onDrain: () => {},
    onEnd: () => connection.end(),
    onClosed: () => {},
  };
}

test('what a client says before the answer is heard behind it', async () => {
  const world = await HboneWorld.open(() => {});
  const asked = world.tunnel();
  await expect.poll(() => world.requests.length).toBe(1);
  const [request] = world.requests;
  request.data(Buffer.from('early '), false);
  const heard = new Heard();
  request.accept(new Headers(), (connection) => connection.attach(heard));
  const { tunnel } = await asked;
  tunnel.write(Buffer.from('bird'));
  await heard.until(({ text }) => text === 'early bird');
});

test('a relay passes on a reset as a reset, and an end as an end', async () => {
  const [near, far] = [await HboneWorld.open(echo), await HboneWorld.open(() => {})];
  const ended: string[] = [];
  const asked = far.tunnel();
  await expect.poll(() => far.requests.length).toBe(1);
  const opening = near.ask();
  const server = (await opening) as Connection;
  far.requests[0].accept(new Headers(), (client) => {
    new Relay(client, server, {
      onRelayEnded: (_relay, failure) => void ended.push(failure === null ? 'whole' : failure.kind.name),
    }).start();
  });
  const { tunnel, heard } = await asked;
  tunnel.write(Buffer.from('through'));
  await heard.until(({ text }) => text === 'through');
  tunnel.end();
  await heard.until(({ failure }) => failure !== null);
  expect(heard.hasEnded).toBe(true);
  await expect.poll(() => ended).toEqual(['whole']);
});

test.each([
  ['1.2.3.4:80', { isAddress: true, host: '1.2.3.4', port: 80 }],
  ['[::ffff:1.2.3.4]:80', { isAddress: true, host: '1.2.3.4', port: 80 }],
  ['[fd00::1]:80', { isAddress: true, host: 'fd00::1', port: 80 }],
  ['shop.example:80', { isAddress: false, host: 'shop.example', port: 80 }],
  ['1.2.3.4', null],
  ['1.2.3.4:0', null],
  ['1.2.3.4:65536', null],
  ['1.2.3:80', null],
  ['fd00::1:80', null],
  ['[1.2.3.4]:80', null],
  ['a b:80', null],
  [':80', null],
])('authority %s', (text, target) => {
  expect(parseAuthority(text)).toEqual(target);
});

test('behind a tunnel everything that is dialled is a tunnel', async () => {
  const world = await HboneWorld.open(echo);
  const behind = new TunnelNetwork(world.pool, world.endpoint, world.request(), world.loop);
  const address = { kind: 'ip', host: '192.0.2.1', port: 1 } as const;
  const heard = new Heard();
  const tunnel = await new Promise<Connection>((resolve, reject) => {
    behind.dial(address, dialOptions, {
      onConnected: (connection) => {
        connection.attach(heard);
        resolve(connection);
      },
      onDialFailure: (failure) => reject(new Error(failure.detail)),
    });
  });
  tunnel.write(Buffer.from('deep'));
  await heard.until(({ text }) => text === 'deep');
  await expect(behind.listen()).rejects.toThrow('behind a tunnel');
});
