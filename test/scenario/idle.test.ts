import { expect, test } from 'vitest';
import { App } from './app.ts';
import { answer, bootstrap, httpListener } from './config.ts';
import { RawClient } from './raw-client.ts';
import { until } from './wait.ts';

const isLong = process.env['SEKISHO_LONG'] !== undefined;
const connections = isLong ? 5000 : 2000;
/** Opened together: within the kernel's queue of a listener. */
const atOnce = 100;
/** Far above what a connection takes: a leak of a buffer for each shows. */
const bytesEachMax = 32 * 1024;

const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

test('thousands of idle connections cost little, and none is dropped', { timeout: 60_000 }, async () => {
  const app = await App.start(bootstrap([httpListener({ routes: [answer('/', 'ok;')] })], []));
  const port = await app.port();
  const warm = await RawClient.open(port);
  for (let i = 1; i <= 200; i++) {
    warm.write(get);
    await until('an answer', () => warm.heard.length > 0 && warm.heard.endsWith('ok;'));
    warm.heard = '';
  }
  const before = app.rss();
  const clients: RawClient[] = [];
  while (clients.length < connections) {
    clients.push(...(await Promise.all(Array.from({ length: atOnce }, () => RawClient.open(port)))));
  }
  const askAll = async (): Promise<void> => {
    for (const client of clients) {
      client.heard = '';
      client.write(get);
    }
    await until('all answers', () => clients.every(({ heard }) => heard.endsWith('ok;')));
  };
  await askAll();
  await app.statIs('http.ingress.downstream_cx_active', connections + 1);
  const each = (app.rss() - before) / connections;
  console.log(`${connections} idle connections: ${(each / 1024).toFixed(1)} KiB each`);
  expect(each).toBeLessThan(bytesEachMax);
  await askAll();
  expect(clients.filter(({ hasEnded }) => hasEnded)).toHaveLength(0);
  expect(await app.stat('http.ingress.downstream_cx_total')).toBe(connections + 1);
});
