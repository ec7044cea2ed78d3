import { describe, expect, test } from 'vitest';
import { bytesOfLine, preface } from '../wire/h2-frames.ts';
import { App } from './app.ts';
import { answer, bootstrap, cluster, fileLog, httpListener, route } from './config.ts';
import { H2Client } from './h2-client.ts';
import { Held, Origin } from './origin.ts';
import { RawClient } from './raw-client.ts';
import { until } from './wait.ts';

// How connections of HTTP/2 end: as agreed, or because one side has had enough of the other.

const all = 2 ** 31 - 1;
const noError = 0;

async function start(manager: object = {}, origin?: Origin): Promise<App> {
  const routes = [answer('/direct', 'direct'), route('/', 'origin')];
  const listener = httpListener({ routes, manager: { access_log: [fileLog()], ...manager } });
  const config = bootstrap([listener], [cluster('origin', [origin?.port ?? 1])]);
  return App.start(config, { args: ['--file-flush-interval-msec', '20'] });
}

/** A client of frames, which may leave out what a well-behaved one does. */
async function speak(app: App, ...lines: readonly string[]): Promise<RawClient> {
  const client = await RawClient.open(await app.port());
  const frames = ['SETTINGS', ...lines].map(bytesOfLine);
  return client.write(preface + Buffer.concat(frames).toString('latin1'));
}

const get = ':method=GET :scheme=http :authority=a :path=/direct';
const ask = ':method=GET :scheme=http :authority=a :path=/';
/** `count` requests, each given up at once. */
const resets = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => [`HEADERS ${2 * i + 1} ${ask}`, `RST_STREAM ${2 * i + 1} 8`]).flat();

describe('a drain', () => {
  test('SIGTERM: open streams finish, new ones are still taken in between, then the process exits', async () => {
    const held = new Held();
    const origin = await Origin.start(held.handler);
    const app = await start({}, origin);
    const client = await H2Client.open(await app.port());
    const asked = Array.from({ length: 10 }, (_, i) => client.ask(`/${i}`));
    await held.arrived(10);
    app.signal('SIGTERM');
    await until('the client to hear of it', () => client.goAways.length > 0);
    expect(app.hasExited).toBe(false);
    held.release();
    for (const exchange of asked) expect((await exchange.closed()).body).toBe('held');
    await client.closed();
    expect(client.goAways.every(([code]) => code === noError)).toBe(true);
    expect(client.goAways[0][1]).toBe(all);
    expect(await app.exit()).toEqual({ code: 0, signal: null });
  });

  test('a client that never answers the PING is let go after drain_timeout', async () => {
    const app = await start({
      drain_timeout: '0.2s',
      delayed_close_timeout: '0.1s',
      common_http_protocol_options: { max_connection_duration: '0.1s' },
    });
    const client = await speak(app, 'SETTINGS ack', `HEADERS 1 end ${get}`);
    await client.toEnd();
    expect(client.heard.split('\x00\x00\x08\x07\x00').length - 1).toBe(2);
    await app.statIs('http.ingress.downstream_cx_max_duration_reached', 1);
  });

  test('an idle connection is told so and closed', async () => {
    const app = await start({ common_http_protocol_options: { idle_timeout: '0.2s' } });
    const client = await H2Client.open(await app.port());
    await client.ask('/direct').closed();
    await client.closed();
    expect(client.goAways[0]).toEqual([noError, all]);
    await app.statIs('http.ingress.downstream_cx_idle_timeout', 1);
  });
});

describe('too much of', () => {
  const cases: readonly [string, object, readonly string[], Record<string, number>][] = [
    [
      'PING',
      { max_outbound_control_frames: 50 },
      Array<string>(20_000).fill('PING 12345678'),
      { 'http2.outbound_control_flood': 1 },
    ],
    [
      'SETTINGS',
      { max_outbound_control_frames: 50 },
      Array<string>(20_000).fill('SETTINGS'),
      { 'http2.outbound_control_flood': 1 },
    ],
    ['PRIORITY', {}, Array<string>(300).fill('PRIORITY 1 0'), { 'http2.inbound_priority_frames_flood': 1 }],
    [
      'WINDOW_UPDATE',
      {},
      Array<string>(300).fill('WINDOW_UPDATE 0 1'),
      { 'http2.inbound_window_update_frames_flood': 1 },
    ],
    [
      'nothing',
      {},
      [`HEADERS 1 ${ask}`, ...Array<string>(5).fill('DATA 1')],
      { 'http2.inbound_empty_frames_flood': 1 },
    ],
    ['RST_STREAM', { stream_reset_burst: 20, stream_reset_rate: 1 }, resets(40), { 'http2.rx_reset': 20 }],
    [
      'requests that are given up',
      { stream_reset_burst: 10_000 },
      resets(600),
      { 'http.ingress.downstream_rq_too_many_premature_resets': 1 },
    ],
    [
      'open streams',
      { max_concurrent_streams: 3 },
      ['SETTINGS ack', ...[1, 3, 5, 7].map((id) => `HEADERS ${id} ${ask}`)],
      { 'http.ingress.downstream_cx_protocol_error': 1 },
    ],
  ];

  test.each(cases)('%s ends the connection', async (_name, http2, frames, stats) => {
    const held = new Held();
    const origin = await Origin.start(held.handler);
    const app = await start({ http2_protocol_options: http2, delayed_close_timeout: '0.1s' }, origin);
    const polite = await H2Client.open(await app.port());
    const client = await speak(app);
    client.socket.pause();
    client.write(Buffer.concat(frames.map(bytesOfLine)).toString('latin1'));
    for (const [name, value] of Object.entries(stats)) await app.statIs(name, value);
    client.socket.resume();
    await client.toEnd();
    await app.statIs('http.ingress.downstream_cx_active', 1);
    expect((await polite.ask('/direct').closed()).body).toBe('direct');
    await app.statIs('http.ingress.downstream_rq_active', 0);
  });
});

test('a client that does not answer connection_keepalive is closed', async () => {
  const keepalive = { connection_keepalive: { interval: '0.1s', timeout: '1s', interval_jitter: { value: 0 } } };
  const app = await start({ http2_protocol_options: keepalive });
  const polite = await H2Client.open(await app.port());
  const silent = await speak(app, 'SETTINGS ack');
  await silent.toEnd();
  expect(await app.stat('http2.keepalive_timeout')).toBe(1);
  expect((await polite.ask('/direct').closed()).body).toBe('direct');
});

test('a client that vanishes takes its requests with it', async () => {
  const held = new Held();
  const origin = await Origin.start(held.handler);
  const app = await start({}, origin);
  const client = await speak(app, ...[1, 3, 5, 7, 9].map((id) => `HEADERS ${id} end ${ask}`));
  await held.arrived(5);
  client.socket.destroy();
  await until('the origin to notice', () => origin.requests.every(({ socket }) => socket.destroyed));
  const lines = await app.logged(5);
  expect(new Set(lines.map(({ flags }) => flags))).toEqual(new Set(['DC']));
  await app.statIs('http.ingress.downstream_cx_http2_active', 0);
  await app.statIs('http.ingress.downstream_cx_destroy_remote_active_rq', 1);
});
