import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { App } from './app.ts';
import { answer, bootstrap, cluster, httpListener, route } from './config.ts';
import { Resources } from './discovered.ts';
import { getText } from './http.ts';
import { Held, Origin } from './origin.ts';
import { isRefused, RawClient } from './raw-client.ts';
import { Traffic } from './traffic.ts';
import { until } from './wait.ts';

const node = { id: 'me', cluster: 'mine' };

function withLds(resources: Resources, statics: readonly object[] = [], clusters: readonly object[] = []): object {
  const config = bootstrap(statics as never, clusters as never) as object;
  return { ...config, node, dynamic_resources: { lds_config: resources.source('lds.json') } };
}

function rds(resources: Resources, name = 'local', file = 'rds.json'): { manager: Record<string, unknown> } {
  return {
    manager: { route_config: undefined, rds: { route_config_name: name, config_source: resources.source(file) } },
  };
}

describe('routes by RDS', () => {
  test('are swapped under traffic without a failed request', async () => {
    const resources = new Resources();
    const [one, two] = await Promise.all(
      ['one', 'two'].map((name) => Origin.start((_, response) => response.end(name))),
    );
    resources.putRoutes('local', [route('/', 'one')]);
    const clusters = [cluster('one', [one.port]), cluster('two', [two.port])];
    const app = await App.start({ ...bootstrap([httpListener(rds(resources))], clusters), node }, { concurrency: 2 });
    const traffic = new Traffic(await app.url(), 16);
    for (let i = 0; i < 20; i++) {
      await traffic.sees(i % 2 === 0 ? 'one' : 'two');
      resources.putRoutes('local', [route('/', i % 2 === 0 ? 'two' : 'one')]);
    }
    expect(await traffic.stop()).toEqual([]);
  });

  test('come and go with reloads of the configuration that names them', async () => {
    const resources = new Resources();
    resources.putRoutes('local', [answer('/', 'told')]);
    resources.putRoutes('other', [answer('/', 'other')], 'other.json');
    const named = (...rest: Parameters<typeof rds>): object => ({
      ...bootstrap([httpListener(rds(...rest))], []),
      node,
    });
    const app = await App.start(named(resources));
    expect(await getText(await app.url())).toBe('told');
    await app.reload(named(resources, 'other', 'other.json'));
    expect(await getText(await app.url())).toBe('other');
    // Nobody asks for the first any more.
    const dumped = async (): Promise<string[]> =>
      (JSON.parse((await app.admin('/config_dump?resource=dynamic_route_configs')).body).configs ?? []).map(
        ({ route_config: { name } }: { route_config: { name: string } }) => name,
      );
    expect(await dumped()).toEqual(['other']);
    await app.reload({ ...bootstrap([httpListener({ routes: [answer('/', 'own')] })], []), node });
    expect(await getText(await app.url())).toBe('own');
    expect(await dumped()).toEqual([]);
    await app.reload(named(resources));
    expect(await getText(await app.url())).toBe('told');
  });

  test('leave alone what is under way', async () => {
    const resources = new Resources();
    const held = new Held();
    const origin = await Origin.start(held.handler);
    resources.putRoutes('local', [
      { ...route('/', 'origin'), response_headers_to_add: [{ header: { key: 'x-table', value: 'old' } }] },
    ]);
    const config = { ...bootstrap([httpListener(rds(resources))], [cluster('origin', [origin.port])]), node };
    const app = await App.start(config);
    const client = (await RawClient.open(await app.port())).write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n');
    await origin.received(1);
    resources.putRoutes('local', [answer('/', 'new')]);
    await app.statIs('http.ingress.rds.local.config_reload', 2);
    origin.answer(0, 'done');
    expect(await client.hears(/done/)).toMatch(/x-table: old/);
    client.write('GET /next HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.hears(/new$/);
  });
});

describe('listeners by LDS', () => {
  test('serve on while the next version waits for its routes', async () => {
    const resources = new Resources();
    resources.putListeners(httpListener({ routes: [answer('/', 'first')] }));
    const app = await App.start(withLds(resources));
    const port = await app.port();
    // Nothing says what `late` is.
    resources.putRoutes('other', [], 'late.json');
    resources.putListeners(httpListener({ port, ...rds(resources, 'late', 'late.json') }));
    await app.statIs('http.ingress.rds.late.update_rejected', 1);
    await until('the end of the wait', async () => (await getText(`http://127.0.0.1:${port}`)) === '');
    resources.putRoutes('late', [answer('/', 'second')], 'late.json');
    await until('the second', async () => (await getText(`http://127.0.0.1:${port}`)) === 'second');
  });

  test('whose chains alone change keep the connections of the chains that stay', async () => {
    const resources = new Resources();
    const chain = (port: string, body: string): Record<string, unknown> => ({
      ...(httpListener({ routes: [answer('/', body)] })['filter_chains'] as Record<string, unknown>[])[0],
      filter_chain_match: { application_protocols: port === 'h' ? ['http/1.1'] : [] },
      name: port,
    });
    const inspector = {
      name: 'http_inspector',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3.HttpInspector',
      },
    };
    const listening = (...chains: Record<string, unknown>[]): Record<string, unknown> =>
      httpListener({ listener: { filter_chains: chains, listener_filters: [inspector] } });
    resources.putListeners(listening(chain('h', 'stays'), chain('other', 'x')));
    const app = await App.start(withLds(resources));
    const client = (await RawClient.open(await app.port())).write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.hears(/stays$/);
    resources.putListeners(listening(chain('h', 'stays'), chain('other', 'y')));
    await app.statIs('listener_manager.listener_in_place_updated', 1);
    await app.statIs('listener_manager.listener_create_success', 2);
    client.heard = '';
    client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(await client.hears(/stays$/)).not.toMatch(/connection: close/);
    // Now its own.
    resources.putListeners(listening(chain('h', 'changed'), chain('other', 'y')));
    await app.statIs('listener_manager.listener_create_success', 3);
    client.heard = '';
    client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(await client.toEnd()).toMatch(/connection: close[^]*stays$/);
    expect(await getText(await app.url())).toBe('changed');
  });

  test('that go let what is under way finish', async () => {
    const resources = new Resources();
    const held = new Held();
    const origin = await Origin.start(held.handler);
    resources.putListeners(httpListener(), httpListener({ name: 'other', routes: [answer('/', 'other')] }));
    const app = await App.start(withLds(resources, [], [cluster('origin', [origin.port])]));
    const port = await app.port();
    const client = (await RawClient.open(port)).write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n');
    await origin.received(1);
    resources.putListeners(httpListener({ name: 'other', routes: [answer('/', 'other')] }));
    await until('the end of the listener', () => isRefused(port));
    origin.answer(0, 'done');
    expect(await client.toEnd()).toMatch(/connection: close[^]*done$/);
    expect(await getText(await app.url('other'))).toBe('other');
  });

  test('that cannot be bound are told of, and all others serve', async () => {
    const resources = new Resources();
    const taken = createServer().listen({ port: 0, host: '127.0.0.1', exclusive: true });
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    resources.putListeners(httpListener({ routes: [answer('/', 'here')] }), httpListener({ name: 'there', port }));
    const app = await App.start(withLds(resources));
    expect(await getText(await app.url())).toBe('here');
    await app.statIs('listener_manager.listener_create_failure', 1);
    const { body } = await app.admin('/config_dump?resource=dynamic_listeners&name_regex=there');
    expect(JSON.parse(body).configs[0].error_state.details).toMatch(/address already in use/i);
    // A place that is free.
    resources.putListeners(
      httpListener({ routes: [answer('/', 'here')] }),
      httpListener({ name: 'there', routes: [answer('/', 'there')] }),
    );
    await until('the other place', async () => (await app.admin('/listeners')).body.includes('there::'));
    expect(await getText(await app.url('there'))).toBe('there');
  });
});

test('a hundred updates of routes, chains and whole listeners, and no request fails', async () => {
  const resources = new Resources();
  const origin = await Origin.start();
  const withChain = (version: number, port: number): Record<string, unknown> =>
    httpListener({
      port,
      manager: { ...rds(resources).manager, server_name: `chains-${version % 3}` },
      listener: { per_connection_buffer_limit_bytes: 65_536 + (version % 5 === 0 ? version : 0) },
    });
  resources.putRoutes('local', [route('/', 'origin')]);
  resources.putListeners(withChain(1, 0));
  const app = await App.start(withLds(resources, [], [cluster('origin', [origin.port])]), { concurrency: 2 });
  const port = await app.port();
  const traffic = new Traffic(await app.url(), 16);
  await traffic.sees('hello');
  for (let version = 1; version <= 100; version++) {
    if (version % 2 === 0) resources.putRoutes('local', [route(`/${version}`, 'none'), route('/', 'origin')]);
    else resources.putListeners(withChain(version, port));
    await app.statIs(
      version % 2 === 0 ? 'http.ingress.rds.local.config_reload' : 'listener_manager.lds.update_success',
      Math.floor(version / 2) + (version % 2 === 0 ? 1 : 2),
    );
  }
  await traffic.sees('hello');
  expect(await traffic.stop()).toEqual([]);
});

test('a worker that is started again has all that was discovered', async () => {
  const resources = new Resources();
  resources.putRoutes('local', [answer('/', 'told')]);
  resources.putListeners(httpListener(rds(resources)));
  const program = join(import.meta.dirname, 'mortal-main.ts');
  const app = await App.start(withLds(resources), { program });
  const port = await app.port();
  expect(await getText(await app.url())).toBe('told');
  app.signal('SIGUSR2');
  await app.says(/worker_0 is started again/);
  await until('the same again', async () => {
    return (await getText(`http://127.0.0.1:${port}`).catch(() => '')) === 'told';
  });
  resources.putRoutes('local', [answer('/', 'new')]);
  await until('others', async () => (await getText(`http://127.0.0.1:${port}`).catch(() => '')) === 'new');
});

test('a filter by ECDS is another for requests that begin', async () => {
  const resources = new Resources();
  const fault = 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault';
  const put = (status: number): void =>
    resources.put('ecds.json', 'core.v3.TypedExtensionConfig', {
      name: 'changing',
      typed_config: { '@type': fault, abort: { http_status: status, percentage: { numerator: 100 } } },
    });
  put(501);
  const listener = httpListener({ routes: [answer('/', 'through')] });
  const [{ filters }] = listener['filter_chains'] as [{ filters: [{ typed_config: { http_filters: object[] } }] }];
  filters[0].typed_config.http_filters.unshift({
    name: 'changing',
    config_discovery: { config_source: resources.source('ecds.json'), type_urls: [fault] },
  });
  const app = await App.start({ ...bootstrap([listener], []), node }, { concurrency: 2 });
  const status = async (): Promise<number> => (await fetch(await app.url())).status;
  expect(await status()).toBe(501);
  put(502);
  await until('the other filter', async () => (await status()) === 502);
});
