import { join } from 'node:path';
import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { App } from './app.ts';
import { answer, bootstrap, cluster, httpListener, limits } from './config.ts';
import { getText } from './http.ts';
import { Held, Origin } from './origin.ts';
import { isRefused, RawClient } from './raw-client.ts';
import { until } from './wait.ts';

const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const mortal = join(import.meta.dirname, 'mortal-main.ts');

/** Sum of the counters whose name ends so. */
async function sum(app: App, end: string): Promise<number> {
  let total = 0;
  for (const [name, value] of await app.stats()) if (name.endsWith(end)) total += value;
  return total;
}

describe('two workers', () => {
  test('share the connections, and their stats add up', async () => {
    const app = await App.start(bootstrap([httpListener({ routes: [answer('/', 'ok')] })], []), { concurrency: 2 });
    const port = await app.port();
    const clients = await Promise.all(Array.from({ length: 200 }, () => RawClient.open(port)));
    for (const client of clients) client.write(get);
    for (const client of clients) await client.hears(/ok$/);
    const first = await sum(app, 'worker_0.downstream_cx_total');
    const second = await sum(app, 'worker_1.downstream_cx_total');
    expect(first).toBeGreaterThan(0);
    expect(second).toBeGreaterThan(0);
    expect(first + second).toBe(200);
    const stats = await app.stats();
    expect(stats.get('http.ingress.downstream_rq_total')).toBe(200);
    expect(stats.get('http.ingress.downstream_cx_active')).toBe(200);
    expect(stats.get('http.ingress.downstream_rq_2xx')).toBe(200);
    for (const client of clients) client.socket.destroy();
    await app.statIs('http.ingress.downstream_cx_active', 0);
  });

  test('have one circuit breaker together', async () => {
    const held = new Held();
    const origin = await Origin.start(held.handler);
    const limited = cluster('origin', [origin.port], limits({ max_requests: 5, track_remaining: true }));
    const app = await App.start(bootstrap([httpListener()], [limited]), { concurrency: 2 });
    const port = await app.port();
    const clients = await Promise.all(Array.from({ length: 60 }, () => RawClient.open(port)));
    for (const client of clients) client.write(get);
    const refused = (): number => clients.filter(({ heard }) => heard.includes('503')).length;
    await until('55 refusals', () => refused() === 55);
    await until('5 requests at the origin', () => held.count === 5);
    await app.statIs('cluster.origin.upstream_rq_active', 5);
    expect(await app.stat('cluster.origin.circuit_breakers.default.rq_open')).toBe(1);
    expect(await app.stat('cluster.origin.upstream_rq_active_overflow')).toBe(55);
    held.release();
    await until('5 answers', () => clients.filter(({ heard }) => heard.includes('200 OK')).length === 5);
    await app.statIs('cluster.origin.circuit_breakers.default.rq_open', 0);
    // What was given back can be taken again.
    const again = request(`http://127.0.0.1:${port}`);
    await held.arrived(1);
    held.release();
    expect((await again).statusCode).toBe(200);
  });
});

describe('what a configuration limits holds for two workers together', () => {
  test('max_active_faults', async () => {
    const fault = {
      name: 'envoy.filters.http.fault',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
        delay: { fixed_delay: '600s', percentage: { numerator: 100 } },
        max_active_faults: 5,
      },
    };
    const router = {
      name: 'envoy.filters.http.router',
      typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
    };
    const listener = httpListener({ routes: [answer('/', 'ok')], manager: { http_filters: [fault, router] } });
    const app = await App.start(bootstrap([listener], []), { concurrency: 2 });
    const port = await app.port();
    const clients = await Promise.all(Array.from({ length: 60 }, () => RawClient.open(port)));
    for (const client of clients) client.write(get);
    await until('55 answers', () => clients.filter(({ heard }) => heard.endsWith('ok')).length === 55);
    await app.statIs('http.ingress.fault.active_faults', 5);
    expect(await app.stat('http.ingress.fault.faults_overflow')).toBe(55);
    for (const client of clients) client.socket.destroy();
    await app.statIs('http.ingress.fault.active_faults', 0);
    // What was given back can be taken again.
    (await RawClient.open(port)).write(get);
    await app.statIs('http.ingress.fault.active_faults', 1);
  });

  test('connections of a listener', async () => {
    const config = bootstrap([httpListener({ routes: [answer('/', 'ok')] })], [], {
      layered_runtime: {
        layers: [{ name: 's', static_layer: { 'envoy.resource_limits.listener.ingress.connection_limit': 5 } }],
      },
    });
    const app = await App.start(config, { concurrency: 2 });
    const port = await app.port();
    const clients = await Promise.all(Array.from({ length: 60 }, () => RawClient.open(port)));
    for (const client of clients) client.write(get);
    await app.statIs('listener.127.0.0.1_0.downstream_cx_overflow', 55);
    expect(await app.stat('server.total_connections')).toBe(5);
    await until('5 answers', () => clients.filter(({ heard }) => heard.endsWith('ok')).length === 5);
  });
});

describe('a worker that dies of a bug', () => {
  test('is announced and started again, and what it counted stays', async () => {
    const app = await App.start(bootstrap([httpListener({ routes: [answer('/', 'ok')] })], []), {
      concurrency: 2,
      program: mortal,
    });
    const url = await app.url();
    for (let i = 0; i < 50; i++) expect(await getText(url)).toBe('ok');
    const before = await sum(app, 'worker_0.downstream_cx_total');
    expect(before).toBeGreaterThan(0);
    expect(await app.stat('http.ingress.downstream_rq_total')).toBe(50);
    app.signal('SIGUSR2');
    await app.says(/worker_0 died: Error: the bug that was waited for/);
    await app.says(/worker_0 is started again/);
    await until('the new worker to serve', async () => {
      await getText(url).catch(() => null);
      return (await sum(app, 'worker_0.downstream_cx_total')) > before;
    });
    expect(await app.stat('http.ingress.downstream_rq_total')).toBeGreaterThan(50);
    await app.statIs('http.ingress.downstream_cx_active', 0);
    expect((await app.admin('/ready')).status).toBe(200);
  });

  test('gives back its share of the circuit breakers and of the gauges', async () => {
    const held = new Held();
    const origin = await Origin.start(held.handler);
    const limited = cluster('origin', [origin.port], limits({ max_requests: 1 }));
    const app = await App.start(bootstrap([httpListener()], [limited]), { program: mortal });
    const port = await app.port();
    const client = (await RawClient.open(port)).write(get);
    await held.arrived(1);
    app.signal('SIGUSR2');
    await client.toEnd();
    await app.statIs('cluster.origin.upstream_rq_active', 0);
    await app.statIs('http.ingress.downstream_rq_active', 0);
    const next = await until('the new worker', () => RawClient.open(port).catch(() => undefined));
    next.write(get);
    await held.arrived(2);
    held.release();
    await next.hears(/200 OK/);
  });

  test('while the process drains is not waited for', async () => {
    const held = new Held();
    const origin = await Origin.start(held.handler);
    const config = bootstrap([httpListener()], [cluster('origin', [origin.port])]);
    const app = await App.start(config, { program: mortal });
    const port = await app.port();
    const client = (await RawClient.open(port)).write(get);
    await held.arrived(1);
    app.signal('SIGTERM');
    await until('the listener to refuse', () => isRefused(port));
    app.signal('SIGUSR2');
    await client.toEnd();
    expect(await app.exit()).toEqual({ code: 0, signal: null });
    expect(app.output).toContain('worker_0 died');
  });

  test('again and again ends the process', async () => {
    const app = await App.start(bootstrap([httpListener({ routes: [answer('/', 'ok')] })], []), { program: mortal });
    for (let deaths = 1; !app.hasExited && deaths <= 6; deaths++) {
      const starts = deaths;
      await until('the worker to serve', async () => {
        if (app.hasExited) return true;
        return getText(await app.url()).then(
          () => true,
          () => false,
        );
      });
      app.signal('SIGUSR2');
      await until('its end', () => app.hasExited || (app.output.match(/worker_0 died/g)?.length ?? 0) === starts);
    }
    expect((await app.exit()).code).not.toBe(0);
    expect(app.output).toContain('workers died 6 times within a minute');
  });
});
