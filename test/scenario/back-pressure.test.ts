import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { request } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener, tcpListener } from './config.ts';
import { Origin, TcpOrigin } from './origin.ts';
import { until } from './wait.ts';

const mebibyte = 1024 * 1024;
const bodyBytes = (process.env['SEKISHO_LONG'] === undefined ? 256 : 1024) * mebibyte;
const timeout = process.env['SEKISHO_LONG'] === undefined ? 30_000 : 180_000;
const bufferLimit = 64 * 1024;
const pieceBytes = 64 * 1024;
const piece = Buffer.alloc(pieceBytes, 'x');

/**
 * How much the process may grow while a body passes: the buffers of two connections and what the garbage collector
 * leaves lying before it runs. A body that is held grows it by its whole length.
 */
const growthMax = 96 * mebibyte;

const limit = { per_connection_buffer_limit_bytes: bufferLimit };

/** A body, one piece at a time; it does not end before it is read. */
function body(): Readable {
  return Readable.from(pieces(), { objectMode: false, highWaterMark: pieceBytes });
}

function* pieces(): Generator<Buffer> {
  for (let left = bodyBytes; left > 0; left -= pieceBytes) yield piece;
}

/** Waits until nothing moves any more: whoever could take bytes has taken all it is going to. */
async function untilStill(progress: () => number): Promise<number> {
  let last = -1;
  let unchanged = 0;
  await until('the transfer to stand still', () => {
    const now = progress();
    unchanged = now === last && now > 0 ? unchanged + 1 : 0;
    last = now;
    return unchanged === stillPolls;
  });
  return last;
}

const stillPolls = 60;

/** Reads everything and tells the most that the process grew meanwhile. */
async function drainSlowly(app: App, source: Readable, before: number): Promise<{ bytes: number; growth: number }> {
  let bytes = 0;
  let growth = 0;
  let next = 0;
  for await (const chunk of source) {
    bytes += (chunk as Buffer).length;
    if (bytes < next) continue;
    next = bytes + 8 * mebibyte;
    growth = Math.max(growth, app.rss() - before);
    // The other side gets its turn: a reader that waits between reads.
    await new Promise(setImmediate);
  }
  return { bytes, growth };
}

async function openTcp(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

function expectBounded(app: App, what: string, sent: number, before: number): void {
  const growth = app.rss() - before;
  console.log(
    `${what}: ${(sent / mebibyte).toFixed(1)} MiB left the sender, grown by ${(growth / mebibyte).toFixed(1)} MiB`,
  );
  // The kernel's socket buffers take the rest: some MiB on loopback.
  expect(sent).toBeLessThan(64 * mebibyte);
  expect(growth).toBeLessThan(growthMax);
}

describe('HTTP', () => {
  async function start(origin: Origin): Promise<App> {
    const listener = httpListener({ listener: limit });
    return App.start(bootstrap([listener], [cluster('origin', [origin.port], limit)]));
  }

  test('a response waits for a slow client', { timeout }, async () => {
    let sent = 0;
    const origin = await Origin.start((_incoming, response) => {
      const source = body();
      source.on('data', (chunk: Buffer) => (sent += chunk.length));
      source.pipe(response);
    });
    const app = await start(origin);
    const client = await openTcp(await app.port());
    client.pause();
    const before = app.rss();
    client.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    expectBounded(app, 'response', await untilStill(() => sent), before);
    expect(await app.stat('cluster.origin.upstream_flow_control_paused_reading_total')).toBeGreaterThan(0);
    const { bytes, growth } = await drainSlowly(app, client, before);
    expect(bytes).toBeGreaterThan(bodyBytes);
    expect(growth).toBeLessThan(growthMax);
  });

  test('a request waits for a slow upstream', { timeout }, async () => {
    const origin = await Origin.start(() => {});
    const app = await start(origin);
    let sent = 0;
    const source = body();
    source.on('data', (chunk: Buffer) => (sent += chunk.length));
    source.pause();
    const before = app.rss();
    const answer = request(await app.url(), { method: 'POST', body: source });
    await origin.received(1);
    expectBounded(app, 'request', await untilStill(() => sent), before);
    expect(await app.stat('cluster.origin.upstream_flow_control_backed_up_total')).toBeGreaterThan(0);
    const incoming = origin.requests[0];
    const { bytes, growth } = await drainSlowly(app, incoming, before);
    expect(bytes).toBe(bodyBytes);
    expect(growth).toBeLessThan(growthMax);
    origin.answer(0, 'done');
    expect(await (await answer).body.text()).toBe('done');
  });

  test('a client that half-closes before it has read everything still gets everything', async () => {
    const bytes = 24 * mebibyte;
    const origin = await Origin.start((_incoming, response) => void response.end(Buffer.alloc(bytes, 'y')));
    // Room for the whole answer, so that it is complete while most of it waits in the proxy.
    const listener = httpListener({ listener: { per_connection_buffer_limit_bytes: 2 * bytes } });
    const app = await App.start(bootstrap([listener], [cluster('origin', [origin.port])]));
    const client = await openTcp(await app.port());
    client.pause();
    client.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    await app.statIs('http.ingress.downstream_rq_2xx', 1);
    await app.statIs('http.ingress.downstream_rq_active', 0);
    client.end();
    await app.stats();
    let received = 0;
    for await (const chunk of client) received += (chunk as Buffer).length;
    expect(received).toBeGreaterThan(bytes);
  });

  test('a slow client does not hold up another one', async () => {
    const origin = await Origin.start((incoming, response) => {
      if (incoming.url === '/large') body().pipe(response);
      else response.end('small');
    });
    const app = await start(origin);
    const slow = await openTcp(await app.port());
    slow.pause();
    slow.write('GET /large HTTP/1.1\r\nhost: a\r\n\r\n');
    await app.statIs('cluster.origin.upstream_flow_control_paused_reading_total', (value) => value > 0);
    expect(await (await request(`${await app.url()}/small`)).body.text()).toBe('small');
  });
});

describe('tcp_proxy', () => {
  async function start(origin: TcpOrigin): Promise<App> {
    const listener = tcpListener('origin', { listener: limit });
    return App.start(bootstrap([listener], [cluster('origin', [origin.port], limit)]));
  }

  test('the upstream waits for a slow client', { timeout }, async () => {
    let sent = 0;
    const origin = await TcpOrigin.start((socket) => {
      const source = body();
      source.on('data', (chunk: Buffer) => (sent += chunk.length));
      source.pipe(socket);
    });
    const app = await start(origin);
    const before = app.rss();
    const client = await openTcp(await app.port());
    client.pause();
    expectBounded(app, 'TCP to client', await untilStill(() => sent), before);
    const { bytes, growth } = await drainSlowly(app, client, before);
    expect(bytes).toBe(bodyBytes);
    expect(growth).toBeLessThan(growthMax);
  });

  test('the client waits for a slow upstream, whose half-close comes behind the last byte', { timeout }, async () => {
    const origin = await TcpOrigin.start((socket) => void socket.pause());
    const app = await start(origin);
    const before = app.rss();
    const client = await openTcp(await app.port());
    let sent = 0;
    const source = body();
    source.on('data', (chunk: Buffer) => (sent += chunk.length));
    source.pipe(client);
    await until('the upstream connection', () => origin.sockets.length === 1);
    expectBounded(app, 'TCP to upstream', await untilStill(() => sent), before);
    const upstream = origin.sockets[0];
    const { bytes, growth } = await drainSlowly(app, upstream, before);
    expect(bytes).toBe(bodyBytes);
    expect(growth).toBeLessThan(growthMax);
  });
});
