import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { Pool, request } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener, limits, route } from './config.ts';
import { H2Origin, http2Cluster } from './h2-origin.ts';
import { TcpOrigin } from './origin.ts';
import { Traffic } from './traffic.ts';
import { until } from './wait.ts';

const mebibyte = 1024 * 1024;
const timeout = 60_000;
const limit = { per_connection_buffer_limit_bytes: 64 * 1024 };

async function startFor(port: number, options: object = {}, action: Record<string, unknown> = {}): Promise<App> {
  const listener = httpListener({ listener: limit, routes: [route('/', 'origin', action)] });
  const more = { ...http2Cluster(options), ...limit, ...limits({ max_retries: 100 }) };
  return App.start(bootstrap([listener], [cluster('origin', [port], more)]));
}

/** Reads nothing before it is asked to. */
async function openSlowly(app: App, path: string): Promise<Socket> {
  const socket = connect({ port: await app.port(), host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
  return socket;
}

async function untilStill(progress: () => number): Promise<number> {
  let last = -1;
  let unchanged = 0;
  await until('the transfer to stand still', () => {
    const now = progress();
    unchanged = now === last && now > 0 ? unchanged + 1 : 0;
    last = now;
    return unchanged === 60;
  });
  return last;
}

/** A body of so many mebibytes, one at a time. */
function* pieces(count: number): Generator<Buffer> {
  const piece = Buffer.alloc(mebibyte, 'x');
  for (let i = 0; i < count; i++) yield piece;
}

describe('streams of one connection', () => {
  test('carry what they were given, all at once', { timeout }, async () => {
    const origin = await H2Origin.start((stream, headers) => {
      const hash = createHash('sha256');
      const answer = Buffer.alloc(Number(headers['x-answer']), String(headers[':path']));
      stream.on('data', (chunk: Buffer) => hash.update(chunk));
      stream.on('end', () => {
        stream.respond({ ':status': 200, 'x-hash': hash.digest('hex') });
        stream.end(answer);
      });
    });
    const app = await startFor(origin.port);
    const pool = new Pool(await app.url(), { connections: 32 });
    onTestFinished(() => pool.destroy());
    const ask = async (index: number): Promise<void> => {
      const body = Buffer.alloc(index * 7919, `body ${index} `);
      const answered = await pool.request({
        path: `/${index}/`,
        method: 'POST',
        body,
        headers: { 'x-answer': String(index * 10_007) },
      });
      expect(answered.statusCode).toBe(200);
      expect(answered.headers['x-hash']).toBe(createHash('sha256').update(body).digest('hex'));
      const received = Buffer.from(await answered.body.arrayBuffer());
      expect(received.equals(Buffer.alloc(index * 10_007, `/${index}/`))).toBe(true);
    };
    await Promise.all(Array.from({ length: 200 }, (_, index) => ask(index)));
    expect(origin.sessions).toHaveLength(1);
    await app.statIs('cluster.origin.http2.streams_active', 0);
    await app.statIs('cluster.origin.http2.pending_send_bytes', 0);
    await app.statIs('cluster.origin.upstream_rq_active', 0);
  });

  test('do not wait for one whose client does not read', { timeout }, async () => {
    let sent = 0;
    const origin = await H2Origin.start((stream, headers) => {
      stream.respond({ ':status': 200 });
      if (headers[':path'] !== '/large') {
        stream.end('small');
        return;
      }
      const source = Readable.from(pieces(256));
      source.on('data', (chunk: Buffer) => (sent += chunk.length));
      source.pipe(stream);
    });
    const app = await startFor(origin.port);
    const before = app.rss();
    const slow = await openSlowly(app, '/large');
    expect(await untilStill(() => sent)).toBeLessThan(64 * mebibyte);
    expect(app.rss() - before).toBeLessThan(96 * mebibyte);
    await app.statIs('cluster.origin.upstream_flow_control_paused_reading_total', (count) => count > 0);
    for (let i = 0; i < 20; i++) {
      const { statusCode, body } = await request(await app.url());
      expect([statusCode, await body.text()]).toEqual([200, 'small']);
    }
    expect(origin.sessions).toHaveLength(1);
    let bytes = 0;
    for await (const chunk of slow) bytes += (chunk as Buffer).length;
    expect(bytes).toBeGreaterThan(256 * mebibyte);
  });

  test('a request waits for an upstream that does not read', { timeout }, async () => {
    const streams: { resume(): void }[] = [];
    const origin = await H2Origin.start((stream) => {
      streams.push(stream);
      let bytes = 0;
      stream.pause();
      stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
      stream.on('end', () => {
        stream.respond({ ':status': 200 });
        stream.end(String(bytes));
      });
      stream.pause();
    });
    const app = await startFor(origin.port);
    const before = app.rss();
    let sent = 0;
    const source = Readable.from(pieces(256), { objectMode: false });
    source.on('data', (chunk: Buffer) => (sent += chunk.length));
    source.pause();
    const answer = request(await app.url(), { method: 'POST', body: source });
    expect(await untilStill(() => sent)).toBeLessThan(64 * mebibyte);
    expect(app.rss() - before).toBeLessThan(96 * mebibyte);
    await app.statIs('cluster.origin.upstream_flow_control_backed_up_total', (count) => count > 0);
    streams[0].resume();
    expect(await (await answer).body.text()).toBe(String(256 * mebibyte));
    await app.statIs('cluster.origin.upstream_flow_control_drained_total', (count) => count > 0);
  });
});

describe('upstreams that go', () => {
  test('connections that say GOAWAY again and again cost no request', { timeout }, async () => {
    let count = 0;
    const origin = await H2Origin.start((stream) => {
      if (++count % 10 === 0) stream.session!.close();
      stream.respond({ ':status': 200 });
      stream.end('hello');
    });
    const retries = { retry_policy: { retry_on: 'refused-stream,reset', num_retries: 5 } };
    const app = await startFor(origin.port, {}, retries);
    const traffic = new Traffic(await app.url(), 8);
    await traffic.sees('hello', 2000);
    expect(await traffic.stop()).toEqual([]);
    expect(origin.sessions.length).toBeGreaterThan(10);
    await app.statIs('cluster.origin.upstream_cx_close_notify', (value) => value > 10);
    await app.statIs('cluster.origin.upstream_rq_active', 0);
  });

  test('a host that leaves finishes its streams, and its connection closes', { timeout }, async () => {
    const waiting: ServerHttp2Stream[] = [];
    const origin = await H2Origin.start((stream) => void waiting.push(stream));
    const next = await H2Origin.start((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('new');
    });
    const app = await startFor(origin.port);
    const url = await app.url();
    const pending = request(url);
    await until('the stream', () => origin.sessions.length === 1);
    await app.statIs('cluster.origin.upstream_rq_active', 1);
    const listener = httpListener({ port: await app.port(), listener: limit });
    const more = { ...http2Cluster(), ...limit, ...limits({ max_retries: 100 }) };
    await app.reload(bootstrap([listener], [cluster('origin', [next.port], more)]));
    await until('the new host', async () => (await (await request(url)).body.text()) === 'new');
    expect(origin.sessions[0].closed).toBe(false);
    waiting[0].respond({ ':status': 200 });
    waiting[0].end('old');
    expect(await (await pending).body.text()).toBe('old');
    await until('the end of the old connection', () => origin.sessions[0].destroyed);
  });

  test('an upstream that hangs is found out by PING', { timeout }, async () => {
    const emptySettings = Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
    const origin = await TcpOrigin.start((socket) => void socket.resume().write(emptySettings));
    const app = await startFor(origin.port, { connection_keepalive: { interval: '0.2s', timeout: '0.2s' } });
    const { statusCode, body } = await request(await app.url());
    expect([statusCode, await body.text()]).toEqual([
      503,
      'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
    ]);
    await app.statIs('cluster.origin.http2.keepalive_timeout', 1);
  });
});
