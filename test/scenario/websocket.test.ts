import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { App } from './app.ts';
import { answer, bootstrap, cluster, fileLog, httpListener } from './config.ts';
import { H2Client } from './h2-client.ts';
import { http2Cluster } from './h2-origin.ts';
import { RawClient } from './raw-client.ts';
import { until, within } from './wait.ts';
import { encodeFrame, FrameReader, Opcode, type Frame } from './ws-frames.ts';
import { echo, WebSocketOrigin } from './ws-origin.ts';

const mebibyte = 1024 * 1024;
const soon = { args: ['--file-flush-interval-msec', '20'] };
const limit = { per_connection_buffer_limit_bytes: 64 * 1024 };
const manager = {
  upgrade_configs: [{ upgrade_type: 'websocket' }],
  http2_protocol_options: { allow_connect: true },
  access_log: [fileLog()],
};
const upstreams = {
  'HTTP/1.1': {},
  'HTTP/2': http2Cluster({ allow_connect: true }),
} as const;
type Protocol = keyof typeof upstreams;
const protocols: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];

function configuration(port: number, upstream: Protocol, more: object = {}): object {
  const listener = httpListener({ listener: limit, manager: { ...manager, ...more } });
  return bootstrap([listener], [cluster('origin', [port], { ...limit, ...upstreams[upstream] })]);
}

async function openWebSocket(app: App, subprotocols: string[] = []): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${await app.port()}/chat`, subprotocols);
  socket.binaryType = 'arraybuffer';
  onTestFinished(() => socket.close());
  await within('the WebSocket to open', opened(socket));
  return socket;
}

function opened(socket: WebSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.addEventListener('open', () => resolve());
  socket.addEventListener('error', ({ error }) => reject(error));
  return promise;
}

function message(socket: WebSocket): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  socket.addEventListener('message', ({ data }) => resolve(data), { once: true });
  return within('a message', promise);
}

/** A WebSocket over one stream of an HTTP/2 connection, by hand. */
class StreamSocket {
  readonly frames: Frame[] = [];
  readonly stream: Duplex;

  constructor(stream: Duplex) {
    this.stream = stream;
    const reader = new FrameReader();
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => this.frames.push(...reader.take(chunk)));
  }

  static async open(app: App): Promise<StreamSocket> {
    const client = await H2Client.open(await app.port());
    const stream = client.session.request(
      { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat', ':authority': 'a.test' },
      { endStream: false },
    );
    const [headers] = (await within('an answer', once(stream, 'response'))) as [Record<string, unknown>];
    expect(headers[':status']).toBe(200);
    return new StreamSocket(stream);
  }

  send(frame: Frame): void {
    this.stream.write(encodeFrame(frame, true));
  }

  async frame(): Promise<Frame> {
    return until('a frame', () => this.frames.shift());
  }
}

describe.each(protocols)('to an upstream of %s', (upstream) => {
  test('undici’s client: messages of every size, a subprotocol, the close code', async () => {
    const origin = await WebSocketOrigin.start();
    const app = await App.start(configuration(origin.port, upstream), soon);
    const socket = await openWebSocket(app, upstream === 'HTTP/1.1' ? ['chat', 'other'] : []);
    expect(socket.protocol).toBe(upstream === 'HTTP/1.1' ? 'chat' : '');
    for (const size of [0, 1, 125, 126, 65_535, 65_536, mebibyte]) {
      const text = 'é'.repeat(size / 2);
      socket.send(text);
      expect(await message(socket)).toBe(text);
    }
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    socket.send(bytes);
    expect(new Uint8Array((await message(socket)) as ArrayBuffer)).toEqual(bytes);
    const { promise, resolve } = Promise.withResolvers<CloseEvent>();
    socket.addEventListener('close', (event) => resolve(event));
    socket.close(4321, 'enough');
    expect(await within('the close', promise)).toMatchObject({ code: 4321, reason: 'enough' });
    expect(await app.logged(1)).toMatchObject([{ code: 101, path: '/chat' }]);
    await app.statIs('http.ingress.downstream_cx_upgrades_active', 0);
    expect(await app.stat('http.ingress.downstream_cx_upgrades_total')).toBe(1);
  });

  test('a stream of HTTP/2: messages, a ping, the close', async () => {
    const origin = await WebSocketOrigin.start();
    const app = await App.start(configuration(origin.port, upstream), soon);
    const socket = await StreamSocket.open(app);
    const payload = Buffer.alloc(mebibyte, 'message');
    socket.send({ opcode: Opcode.Binary, payload });
    const { opcode, payload: answered } = await socket.frame();
    expect([opcode, answered.equals(payload)]).toEqual([Opcode.Binary, true]);
    socket.send({ opcode: Opcode.Ping, payload: Buffer.from('there?') });
    expect(await socket.frame()).toMatchObject({ opcode: Opcode.Pong, payload: Buffer.from('there?') });
    socket.send({ opcode: Opcode.Close, payload: Buffer.from([3, 232]) });
    expect(await socket.frame()).toMatchObject({ opcode: Opcode.Close });
    await app.statIs('http.ingress.downstream_cx_upgrades_active', 0);
  });

  test('a client that does not read holds the origin back', async () => {
    let sent = 0;
    const origin = await WebSocketOrigin.start((stream) => {
      const piece = encodeFrame({ opcode: Opcode.Binary, payload: Buffer.alloc(65_536) }, false);
      const pour = (): void => {
        while (sent < 512 * mebibyte) {
          sent += piece.length;
          if (!stream.write(piece)) return;
        }
      };
      stream.on('drain', pour);
      pour();
    });
    const app = await App.start(configuration(origin.port, upstream), soon);
    const client = await RawClient.open(await app.port());
    client.socket.pause();
    client.write(
      'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: a\r\n\r\n',
    );
    let last = -1;
    let unchanged = 0;
    await until('the origin to stand still', () => {
      unchanged = sent === last && sent > 0 ? unchanged + 1 : 0;
      last = sent;
      return unchanged === 60;
    });
    expect(sent).toBeLessThan(64 * mebibyte);
    client.socket.resume();
    await until('the origin to go on', () => sent > last + 64 * mebibyte);
  });

  test('fifty at once keep their messages apart', async () => {
    const origin = await WebSocketOrigin.start();
    const app = await App.start(configuration(origin.port, upstream), soon);
    const sockets = await Promise.all(Array.from({ length: 50 }, () => openWebSocket(app)));
    await Promise.all(
      sockets.map(async (socket, i) => {
        for (let round = 0; round < 5; round++) {
          socket.send(`${i}:${round}`);
          expect(await message(socket)).toBe(`${i}:${round}`);
        }
      }),
    );
    expect(await app.stat('http.ingress.downstream_cx_upgrades_active')).toBe(50);
    for (const socket of sockets) socket.close();
    await app.statIs('http.ingress.downstream_cx_upgrades_active', 0);
    await app.statIs('cluster.origin.upstream_rq_active', 0);
  });
});

test('a reload does not touch what is open', async () => {
  const origin = await WebSocketOrigin.start();
  const app = await App.start(configuration(origin.port, 'HTTP/1.1'), soon);
  const socket = await openWebSocket(app);
  await app.reload(bootstrap([httpListener({ routes: [answer('/', 'new')] })], []));
  socket.send('still there');
  expect(await message(socket)).toBe('still there');
});

test('what is sent behind a refused upgrade is no request', async () => {
  const origin = await WebSocketOrigin.start(echo);
  const app = await App.start(configuration(origin.port, 'HTTP/1.1'), soon);
  const client = await RawClient.open(await app.port());
  client.write('GET /a HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n');
  client.write('GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n');
  const heard = await client.toEnd();
  expect(heard).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
  expect(heard.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  expect(await app.logged(1)).toMatchObject([{ path: '/a', details: 'upgrade_failed' }]);
  expect(await app.stat('http.ingress.downstream_rq_total')).toBe(1);
});
