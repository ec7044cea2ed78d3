/** `ws` on both sides, on every crossing. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { describe, expect, onTestFinished, test } from 'vitest';
import { App } from '../app.ts';
import { bootstrap, cluster, httpListener } from '../config.ts';
import { H2Client } from '../h2-client.ts';
import { http2Cluster } from '../h2-origin.ts';
import { until, within } from '../wait.ts';
import { startWsEcho } from './ws-echo.ts';
import { webSocketOver } from './ws-streams.ts';

type Version = '1.1' | '2';

const versions: readonly Version[] = ['1.1', '2'];
const manager = {
  upgrade_configs: [{ upgrade_type: 'websocket' }],
  http2_protocol_options: { allow_connect: true },
};

async function started(up: Version): Promise<App> {
  const more = up === '2' ? http2Cluster({ allow_connect: true }) : {};
  const origin = cluster('origin', [await startWsEcho()], more);
  return App.start(bootstrap([httpListener({ manager })], [origin]));
}

/** RFC 8441 has no use for the last two, but an origin of HTTP/1.1 behind a proxy waits for them. */
const connect = {
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':path': '/',
  ':authority': 'a.test',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

async function opened(app: App, down: Version, options: WebSocket.ClientOptions = {}): Promise<WebSocket> {
  if (down === '2') {
    const { session } = await H2Client.open(await app.port());
    const stream = session.request(connect, { endStream: false });
    const [headers] = (await within('an answer', once(stream, 'response'))) as [Record<string, unknown>];
    expect(headers[':status']).toBe(200);
    return webSocketOver(stream, false);
  }
  const socket = new WebSocket(`ws://127.0.0.1:${await app.port()}/`, { maxFragments: 0, ...options });
  onTestFinished(() => socket.terminate());
  await within('the WebSocket to open', once(socket, 'open'));
  return socket;
}

async function heard(socket: WebSocket): Promise<[Buffer, boolean]> {
  return (await within('a message', once(socket, 'message'))) as [Buffer, boolean];
}

/** Every length at which a frame's head changes, as text and as bytes. */
const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 1024 * 1024];

async function converse(socket: WebSocket): Promise<void> {
  for (const length of lengths)
    for (const isBinary of [false, true]) {
      const sent = Buffer.alloc(length, 'abcdefg');
      socket.send(sent, { binary: isBinary });
      const [answer, wasBinary] = await heard(socket);
      expect([answer.equals(sent), wasBinary]).toEqual([true, isBinary]);
    }
}

/** A message in pieces, with a ping between each two. */
async function piecemeal(socket: WebSocket): Promise<void> {
  const pongs: string[] = [];
  socket.on('pong', (bytes: Buffer) => pongs.push(bytes.toString()));
  const pieces = ['one ', 'two ', '', 'three é', ''];
  pieces.forEach((piece, i) => {
    socket.send(piece, { fin: i === pieces.length - 1, binary: false });
    socket.ping(`ping ${i}`);
  });
  const [answer] = await heard(socket);
  expect(answer.toString()).toBe('one two three é');
  socket.ping('last');
  await until('the last pong', () => pongs.includes('last'));
  expect(pongs).toEqual([...pieces.map((_, i) => `ping ${i}`), 'last']);
}

describe.each(versions)('from HTTP/%s', (down) => {
  describe.each(versions)('to HTTP/%s', (up) => {
    test('messages of every length, pieces with pings between them, the client’s close', async () => {
      const app = await started(up);
      const socket = await opened(app, down);
      await converse(socket);
      await piecemeal(socket);
      const closed = once(socket, 'close') as Promise<[number, Buffer]>;
      socket.close(4000, 'enough');
      const [code, reason] = await within('the close', closed);
      expect([code, String(reason)]).toEqual([4000, 'enough']);
      await app.statIs('http.ingress.downstream_cx_upgrades_active', 0);
      await app.statIs('cluster.origin.upstream_rq_active', 0);
    });

    test('the origin’s close', async () => {
      const socket = await opened(await started(up), down);
      const closed = once(socket, 'close') as Promise<[number, Buffer]>;
      socket.send('close 3001 bye');
      const [code, reason] = await within('the close', closed);
      expect([code, String(reason)]).toEqual([3001, 'bye']);
    });
  });
});

test('permessage-deflate is between the ends', async () => {
  const app = await started('1.1');
  const socket = await opened(app, '1.1', { perMessageDeflate: { threshold: 0 } });
  expect(socket.extensions).toContain('permessage-deflate');
  await converse(socket);
  await piecemeal(socket);
});
