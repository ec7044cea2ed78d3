import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { H2CClient } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findProgram, missing } from '../peers/binaries.ts';
import { App } from './app.ts';
import { answer, bootstrap, cluster, fileLog, httpListener, route } from './config.ts';
import { H2Client } from './h2-client.ts';
import { Held, Origin } from './origin.ts';
import { until } from './wait.ts';

// Clients of HTTP/2 with prior knowledge, in front of an origin that speaks HTTP/1.1.

const run = promisify(execFile);

/** Both sides of HTTP/1.1 may have trailers. */
const trailers = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http_protocol_options: { enable_trailers: true } },
    },
  },
};

async function start(origin: Origin, manager: Record<string, unknown> = {}): Promise<App> {
  const routes = [answer('/direct', 'direct'), route('/', 'origin')];
  const listener = httpListener({ routes, manager: { access_log: [fileLog()], ...manager } });
  const config = bootstrap([listener], [cluster('origin', [origin.port], trailers)]);
  return App.start(config, { args: ['--file-flush-interval-msec', '20'] });
}

describe('clients', () => {
  const programs = [
    ['curl', ['-s', '--http2-prior-knowledge']],
    ['nghttp', ['--no-dep']],
  ] as const;
  for (const [name, flags] of programs) {
    const program = findProgram(name);
    if (program === null) console.log(`${name} ${missing(name)}`);
    test.skipIf(program === null)(name, async () => {
      const origin = await Origin.start();
      const url = await (await start(origin)).url();
      expect((await run(program!, [...flags, `${url}/x`])).stdout).toBe('hello');
      expect((await run(program!, [...flags, '-d', import.meta.filename, `${url}/x`])).stdout).toBe('hello');
      expect((await run(program!, [...flags, `${url}/direct`])).stdout).toBe('direct');
      expect(origin.requests.map(({ method }) => method)).toEqual(['GET', 'POST']);
    });
  }

  test('undici', async () => {
    const origin = await Origin.start();
    const app = await start(origin);
    const client = new H2CClient(await app.url());
    onTestFinished(() => client.close());
    const answers = Array.from({ length: 50 }, () => client.request({ path: '/', method: 'GET' }));
    for (const { statusCode, body } of await Promise.all(answers)) {
      expect(statusCode).toBe(200);
      expect(await body.text()).toBe('hello');
    }
    expect(await app.stat('http.ingress.downstream_cx_http2_total')).toBe(1);
    expect(await app.stat('http.ingress.downstream_rq_http2_total')).toBe(50);
  });
});

describe('streams of one connection', () => {
  test('200 at once are answered, each with its own', async () => {
    const origin = await Origin.start((request, response) => {
      request.resume();
      request.on('end', () => response.end(request.url));
    });
    const app = await start(origin);
    const client = await H2Client.open(await app.port());
    const asked = Array.from({ length: 200 }, (_, i) =>
      client.ask(`/${i}`, {}, i % 3 === 0 ? 'x'.repeat(i * 100) : ''),
    );
    for (const [i, exchange] of asked.entries()) {
      await exchange.closed();
      expect([exchange.status, exchange.body, exchange.resetCode]).toEqual([200, `/${i}`, 0]);
    }
    expect(await app.stat('http2.streams_active')).toBe(0);
    expect(await app.stat('http.ingress.downstream_rq_active')).toBe(0);
  });

  test('a later one may be answered first', async () => {
    const held = new Held();
    const origin = await Origin.start(held.handler);
    const app = await start(origin);
    const client = await H2Client.open(await app.port());
    const slow = client.ask('/slow');
    await held.arrived(1);
    expect((await client.ask('/direct').closed()).body).toBe('direct');
    expect(slow.status).toBe(0);
    held.release();
    expect((await slow.closed()).body).toBe('held');
    const lines = await app.logged(2);
    expect(lines.map(({ path }) => path)).toEqual(['/direct', '/slow']);
  });

  test('one that is cancelled takes its request from the origin, and nobody else’s', async () => {
    const held = new Held();
    const origin = await Origin.start(held.handler);
    const app = await start(origin);
    const client = await H2Client.open(await app.port());
    const kept = client.ask('/kept');
    const cancelled = client.ask('/cancelled');
    await held.arrived(2);
    cancelled.stream.close(8);
    await until('the origin to notice', () => origin.requests.some(({ socket }) => socket.destroyed));
    held.release();
    expect((await kept.closed()).body).toBe('held');
    await app.statIs('http2.rx_reset', 1);
    const lines = await app.logged(2);
    expect(lines[0]).toMatchObject({ path: '/cancelled', code: 0, flags: 'DR', details: 'http2.remote_reset' });
  });
});

describe('messages', () => {
  test('trailers in both directions', async () => {
    let received: object = {};
    const origin = await Origin.start((request, response) => {
      request.resume();
      request.on('end', () => {
        received = request.trailers;
        response.writeHead(200, { 'transfer-encoding': 'chunked', trailer: 'x-back' });
        response.write('body');
        response.addTrailers({ 'x-back': '2' });
        response.end();
      });
    });
    const app = await start(origin);
    const client = await H2Client.open(await app.port());
    const stream = client.session.request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-forth': '1' }));
    stream.setEncoding('latin1').end('content');
    let body = '';
    let back: object = {};
    stream.on('data', (text: string) => (body += text)).on('trailers', (fields) => (back = fields));
    await until('the answer', () => stream.closed);
    expect(received).toEqual({ 'x-forth': '1' });
    expect(body).toBe('body');
    expect(back).toMatchObject({ 'x-back': '2' });
  });

  test('an answer before the end of its request is whole, and the rest is not wanted', async () => {
    const origin = await Origin.start();
    const app = await start(origin);
    const client = await H2Client.open(await app.port());
    const exchange = client.ask('/direct', { ':method': 'POST' }, null);
    exchange.stream.write('half');
    await exchange.closed();
    expect([exchange.status, exchange.body, exchange.hasEnded, exchange.resetCode]).toEqual([200, 'direct', true, 0]);
    await app.statIs('http2.tx_reset', 1);
    expect((await client.ask('/direct').closed()).body).toBe('direct');
  });

  test('an origin that breaks off resets its stream only', async () => {
    const origin = await Origin.start((_request, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('half', () => response.destroy());
    });
    const app = await start(origin);
    const client = await H2Client.open(await app.port());
    const broken = await client.ask('/').closed();
    expect([broken.status, broken.body, broken.resetCode]).toEqual([200, 'half', 2]);
    expect((await client.ask('/direct').closed()).body).toBe('direct');
  });

  test('1 MiB in both directions is what was sent', async () => {
    const body = Array.from({ length: 1 << 17 }, (_, i) => i.toString(16).padStart(8)).join('');
    const origin = await Origin.start((request, response) => void request.pipe(response));
    const app = await start(origin);
    const client = await H2Client.open(await app.port());
    const stream = client.session.request({ ':method': 'POST', ':path': '/' });
    stream.setEncoding('latin1').end(body);
    let back = '';
    stream.on('data', (text: string) => (back += text));
    await until('the answer', () => stream.closed);
    expect(back === body).toBe(true);
  });
});

test('both versions on one listener', async () => {
  const origin = await Origin.start();
  const app = await start(origin);
  const client = await H2Client.open(await app.port());
  await client.ask('/direct').closed();
  expect(await (await fetch(`${await app.url()}/direct`)).text()).toBe('direct');
  const stats = await app.stats();
  const found = ['cx_http1_total', 'cx_http2_total', 'rq_http1_total', 'rq_http2_total'];
  expect(found.map((name) => stats.get(`http.ingress.downstream_${name}`))).toEqual([1, 1, 1, 1]);
});
