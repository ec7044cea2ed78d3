/**
 * What clients may hold: 1 000 connections of 1 000 tunnels each are asked for (TUNNEL_CONNECTIONS and TUNNEL_STREAMS; of
 * itself the test asks for 40 of 1 000), without a word of flow control from the other side.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { Connection } from '../../../../src/core/connection.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { ServerTunnel } from '../../../../src/tunnel/hbone/server-tunnel.ts';
import { block, frame, preface } from '../../../wire/h2-frames.ts';
import { HboneWorld, Heard } from './world.ts';

const connections = Number(process.env['TUNNEL_CONNECTIONS'] ?? 40);
const streams = Number(process.env['TUNNEL_STREAMS'] ?? 1000);

/** The server's announced limit, and bytes of a tunnel that is open and carries nothing. */
const openMax = 200;
const tunnelBytesMax = 4 * 1024;
/** Of a connection without its tunnels. */
const connectionBytesMax = 96 * 1024;

const FrameType = { Headers: 1, Reset: 3, Settings: 4 } as const;
const endOfHeaders = 4;
const refusedStream = 7;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function held(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const request = block([
  [':method', 'CONNECT'],
  [':authority', '10.0.0.1:80'],
  ['baggage', 'k8s.namespace.name=shop,service.name=client'],
]);

/** Streams that were refused, of what a client has heard. */
function refusedOf(heard: Buffer): number {
  let count = 0;
  for (let at = 0; at + 9 <= heard.length; at += 9 + heard.readUIntBE(at, 3)) {
    if (heard[at + 3] === FrameType.Reset && heard.readUInt32BE(at + 9) === refusedStream) count++;
  }
  return count;
}

/** A client that asks for all at once. */
async function asks(world: HboneWorld): Promise<{ client: Connection; heard: Heard }> {
  const heard = new Heard();
  const client = await world.dial();
  client.attach(heard);
  client.write(Buffer.concat([Buffer.from(preface), frame(FrameType.Settings, 0, 0)]));
  for (let i = 0; i < streams; i++) client.write(frame(FrameType.Headers, endOfHeaders, 2 * i + 1, request));
  await heard.until(({ chunks, failure }) => {
    const isDone = refusedOf(Buffer.concat(chunks)) >= Math.max(0, streams - openMax);
    return isDone || failure !== null;
  });
  heard.chunks.length = 0;
  return { client, heard };
}

test('so many tunnels of so many clients hold no more than so many bytes', { timeout: 600_000 }, async () => {
  const open: Connection[] = [];
  const world = await HboneWorld.open((tunnel: ServerTunnel) => {
    tunnel.accept(new Headers(), (connection) => {
      open.push(connection);
      connection.attach(new Heard());
    });
  });
  // Whatever is made once.
  await asks(world);
  const [before, first] = [held(), open.length];
  const clients = [];
  for (let i = 0; i < connections; i++) clients.push(await asks(world));
  world.requests.length = 0;
  const grown = held() - before;
  const tunnels = open.length - first;
  expect(tunnels).toBe(connections * Math.min(streams, openMax));
  expect(clients.map(({ heard }) => heard.failure)).toEqual(clients.map(() => null));
  const most = tunnels * tunnelBytesMax + connections * connectionBytesMax;
  if (process.env['TUNNEL_CONNECTIONS'] !== undefined)
    console.log(`${tunnels} tunnels: ${Math.round(grown / tunnels)} bytes each, ${Math.round(grown / 1e6)} MB`);
  expect(grown).toBeLessThan(most);
});
