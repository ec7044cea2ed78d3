import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { ClientHttp2Stream } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { freePorts } from '../peers/ports.ts';
import { findProgram, missing } from '../peers/binaries.ts';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener } from './config.ts';
import { H2Client } from './h2-client.ts';
import { Origin, TcpOrigin } from './origin.ts';
import { RawClient } from './raw-client.ts';
import { until, within } from './wait.ts';

const mebibyte = 1024 * 1024;
const run = promisify(execFile);
const limit = { per_connection_buffer_limit_bytes: 64 * 1024 };

/** A proxy whose CONNECT ends in a connection to `port`, or with `isForwarded` goes on to a proxy there. */
function configuration(port: number, isForwarded = false): object {
  const upgrade = isForwarded ? {} : { upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }] };
  const listener = httpListener({
    listener: limit,
    routes: [{ match: { connect_matcher: {} }, route: { cluster: 'origin', ...upgrade } }],
    manager: {
      upgrade_configs: [{ upgrade_type: 'CONNECT' }],
      http2_protocol_options: { allow_connect: true },
    },
  });
  return bootstrap([listener], [cluster('origin', [port], limit)]);
}

async function openTunnel(app: App): Promise<ClientHttp2Stream> {
  const client = await H2Client.open(await app.port());
  const stream = client.session.request({ ':method': 'CONNECT', ':authority': 'a.test:443' }, { endStream: false });
  stream.on('error', () => {});
  const [headers] = (await within('an answer', once(stream, 'response'))) as [Record<string, unknown>];
  expect(headers[':status']).toBe(200);
  return stream;
}

describe('CONNECT that ends here', () => {
  test('curl asks through it as through any proxy', async ({ skip }) => {
    const curl = findProgram('curl');
    if (curl === null) {
      console.log(missing('curl'));
      skip();
    }
    const origin = await Origin.start();
    const app = await App.start(configuration(origin.port));
    const args = ['-sS', '--proxytunnel', '--proxy', await app.url(), 'http://a.test/1', 'http://a.test/2'];
    const { stdout } = await run(curl!, args);
    expect(stdout).toBe('hellohello');
    expect(await app.stat('http.ingress.downstream_cx_upgrades_total')).toBe(1);
    expect(origin.requests.map(({ url, headers }) => `${headers.host}${url}`)).toEqual(['a.test/1', 'a.test/2']);
  });

  test('8 MiB each way over HTTP/2, and the end of the client’s half', async () => {
    const origin = await TcpOrigin.start((socket) => void socket.pipe(socket));
    const app = await App.start(configuration(origin.port));
    const stream = await openTunnel(app);
    const sent = Buffer.alloc(8 * mebibyte, 'tunnel');
    stream.end(sent);
    expect((await within('everything', buffer(stream))).equals(sent)).toBe(true);
    await app.statIs('cluster.origin.upstream_cx_active', 0);
    await app.statIs('http.ingress.downstream_cx_upgrades_active', 0);
  });

  test('a connection that cannot be opened is told by its code', async () => {
    const [port] = await freePorts(1);
    const app = await App.start(configuration(port));
    const client = await H2Client.open(await app.port());
    const stream = client.session.request({ ':method': 'CONNECT', ':authority': 'a.test:443' }, { endStream: false });
    stream.on('error', () => {}).resume();
    await until('the end', () => stream.closed);
    expect(stream.rstCode).toBe(10 /* CONNECT_ERROR */);
  });
});

describe('CONNECT that is forwarded over HTTP/1', () => {
  test('the end of the client’s half is a half-close, and the answer behind it arrives', async () => {
    // An HTTP/1.1 client that half-closes is gone (as in Envoy), so that only HTTP/2 can say it here.
    const stream = await openTunnel(await App.start(configuration(await serverThatCounts(), true)));
    stream.end('12345');
    expect((await within('the answer', buffer(stream))).toString()).toBe('5 bytes');
  });

  test('bytes behind a refused CONNECT are no request', async () => {
    const origin = await Origin.start();
    const app = await App.start(bootstrap([httpListener()], [cluster('origin', [origin.port])]));
    const client = await RawClient.open(await app.port());
    client.write('CONNECT a.test:443 HTTP/1.1\r\nhost: a.test:443\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n');
    const heard = await client.toEnd();
    expect(heard).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(heard.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(origin.requests).toHaveLength(0);
  });
});

/** A proxy by hand: takes a CONNECT over HTTP/1.1, and says behind the client's end how many bytes there were. */
async function serverThatCounts(): Promise<number> {
  const origin = await TcpOrigin.start((socket) => {
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      const isNew = heard === '';
      heard += chunk.toString('latin1');
      if (isNew) socket.write('HTTP/1.1 200 OK\r\n\r\n');
    });
    socket.on('end', () => socket.end(`${heard.length - heard.indexOf('\r\n\r\n') - 4} bytes`));
  });
  return origin.port;
}
