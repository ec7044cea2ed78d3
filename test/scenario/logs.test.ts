import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { expect, test } from 'vitest';
import { App, type AppOptions } from './app.ts';
import { answer, bootstrap, fileLog, httpListener } from './config.ts';

async function start(options: AppOptions): Promise<{ app: App; get: (path: string) => Promise<void> }> {
  const listener = httpListener({ routes: [answer('/', 'ok')], manager: { access_log: [fileLog()] } });
  const app = await App.start(bootstrap([listener], []), options);
  const url = await app.url();
  const get = async (path: string): Promise<void> => {
    const { statusCode, body } = await request(`${url}${path}`);
    await body.dump();
    expect(statusCode).toBe(200);
  };
  return { app, get };
}

test('SIGUSR1 opens a rotated access log anew', async () => {
  const { app, get } = await start({ concurrency: 2, args: ['--file-flush-interval-msec', '50'] });
  await get('/before');
  expect((await app.logged(1)).map(({ path }) => path)).toEqual(['/before']);
  renameSync(join(app.folder, 'access.log'), join(app.folder, 'access.log.1'));
  await get('/between');
  expect((await app.logged(2, 'access.log.1')).map(({ path }) => path)).toEqual(['/before', '/between']);
  app.signal('SIGUSR1');
  // Both workers have heard it when the new file is there and takes what they say.
  for (let i = 0; app.readLog().length === 0; i++) {
    expect(i).toBeLessThan(2000);
    await get('/after');
  }
  const [first] = await app.logged(1);
  expect(first).toMatchObject({ path: '/after', code: 200, method: 'GET' });
});

test('the timer writes what is gathered; without it the end does, and loses nothing', async () => {
  const { app, get } = await start({ args: ['--file-flush-interval-msec', '60000'] });
  for (let i = 0; i < 20; i++) await get(`/${i}`);
  await app.statIs('filesystem.write_buffered', 20);
  expect(app.readLog()).toEqual([]);
  app.signal('SIGTERM');
  expect(await app.exit()).toEqual({ code: 0, signal: null });
  const lines = await app.logged(20);
  expect(lines.map(({ path }) => path)).toEqual(Array.from({ length: 20 }, (_, i) => `/${i}`));
});

test('/reopen_logs does what SIGUSR1 does', async () => {
  const { app, get } = await start({ args: ['--file-flush-interval-msec', '50'] });
  await get('/before');
  await app.logged(1);
  renameSync(join(app.folder, 'access.log'), join(app.folder, 'access.log.1'));
  expect((await app.admin('/reopen_logs', 'POST')).status).toBe(200);
  for (let i = 0; app.readLog().length === 0; i++) {
    expect(i).toBeLessThan(2000);
    await get('/after');
  }
  expect((await app.logged(1))[0]).toMatchObject({ path: '/after' });
});
