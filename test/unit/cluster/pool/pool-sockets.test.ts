import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ClusterRuntime } from '../../../../src/cluster/cluster-runtime.ts';
import type { ConnectionWaiter, StreamWaiter } from '../../../../src/cluster/cluster.ts';
import type { Connection, ConnectionSink } from '../../../../src/core/connection.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import { ClosedLocally } from '../../../../src/core/failures.ts';
import { HttpVersion, RequestHead, type ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { CodecStream } from '../../../../src/core/message-sink.ts';
import { Loop } from '../../../../src/net/loop.ts';
import { NodeNetwork } from '../../../../src/net/node-network.ts';
import { anyHost, hostData, World } from '../cluster-fixture.ts';

const servers: { close(): unknown }[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function clusterAt(port: number): { cluster: ClusterRuntime; world: World } {
  const world = new World();
  const environment = { ...world.environment, network: new NodeNetwork(new Loop()) };
  const hosts = [hostData('127.0.0.1', { address: { kind: 'ip', host: '127.0.0.1', port } })];
  return { cluster: new ClusterRuntime(world.data({ hosts }), environment), world };
}

/** One GET through the pool; the body, or the failure. */
function get(cluster: ClusterRuntime, path: string): Promise<string> {
  const pool = cluster.httpPool(cluster.pick(anyHost)!, 0);
  return new Promise((resolve) => {
    let body = '';
    const ended = (end: boolean): void => {
      if (end) resolve(body);
    };
    const waiter: StreamWaiter = {
      onPoolReady: (stream: CodecStream<RequestHead>) =>
        stream.head(new RequestHead('GET', 'h', path, HttpVersion.Http11, new Headers()), true),
      onPoolFailure: (failure: Failure) => resolve(`${failure.kind.name}: ${failure.detail}`),
      head: (_head: ResponseHead, end: boolean) => ended(end),
      data: (chunk: Uint8Array, end: boolean) => {
        body += Buffer.from(chunk).toString();
        ended(end);
      },
      trailers: () => ended(true),
      reset: (failure: Failure) => resolve(failure.kind.name),
      onAboveHighWatermark: () => {},
      onBelowLowWatermark: () => {},
    };
    pool.newStream(waiter);
  });
}

describe('pools on real sockets', () => {
  it('keep one connection for requests that follow each other, and more for those that do not', async () => {
    const ports = new Set<number>();
    const server = createServer((request, response) => {
      ports.add(request.socket.remotePort!);
      response.end(`you asked for ${request.url}`);
    });
    const { cluster, world } = clusterAt(await listen(server));
    for (let i = 0; i < 5; i++) expect(await get(cluster, `/${i}`)).toBe(`you asked for /${i}`);
    expect(ports.size).toBe(1);
    const bodies = await Promise.all(['/a', '/b', '/c'].map((path) => get(cluster, path)));
    expect(bodies).toEqual(['you asked for /a', 'you asked for /b', 'you asked for /c']);
    expect(world.stats.read()).toMatchObject({ upstream_rq_total: 8, upstream_cx_active: ports.size });
    cluster.drain();
    expect(world.stats.read()).not.toHaveProperty('upstream_cx_active');
  });

  it('say why a connection could not be had', async () => {
    const server = createServer();
    const port = await listen(server);
    server.close();
    await once(server, 'close');
    const { cluster, world } = clusterAt(port);
    expect(await get(cluster, '/')).toBe('remote-connection-failure: delayed connect error: Connection refused');
    expect(world.stats.read()).toMatchObject({ upstream_cx_connect_fail: 1 });
  });

  it('notice that the upstream has gone', async () => {
    const server = createServer((request) => request.socket.destroy());
    const { cluster, world } = clusterAt(await listen(server));
    expect(await get(cluster, '/')).toBe('connection-termination');
    expect(world.stats.read()).toMatchObject({ upstream_cx_destroy_remote: 1 });
  });

  it('carry plain bytes', async () => {
    const echo = createTcpServer((socket) => socket.pipe(socket));
    servers.push(echo);
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const { cluster, world } = clusterAt((echo.address() as AddressInfo).port);
    const heard = await new Promise<string>((resolve, reject) => {
      const waiter: ConnectionWaiter = {
        onConnected: (connection: Connection) => {
          const sink: ConnectionSink = {
            onBytes: (chunk) => {
              connection.destroy(ClosedLocally);
              resolve(Buffer.from(chunk).toString());
            },
            onDrain: () => {},
            onEnd: () => {},
            onClosed: () => {},
          };
          connection.attach(sink);
          connection.write(Buffer.from('hello'));
        },
        onConnectFailure: (failure) => reject(new Error(failure.kind.name)),
      };
      cluster.tcpPool(cluster.pick(anyHost)!, 0).newConnection(waiter);
    });
    expect(heard).toBe('hello');
    expect(world.stats.read()).toMatchObject({ upstream_cx_rx_bytes_total: 5, upstream_cx_tx_bytes_total: 5 });
  });
});
