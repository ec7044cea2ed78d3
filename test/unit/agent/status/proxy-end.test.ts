import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentError } from '../../../../src/agent/agent-error.ts';
import { MergedMetrics, scrapeTargets } from '../../../../src/agent/status/merged-metrics.ts';
import { ProxyAdmin } from '../../../../src/agent/status/proxy-admin.ts';
import { Readiness } from '../../../../src/agent/status/readiness.ts';
import { Termination, type TerminationOptions } from '../../../../src/agent/status/termination.ts';
import { KeptLog } from '../../../kept-log.ts';

let port: number;
let asked: string[];
/** Answers by the beginning of what is asked; the first of each is taken, the last stays. */
let answers: Map<string, string[]>;
let types: Map<string, string>;
const server = createServer((request, response) => {
  const url = decodeURIComponent(request.url ?? '');
  asked.push(`${request.method} ${url}`);
  const key = [...answers.keys()].find((each) => url.startsWith(each));
  const list = key === undefined ? undefined : answers.get(key);
  if (list === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.setHeader('content-type', types.get(key!) ?? 'text/plain').end(list.length > 1 ? list.shift() : list[0]);
});

beforeEach(async () => {
  asked = [];
  answers = new Map();
  types = new Map();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
});

const admin = (): ProxyAdmin => new ProxyAdmin('127.0.0.1', port);

describe('readiness', () => {
  const updates = '/stats?usedonly&filter=^(cluster';
  const state = '/stats?usedonly&filter=^(server';
  const counts = (cds: number, lds: number, refused = 0): string =>
    `cluster_manager.cds.update_success: ${cds}\nlistener_manager.lds.update_success: ${lds}\nlistener_manager.lds.update_rejected: ${refused}\n`;

  test('configuration first, then workers; what has been is not asked again', async () => {
    let other = 'names are missing';
    const readiness = new Readiness(admin(), () => other);
    answers.set(updates, ['', counts(1, 0), counts(1, 0, 2), counts(1, 1)]);
    answers.set(state, ['server.state: 2\n', 'server.state: 0\nlistener_manager.workers_started: 1\n']);
    expect(await readiness.check()).toMatch(
      /^config not received from XDS server \(is Istiod running\?\): cds updates: 0 /,
    );
    expect(await readiness.check()).toMatch(/^config not fully received from XDS server: cds updates: 1 /);
    expect(await readiness.check()).toMatch(/^config received from XDS server, but was rejected: .* 2 rejected$/);
    expect(await readiness.check()).toBe('server is not live, current state is: PRE_INITIALIZING');
    expect(await readiness.check()).toBe('names are missing');
    other = '';
    const before = asked.length;
    expect(await readiness.check()).toBe('');
    expect(asked).toHaveLength(before);
  });

  test('a proxy that does not answer', async () => {
    expect(await new Readiness(new ProxyAdmin('127.0.0.1', 1), () => '').check()).toContain('does not answer');
  });
});

describe('the end', () => {
  const terminationOf = (more: Partial<TerminationOptions> = {}): { waits: number[]; termination: Termination } => {
    const waits: number[] = [];
    const termination = new Termination({
      admin: admin(),
      isSidecar: true,
      drainMs: 5000,
      exitsOnZero: false,
      minimumDrainMs: 3000,
      uncountedPorts: [15_021],
      wait: (ms) => Promise.resolve(void waits.push(ms)),
      log: new KeptLog(),
      ...more,
    });
    return { waits, termination };
  };
  const connections = '/stats?usedonly&filter=downstream_cx_active$';

  test('of a sidecar: its listeners for others are drained', async () => {
    const { termination, waits } = terminationOf();
    await termination.run();
    expect(asked).toEqual(['POST /drain_listeners?inboundonly&graceful&skip_exit']);
    expect(waits).toEqual([5000]);
  });

  test('of a gateway: all are', async () => {
    await terminationOf({ isSidecar: false }).termination.run();
    expect(asked).toEqual(['POST /drain_listeners?graceful&skip_exit']);
  });

  test('drained before, it does not wait', async () => {
    const { termination, waits } = terminationOf();
    await termination.drainNow();
    await termination.run();
    expect(asked).toHaveLength(1);
    expect(waits).toEqual([]);
  });

  test('with the last connection, of those that count', async () => {
    const { termination, waits } = terminationOf({ exitsOnZero: true });
    const others =
      'listener.0.0.0.0_15021.downstream_cx_active: 4\nlistener.admin.downstream_cx_active: 1\nlistener.1.worker_0.downstream_cx_active: 3\ncluster.x.downstream_cx_active: 9\n';
    answers.set(connections, [`${others}listener.0.0.0.0_15006.downstream_cx_active: 2\n`, others]);
    await termination.run();
    expect(waits).toEqual([3000, 1000, 1000]);
  });

  test('a proxy that cannot be asked ends all the same', async () => {
    const { termination, waits } = terminationOf({ exitsOnZero: true, admin: new ProxyAdmin('127.0.0.1', 1) });
    await termination.run();
    expect(waits).toHaveLength(6);
  });
});

describe('metrics', () => {
  const page = async (targets: { port: string; path: string }[], query = '') =>
    new MergedMetrics({
      proxyBase: `http://127.0.0.1:${port}`,
      targets,
      own: () => Promise.resolve('own 1\n'),
      log: new KeptLog(),
    }).page(query, { accept: 'application/openmetrics-text', 'x-prometheus-scrape-timeout-seconds': '5' });

  test('a part that is not to be had is left out', async () => {
    answers.set('/stats/prometheus', ['proxy 1']);
    const { contentType, body } = await page([{ port: String(port), path: '/nothing' }], '?usedonly');
    expect(body).toBe('own 1\nproxy 1\n');
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(asked).toContain('GET /stats/prometheus?usedonly');
  });

  test('OpenMetrics has one end', async () => {
    answers.set('/stats/prometheus', ['proxy 1\n']);
    answers.set('/metrics', ['app 1\n# EOF\n']);
    types.set('/metrics', 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    const { contentType, body } = await page([{ port: String(port), path: 'metrics' }]);
    expect(body).toBe('own 1\nproxy 1\napp 1\n# EOF\n');
    expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  });

  test.each([
    ['', []],
    ['{"scrape":"false","port":"9090"}', []],
    ['{"scrape":"true"}', [{ port: '80', path: '/metrics' }]],
    [
      '{"targets":[{"port":"1","path":"/a"},{"port":"2"}]}',
      [
        { port: '1', path: '/a' },
        { port: '2', path: '/metrics' },
      ],
    ],
  ])('%s', (written, expected) => {
    expect(scrapeTargets(written, 15_020)).toEqual(expected);
  });

  test.each(['{', '{"port":"15020"}'])('%s is refused', (written) => {
    expect(() => scrapeTargets(written, 15_020)).toThrow(AgentError);
  });
});
