/** Every file in `config/` does what its comment says, on sekisho and on a real Envoy alike. */
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { request, WebSocket } from 'undici';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { repository } from '../peers/binaries.ts';
import { envoy, sekisho, type ProxyKind } from '../peers/proxy.ts';
import { Shipped } from './shipped.ts';
import { echo, WebSocketOrigin } from './ws-origin.ts';

const kinds = [sekisho, envoy].filter((kind) => {
  const reason = kind.unavailable();
  if (reason !== null) console.log(reason);
  return reason === null;
});

async function get(url: string, headers: Record<string, string> = {}) {
  const response = await request(url, { headers });
  return { status: response.statusCode, headers: response.headers, text: await response.body.text() };
}

function withConfiguration(kind: ProxyKind, name: string): () => Shipped {
  let shipped: Shipped;
  beforeAll(async () => {
    shipped = await Shipped.start(kind, name);
  });
  afterAll(async () => {
    await shipped?.stop();
  });
  return () => shipped;
}

/** Shares of the reviews' versions over so many requests. */
async function versions(shipped: Shipped, requests: number): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let index = 0; index < requests; index++) {
    const { text } = await get(shipped.url(10000, '/reviews/0'));
    const { version } = JSON.parse(text) as { version: string };
    counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  return counts;
}

describe.each(kinds)('canary.yaml on $name', (kind) => {
  const shipped = withConfiguration(kind, 'canary.yaml');

  test('splits the reviews evenly between v1 and v2', async () => {
    const counts = await versions(shipped(), 400);
    expect([...counts.keys()].sort()).toEqual(['v1', 'v2']);
    // Ten standard deviations: a right split fails once in 10²².
    expect(Math.abs(counts.get('v1')! - 200)).toBeLessThan(100);
  });

  test('gives v3 with red stars to one user', async () => {
    const { text } = await get(shipped().url(10000, '/reviews/0'), { 'end-user': 'jason' });
    expect(JSON.parse(text)).toMatchObject({ version: 'v3', reviews: [{ rating: { color: 'red' } }, {}] });
  });

  test('gives everything else to the productpage', async () => {
    const { text, headers } = await get(shipped().url(10000, '/anything'));
    expect(text).toContain('The Comedy of Errors');
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
  });

  test('breaks the ratings when a header asks for it', async () => {
    const url = shipped().url(10000, '/ratings/0');
    expect(await get(url)).toMatchObject({ status: 200 });
    expect(await get(url, { 'x-envoy-fault-abort-request': '503' })).toMatchObject({
      status: 503,
      text: 'fault filter abort',
    });
    const before = performance.now();
    expect(await get(url, { 'x-envoy-fault-delay-request': '200' })).toMatchObject({ status: 200 });
    expect(performance.now() - before).toBeGreaterThan(195);
  });

  test('breaks nothing but the ratings', async () => {
    const answer = await get(shipped().url(10000, '/reviews/0'), { 'x-envoy-fault-abort-request': '503' });
    expect(answer.status).toBe(200);
  });
});

describe.each(kinds)('canary-90-10.yaml on $name', (kind) => {
  const shipped = withConfiguration(kind, 'canary-90-10.yaml');

  test('gives one in ten to v2', async () => {
    const counts = await versions(shipped(), 500);
    // 50 expected, a standard deviation of 6.7: seven and a half of them on either side.
    expect(counts.get('v2')).toBeGreaterThan(0);
    expect(counts.get('v2')).toBeLessThan(100);
    expect(counts.get('v1')! + counts.get('v2')!).toBe(500);
  });
});

describe.each(kinds)('front-proxy.yaml on $name', (kind) => {
  const shipped = withConfiguration(kind, 'front-proxy.yaml');

  test('adds, removes and trusts nobody', async () => {
    const answer = await get(shipped().url(10020, '/hello'), { host: 'shop.example:80', 'x-forwarded-for': '6.6.6.6' });
    expect(answer).toMatchObject({ status: 200, text: 'the shop\n' });
    expect(answer.headers).toMatchObject({
      server: 'edge',
      'strict-transport-security': 'max-age=31536000',
      'x-saw-path': '/hello',
      'x-saw-client': '127.0.0.1',
    });
    expect(answer.headers['x-powered-by']).toBeUndefined();
  });

  test('rewrites and redirects', async () => {
    const shop = { host: 'shop.example' };
    expect((await get(shipped().url(10020, '/api/cart'), shop)).headers['x-saw-path']).toBe('/v2/cart');
    expect((await get(shipped().url(10020, '//a/../b'), shop)).headers['x-saw-path']).toBe('/b');
    expect(await get(shipped().url(10020, '/old/shoes?size=42'), shop)).toMatchObject({
      status: 301,
      headers: { location: 'http://shop.example/new/shoes?size=42' },
    });
    expect(await get(shipped().url(10020, '/x'), { host: 'www.shop.example' })).toMatchObject({
      status: 301,
      headers: { location: 'http://shop.example/x' },
    });
  });

  test('answers its own errors as JSON', async () => {
    const { status, text } = await get(shipped().url(10020), { host: 'elsewhere.example' });
    expect(status).toBe(404);
    expect(JSON.parse(text)).toMatchObject({ status: 404 });
  });

  test('lets one other origin in', async () => {
    const headers = { host: 'shop.example', origin: 'https://app.shop.example' };
    const answer = await get(shipped().url(10020), headers);
    expect(answer.headers['access-control-allow-origin']).toBe('https://app.shop.example');
  });
});

describe.each(kinds)('tcp-proxy.yaml on $name', (kind) => {
  const shipped = withConfiguration(kind, 'tcp-proxy.yaml');

  test.each([10010, 10011])('passes bytes on at %i', async (port) => {
    const socket = connect(shipped().port(port), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    const received = await text(socket);
    expect(received).toMatch(/^HTTP\/1\.1 200 OK[^]*hello through TCP\n$/);
  });
});

describe.each(kinds)('fault-injection.yaml on $name', (kind) => {
  const shipped = withConfiguration(kind, 'fault-injection.yaml');

  test('fails a quarter, but never the health check', async () => {
    const statuses = [];
    for (let index = 0; index < 200; index++) statuses.push((await get(shipped().url(10030))).status);
    const failed = statuses.filter((status) => status === 503).length;
    // 50 expected, a standard deviation of 6.1.
    expect(failed).toBeGreaterThan(5);
    expect(failed).toBeLessThan(110);
    for (let index = 0; index < 20; index++) {
      expect((await get(shipped().url(10030, '/healthz'))).status).toBe(200);
    }
  });

  test('is late where the route says so', async () => {
    const before = performance.now();
    expect((await get(shipped().url(10030, '/slow'))).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThan(495);
  });

  test('fails as a header asks', async () => {
    const answer = await get(shipped().url(10030, '/healthz'), { 'x-envoy-fault-abort-request': '418' });
    expect(answer.status).toBe(418);
  });
});

describe.each(kinds)('access-log.yaml on $name', (kind) => {
  const shipped = withConfiguration(kind, 'access-log.yaml');

  test('writes JSON to stdout, errors to stderr and everything to a file', async () => {
    await get(shipped().url(10040, '/hello'), { 'x-team': 'payments' });
    await get(shipped().url(10040, '/broken'));
    await expect
      .poll(() => shipped().proxy.output(), { timeout: 40_000 })
      .toContain('/broken: upstream_reset_before_response_started');
    const output = shipped().proxy.output();
    const line = output.split('\n').find((text) => text.startsWith('{') && text.includes('payments'))!;
    expect(JSON.parse(line)).toMatchObject({
      request: { method: 'GET', path: '/hello' },
      response: { status: 200, flags: '-' },
      upstream: { cluster: 'origin' },
      team: 'payments',
      route: 'rest',
    });
    const file = () => readFileSync(join(shipped().directory, 'sekisho-access.log'), 'utf8');
    await expect.poll(file, { timeout: 40_000 }).toMatch(/"GET \/broken HTTP\/1\.1" 503 UF/);
  });
});

test('every file is covered here', () => {
  const tests = readFileSync(import.meta.filename, 'utf8');
  // Folders have tests of their own: mtls-demo.test.ts, readme.test.ts.
  const files = readdirSync(join(repository, 'config')).filter((name) => name.endsWith('.yaml'));
  for (const name of files) expect(tests).toContain(`'${name}'`);
});

describe.each(kinds)('websocket.yaml on $name', (kind) => {
  const shipped = withConfiguration(kind, 'websocket.yaml');

  test('a WebSocket on /chat, and nowhere else', async () => {
    const origin = await WebSocketOrigin.start(echo, shipped().port(10021));
    const socket = new WebSocket(`ws://127.0.0.1:${shipped().port(10020)}/chat`);
    onTestFinished(() => socket.close());
    const { promise, resolve } = Promise.withResolvers<unknown>();
    socket.addEventListener('message', ({ data }) => resolve(data));
    socket.addEventListener('open', () => socket.send('hello'));
    expect(await promise).toBe('hello');
    expect(origin.port).toBe(shipped().port(10021));
    expect(await get(shipped().url(10020))).toMatchObject({ status: 200, text: 'the page\n' });
    const client = connect(shipped().port(10020), '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    expect(await text(client)).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe.each(kinds)('connect-tunnel.yaml on $name', (kind) => {
  const shipped = withConfiguration(kind, 'connect-tunnel.yaml');

  test('TCP goes through the tunnel', async () => {
    expect((await get(shipped().url(10030))).text).toBe('hello through a tunnel\n');
    const stats = await shipped().proxy.stats();
    expect(stats.get('http.out-of-the-tunnel.downstream_cx_upgrades_total')).toBe(1);
    expect(stats.get('http.out-of-the-tunnel.downstream_cx_http2_total')).toBe(1);
  });
});
