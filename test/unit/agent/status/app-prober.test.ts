import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { AgentError } from '../../../../src/agent/agent-error.ts';
import { parseAppProbes, type AppProbe } from '../../../../src/agent/status/app-probe.ts';
import { AppProber, type ProbeResult } from '../../../../src/agent/status/app-prober.ts';
import { selfSigned } from '../../../certificates.ts';
import { KeptLog } from '../../../kept-log.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const prober = new AppProber({
  destination: '127.0.0.1',
  localAddress: '127.0.0.6',
  statusPort: 15_020,
  log: new KeptLog(),
});

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const http = (handler: RequestListener): Promise<number> => listen(createServer(handler));

const ask = (probe: Partial<AppProbe> & { port: number }, headers = {}): Promise<ProbeResult> =>
  prober.probe({ kind: 'http', isTls: false, path: '/health', timeoutMs: 5000, ...probe } as AppProbe, headers);

describe('over HTTP', () => {
  test('as the kubelet asked, from an address that passes the proxy', async () => {
    const seen: IncomingMessage[] = [];
    let from = '';
    const port = await http((asked, response) => {
      seen.push(asked);
      from = asked.socket.remoteAddress ?? '';
      response.writeHead(503).end('sick');
    });
    const headers = { host: '10.0.0.1:15020', 'user-agent': 'kube-probe/1', 'x-mine': 'yes' };
    const answer = await ask({ port }, headers);
    expect([answer.status, answer.body.toString()]).toEqual([503, 'sick']);
    expect(seen[0].headers).toMatchObject({ ...headers, host: `10.0.0.1:${port}` });
    expect([seen[0].url, from]).toEqual(['/health', '127.0.0.6']);
  });

  test('a host of its own stays', async () => {
    let host = '';
    const port = await http((asked, response) => {
      host = asked.headers.host ?? '';
      response.end();
    });
    await ask({ port }, { host: 'example.com' });
    expect(host).toBe('example.com');
  });

  test('redirects to itself are followed, elsewhere they are an answer', async () => {
    const port = await http((asked, response) => {
      if (asked.url === '/health') response.writeHead(302, { location: '/there' }).end();
      else if (asked.url === '/away') response.writeHead(302, { location: 'http://elsewhere.example/' }).end();
      else if (asked.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else response.writeHead(201).end();
    });
    expect((await ask({ port })).status).toBe(201);
    expect((await ask({ port, path: '/away' })).status).toBe(200);
    expect((await ask({ port, path: '/loop' })).status).toBe(500);
  });

  test('over TLS, whoever certifies it', async () => {
    const { pem, keyPem } = await selfSigned();
    const port = await listen(createTlsServer({ cert: pem, key: keyPem }, (_, response) => response.end('ok')));
    expect((await ask({ port, isTls: true })).body.toString()).toBe('ok');
  });

  test('no answer in time', async () => {
    const port = await http(() => {});
    expect((await ask({ port, timeoutMs: 50 })).status).toBe(500);
  });
});

test('over TCP', async () => {
  const port = await http(() => {});
  expect((await ask({ kind: 'tcp', port })).status).toBe(200);
  expect((await ask({ kind: 'tcp', port: 1 })).status).toBe(500);
});

test('over gRPC', async () => {
  const server = new Server();
  const asIs = (bytes: Buffer): Buffer => bytes;
  let asked = '';
  const shape = {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  server.addService(
    { Check: shape },
    {
      Check: (call: { request: Buffer }, answer: (error: null, bytes: Buffer) => void) => {
        asked = call.request.subarray(2).toString();
        // SERVING, or NOT_SERVING.
        answer(null, Buffer.from([8, asked === 'sick' ? 2 : 1]));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  ends.push(() => server.forceShutdown());
  expect((await ask({ kind: 'grpc', port, service: 'well' })).status).toBe(200);
  expect(asked).toBe('well');
  expect((await ask({ kind: 'grpc', port, service: 'sick' })).status).toBe(500);
  expect((await ask({ kind: 'grpc', port: 1, service: '' })).status).toBe(500);
});

describe('what is written', () => {
  const path = '/app-health/app/livez';
  test('probes by their paths', () => {
    const written = {
      '/app-health/app/readyz': { httpGet: { path: 'x', port: 80, scheme: 'HTTPS' }, timeoutSeconds: 3 },
      [path]: { grpc: { port: 81, service: null } },
      '/app-lifecycle/app/prestopz': { tcpSocket: { port: 82 } },
    };
    expect([...parseAppProbes(JSON.stringify(written)).values()]).toEqual([
      { kind: 'http', isTls: true, path: '/x', port: 80, timeoutMs: 3000 },
      { kind: 'grpc', service: '', port: 81, timeoutMs: 1000 },
      { kind: 'tcp', port: 82, timeoutMs: 1000 },
    ]);
    expect(parseAppProbes('').size).toBe(0);
  });

  test.each([
    [{ '/other': { tcpSocket: { port: 1 } } }, "'/other' is no path of a probe"],
    [{ [path]: {} }, `'${path}' has not exactly one of httpGet, tcpSocket, grpc`],
    [{ [path]: { httpGet: { port: 'http' } } }, `the port of '${path}' is no number of a port`],
  ])('%j is refused', (written, reason) => {
    expect(() => parseAppProbes(JSON.stringify(written))).toThrow(new AgentError(`ISTIO_KUBE_APP_PROBERS: ${reason}`));
  });
});
