import { describe, expect, test } from 'vitest';
import { App } from './app.ts';
import { answer, bootstrap, cluster, httpListener, route } from './config.ts';
import { H2Client } from './h2-client.ts';
import { Origin } from './origin.ts';
import { until } from './wait.ts';

// Clients that take nothing, or not enough, of what they have asked for.

const mebibyte = 1024 * 1024;
const piece = Buffer.alloc(64 * 1024, 'x');

/** An origin that sends as long as somebody takes it, up to so many bytes; `sent` counts what it got rid of. */
async function endless(bytes: number): Promise<{ origin: Origin; sent: () => number }> {
  let sent = 0;
  const origin = await Origin.start((_request, response) => {
    let left = bytes;
    const write = (): void => {
      while (left > 0) {
        left -= piece.length;
        sent += piece.length;
        if (!response.write(piece)) {
          response.once('drain', write);
          return;
        }
      }
      response.end();
    };
    write();
  });
  return { origin, sent: () => sent };
}

async function start(origin: Origin, manager: object = {}, clusterFields: Record<string, unknown> = {}): Promise<App> {
  const routes = [answer('/direct', 'direct'), route('/', 'origin', { timeout: '0s' })];
  const limits = {
    circuit_breakers: { thresholds: [{ max_connections: 4096, max_pending_requests: 4096, max_requests: 4096 }] },
  };
  const buffers = { per_connection_buffer_limit_bytes: 32_768 };
  const listener = httpListener({ routes, manager: { ...manager } });
  return App.start(
    bootstrap([listener], [cluster('origin', [origin.port], { ...limits, ...buffers, ...clusterFields })]),
  );
}

/** Waits until nothing moves any more. */
async function untilStill(progress: () => number): Promise<number> {
  let last = -1;
  let unchanged = 0;
  await until('everything to stand still', () => {
    const now = progress();
    unchanged = now === last ? unchanged + 1 : 0;
    last = now;
    return unchanged === 60;
  });
  return last;
}

test('a stream that is not read stops its origin, and no other stream', async () => {
  const { origin, sent } = await endless(256 * mebibyte);
  const app = await start(origin);
  // Windows of 64 KiB for streams, and enough for the connection.
  const client = await H2Client.open(await app.port());
  client.session.setLocalWindowSize(64 * mebibyte);
  const stalled = client.ask('/', {}, '', false);
  await until('the answer to begin', () => stalled.status === 200);
  const taken = await untilStill(sent);
  // What the sockets of this machine hold, and no more than 1 MiB in between.
  expect(taken).toBeLessThan(24 * mebibyte);
  for (let i = 0; i < 20; i++) expect((await client.ask('/direct').closed()).body).toBe('direct');
  await app.statIs('cluster.origin.upstream_flow_control_paused_reading_total', (count) => count >= 1);
  stalled.read();
  await until('more of it', () => stalled.bytes > 64 * mebibyte);
  expect(sent()).toBeGreaterThan(taken);
});

test('1 000 streams that take nothing are bounded, and leave nothing behind', { timeout: 120_000 }, async () => {
  const { origin } = await endless(16 * mebibyte);
  const app = await start(origin);
  const before = app.rss();
  const client = await H2Client.open(await app.port(), { initialWindowSize: 0 });
  const asked = Array.from({ length: 1000 }, () => client.ask('/', {}, '', false));
  await until('1 000 answers to begin', () => asked.every(({ status }) => status === 200));
  let pending = 0;
  await untilStill(() => origin.sockets.size + app.rss() / (64 * mebibyte));
  pending = await app.stat('http2.pending_send_bytes');
  console.log(`1 000 stalled streams: ${pending} bytes wait, ${Math.round((app.rss() - before) / mebibyte)} MiB more`);
  expect(pending).toBeLessThan(96 * mebibyte);
  expect(app.rss() - before).toBeLessThan(384 * mebibyte);
  expect(
    await new Promise<string>((resolve) => {
      const other = client.ask('/direct');
      other.stream.on('response', (headers) => resolve(String(headers[':status'])));
    }),
  ).toBe('200');
  client.session.destroy();
  await app.statIs('http2.pending_send_bytes', 0);
  await app.statIs('http2.streams_active', 0);
  await app.statIs('http.ingress.downstream_rq_active', 0);
});

test('a large answer does not hold up small ones', async () => {
  const { origin } = await endless(512 * mebibyte);
  const app = await start(origin);
  const client = await H2Client.open(await app.port());
  client.session.setLocalWindowSize(16 * mebibyte);
  const large = client.ask('/');
  await until('the large one to flow', () => large.bytes > 4 * mebibyte);
  for (let i = 0; i < 10; i++) {
    expect((await client.ask('/direct').closed()).body).toBe('direct');
    expect(large.hasEnded).toBe(false);
  }
});

describe('an answer that is complete, and not taken', () => {
  test('is given up after stream_flush_timeout', async () => {
    const { origin } = await endless(256 * 1024);
    const app = await start(origin, { stream_flush_timeout: '0.3s' });
    const client = await H2Client.open(await app.port(), { initialWindowSize: 1000 });
    const stalled = client.ask('/', {}, '', false);
    await stalled.closed();
    expect([stalled.status, stalled.resetCode]).toEqual([200, 2]);
    expect(await app.stat('http2.tx_flush_timeout')).toBe(1);
    await app.statIs('http2.pending_send_bytes', 0);
    expect((await client.ask('/direct').closed()).status).toBe(200);
  });
});

test('a request that nobody takes stops its client, and no other stream', async () => {
  const origin = await Origin.start((request, response) => {
    if (request.url === '/stuck') request.pause();
    else response.end('fine');
  });
  const app = await start(origin);
  const client = await H2Client.open(await app.port());
  const stuck = client.ask('/stuck', { ':method': 'POST' }, null);
  let given = 0;
  const write = (): void => {
    while (given < 256 * mebibyte) {
      given += piece.length;
      if (!stuck.stream.write(piece)) {
        stuck.stream.once('drain', write);
        return;
      }
    }
  };
  write();
  await untilStill(() => given);
  expect(given).toBeLessThan(64 * mebibyte);
  for (let i = 0; i < 20; i++) expect((await client.ask('/fine').closed()).body).toBe('fine');
  await app.statIs('http.ingress.downstream_flow_control_paused_reading_total', (count) => count >= 1);
});
