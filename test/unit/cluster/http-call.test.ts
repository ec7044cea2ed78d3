import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ClusterRuntime } from '../../../src/cluster/cluster-runtime.ts';
import { HttpCall } from '../../../src/cluster/http-call.ts';
import { HttpVersion, RequestHead } from '../../../src/core/head.ts';
import { Headers } from '../../../src/core/headers.ts';
import { Loop } from '../../../src/net/loop.ts';
import { NodeNetwork } from '../../../src/net/node-network.ts';
import { hostData, World } from './cluster-fixture.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

async function serve(handler: Handler): Promise<number> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => handler(request, response, body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** Asks a cluster of this port; null: of no host. What it came to, in words. */
async function ask(
  port: number | null,
  body: string | null,
  limits: { timeoutMs?: number; bodyBytesMax?: number } = {},
) {
  const world = new World();
  const network = new NodeNetwork(new Loop());
  const hosts = port === null ? [] : [hostData('127.0.0.1', { address: { kind: 'ip', host: '127.0.0.1', port } })];
  const cluster = new ClusterRuntime(world.data({ hosts }), { ...world.environment, network });
  onTestFinished(() => cluster.drain());
  const headers = new Headers();
  if (body !== null) headers.add('content-length', String(Buffer.byteLength(body)));
  const head = new RequestHead(body === null ? 'GET' : 'POST', 'a.test', '/path', HttpVersion.Http11, headers);
  const { promise, resolve } = Promise.withResolvers<string>();
  const call = new HttpCall(
    cluster,
    head,
    body === null ? null : Buffer.from(body),
    { clock: network.clock, timers: network.timers, random: () => 0, timeoutMs: 0, bodyBytesMax: 1e6, ...limits },
    {
      onAnswer: (answer, bytes) => resolve(`${answer.status} ${Buffer.from(bytes).toString()}`),
      onFailure: (reason) => resolve(`failed: ${reason}`),
    },
  );
  call.start();
  return { call, world, outcome: promise };
}

test('asks and is answered whole', async () => {
  const port = await serve((request, response, body) => {
    response.write(`${request.method} ${request.url} ${request.headers.host} `);
    response.end(body);
  });
  const { outcome, world } = await ask(port, 'body');
  expect(await outcome).toBe('200 POST /path a.test body');
  expect(world.stats.read()).toMatchObject({ upstream_rq_total: 1, upstream_rq_200: 1, 'internal.upstream_rq_200': 1 });
  expect(await (await ask(port, null)).outcome).toBe('200 GET /path a.test ');
});

test('an answer that is too large is a failure', async () => {
  const port = await serve((_request, response) => response.end('x'.repeat(1000)));
  const { outcome } = await ask(port, null, { bodyBytesMax: 999 });
  expect(await outcome).toBe('failed: the answer has more than 999 bytes');
});

test('so is one that does not come, or not whole', async () => {
  const port = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('x');
  });
  const late = await ask(port, null, { timeoutMs: 20 });
  expect(await late.outcome).toBe('failed: there is no whole answer after 20 ms');
  expect(late.world.stats.read()).toMatchObject({ upstream_rq_timeout: 1 });
  const cut = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('x', () => response.destroy());
  });
  expect(await (await ask(cut, null)).outcome).toMatch(/^failed: /);
});

test('and nobody to ask', async () => {
  const { outcome, world } = await ask(null, null);
  expect(await outcome).toBe('failed: no_healthy_upstream');
  expect(world.stats.read()).toMatchObject({ upstream_cx_none_healthy: 1, upstream_rq_503: 1 });
});

test('who cancels hears nothing', async () => {
  const arrived = Promise.withResolvers<ServerResponse>();
  const port = await serve((_request, response) => arrived.resolve(response));
  const { call, outcome } = await ask(port, null);
  const response = await arrived.promise;
  call.cancel();
  await once(response, 'close');
  expect(await Promise.race([outcome, Promise.resolve('nothing')])).toBe('nothing');
});
