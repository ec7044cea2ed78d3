import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { App, type AppOptions } from './app.ts';
import { bootstrap, cluster, httpListener, tcpListener } from './config.ts';
import { Held, Origin, TcpOrigin } from './origin.ts';
import { isRefused, RawClient } from './raw-client.ts';
import { until } from './wait.ts';

/** An idle connection that was used stays open for drain_timeout, so that a request on its way is not lost. */
const listener = httpListener({ manager: { drain_timeout: '0.05s' } });

const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

async function busy(options: AppOptions): Promise<{ app: App; held: Held; client: RawClient }> {
  const held = new Held();
  const origin = await Origin.start(held.handler);
  const app = await App.start(bootstrap([listener], [cluster('origin', [origin.port])]), options);
  const client = (await RawClient.open(await app.port())).write(get);
  await held.arrived(1);
  return { app, held, client };
}

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('lets what is in flight finish, and then the process exits with 0', async () => {
    const held = new Held();
    const origin = await Origin.start(held.handler);
    const app = await App.start(bootstrap([listener], [cluster('origin', [origin.port])]), { concurrency: 2 });
    const url = await app.url();
    const port = await app.port();
    const answers = Array.from({ length: 20 }, () => request(url));
    await held.arrived(20);
    app.signal(signal);
    await until('the listener to refuse', () => isRefused(port));
    expect(app.hasExited).toBe(false);
    expect(held.count).toBe(20);
    held.release();
    for (const answer of await Promise.all(answers)) {
      expect(answer.statusCode).toBe(200);
      expect(answer.headers.connection).toBe('close');
      expect(await answer.body.text()).toBe('held');
    }
    expect(await app.exit()).toEqual({ code: 0, signal: null });
  });
});

describe('SIGTERM', () => {
  test('closes connections that are idle, whether they were used or not', async () => {
    const { app, held, client: inFlight } = await busy({});
    const port = await app.port();
    const unused = await RawClient.open(port);
    const used = await RawClient.open(port);
    used.write(get);
    await held.arrived(2);
    held.release();
    await used.hears(/held$/);
    await inFlight.hears(/held$/);
    inFlight.write(get);
    await held.arrived(1);
    await app.statIs('http.ingress.downstream_cx_active', 3);
    app.signal('SIGTERM');
    await unused.toEnd();
    await used.toEnd();
    expect(app.hasExited).toBe(false);
    held.release('last');
    expect(await inFlight.toEnd()).toMatch(/connection: close\r\n[^]*last$/);
    expect(await app.exit()).toEqual({ code: 0, signal: null });
  });

  test('answers what crosses the goodbye on an idle connection', async () => {
    const origin = await Origin.start();
    const patient = httpListener({ manager: { drain_timeout: '600s' } });
    const app = await App.start(bootstrap([patient], [cluster('origin', [origin.port])]));
    const port = await app.port();
    const client = (await RawClient.open(port)).write(get);
    await client.hears(/hello\r\n0\r\n\r\n$|hello$/);
    app.signal('SIGTERM');
    await until('the listener to refuse', () => isRefused(port));
    client.heard = '';
    client.write(get);
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 200 [^]*connection: close\r\n[^]*hello/);
    expect(await app.exit()).toEqual({ code: 0, signal: null });
  });

  test('waits no longer than --drain-time-s', async () => {
    const { app, client } = await busy({ args: ['--drain-time-s', '0'] });
    app.signal('SIGTERM');
    expect(await app.exit()).toEqual({ code: 0, signal: null });
    await client.toEnd();
  });

  test('given twice exits at once', async () => {
    const { app, client } = await busy({});
    app.signal('SIGTERM');
    await app.says(/a second signal exits at once/);
    expect(app.hasExited).toBe(false);
    app.signal('SIGTERM');
    expect(await app.exit()).toEqual({ code: 0, signal: null });
    await client.toEnd();
  });

  test('exits at once with --exit-on-sigterm', async () => {
    const { app, client } = await busy({ args: ['--exit-on-sigterm'] });
    app.signal('SIGTERM');
    expect(await app.exit()).toEqual({ code: 0, signal: null });
    expect(app.output).not.toContain('draining');
    await client.toEnd();
  });

  test('lets a response that has begun run to its end', async () => {
    const origin = await Origin.start((incoming, response) => {
      incoming.resume();
      response.write('first ');
    });
    const app = await App.start(bootstrap([listener], [cluster('origin', [origin.port])]));
    const client = (await RawClient.open(await app.port())).write(get);
    await client.hears(/first /);
    const port = await app.port();
    app.signal('SIGTERM');
    await until('the listener to refuse', () => isRefused(port));
    expect(client.hasEnded).toBe(false);
    for (const socket of origin.sockets) socket.write('4\r\nlast\r\n0\r\n\r\n');
    await client.hears(/last\r\n0\r\n\r\n$/);
    expect(await app.exit()).toEqual({ code: 0, signal: null });
  });

  test('lets a TCP session go on until it ends', async () => {
    const origin = await TcpOrigin.start((socket) => socket.pipe(socket));
    const app = await App.start(bootstrap([tcpListener('origin')], [cluster('origin', [origin.port])]));
    const port = await app.port();
    const client = (await RawClient.open(port)).write('one');
    await client.hears(/one/);
    app.signal('SIGTERM');
    await until('the listener to refuse', () => isRefused(port));
    client.write('two');
    await client.hears(/onetwo/);
    client.socket.end();
    await client.toEnd();
    expect(await app.exit()).toEqual({ code: 0, signal: null });
  });
});
