import { expect, test } from 'vitest';
import { block, frame, preface } from '../wire/h2-frames.ts';
import { App } from './app.ts';
import { answer, bootstrap, cluster, httpListener, route } from './config.ts';
import { H2Client } from './h2-client.ts';
import { H2Origin, http2Cluster } from './h2-origin.ts';
import { RawClient } from './raw-client.ts';
import { until } from './wait.ts';

const isLong = process.env['SEKISHO_LONG'] !== undefined;
const connections = isLong ? 5000 : 2000;
/** Opened together: within the kernel's queue of a listener. */
const atOnce = 100;
/** Far above what a connection takes: a leak of a buffer for each shows. */
const bytesEachMax = 32 * 1024;
/** Of a stream, most of it the young generation, which grows. */
const streamBytesMax = 64 * 1024;

const fields = block([
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a'],
]);

/** The request that a connection makes as its `nth`, from 0 on. */
const versions: [string, (nth: number) => string][] = [
  ['HTTP/1.1', () => 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'],
  [
    'HTTP/2',
    (nth) => {
      const ask = frame(1, 5, 2 * nth + 1, fields).toString('latin1');
      return nth === 0 ? preface + frame(4, 0, 0).toString('latin1') + ask : ask;
    },
  ],
];

const timeout = 60_000;

test.each(versions)(
  'thousands of idle connections of %s cost little, and none is dropped',
  { timeout },
  async (_, get) => {
    const app = await App.start(bootstrap([httpListener({ routes: [answer('/', 'ok;')] })], []));
    const port = await app.port();
    const warm = await RawClient.open(port);
    for (let nth = 0; nth < 200; nth++) {
      warm.write(get(nth));
      await until('an answer', () => warm.heard.length > 0 && warm.heard.endsWith('ok;'));
      warm.heard = '';
    }
    const before = app.rss();
    const clients: RawClient[] = [];
    while (clients.length < connections) {
      clients.push(...(await Promise.all(Array.from({ length: atOnce }, () => RawClient.open(port)))));
    }
    const askAll = async (nth: number): Promise<void> => {
      for (const client of clients) {
        client.heard = '';
        client.write(get(nth));
      }
      await until('all answers', () => clients.every(({ heard }) => heard.endsWith('ok;')));
    };
    await askAll(0);
    await app.statIs('http.ingress.downstream_cx_active', connections + 1);
    const each = (app.rss() - before) / connections;
    console.log(`${connections} idle connections: ${(each / 1024).toFixed(1)} KiB each`);
    expect(each).toBeLessThan(bytesEachMax);
    await askAll(1);
    expect(clients.filter(({ hasEnded }) => hasEnded)).toHaveLength(0);
    expect(await app.stat('http.ingress.downstream_cx_total')).toBe(connections + 1);
  },
);

test('a thousand streams that wait for their answers cost little', { timeout }, async () => {
  const count = 1000;
  let asked = 0;
  const origin = await H2Origin.start((stream) => {
    asked++;
    stream.respond({ ':status': 200 });
  });
  const app = await App.start(
    bootstrap([httpListener({ routes: [route('/', 'origin')] })], [cluster('origin', [origin.port], http2Cluster())]),
  );
  const client = await H2Client.open(await app.port());
  const open = async (streams: number): Promise<void> => {
    const opened = Array.from({ length: streams }, () => client.ask('/', {}, '', false));
    await until('their heads', () => opened.every(({ status }) => status === 200));
  };
  await open(20);
  const before = app.rss();
  await open(count);
  expect(asked).toBe(20 + count);
  const each = (app.rss() - before) / count;
  console.log(`${count} streams: ${(each / 1024).toFixed(1)} KiB each`);
  expect(each).toBeLessThan(streamBytesMax);
});
