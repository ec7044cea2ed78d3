import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener, tcpListener } from './config.ts';
import { http2Cluster } from './h2-origin.ts';
import { TcpOrigin } from './origin.ts';
import { until, within } from './wait.ts';

const mebibyte = 1024 * 1024;
const limit = { per_connection_buffer_limit_bytes: 64 * 1024 };
const carriers = { 'HTTP/1.1': {}, 'HTTP/2': http2Cluster({ allow_connect: true }) } as const;
type Carrier = keyof typeof carriers;

/** One proxy at the end of the tunnel, and one at its beginning. */
async function startPair(carrier: Carrier, origin: number): Promise<{ first: App; last: App }> {
  const end = httpListener({
    listener: limit,
    routes: [
      {
        match: { connect_matcher: {} },
        route: { cluster: 'origin', upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }] },
      },
    ],
    manager: { upgrade_configs: [{ upgrade_type: 'CONNECT' }], http2_protocol_options: { allow_connect: true } },
  });
  const last = await App.start(bootstrap([end], [cluster('origin', [origin], limit)]));
  const begin = tcpListener('tunnel', { listener: limit });
  const proxy = (begin as { filter_chains: { filters: { typed_config: object }[] }[] }).filter_chains[0].filters[0];
  proxy.typed_config = { ...proxy.typed_config, tunneling_config: { hostname: 'a.test:443' } };
  const clusters = [cluster('tunnel', [await last.port()], { ...limit, ...carriers[carrier] })];
  return { first: await App.start(bootstrap([begin], clusters)), last };
}

async function open(app: App): Promise<Socket> {
  const socket = connect({ port: await app.port(), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

describe('TCP inside HTTP/2', () => {
  test('fifty connections share one, and keep their bytes apart', async () => {
    const origin = await TcpOrigin.start((socket) => void socket.pipe(socket));
    const { first, last } = await startPair('HTTP/2', origin.port);
    const sockets = await Promise.all(Array.from({ length: 50 }, () => open(first)));
    await Promise.all(
      sockets.map(async (socket, i) => {
        const sent = Buffer.alloc(200_000, `connection ${i} `);
        socket.end(sent);
        expect((await within('everything', buffer(socket))).equals(sent)).toBe(true);
      }),
    );
    expect(await first.stat('cluster.tunnel.upstream_cx_total')).toBe(1);
    await first.statIs('cluster.tunnel.upstream_rq_active', 0);
    await last.statIs('cluster.origin.upstream_cx_active', 0);
    expect(await last.stat('http.ingress.downstream_cx_upgrades_total')).toBe(50);
  });

  test('either end may stop talking first', async () => {
    const origin = await TcpOrigin.start((socket) => {
      socket.end('all that I say');
      socket.resume();
    });
    const { first } = await startPair('HTTP/2', origin.port);
    const socket = await open(first);
    expect((await within('the greeting', buffer(socket))).toString()).toBe('all that I say');
  });
});

describe.each(Object.keys(carriers) as Carrier[])('TCP inside %s', (carrier) => {
  test('a client that does not read holds the origin back', async () => {
    let sent = 0;
    const piece = Buffer.alloc(65_536);
    const origin = await TcpOrigin.start((socket) => {
      const pour = (): void => {
        while (sent < 512 * mebibyte) {
          sent += piece.length;
          if (!socket.write(piece)) return;
        }
      };
      socket.on('drain', pour);
      pour();
    });
    const { first } = await startPair(carrier, origin.port);
    const socket = await open(first);
    socket.pause();
    let last = -1;
    let unchanged = 0;
    await until('the origin to stand still', () => {
      unchanged = sent === last && sent > 0 ? unchanged + 1 : 0;
      last = sent;
      return unchanged === 60;
    });
    expect(sent).toBeLessThan(64 * mebibyte);
    socket.resume();
    await until('the origin to go on', () => sent > last + 64 * mebibyte);
  });

  test('a client that leaves takes its tunnel along', async () => {
    const origin = await TcpOrigin.start((socket) => void socket.resume());
    const { first, last } = await startPair(carrier, origin.port);
    const socket = await open(first);
    socket.write('hello');
    await last.statIs('cluster.origin.upstream_cx_active', 1);
    socket.resetAndDestroy();
    await last.statIs('cluster.origin.upstream_cx_active', 0);
    await first.statIs('cluster.tunnel.upstream_rq_active', 0);
  });
});
