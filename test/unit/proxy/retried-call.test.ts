import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ClusterRuntime } from '../../../src/cluster/cluster-runtime.ts';
import { HttpVersion, RequestHead } from '../../../src/core/head.ts';
import { Headers } from '../../../src/core/headers.ts';
import type { CallRetries } from '../../../src/filter/call-outs.ts';
import { Loop } from '../../../src/net/loop.ts';
import { NodeNetwork } from '../../../src/net/node-network.ts';
import { ClusterCallOuts } from '../../../src/proxy/call-outs.ts';
import { hostData, World } from '../cluster/cluster-fixture.ts';

const retries: CallRetries = { max: 2, baseMs: 1, maxMs: 2, tryTimeoutMs: 0 };

/** Each try is answered by the next of these; what it came to, in words, and what the cluster has counted. */
async function ask(answers: ((response: ServerResponse) => void)[], policy: CallRetries, timeoutMs = 0) {
  const server = createServer((_request, response) => answers.shift()!(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const world = new World();
  const network = new NodeNetwork(new Loop());
  const { port } = server.address() as AddressInfo;
  const hosts = [hostData('127.0.0.1', { address: { kind: 'ip', host: '127.0.0.1', port } })];
  const cluster = new ClusterRuntime(world.data({ hosts }), { ...world.environment, network });
  onTestFinished(() => cluster.drain());
  const { clock, timers } = network;
  const context = { clusters: { get: () => cluster }, clock, timers, random: () => 0.5, localAddress: '192.0.2.1' };
  const head = new RequestHead('GET', 'a.test', '/', HttpVersion.Http11, new Headers());
  const options = { timeoutMs, bodyBytesMax: 1e6, saysForWhom: false, retries: policy };
  const { promise, resolve } = Promise.withResolvers<string>();
  const call = new ClusterCallOuts(context).http('c', head, null, options, {
    onAnswer: (answer) => resolve(`${answer.head.status} ${Buffer.from(answer.body).toString()}`),
    onFailure: (reason) => resolve(`failed: ${reason}`),
  });
  return { call, outcome: promise, counted: () => world.stats.read(), head, breakers: cluster.breakers(0) };
}

const says =
  (status: number, body = '') =>
  (response: ServerResponse) => {
    response.writeHead(status);
    response.end(body);
  };
const resets = (response: ServerResponse): void => void response.destroy();
const isSilent = (): void => {};

test('errors and resets are asked about again', async () => {
  const { outcome, counted } = await ask([says(503, 'sorry'), resets, says(200, 'fine')], retries);
  expect(await outcome).toBe('200 fine');
  expect(counted()).toMatchObject({
    upstream_rq_retry: 2,
    upstream_rq_retry_success: 1,
    'retry.upstream_rq_503': 1,
    upstream_rq_200: 1,
    upstream_rq_completed: 1,
  });
});

test('as often as configured, and no other answer is', async () => {
  const { outcome, counted } = await ask([says(503), says(502), says(500, 'last')], retries);
  expect(await outcome).toBe('500 last');
  expect(counted()).toMatchObject({ upstream_rq_retry: 2, upstream_rq_retry_limit_exceeded: 1 });
  expect(await (await ask([says(404)], retries)).outcome).toBe('404 ');
  expect(await (await ask([says(503)], { ...retries, max: null })).outcome).toBe('503 ');
});

test('a try that is late is, until the time of all is over', async () => {
  const { outcome, counted, head } = await ask([isSilent, says(200)], { ...retries, tryTimeoutMs: 50 }, 10_000);
  expect(await outcome).toBe('200 ');
  expect([counted(), head.headers.get('x-envoy-expected-rq-timeout-ms')]).toMatchObject([
    { upstream_rq_per_try_timeout: 1, upstream_rq_retry: 1 },
    '50',
  ]);
  const late = await ask([says(503)], { ...retries, baseMs: 60_000, maxMs: 60_000 }, 50);
  expect(await late.outcome).toBe('failed: there is no whole answer after 50 ms');
  expect(late.counted()).toMatchObject({ upstream_rq_timeout: 1 });
  expect(late.breakers.retries.canCreate).toBe(true);
});
