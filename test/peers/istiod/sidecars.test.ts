import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { beforeAll, describe, expect, test } from 'vitest';
import { Origin } from '../../scenario/origin.ts';
import { without } from '../../scenario/program.ts';
import { forSuite } from '../../scenario/scope.ts';
import { until } from '../../scenario/wait.ts';
import { freePorts } from '../ports.ts';
import { isSynced, Istiod } from './istiod.ts';
import { allowed, guarded, mesh } from './mesh.ts';
import { Agent, pilotAgent, sekishoAgent, whyNoAgent } from './agent.ts';

const host = 'ratings.default.svc.cluster.local';
const proxy = process.env.ISTIOD_PROXY ?? 'sekisho';
const absent = without('sidecars under a genuine istiod', ['istiod']);
const noAgent = whyNoAgent();
if (!absent && noAgent !== null) console.log(`sidecars under a genuine pilot-agent: ${noAgent}`);
const kinds = [...(noAgent === null ? [pilotAgent(proxy)] : []), ...(proxy === 'sekisho' ? [sekishoAgent] : [])];

/** With certificates from istiod's authority, which the agent asked for; a genuine one starts sekisho in Envoy's place. */
describe.skipIf(absent).each(kinds)('sidecars by $name under a genuine istiod', (kind) => {
  const atEnd = forSuite();
  let istiod: Istiod;
  let server: Agent;
  let clientPort = 0;
  let serverPort = 0;
  let seen: IncomingMessage | null = null;

  async function ask(port: number, address = '127.0.0.1'): Promise<string> {
    const { statusCode, body } = await request(`http://${address}:${port}/x`, { headers: { host } });
    return `${statusCode} ${await body.text()}`;
  }

  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sidecars-'));
    // The agents run as another user.
    chmodSync(directory, 0o755);
    atEnd(() => rmSync(directory, { recursive: true, force: true }));
    for (const name of ['istiod', 'client', 'server']) mkdirSync(join(directory, name));
    const origin = await Origin.start(
      (asked, response) => {
        seen = asked;
        response.end('ratings');
      },
      { atEnd },
    );
    [clientPort, serverPort] = await freePorts(2);
    const address = '127.0.1.82';
    const service = { host, port: clientPort, address, sidecarPort: serverPort, originPort: origin.port };
    istiod = await Istiod.start(join(directory, 'istiod'), mesh, { ratings: guarded(service) }, atEnd);
    const pod = (name: string, at: string) => ({
      name: `${name}-v1`,
      namespace: 'default',
      account: name,
      address: at,
      labels: { app: name, version: 'v1' },
    });
    const start = (folder: string, name: string, at: string) =>
      Agent.start(kind, join(directory, folder), pod(name, at), istiod, atEnd);
    [server] = await Promise.all([start('server', 'ratings', address), start('client', 'productpage', '127.0.1.81')]);
    let revision = 1;
    const touch = setInterval(() => istiod.write('ratings', guarded(service, ++revision)), 3000);
    await until('an answer over both', async () => (await ask(clientPort).catch(() => '')) === '200 ratings');
    clearInterval(touch);
  }, 120_000);

  test('speak mutual TLS with each other', async () => {
    expect(await ask(clientPort)).toBe('200 ratings');
    expect(seen?.headers['x-forwarded-client-cert']).toMatch(
      /URI=spiffe:\/\/cluster\.local\/ns\/default\/sa\/productpage$/,
    );
  });

  test('refuse who has no certificate', async () => {
    await expect(ask(serverPort, '127.0.1.82')).rejects.toThrow();
  });

  test('let through whom an AuthorizationPolicy names, and nobody else', async () => {
    istiod.write('policy', allowed(host, ['cluster.local/ns/default/sa/somebody-else']));
    await until('the policy', async () => (await ask(clientPort)) === '403 RBAC: access denied');
    istiod.write('policy', allowed(host, ['cluster.local/ns/default/sa/productpage']));
    await until('the other policy', async () => (await ask(clientPort)) === '200 ratings');
  });

  test('are SYNCED in the eyes of istiod', async () => {
    await until('istiod to see both synced', async () => (await istiod.sync()).filter(isSynced).length === 2);
  });

  test.skipIf(proxy === 'envoy')('count requests as Istio does, each with the other’s workload', async () => {
    const metrics = await server.admin('/stats/prometheus');
    const line = metrics.split('\n').find((one) => one.startsWith('istio_requests_total{'));
    expect(line).toContain('source_workload="productpage-v1"');
    expect(line).toContain('connection_security_policy="mutual_tls"');
  });
});
