import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../peers/ports.ts';
import { App } from './app.ts';
import { answer, bootstrap, cluster, httpListener, route } from './config.ts';
import { getText } from './http.ts';
import { Held, Origin } from './origin.ts';
import { isRefused, RawClient } from './raw-client.ts';
import { Traffic } from './traffic.ts';
import { until } from './wait.ts';

const named = (name: string): Promise<Origin> =>
  Origin.start((incoming, response) => {
    incoming.resume();
    response.end(name);
  });

describe.each([
  { how: 'SIGHUP', args: [] },
  { how: '--watch', args: ['--watch'] },
])('a reload by $how under traffic', ({ how, args }) => {
  test('changes routes, clusters and listeners without a failed request', async () => {
    const [one, two] = [await named('one'), await named('two')];
    const clusters = [cluster('origin', [one.port])];
    const app = await App.start(bootstrap([httpListener()], clusters), { concurrency: 2, args });
    const reload = async (config: object): Promise<void> => {
      if (how === 'SIGHUP') return app.reload(config);
      const before = app.reloads;
      app.rewrite(config);
      await app.reloadedMoreThan(before);
    };
    const port = await app.port();
    const traffic = new Traffic(await app.url(), 32);
    await traffic.sees('one');
    // Other hosts behind the same name.
    await reload(bootstrap([httpListener()], [cluster('origin', [two.port])]));
    await traffic.sees('two');
    // Another route, to a cluster that is new; the old one goes.
    const other = httpListener({ routes: [route('/', 'other')] });
    await reload(bootstrap([other], [cluster('other', [one.port])]));
    await traffic.sees('one');
    // A listener more.
    const second = httpListener({ name: 'second', routes: [answer('/', 'second')] });
    await reload(bootstrap([other, second], [cluster('other', [one.port])]));
    expect(await getText(await app.url('second'))).toBe('second');
    const secondPort = await app.port('second');
    // And gone again, with another answer on the first.
    await reload(bootstrap([httpListener({ routes: [answer('/', 'direct')] })], []));
    await traffic.sees('direct');
    expect(await isRefused(secondPort)).toBe(true);
    expect(await app.port()).toBe(port);
    expect(await traffic.stop()).toEqual([]);
    expect((await app.stats()).get('listener_manager.total_listeners_active')).toBe(1);
  });
});

describe('a reload', () => {
  test('brings other layers of the runtime, also such as a file fills', async () => {
    const node = { id: 'me', cluster: 'mine' };
    const directory = mkdtempSync(join(tmpdir(), 'sekisho-rtds-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'rtds.json');
    const type = 'type.googleapis.com/envoy.service.runtime.v3.Runtime';
    writeFileSync(path, JSON.stringify({ resources: [{ '@type': type, name: 'r', layer: { told: 3 } }] }));
    const withLayers = (...layers: object[]): object => ({
      ...bootstrap([httpListener({ routes: [answer('/', 'here')] })], []),
      node,
      layered_runtime: { layers },
    });
    const app = await App.start(withLayers({ name: 's', static_layer: { a: 1 } }, { name: 'admin', admin_layer: {} }));
    const page = async (): Promise<unknown> => JSON.parse((await app.admin('/runtime')).body).entries;
    await app.admin('/runtime_modify?set=2', 'POST');
    const rtds = { name: 'r', rtds_config: { path_config_source: { path } } };
    await app.reload(
      withLayers(
        { name: 's', static_layer: { b: 1 } },
        { name: 'remote', rtds_layer: rtds },
        { name: 'admin', admin_layer: {} },
      ),
    );
    expect(await page()).toEqual({
      b: { final_value: '1', layer_values: ['1', '', ''] },
      told: { final_value: '3', layer_values: ['', '3', ''] },
      set: { final_value: '2', layer_values: ['', '', '2'] },
    });
    await app.reload(withLayers({ name: 's', static_layer: { c: 1 } }));
    expect(await page()).toEqual({ c: { final_value: '1', layer_values: ['1'] } });
    expect(await getText(await app.url())).toBe('here');
  });

  test('that is refused says where and leaves the old configuration serving', async () => {
    const app = await App.start(bootstrap([httpListener({ routes: [answer('/', 'old')] })], []));
    const url = await app.url();
    app.rewrite(`admin:
  address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
static_resources:
  listeners:
  - name: ingress
    address: { socket_address: { address: 127.0.0.1, port_value: 99999 } }
    filter_chainz: []
`);
    app.signal('SIGHUP');
    await app.says(/the old one serves on/);
    expect(app.output).toMatch(/config\.yaml:6:\d+/);
    expect(app.output).toMatch(/config\.yaml:7:5/);
    expect(app.output).toContain('filter_chainz');
    expect(await getText(url)).toBe('old');
    app.rewrite('listeners: [');
    app.signal('SIGHUP');
    await app.says(/config\.yaml:[12]:\d+[^]*the old one serves on$/m);
    expect(await getText(url)).toBe('old');
    // And a good one after bad ones is taken.
    await app.reload(bootstrap([httpListener({ routes: [answer('/', 'new')] })], []));
    expect(await getText(url)).toBe('new');
  });

  test('with a listener that cannot bind changes the others', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    onTestFinished(() => void squatter.close());
    const taken = (squatter.address() as AddressInfo).port;
    const app = await App.start(bootstrap([httpListener({ routes: [answer('/', 'old')] })], []), { concurrency: 2 });
    const url = await app.url();
    const blocked = httpListener({ name: 'blocked', port: taken, routes: [answer('/', 'blocked')] });
    app.rewrite(bootstrap([blocked, httpListener({ routes: [answer('/', 'new')] })], []));
    app.signal('SIGHUP');
    await app.says(/listener 'blocked': .*[Aa]ddress already in use/);
    await until('the other listener to change', async () => (await getText(url)) === 'new');
    expect(await app.port()).toBe(Number(new URL(url).port));
  });

  test('lets the requests of a listener that goes finish', async () => {
    const held = new Held();
    const origin = await Origin.start(held.handler);
    const goes = httpListener({ name: 'goes' });
    const app = await App.start(bootstrap([httpListener(), goes], [cluster('origin', [origin.port])]));
    const port = await app.port('goes');
    const client = (await RawClient.open(port)).write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await held.arrived(1);
    await app.reload(bootstrap([httpListener({ routes: [answer('/', 'new')] })], []));
    await until('the port is closed', () => isRefused(port));
    held.release('late');
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 200 [^]*connection: close\r\n[^]*late$/);
  });

  test('of a listener with another address moves it', async () => {
    const app = await App.start(bootstrap([httpListener({ routes: [answer('/', 'old')] })], []));
    const before = await app.port();
    const [port] = await freePorts(1);
    await app.reload(bootstrap([httpListener({ port, routes: [answer('/', 'new')] })], []));
    expect(await getText(`http://127.0.0.1:${port}`)).toBe('new');
    expect(await isRefused(before)).toBe(true);
    expect(await app.port()).toBe(port);
  });

  test('asked for many times at once ends with the last file', async () => {
    const config = (body: string): object => bootstrap([httpListener({ routes: [answer('/', body)] })], []);
    const app = await App.start(config('0'), { concurrency: 2 });
    const url = await app.url();
    for (let i = 1; i <= 10; i++) {
      app.rewrite(config(String(i)));
      app.signal('SIGHUP');
    }
    await until('the last configuration', async () => (await getText(url)) === '10');
  });
});
