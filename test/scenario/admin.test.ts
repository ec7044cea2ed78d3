import { request } from 'undici';
import { beforeAll, describe, expect, test } from 'vitest';
import { App } from './app.ts';
import { answer, bootstrap, cluster, httpListener, route } from './config.ts';
import { getText } from './http.ts';
import { Origin } from './origin.ts';
import { parsePrometheus } from './prometheus-text.ts';
import { isRefused, RawClient } from './raw-client.ts';
import { forSuite } from './scope.ts';
import { until } from './wait.ts';

describe('what the pages show', () => {
  const atEnd = forSuite();
  let app: App;
  let origin: Origin;

  beforeAll(async () => {
    origin = await Origin.start(undefined, { atEnd });
    const routes = [answer('/direct', 'direct'), route('/', 'origin')];
    const config = bootstrap([httpListener({ routes })], [cluster('origin', [origin.port])]);
    app = await App.start(config, { concurrency: 2, atEnd });
    const url = await app.url();
    for (let i = 0; i < 10; i++) expect(await getText(url)).toBe('hello');
    expect(await getText(`${url}/direct`)).toBe('direct');
    await app.statIs('http.ingress.downstream_rq_2xx', 11);
  });

  test('/stats/prometheus is Prometheus text', async () => {
    const { body } = await app.admin('/stats/prometheus');
    const metrics = parsePrometheus(body);
    const value = (name: string, labels: Record<string, string>): number | undefined =>
      metrics
        .get(name)
        ?.samples.find((sample) => Object.entries(labels).every(([key, text]) => sample.labels.get(key) === text))
        ?.value;
    expect(metrics.get('envoy_cluster_upstream_rq_total')?.type).toBe('counter');
    expect(value('envoy_cluster_upstream_rq_total', { envoy_cluster_name: 'origin' })).toBe(10);
    expect(
      value('envoy_http_downstream_rq_xx', {
        envoy_http_conn_manager_prefix: 'ingress',
        envoy_response_code_class: '2',
      }),
    ).toBe(11);
    const times = metrics.get('envoy_cluster_upstream_rq_time')!;
    expect(times.type).toBe('histogram');
    const buckets = times.samples.filter(({ name }) => name.endsWith('_bucket'));
    expect(buckets.at(-1)!.labels.get('le')).toBe('+Inf');
    const counts = buckets.map((sample) => sample.value);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    const total = times.samples.find(({ name }) => name.endsWith('_count'))!.value;
    expect(counts.at(-1)).toBe(total);
  });

  test('/config_dump holds what was configured', async () => {
    const { status, body } = await app.admin('/config_dump');
    expect(status).toBe(200);
    const { configs } = JSON.parse(body) as { configs: Record<string, unknown>[] };
    const types = configs.map((config) => String(config['@type']).split('.').at(-1));
    expect(types).toEqual(
      expect.arrayContaining(['BootstrapConfigDump', 'ClustersConfigDump', 'ListenersConfigDump', 'RoutesConfigDump']),
    );
    expect(body).toContain(`"port_value": ${origin.port}`);
    const { node } = configs[0]['bootstrap'] as { node: object };
    expect(node).toMatchObject({
      user_agent_name: 'sekisho',
      user_agent_build_version: {
        version: { minor_number: expect.any(Number) as number },
        metadata: {
          'revision.sha': 'sekisho',
          'revision.status': 'Clean',
          'build.type': 'RELEASE',
          'ssl.version': `OpenSSL-${process.versions.openssl}`,
        },
      },
    });
  });

  test('/clusters counts both workers together', async () => {
    const host = `127.0.0.1:${origin.port}`;
    await until('all requests of the host', async () => {
      return (await app.admin('/clusters')).body.includes(`origin::${host}::rq_total::10\n`);
    });
    const { body } = await app.admin('/clusters?format=json');
    expect(JSON.parse(body)).toMatchObject({
      cluster_statuses: [
        { name: 'origin', host_statuses: [{ address: { socket_address: { port_value: origin.port } } }] },
      ],
    });
  });

  test('/healthcheck/fail turns /ready to 503 and /healthcheck/ok back', async () => {
    expect((await app.admin('/ready')).status).toBe(200);
    expect((await app.admin('/healthcheck/fail', 'POST')).status).toBe(200);
    expect(await app.admin('/ready')).toMatchObject({ status: 503, body: 'DRAINING\n' });
    // Answers ask their clients to go elsewhere.
    const goodbye = async (): Promise<boolean> => {
      const client = (await RawClient.open(await app.port())).write('GET /direct HTTP/1.1\r\nhost: a\r\n\r\n');
      const says = /connection: close/.test(await client.hears(/direct$/));
      client.socket.destroy();
      return says;
    };
    await until('an answer that says goodbye', goodbye);
    expect((await app.admin('/healthcheck/ok', 'POST')).status).toBe(200);
    await until('an answer that does not', async () => !(await goodbye()));
    expect(await app.admin('/ready')).toMatchObject({ status: 200, body: 'LIVE\n' });
  });

  test('/logging changes levels', async () => {
    const { body } = await app.admin('/logging?config=debug', 'POST');
    expect(body).toMatch(/config: debug/);
    expect(body).toMatch(/main: info/);
    expect((await app.admin('/logging?level=warning', 'POST')).body).toMatch(/main: warning/);
  });

  test('/reset_counters sets counters to zero, and they count on', async () => {
    expect(await app.stat('http.ingress.downstream_rq_total')).toBeGreaterThan(10);
    await app.admin('/reset_counters', 'POST');
    expect(await app.stat('http.ingress.downstream_rq_total')).toBe(0);
    await getText(await app.url());
    await app.statIs('http.ingress.downstream_rq_total', 1);
  });

  test.each(['/quitquitquit', '/healthcheck/fail', '/drain_listeners', '/reset_counters', '/reopen_logs', '/logging'])(
    'GET %s changes nothing: 405',
    async (path) => {
      expect((await app.admin(path)).status).toBe(405);
      expect((await app.admin('/ready')).status).toBe(200);
    },
  );

  test('a page that is not there is 404', async () => {
    expect((await app.admin('/nothing')).status).toBe(404);
  });
});

describe('what the pages do', () => {
  const direct = bootstrap([httpListener({ routes: [answer('/', 'direct')] })], []);
  const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

  test('/quitquitquit ends the process with 0', async () => {
    const app = await App.start(direct);
    expect(await app.admin('/quitquitquit', 'POST')).toMatchObject({ status: 200, body: 'OK\n' });
    expect(await app.exit()).toEqual({ code: 0, signal: null });
  });

  test('/drain_listeners?graceful asks clients to go and keeps accepting, /drain_listeners stops accepting', async () => {
    const app = await App.start(direct, { args: ['--drain-strategy', 'immediate'] });
    const port = await app.port();
    const client = (await RawClient.open(port)).write(get);
    expect(await client.hears(/direct$/)).not.toContain('connection: close');
    expect((await app.admin('/drain_listeners?graceful', 'POST')).status).toBe(200);
    // Not at once: the worker hears of it between two requests.
    await until('an answer that says goodbye', async () => {
      const { headers, body } = await request(`http://127.0.0.1:${port}/`);
      await body.dump();
      return headers.connection === 'close';
    });
    client.write(get);
    expect(await client.toEnd()).toMatch(/connection: close[^]*direct$/);
    expect((await app.admin('/drain_listeners', 'POST')).status).toBe(200);
    await until('the listener to refuse', () => isRefused(port));
    expect((await app.admin('/ready')).status).toBe(200);
    await app.statIs('listener_manager.listener_stopped', 1);
    await app.statIs('http.ingress.downstream_cx_drain_close', (closed) => closed > 0);
  });

  test('/drain_listeners alone leaves those who are connected in peace', async () => {
    const app = await App.start(direct);
    const port = await app.port();
    const client = (await RawClient.open(port)).write(get);
    await client.hears(/direct$/);
    expect((await app.admin('/drain_listeners', 'POST')).status).toBe(200);
    await until('the listener to refuse', () => isRefused(port));
    client.write(get);
    expect(await client.hears(/direct[^]*direct$/)).not.toContain('connection: close');
  });

  test('/drain_listeners?graceful&inboundonly stops inbound listeners when the drain time is over', async () => {
    const inbound = httpListener({ name: 'in', routes: [answer('/', 'in')] });
    const outbound = httpListener({ name: 'out', routes: [answer('/', 'out')] });
    Object.assign(inbound, { traffic_direction: 'INBOUND' });
    Object.assign(outbound, { traffic_direction: 'OUTBOUND' });
    const app = await App.start(bootstrap([inbound, outbound], []), { args: ['--drain-time-s', '1'] });
    const [inPort, outPort] = [await app.port('in'), await app.port('out')];
    expect((await app.admin('/drain_listeners?graceful&inboundonly', 'POST')).status).toBe(200);
    await until('the listener to refuse', () => isRefused(inPort));
    const { headers, body } = await request(`http://127.0.0.1:${outPort}/`);
    await body.dump();
    expect(headers.connection).not.toBe('close');
    await app.statIs('listener_manager.listener_stopped', 1);
  });
});
