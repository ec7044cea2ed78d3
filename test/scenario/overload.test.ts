import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { App } from './app.ts';
import { answer, bootstrap, httpListener } from './config.ts';
import { RawClient } from './raw-client.ts';
import { until } from './wait.ts';

const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const monitors = 'type.googleapis.com/envoy.extensions.resource_monitors';
const connections = 'envoy.resource_monitors.global_downstream_max_connections';

/** A resource that is as pressed as a test says. */
class Pressure {
  readonly file: string;

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'sekisho-pressure-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    this.file = join(folder, 'pressure');
    this.set(0);
  }

  set(value: number): void {
    writeFileSync(`${this.file}.fresh`, String(value));
    renameSync(`${this.file}.fresh`, this.file);
  }
}

function overloaded(pressure: Pressure, actions: readonly string[], more: readonly object[] = [], listener = {}) {
  return bootstrap([httpListener({ routes: [answer('/', 'ok')], listener })], [], {
    overload_manager: {
      refresh_interval: '0.02s',
      resource_monitors: [
        {
          name: 'pressure',
          typed_config: { '@type': `${monitors}.injected_resource.v3.InjectedResourceConfig`, filename: pressure.file },
        },
        ...more,
      ],
      actions: actions.map((name) => ({
        name: `envoy.overload_actions.${name}`,
        triggers: [{ name: 'pressure', threshold: { value: 0.9 } }],
      })),
    },
  });
}

describe('two workers under pressure', () => {
  test('refuse requests, all of them, and serve them again', async () => {
    const pressure = new Pressure();
    const app = await App.start(overloaded(pressure, ['stop_accepting_requests']), { concurrency: 2 });
    const port = await app.port();
    const clients = await Promise.all(Array.from({ length: 40 }, () => RawClient.open(port)));
    for (const client of clients) client.write(get);
    for (const client of clients) await client.hears(/200 OK[^]*ok$/);
    pressure.set(1);
    await app.statIs('overload.envoy.overload_actions.stop_accepting_requests.active', 1);
    for (const client of clients) client.write(get);
    for (const client of clients) await client.hears(/503[^]*envoy overloaded$/);
    expect(await app.stat('http.ingress.downstream_rq_overload_close')).toBe(40);
    pressure.set(0.5);
    await app.statIs('overload.envoy.overload_actions.stop_accepting_requests.active', 0);
    for (const client of clients) client.write(get);
    for (const client of clients) await client.hears(/overloaded[^]*200 OK[^]*ok$/);
  });

  test.each(['auto', 'node'])('let connections wait, and serve what was asked meanwhile: %s', async (backend) => {
    const pressure = new Pressure();
    const app = await App.start(overloaded(pressure, ['stop_accepting_connections']), {
      concurrency: 2,
      args: ['--io-backend', backend],
    });
    const port = await app.port();
    pressure.set(1);
    await app.statIs('overload.envoy.overload_actions.stop_accepting_connections.active', 1);
    const waiting = await Promise.all(Array.from({ length: 40 }, () => RawClient.open(port)));
    for (const client of waiting) client.write(get);
    const gone = await RawClient.open(port);
    gone.socket.resetAndDestroy();
    // Somebody who comes later is not served earlier, so that nobody was when this has been seen.
    expect(await app.stat('http.ingress.downstream_cx_total')).toBe(0);
    expect(waiting.filter(({ heard, hasClosed }) => heard !== '' || hasClosed)).toEqual([]);
    pressure.set(0);
    for (const client of waiting) await client.hears(/200 OK[^]*ok$/);
    const stats = await app.stats();
    expect(stats.get('http.ingress.downstream_rq_total')).toBe(40);
  });

  test('have together as many connections as the process may', async () => {
    const limit = {
      name: connections,
      typed_config: {
        '@type': `${monitors}.downstream_connections.v3.DownstreamConnectionsConfig`,
        max_active_downstream_connections: 10,
      },
    };
    const app = await App.start(overloaded(new Pressure(), [], [limit]), { concurrency: 2 });
    const port = await app.port();
    const clients = await Promise.all(Array.from({ length: 60 }, () => RawClient.open(port)));
    const left = (): RawClient[] => clients.filter(({ hasClosed, hasEnded }) => !hasClosed && !hasEnded);
    await until('50 to be closed', () => left().length === 10);
    for (const client of left()) client.write(get);
    for (const client of left()) await client.hears(/ok$/);
    await app.statIs(`overload.${connections}.pressure`, 100);
    expect(await app.stat(`overload.${connections}.failed_updates`)).toBe(50);
    for (const client of left()) client.socket.destroy();
    await app.statIs(`overload.${connections}.pressure`, 0);
    await (await RawClient.open(port)).write(get).hears(/ok$/);
  });
});

test('a reload with another overload manager says that it holds after a restart', async () => {
  const pressure = new Pressure();
  const app = await App.start(overloaded(pressure, ['stop_accepting_requests']));
  await app.reload(overloaded(pressure, []));
  await app.says(/overload_manager has changed, which holds after a restart only/);
});
