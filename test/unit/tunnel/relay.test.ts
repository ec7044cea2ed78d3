import { expect, test } from 'vitest';
import { ClosedByPeer } from '../../../src/core/failures.ts';
import type { Failure } from '../../../src/core/failure.ts';
import type { Peer } from '../../../src/core/peer.ts';
import { Loop } from '../../../src/net/loop.ts';
import { Relay } from '../../../src/tunnel/relay.ts';
import { TunnelConnection, type CarryingStream } from '../../../src/tunnel/tunnel-connection.ts';

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

const address = { kind: 'ip', host: '192.0.2.1', port: 1 } as const;
const peer = { remote: address, local: address, directRemote: address, directLocal: address, tls: null } as Peer;

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
