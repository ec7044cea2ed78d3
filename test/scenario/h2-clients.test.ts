import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { ClientHttp2Stream } from 'node:http2';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { findProgram, missing } from '../peers/binaries.ts';
import { App } from './app.ts';
import { answer, bootstrap, cluster, httpListener } from './config.ts';
import { H2Origin, http2Cluster } from './h2-origin.ts';
import { ask, H2Traffic, openSession } from './h2-traffic.ts';
import { Held, Origin } from './origin.ts';
import { until } from './wait.ts';

const mebibyte = 1024 * 1024;
const timeout = 60_000;
const run = promisify(execFile);
const limit = { per_connection_buffer_limit_bytes: 64 * 1024 };

/** A program of somebody else's, with its standard output. */
async function output(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(findProgram(program)!, args, { maxBuffer: 64 * mebibyte });
  return stdout;
}

function without(program: string): boolean {
  if (findProgram(program) !== null) return false;
  console.log(missing(program));
  return true;
}

async function startFor(origin: Origin, manager: object = {}): Promise<App> {
  const listener = httpListener({
    listener: limit,
    manager: { http_protocol_options: { enable_trailers: true }, ...manager },
  });
  return App.start(bootstrap([listener], [cluster('origin', [origin.port], { ...limit, ...trailing })]));
}

const trailing = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http_protocol_options: { enable_trailers: true } },
    },
  },
};

/** Tells what it got, and in a trailer that this was all. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  const hash = createHash('sha256');
  request.on('data', (chunk: Buffer) => hash.update(chunk));
  request.on('end', () => {
    response.writeHead(200, { 'x-method': request.method });
    response.write(hash.digest('hex'));
    response.addTrailers({ 'x-last': request.trailers['x-sent'] ?? 'none' });
    response.end();
  });
}

const pieceBytes = 64 * 1024;

function* pieces(count: number): Generator<Buffer> {
  const piece = Buffer.alloc(pieceBytes, 'x');
  for (let i = 0; i < count; i++) yield piece;
}

/** `/large` is 64 MiB, `/medium` half a MiB, everything else small. */
function sized(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  if (request.url === '/large') Readable.from(pieces(1024)).pipe(response);
  else if (request.url === '/medium') Readable.from(pieces(8)).pipe(response);
  else response.end('small');
}

describe.skipIf(without('curl'))('curl', () => {
  test('with prior knowledge: GET, HEAD, POST', { timeout }, async () => {
    const app = await startFor(await Origin.start(echo));
    const url = await app.url();
    const body = Buffer.alloc(3 * mebibyte, 'a body ');
    const file = join(app.folder, 'body');
    writeFileSync(file, body);
    const curl = (...args: string[]) => output('curl', ['-s', '--http2-prior-knowledge', ...args, url]);
    expect(await curl('-w', ' %{http_version} %{http_code}')).toMatch(/ 2 200$/);
    expect(await curl('-I')).toMatch(/^HTTP\/2 200 \r\n[^]*x-method: HEAD\r\n/);
    expect(await curl('--data-binary', `@${file}`)).toBe(createHash('sha256').update(body).digest('hex'));
  });

  test('that offers an upgrade stays with HTTP/1.1', { timeout }, async () => {
    const app = await startFor(await Origin.start(echo));
    const told = await output('curl', ['-s', '--http2', '-w', ' %{http_version} %{http_code}', await app.url()]);
    expect(told).toMatch(/ 1\.1 200$/);
  });
});

describe.skipIf(without('nghttp'))('nghttp', () => {
  test('a POST with trailers, and those of the answer', { timeout }, async () => {
    const origin = await H2Origin.start((stream) => {
      let sent: unknown = 'nothing';
      stream.on('trailers', (trailers) => (sent = trailers['x-sent']));
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-last': String(sent) }));
      stream.resume().on('end', () => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.end('the answer');
      });
    });
    const clusters = [cluster('origin', [origin.port], http2Cluster())];
    const app = await App.start(bootstrap([httpListener()], clusters));
    const file = join(app.folder, 'body');
    writeFileSync(file, 'the body');
    const told = await output('nghttp', ['-v', '-d', file, '--trailer', 'x-sent: behind', await app.url()]);
    expect(told).toContain('the answer');
    expect(told).toMatch(/recv \(stream_id=\d+\) x-last: behind/);
    expect(told).not.toContain('RST_STREAM');
  });

  test('small windows, few streams at a time, heads of many frames', { timeout }, async () => {
    const body = 'x'.repeat(4000);
    const app = await App.start(bootstrap([httpListener({ routes: [answer('/', body)] })], []));
    const few = ['--max-concurrent-streams', '3', '--window-bits', '10', '--connection-window-bits', '12'];
    const told = await output('nghttp', ['-n', '-s', '-m', '20', '--continuation', ...few, await app.url()]);
    expect(told.match(/ 200 +(?:3K|4000) +\//g) ?? told).toHaveLength(20);
  });
});

describe.skipIf(without('h2load'))('h2load', () => {
  test('twenty thousand streams, a hundred at a time on each connection', { timeout }, async () => {
    const app = await startFor(await Origin.start());
    const told = await output('h2load', ['-n', '20000', '-c', '4', '-m', '100', await app.url()]);
    expect(told).toContain('20000 succeeded, 0 failed, 0 errored, 0 timeout');
    expect(told).toContain('status codes: 20000 2xx, 0 3xx, 0 4xx, 0 5xx');
    await app.statIs('http.ingress.downstream_rq_active', 0);
    await app.statIs('cluster.origin.upstream_rq_active', 0);
  });

  test('uploads', { timeout }, async () => {
    const app = await startFor(await Origin.start(echo));
    const file = join(app.folder, 'body');
    writeFileSync(file, Buffer.alloc(mebibyte, 'x'));
    const told = await output('h2load', ['-n', '100', '-c', '2', '-m', '10', '-d', file, await app.url()]);
    expect(told).toContain('100 succeeded, 0 failed');
  });
});

describe('a hundred streams of one connection', () => {
  test('one that is large does not starve the others', { timeout }, async () => {
    const app = await startFor(await Origin.start(sized));
    const session = await openSession(await app.url());
    const ended: string[] = [];
    const large = session.request({ ':path': '/large' });
    let bytes = 0;
    const largeEnded = once(large, 'end').then(() => ended.push('large'));
    large.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await once(large, 'response');
    const small = Array.from({ length: 99 }, () => ask(session, '/small').then(({ body }) => ended.push(body)));
    await Promise.all([...small, largeEnded]);
    expect(ended.indexOf('large')).toBe(99);
    expect(bytes).toBe(64 * mebibyte);
    expect(await app.stat('http.ingress.downstream_cx_http2_total')).toBe(1);
  });

  test('nor does one that nobody reads', { timeout }, async () => {
    const app = await startFor(await Origin.start(sized));
    const session = await openSession(await app.url());
    session.setLocalWindowSize(mebibyte);
    const large = session.request({ ':path': '/large' }).pause();
    await once(large, 'response');
    const small = await Promise.all(Array.from({ length: 99 }, () => ask(session, '/small')));
    expect(small.every(({ body }) => body === 'small')).toBe(true);
    let bytes = 0;
    large.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume();
    await once(large, 'end');
    expect(bytes).toBe(64 * mebibyte);
  });
});

/** Waits until nothing more is read from upstreams. */
async function untilStill(app: App): Promise<void> {
  let last = -1;
  let unchanged = 0;
  await until('the upstreams to be left alone', async () => {
    const now = await app.stat('cluster.origin.upstream_cx_rx_bytes_total');
    unchanged = now === last ? unchanged + 1 : 0;
    last = now;
    return unchanged === 60;
  });
}

describe('streams that stand still', () => {
  const count = 1000;
  /** A read in bulk (256 KiB) that is kept, a part of another, and the connections. Envoy 1.39.3 takes 1.6 MiB. */
  const bytesPerStreamMax = 512 * 1024;

  test('a thousand whose client takes nothing', { timeout }, async () => {
    const app = await startFor(await Origin.start(sized));
    const session = await openSession(await app.url(), { settings: { initialWindowSize: 0 } });
    await ask(await openSession(await app.url()));
    const before = app.rss();
    let heads = 0;
    const streams: ClientHttp2Stream[] = Array.from({ length: count }, () => session.request({ ':path': '/medium' }));
    for (const stream of streams) stream.on('error', () => {}).on('response', () => heads++);
    await until('their heads', () => heads === count);
    await untilStill(app);
    expect(await app.stat('cluster.origin.upstream_flow_control_paused_reading_total')).toBeGreaterThan(count * 0.9);
    const growth = app.rss() - before;
    console.log(`${count} stalled streams: ${(growth / count / 1024).toFixed(1)} KiB each`);
    expect(growth).toBeLessThan(count * bytesPerStreamMax);
    session.destroy();
    await app.statIs('http.ingress.downstream_rq_active', 0);
    // Of a few the kernel had all at once: they are complete, and their connections wait for others.
    await app.statIs('cluster.origin.upstream_cx_active', (value) => value < count * 0.1);
  });
});

describe('GOAWAY', () => {
  const manager = { drain_timeout: '0.2s' };

  test('SIGTERM under load fails no stream', { timeout }, async () => {
    const app = await startFor(await Origin.start(), manager);
    const traffic = new H2Traffic(await app.url(), 4, 10);
    await traffic.sees('hello', 200);
    app.signal('SIGTERM');
    expect(await app.exit()).toEqual({ code: 0, signal: null });
    // Node's own library refuses what it had not sent yet when GOAWAY came: never begun, and safe to repeat (RFC 9113 section 8.7).
    const refusedByClient = /ended with code 7 after 0 and 0 bytes/;
    expect((await traffic.stop()).filter((failure) => !refusedByClient.test(failure))).toEqual([]);
    expect(traffic.goAways).toBeGreaterThanOrEqual(4);
  });

  test('SIGTERM lets streams under way finish', { timeout }, async () => {
    const held = new Held();
    const app = await startFor(await Origin.start(held.handler), manager);
    const session = await openSession(await app.url());
    const goAway = once(session, 'goaway');
    const answers = Array.from({ length: 50 }, () => ask(session));
    await held.arrived(50);
    app.signal('SIGTERM');
    await goAway;
    expect(app.hasExited).toBe(false);
    held.release();
    for (const { status, body } of await Promise.all(answers)) expect([status, body]).toEqual([200, 'held']);
    expect(await app.exit()).toEqual({ code: 0, signal: null });
  });

  test('SIGTERM waits for answers that their client is slow to read', { timeout }, async () => {
    const app = await startFor(await Origin.start(sized), manager);
    const session = await openSession(await app.url());
    const stream = session.request({ ':path': '/medium' }).pause();
    await once(stream, 'response');
    await untilStill(app);
    const goAway = once(session, 'goaway');
    app.signal('SIGTERM');
    await goAway;
    expect(app.hasExited).toBe(false);
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume();
    await once(stream, 'end');
    expect(bytes).toBe(mebibyte / 2);
    expect(await app.exit()).toEqual({ code: 0, signal: null });
  });

  test('a listener that is replaced under load fails no stream', { timeout }, async () => {
    const config = (port: number, body: string): object =>
      bootstrap(
        [httpListener({ port, routes: [answer('/', body)], manager, listener: { metadata: named(body) } })],
        [],
      );
    const app = await App.start(config(0, 'zero'), { args: ['--drain-time-s', '1'] });
    const port = await app.port();
    const traffic = new H2Traffic(await app.url(), 4, 10);
    await traffic.sees('zero', 200);
    for (const body of ['one', 'two', 'three']) {
      await app.reload(config(port, body));
      await traffic.sees(body, 200);
    }
    expect(await traffic.stop()).toEqual([]);
    expect(traffic.goAways).toBeGreaterThanOrEqual(4);
  });
});

/** A listener whose metadata changes is another listener. */
function named(name: string): object {
  return { filter_metadata: { test: { name } } };
}
