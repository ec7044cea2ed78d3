/** `sekisho agent proxy`: identity, discovery, names, health and end, under a control plane that is none of ours. */
import { existsSync } from 'node:fs';
import { Resolver } from 'node:dns/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request as requestTls } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { request } from 'undici';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Istiod } from '../istiod.ts';
import { AgentPod } from './agent-pod.ts';
import {
  clusterType,
  Discovery,
  downstreamTls,
  httpManager,
  listenerType,
  nameTable,
  nameTableType,
  socketAddress,
  staticCluster,
} from './mesh-resources.ts';
import { forSuite, type AtEnd } from './scope.ts';
import { until } from './wait.ts';

const identity = 'spiffe://cluster.local/ns/default/sa/bookinfo-reviews';

/** Answers by itself. */
const nothing = httpManager('', {
  routeConfig: {
    name: 'r',
    virtualHosts: [
      {
        name: 'v',
        domains: ['*'],
        routes: [{ match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: 'here' } } }],
      },
    ],
  },
});

/** With the workload's certificate. */
const inboundListener = (port: number): object => ({
  name: 'inbound',
  trafficDirection: 'INBOUND',
  address: socketAddress('127.0.0.1', port),
  filterChains: [{ transportSocket: downstreamTls, filters: [httpManager('app')] }],
});

async function startApplication(atEnd: AtEnd): Promise<{ server: Server; port: number }> {
  const server = createServer((asked, response) => {
    if (asked.url === '/metrics') response.end('my_metric 7\n');
    else if (asked.url === '/health') response.writeHead(asked.headers['x-sick'] === undefined ? 204 : 418).end('how?');
    else response.end(`app for ${asked.headers.host}`);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  atEnd(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

interface Told {
  readonly body: string;
  readonly subject: string;
  readonly serial: string;
}

/** As another workload of the mesh. */
async function askWithCertificate({ authority }: Istiod, port: number): Promise<Told> {
  const client = await authority.issue({ uris: ['spiffe://cluster.local/ns/default/sa/client'] });
  return new Promise((resolve, reject) => {
    const asked = requestTls(
      {
        host: '127.0.0.1',
        port,
        headers: { host: 'reviews' },
        ca: authority.rootPem,
        cert: client.chainPem,
        key: client.keyPem,
        checkServerIdentity: () => undefined,
        agent: false,
      },
      (response) => {
        const { subjectaltname = '', serialNumber: serial } = (response.socket as TLSSocket).getPeerCertificate();
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ body, subject: subjectaltname, serial }));
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

const statusOf = async (url: string): Promise<number> => {
  const answer = await request(url, { reset: true });
  await answer.body.dump();
  return answer.statusCode;
};

describe('a pod under a control plane', () => {
  const atEnd = forSuite();
  const discovery = new Discovery(() => ({
    [clusterType]: [staticCluster('app', '127.0.0.1', application)],
    [listenerType]: [inboundListener(inbound)],
    [nameTableType]: [nameTable('reviews.mesh', '240.0.0.7')],
  }));
  let istiod: Istiod;
  let pod: AgentPod;
  let inbound: number;
  let application: number;

  beforeAll(async () => {
    application = (await startApplication(atEnd)).port;
    istiod = await Istiod.start({ onStream: (call) => discovery.onStream(call) });
    atEnd(() => istiod.stop());
    const probe = (kind: object) => ({ ...kind, timeoutSeconds: 5 });
    const variables = {
      ISTIO_META_DNS_CAPTURE: 'true',
      ISTIO_PROMETHEUS_ANNOTATIONS: JSON.stringify({ scrape: 'true', path: '/metrics', port: String(application) }),
      ISTIO_KUBE_APP_PROBERS: JSON.stringify({
        '/app-health/app/readyz': probe({ httpGet: { path: '/health', port: application, scheme: 'HTTP' } }),
        '/app-health/app/livez': probe({ tcpSocket: { port: application } }),
        '/app-health/app/startupz': probe({ tcpSocket: { port: 1 } }),
      }),
    };
    const wish = { istiod, variables: { ...variables } as Record<string, string> };
    pod = await AgentPod.make(wish, atEnd);
    inbound = pod.otherPorts[0];
    wish.variables['DNS_PROXY_ADDR'] = `127.0.0.1:${pod.otherPorts[1]}`;
    pod.start(atEnd);
    await until('the pod to be ready', async () => {
      if (pod.hasEnded) throw new Error(pod.output);
      return (await statusOf(`http://127.0.0.1:${pod.readyPort}/healthz/ready`).catch(() => 0)) === 200;
    });
  });

  test('the CA has seen the token, and certified who the pod is', () => {
    expect(istiod.asked).toMatchObject([{ uris: [identity], validitySeconds: 86_400 }]);
    expect(istiod.asked[0].metadata).toMatchObject({ authorization: 'Bearer the-token', clusterid: 'Kubernetes' });
  });

  test('the control plane has seen the token and the node, and that all is taken', async () => {
    expect(discovery.metadata[0]).toMatchObject({ authorization: 'Bearer the-token', clusterid: 'Kubernetes' });
    expect(discovery.requests[0].node?.id).toBe('sidecar~127.0.0.1~reviews-v1-abc.default~default.svc.cluster.local');
    for (const type of [clusterType, listenerType, nameTableType]) {
      const answer = await until(`an answer to ${type}`, () => discovery.acknowledged(type));
      expect(answer.errorDetail).toBeUndefined();
    }
  });

  test('traffic has the identity of the mesh at both ends', async () => {
    const { body, subject } = await askWithCertificate(istiod, inbound);
    expect(body).toBe('app for reviews');
    expect(subject).toBe(`URI:${identity}`);
  });

  test('names of the mesh', async () => {
    const resolver = new Resolver({ timeout: 2000, tries: 1 });
    resolver.setServers([`127.0.0.1:${pod.otherPorts[1]}`]);
    expect(await resolver.resolve4('reviews.mesh')).toEqual(['240.0.0.7']);
    const { body } = await request(`http://127.0.0.1:${pod.statusPort}/debug/ndsz`);
    expect(await body.json()).toMatchObject({ table: { 'reviews.mesh': { ips: ['240.0.0.7'] } } });
  });

  test('metrics of the agent, the proxy and the application on one page', async () => {
    const { body } = await request(`http://127.0.0.1:${pod.statusPort}/stats/prometheus`);
    const text = await body.text();
    expect(text).toContain('istio_agent_cert_expiry_seconds{resource_name="default"} ');
    expect(text).toContain('envoy_cluster_manager_cds_update_success');
    expect(text).toContain('my_metric 7');
  });

  test.each([
    ['readyz', {}, 204, ''],
    ['readyz', { 'x-sick': 'yes' }, 418, 'how?'],
    ['livez', {}, 200, ''],
    ['startupz', {}, 500, ''],
    ['other', {}, 400, 'app prober config does not exists for /app-health/app/other'],
  ])('the probe %s %j', async (name, headers, status, text) => {
    const answer = await request(`http://127.0.0.1:${pod.statusPort}/app-health/app/${name}`, { headers });
    expect([answer.statusCode, await answer.body.text()]).toEqual([status, text]);
  });

  test('is drained when it is told to end, and leaves nothing behind', async () => {
    pod.signal('SIGTERM');
    expect(await pod.ended()).toBe(0);
    expect(pod.output).toContain('draining for 1 s');
    expect(existsSync(join(pod.folder, 'etc/istio/proxy/envoy-rev.json'))).toBe(false);
  });
});

describe('a pod whose certificates are soon over, and whose control plane goes away', () => {
  const atEnd = forSuite();
  let istiod: Istiod;
  let pod: AgentPod;
  let port: number;
  const discovery = new Discovery(() => ({
    [clusterType]: [],
    [listenerType]: [
      { ...inboundListener(port), filterChains: [{ transportSocket: downstreamTls, filters: [nothing] }] },
    ],
  }));

  beforeAll(async () => {
    istiod = await Istiod.start({ lifeMs: 6000, onStream: (call) => discovery.onStream(call) });
    atEnd(() => istiod.stop());
    pod = await AgentPod.make({ istiod }, atEnd);
    port = pod.otherPorts[0];
    pod.start(atEnd);
    await until('the pod to be ready', async () => {
      if (pod.hasEnded) throw new Error(pod.output);
      return (await statusOf(`http://127.0.0.1:${pod.readyPort}/healthz/ready`).catch(() => 0)) === 200;
    });
  });

  test('certificates are renewed, and no request fails', async () => {
    const { serial } = await askWithCertificate(istiod, port);
    await until('another certificate', async () => (await askWithCertificate(istiod, port)).serial !== serial);
    expect(istiod.asked.length).toBeGreaterThan(1);
  });

  test('while it is away traffic goes on, and it is found again', async () => {
    const { authority, port: istiodPort } = istiod;
    const streams = discovery.metadata.length;
    istiod.stop();
    expect((await askWithCertificate(istiod, port)).body).toBe('here');
    istiod = await Istiod.start({ authority, port: istiodPort, onStream: (call) => discovery.onStream(call) });
    await until('another stream', () => discovery.metadata.length > streams);
    expect((await askWithCertificate(istiod, port)).body).toBe('here');
    expect(await statusOf(`http://127.0.0.1:${pod.readyPort}/healthz/ready`)).toBe(200);
  });
});

test('a pod that ends with its last connection', async () => {
  const ends: (() => unknown)[] = [];
  const atEnd = (end: () => unknown): void => void ends.push(end);
  onTestFinished(async () => {
    for (const end of ends.toReversed()) await end();
  });
  const waiting: ServerResponse[] = [];
  const server = createServer((_, response) => void waiting.push(response));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  atEnd(() => server.close());
  let port = 0;
  const discovery = new Discovery(() => ({
    [clusterType]: [staticCluster('app', '127.0.0.1', (server.address() as AddressInfo).port)],
    [listenerType]: [inboundListener(port)],
  }));
  const istiod = await Istiod.start({ onStream: (call) => discovery.onStream(call) });
  atEnd(() => istiod.stop());
  const variables = { EXIT_ON_ZERO_ACTIVE_CONNECTIONS: 'true', MINIMUM_DRAIN_DURATION: '100ms' };
  const pod = await AgentPod.make({ istiod, variables }, atEnd);
  [port] = pod.otherPorts;
  pod.start(atEnd);
  await until('the pod to be ready', async () => {
    if (pod.hasEnded) throw new Error(pod.output);
    return (await statusOf(`http://127.0.0.1:${pod.readyPort}/healthz/ready`).catch(() => 0)) === 200;
  });
  const answer = askWithCertificate(istiod, port);
  await until('the request', () => waiting.length > 0);
  pod.signal('SIGTERM');
  await until('it to count', () => pod.output.includes('there are still 1 connections'));
  expect(pod.hasEnded).toBe(false);
  waiting[0].end('at last');
  expect((await answer).body).toBe('at last');
  expect(await pod.ended()).toBe(0);
});

describe('an agent that cannot do what it is told', () => {
  const atEnd = forSuite();
  let istiod: Istiod;

  beforeAll(async () => {
    istiod = await Istiod.start();
    atEnd(() => istiod.stop());
  });

  test.each([
    [{ proxyConfig: { nonsense: 1 } }, "error: PROXY_CONFIG: unknown field 'nonsense'"],
    [{ proxyConfig: { readinessProbe: {} } }, 'error: readinessProbe of the ProxyConfig is not supported by sekisho'],
    [{ variables: { WORKLOAD_IDENTITY_SOCKET_FILE: 'spire' } }, 'error: nobody listens at the socket'],
    [{ variables: { ISTIO_KUBE_APP_PROBERS: '{' } }, 'error: ISTIO_KUBE_APP_PROBERS is no JSON'],
  ])('%j', async (wish, reason) => {
    const pod = await AgentPod.make({ istiod, ...wish }, atEnd);
    pod.start(atEnd);
    expect(await pod.ended()).toBe(1);
    expect(pod.output).toContain(reason);
  });

  test('without a certificate it is not ready, and asks again', async () => {
    istiod.refusals = 1;
    const before = istiod.asked.length;
    const pod = await AgentPod.make({ istiod }, atEnd);
    pod.start(atEnd);
    await until('another try', () => istiod.asked.length > before);
    expect(pod.output).toContain('no certificate of the CA: not now');
    expect(await statusOf(`http://127.0.0.1:${pod.statusPort}/healthz/ready`)).toBe(503);
    const quit = await request(`http://127.0.0.1:${pod.statusPort}/quitquitquit`, { method: 'POST' });
    expect(await quit.body.text()).toBe('OK');
    expect(await pod.ended()).toBe(0);
  });
});
