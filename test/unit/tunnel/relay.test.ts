import { expect, test } from 'vitest';
import { ClosedByPeer } from '../../../src/core/failures.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { Loop } from '../../../src/net/loop.ts';
import { InternalConnection } from '../../../src/tunnel/internal/internal-connection.ts';
import { Relay } from '../../../src/tunnel/relay.ts';
import { TunnelConnection, type CarryingStream } from '../../../src/tunnel/tunnel-connection.ts';
import { RecordingSink } from '../net/sockets.ts';
import { peer } from './peer.ts';

/** What a connection was told to send. */
class Stream implements CarryingStream {
  readonly heard: string[] = [];

  data(chunk: Uint8Array, end: boolean): void {
    this.heard.push(Buffer.from(chunk).toString() + (end ? '$' : ''));
  }

  reset(failure: Failure): void {
    this.heard.push(`reset: ${failure.kind.name}`);
  }

  pause(): void {}

  resume(): void {}
}

function relayed() {
  const loop = new Loop();
  const toClient = new Stream();
  const client = new TunnelConnection(toClient, peer, loop);
  const server = new TunnelConnection(new Stream(), peer, loop);
  const ends: (string | null)[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const onRelayEnded = (_: Relay, failure: Failure | null): void => {
    ends.push(failure?.kind.name ?? null);
    resolve();
  };
  new Relay(client, server, { onRelayEnded }).start();
  return { client, server, toClient, ends, ended };
}

test('a server that goes when it has said everything takes nothing of that with it', async () => {
  const { server, toClient, ends, ended } = relayed();
  server.data(Buffer.from('answer'), true);
  server.broken(ClosedByPeer.with('CANCEL'));
  await ended;
  expect(toClient.heard).toEqual(['answer', '$']);
  expect(ends).toEqual(['closed-by-peer']);
});

test('a server that breaks off before its end breaks the client off', async () => {
  const { server, toClient, ended } = relayed();
  server.data(Buffer.from('half an ans'), false);
  server.broken(ClosedByPeer.with('CANCEL'));
  await ended;
  expect(toClient.heard).toEqual(['half an ans', 'reset: closed-by-peer']);
});

test('both halves complete are a whole', async () => {
  const { client, server, toClient, ends, ended } = relayed();
  server.data(Buffer.from('bye'), true);
  client.ended();
  await ended;
  expect([toClient.heard, ends]).toEqual([['bye', '$'], [null]]);
});

const turn = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise(setImmediate);
};

test('does not read what a tunnel that is full could only hold', async () => {
  const loop = new Loop();
  const sent: string[] = [];
  const stream: CarryingStream = {
    data: (chunk) => void sent.push(Buffer.from(chunk).toString()),
    reset: () => {},
    pause: () => {},
    resume: () => {},
  };
  const [application, client] = InternalConnection.pair(peer, peer, loop, 0);
  application.attach(new RecordingSink());
  const tunnel = new TunnelConnection(stream, peer, loop);
  new Relay(client, tunnel, { onRelayEnded: () => {} }).start();
  application.writeLatin1('one ');
  await turn();
  tunnel.onAboveHighWatermark();
  application.writeLatin1('two');
  await turn();
  expect(sent).toEqual(['one ']);
  expect(application.bufferedBytes).toBe(3);
  tunnel.onBelowLowWatermark();
  await turn();
  expect(sent).toEqual(['one ', 'two']);
});
