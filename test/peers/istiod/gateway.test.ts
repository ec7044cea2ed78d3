import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Origin } from '../../scenario/origin.ts';
import { without } from '../../scenario/program.ts';
import { forSuite } from '../../scenario/scope.ts';
import { until } from '../../scenario/wait.ts';
import { freePorts } from '../ports.ts';
import { Proxy, proxyNamed } from '../proxy.ts';
import { gatewayConfig } from './gateway-config.ts';
import { isSynced, Istiod } from './istiod.ts';
import { gateway, meshWithoutTls, service, weights, type Version } from './mesh.ts';
import { SteadyTraffic } from './steady-traffic.ts';

const host = 'reviews.default.svc.cluster.local';

describe.skipIf(without('a gateway under a genuine istiod', ['istiod']))('a gateway under a genuine istiod', () => {
  const atEnd = forSuite();
  const versions: Version[] = [];
  let istiod: Istiod;
  let proxy: Proxy;
  let url = '';
  let revision = 1;

  async function ask(headers: Record<string, string> = {}): Promise<string> {
    const response = await fetch(url, { headers });
    const body = await response.text();
    return response.status === 200 ? body : `${response.status} ${body}`;
  }

  async function shares(requests: number): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (let i = 0; i < requests; i++) {
      const who = await ask();
      counts[who] = (counts[who] ?? 0) + 1;
    }
    return counts;
  }

  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'istiod-'));
    atEnd(() => rmSync(directory, { recursive: true, force: true }));
    for (const name of ['v1', 'v2']) {
      const { port } = await Origin.start((_, response) => response.end(name), { atEnd });
      versions.push({ name, port });
    }
    const [port, adminPort] = await freePorts(2);
    url = `http://127.0.0.1:${port}/`;
    const files = {
      reviews: service(host, versions),
      gateway: gateway(port),
      route: weights(host, versions, [80, 20]),
    };
    istiod = await Istiod.start(directory, meshWithoutTls, files, atEnd);
    const file = join(directory, 'gateway.json');
    writeFileSync(file, gatewayConfig(adminPort, istiod.grpcPort));
    proxy = await Proxy.start(proxyNamed(process.env.ISTIOD_PROXY ?? 'sekisho'), file, adminPort, []);
    atEnd(() => proxy.stop());
    const touch = setInterval(() => istiod.write('reviews', service(host, versions, ++revision)), 2000);
    await until('endpoints', async () => /^v[12]$/.test(await ask().catch(() => '')));
    clearInterval(touch);
  }, 120_000);

  test('splits requests by weight and by header', async () => {
    const { v1 = 0, v2 = 0, ...others } = await shares(500);
    expect(others).toEqual({});
    // 500 × 0.2 = 100, standard deviation 9.
    expect(v2).toBeGreaterThan(55);
    expect(v2).toBeLessThan(145);
    expect(v1 + v2).toBe(500);
    expect(await ask({ 'x-canary': 'yes' })).toBe('v2');
  });

  test('takes other weights while requests flow, and loses none', async () => {
    const traffic = new SteadyTraffic(url);
    istiod.write('route', weights(host, versions, [0, 100]));
    await until('the canary to have everything', () => traffic.lastOnes(50).every((body) => body === 'v2'));
    istiod.write('route', weights(host, versions, [100, 0]));
    await until('the canary to have nothing', () => traffic.lastOnes(50).every((body) => body === 'v1'));
    expect(await traffic.end()).toEqual([]);
  });

  test('is SYNCED in the eyes of istiod', async () => {
    await until('istiod to see it synced', async () => (await istiod.sync()).some(isSynced));
    const stats = await proxy.stats();
    expect(stats.get('listener_manager.lds.update_rejected')).toBe(0);
    expect(stats.get('cluster_manager.cds.update_rejected')).toBe(0);
  });

  test('serves on while istiod is away, and takes up where it was', async () => {
    const traffic = new SteadyTraffic(url);
    await istiod.stop();
    await until(
      'the stream to be known as broken',
      async () => (await proxy.stats()).get('control_plane.connected_state') === 0,
    );
    await istiod.run();
    await until('istiod to see it synced again', async () => (await istiod.sync()).some(isSynced));
    istiod.write('route', weights(host, versions, [0, 100]));
    await until('the canary to have everything', () => traffic.lastOnes(50).every((body) => body === 'v2'));
    expect(await traffic.end()).toEqual([]);
  });
});
