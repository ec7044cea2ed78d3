import { request } from 'undici';
import { expect, test } from 'vitest';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener, route } from './config.ts';
import { Origin } from './origin.ts';
import { until } from './wait.ts';

const timing = { timeout: '5s', interval: '0.02s', no_traffic_interval: '0.02s' };
const thresholds = { unhealthy_threshold: 2, healthy_threshold: 2 };
const checks = { health_checks: [{ ...timing, ...thresholds, http_health_check: { path: '/healthz' } }] };
const withoutPanic = { common_lb_config: { healthy_panic_threshold: { value: 0 } } };

/** Answers checks and requests as it is told. */
class Moody {
  isHealthy = true;
  status = 200;
  readonly origin: Origin;

  private constructor(origin: Origin) {
    this.origin = origin;
  }

  static async start(): Promise<Moody> {
    let moody: Moody | null = null;
    const origin = await Origin.start((asked, response) => {
      asked.resume();
      const isCheck = asked.url === '/healthz';
      response.statusCode = isCheck ? (moody!.isHealthy ? 200 : 503) : moody!.status;
      response.end(String(origin.port));
    });
    moody = new Moody(origin);
    return moody;
  }
}

async function answers(url: string, count: number): Promise<Set<string>> {
  const found = new Set<string>();
  for (let i = 0; i < count; i++) {
    const { statusCode, body } = await request(url);
    found.add(`${statusCode} ${await body.text()}`);
  }
  return found;
}

test('hosts that fail their checks are left alone by all workers until they pass again', async () => {
  const [a, b] = [await Moody.start(), await Moody.start()];
  const ports = [a.origin.port, b.origin.port];
  const config = bootstrap([httpListener()], [cluster('origin', ports, { ...checks, ...withoutPanic })]);
  const app = await App.start(config, { concurrency: 2 });
  const url = await app.url();
  const healthy = 'cluster.origin.membership_healthy';
  expect(await app.stat(healthy)).toBe(2);
  a.isHealthy = false;
  await app.statIs(healthy, 1);
  const { body } = await app.admin('/clusters');
  expect(body).toContain(`origin::127.0.0.1:${a.origin.port}::health_flags::/failed_active_hc`);
  const only = `200 ${b.origin.port}`;
  await until('all workers to know', async () => (await answers(url, 8)).isSubsetOf(new Set([only])));
  expect(await answers(url, 20)).toEqual(new Set([only]));
  b.isHealthy = false;
  await app.statIs(healthy, 0);
  await until('nobody to be left', async () => (await answers(url, 4)).has('503 no healthy upstream'));
  a.isHealthy = true;
  b.isHealthy = true;
  await app.statIs(healthy, 2);
  await until('both to serve again', async () => (await answers(url, 8)).size === 2);
});

test('a start waits for the first round of checks', async () => {
  const [a, b] = [await Moody.start(), await Moody.start()];
  b.isHealthy = false;
  const ports = [a.origin.port, b.origin.port];
  const app = await App.start(bootstrap([httpListener()], [cluster('origin', ports, checks)]));
  expect(await app.stat('cluster.origin.health_check.attempt')).toBeGreaterThanOrEqual(2);
  expect(await answers(await app.url(), 6)).toEqual(new Set([`200 ${a.origin.port}`]));
});

test('what one worker counts another goes on counting; an ejected host comes back', async () => {
  const [a, b] = [await Moody.start(), await Moody.start()];
  const detection = { consecutive_5xx: 6, interval: '0.05s', base_ejection_time: '0.3s', max_ejection_percent: 100 };
  const more = { outlier_detection: detection, ...withoutPanic };
  const log = { cluster_manager: { outlier_detection: { event_log_path: '{{folder}}/outliers' } } };
  const clusters = [cluster('origin', [a.origin.port, b.origin.port], more)];
  const app = await App.start(bootstrap([httpListener()], clusters, log), {
    concurrency: 2,
    args: ['--file-flush-interval-msec', '10'],
  });
  const url = await app.url();
  a.status = 500;
  const ejected = 'cluster.origin.outlier_detection.ejections_enforced_consecutive_5xx';
  await until('an ejection', async () => {
    await answers(url, 4);
    return (await app.stat(ejected)) >= 1;
  });
  a.status = 200;
  await app.statIs('cluster.origin.outlier_detection.ejections_active', 0);
  await until('both to serve again', async () => (await answers(url, 8)).size === 2);
  const events = await until('both events', () => {
    const lines = app.readLog('outliers');
    return lines.length >= 2 && lines;
  });
  expect(events.slice(0, 2).map((line) => (JSON.parse(line) as { action: string }).action)).toEqual([
    'EJECT',
    'UNEJECT',
  ]);
});

test('another configuration keeps what is known of hosts', async () => {
  const [a, b] = [await Moody.start(), await Moody.start()];
  a.isHealthy = false;
  const ports = [a.origin.port, b.origin.port];
  const clusters = [cluster('origin', ports, { ...checks, ...withoutPanic })];
  const app = await App.start(bootstrap([httpListener()], clusters));
  await app.statIs('cluster.origin.membership_healthy', 1);
  await app.reload(bootstrap([httpListener(), httpListener({ name: 'other' })], clusters));
  expect(await answers(await app.url('other'), 4)).toEqual(new Set([`200 ${b.origin.port}`]));
  await app.reload(bootstrap([httpListener()], [cluster('origin', ports)]));
  expect(await app.stat('cluster.origin.membership_healthy')).toBe(2);
  await until('a to serve again', async () => (await answers(await app.url(), 4)).size === 2);
});

/** One host resets, one is slow, one fails every other time; nobody waits for anything but answers. */
test('three bad hosts with retries, outlier detection and breakers', async () => {
  let turn = 0;
  const resetting = await Origin.start((asked) => asked.socket.resetAndDestroy());
  const slow = await Origin.start((asked, response) => {
    asked.resume();
    setTimeout(() => response.end('slow'), 50);
  });
  const half = await Origin.start((asked, response) => {
    asked.resume();
    response.statusCode = turn++ % 2 === 0 ? 503 : 200;
    response.end('half');
  });
  const retries = { retry_on: '5xx,reset,connect-failure', num_retries: 4, host_selection_retry_max_attempts: 3 };
  const app = await App.start(
    bootstrap(
      [httpListener({ routes: [route('/', 'origin', { retry_policy: retries })] })],
      [
        cluster('origin', [resetting.port, slow.port, half.port], {
          outlier_detection: {
            consecutive_5xx: 3,
            interval: '0.1s',
            base_ejection_time: '60s',
            max_ejection_percent: 67,
          },
          circuit_breakers: { thresholds: [{ max_requests: 64, max_retries: 64 }] },
        }),
      ],
    ),
    { concurrency: 2 },
  );
  const url = await app.url();
  const statuses: number[] = [];
  const client = async (): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      const { statusCode, body } = await request(url);
      await body.dump();
      statuses.push(statusCode);
    }
  };
  await Promise.all([1, 2, 3, 4, 5].map(client));
  const failed = statuses.filter((status) => status !== 200).length;
  expect(statuses).toHaveLength(200);
  expect(failed).toBeLessThanOrEqual(4);
  const stats = await app.stats();
  expect(stats.get('cluster.origin.outlier_detection.ejections_enforced_total')).toBeGreaterThanOrEqual(1);
  expect(stats.get('cluster.origin.upstream_rq_retry')).toBeGreaterThanOrEqual(3);
  const { body } = await app.admin('/clusters');
  expect(body).toContain(`origin::127.0.0.1:${resetting.port}::health_flags::/failed_outlier_check`);
});
