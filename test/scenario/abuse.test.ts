import { request } from 'undici';
import { beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../peers/ports.ts';
import { App } from './app.ts';
import { answer, bootstrap, cluster, fileLog, httpListener, route } from './config.ts';
import { getText } from './http.ts';
import { Held, hello, Origin, TcpOrigin } from './origin.ts';
import { RawClient } from './raw-client.ts';
import { type AtEnd, forSuite } from './scope.ts';
import { until } from './wait.ts';

const flush = ['--file-flush-interval-msec', '20'];
/** A client that is sent away is not waited for. */
const log = { access_log: [fileLog()], delayed_close_timeout: '0s' };

async function start(port: number, manager: Record<string, unknown> = {}, atEnd?: AtEnd): Promise<App> {
  const listener = httpListener({ manager: { ...log, ...manager } });
  const config = bootstrap([listener], [cluster('origin', [port])]);
  return App.start(config, { args: flush, ...(atEnd === undefined ? {} : { atEnd }) });
}

/** What a client says to an app that all tests of a suite share, and what comes of it. */
function refusals(rows: readonly (readonly [string, string])[], check: (heard: string) => void): void {
  const atEnd = forSuite();
  let app: App;
  let origin: Origin;
  beforeAll(async () => {
    origin = await Origin.start(hello, { atEnd });
    app = await start(origin.port, {}, atEnd);
  });
  test.each(rows)('%s is refused, and nothing of it reaches the upstream', async (_, text) => {
    const client = (await RawClient.open(await app.port())).write(text);
    check(await client.toEnd());
    expect(client.heard.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    expect(origin.requests).toHaveLength(0);
  });
}

describe('slow clients', () => {
  test('a request head that does not come is answered with 408', async () => {
    const app = await start(1, { request_headers_timeout: '0.1s' });
    const client = (await RawClient.open(await app.port())).write('GET / HTTP/1.1\r\nhost: a\r\nx-slow: ');
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 408 /);
    await app.statIs('http.ingress.downstream_rq_header_timeout', 1);
  });

  test('a body that does not come is answered with 408', async () => {
    const origin = await Origin.start(() => {});
    const app = await start(origin.port, { request_timeout: '0.2s' });
    const client = await RawClient.open(await app.port());
    client.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf');
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 408 [^]*connection: close/);
    await app.statIs('http.ingress.downstream_rq_timeout', 1);
    const [line] = await app.logged(1);
    expect(line).toMatchObject({ code: 408, details: 'request_overall_timeout', received: 4 });
  });

  test('many slow heads hold up nobody, and all are closed', async () => {
    const origin = await Origin.start();
    const app = await start(origin.port, { request_headers_timeout: '1s' });
    const port = await app.port();
    const slow = await Promise.all(Array.from({ length: 500 }, () => RawClient.open(port)));
    for (const client of slow) client.write('GET / HTTP/1.1\r\nhost:');
    expect(await getText(await app.url())).toBe('hello');
    for (const client of slow) expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 408 /);
    await app.statIs('http.ingress.downstream_cx_active', 0);
  });
});

describe('too much', () => {
  const manyFields = Array.from({ length: 200 }, (_, index) => `x-${index}: 1\r\n`).join('');
  refusals(
    [
      ['a head with too many fields', `GET / HTTP/1.1\r\nhost: a\r\n${manyFields}\r\n`],
      ['a field line without an end', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(128 * 1024)}`],
      ['a target without an end', `GET /${'y'.repeat(128 * 1024)}`],
    ],
    (heard) => expect(heard).toMatch(/^HTTP\/1\.1 431 /),
  );

  test('of pipelined requests only one is open, and what waits is not read', async () => {
    const held = new Held();
    const origin = await Origin.start(held.handler);
    const app = await start(origin.port);
    const client = await RawClient.open(await app.port());
    const flood = `GET /${'p'.repeat(1000)} HTTP/1.1\r\nhost: a\r\n\r\n`.repeat(40_000);
    const before = app.rss();
    client.write(flood);
    await held.arrived(1);
    await until('the flood to stand still', async () => {
      const first = client.socket.bytesWritten - client.socket.writableLength;
      await app.stats();
      return client.socket.bytesWritten - client.socket.writableLength === first;
    });
    expect(client.socket.writableLength).toBeGreaterThan(0);
    expect(held.count).toBe(1);
    expect(await app.stat('http.ingress.downstream_rq_active')).toBe(1);
    expect(app.rss() - before).toBeLessThan(64 * 1024 * 1024);
  });

  test('pipelined requests are answered in order', async () => {
    const origin = await Origin.start((incoming, response) => {
      incoming.resume();
      response.end(incoming.url);
    });
    const app = await start(origin.port);
    const client = await RawClient.open(await app.port());
    const paths = Array.from({ length: 100 }, (_, index) => `/number-${index};`);
    client.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`).join(''));
    await client.hears(/number-99;/);
    expect(client.heard.match(/\/number-\d+;/g)).toEqual(paths);
  });
});

describe('those who go away', () => {
  test('a client in the middle of its request: the upstream is reset, and the log says DC', async () => {
    const origin = await Origin.start((incoming) => void incoming.resume());
    const app = await start(origin.port);
    const client = await RawClient.open(await app.port());
    client.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf');
    await origin.received(1);
    client.socket.resetAndDestroy();
    await until('the upstream connection to close', () => origin.sockets.size === 0);
    const [line] = await app.logged(1);
    expect(line).toMatchObject({ code: 0, flags: 'DC', details: 'downstream_remote_disconnect' });
    await app.statIs('http.ingress.downstream_rq_active', 0);
    await app.statIs('cluster.origin.upstream_rq_active', 0);
  });

  test('a client in the middle of its response: the same', async () => {
    const origin = await Origin.start((_incoming, response) => void response.write('begin'));
    const app = await start(origin.port);
    const client = (await RawClient.open(await app.port())).write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.hears(/begin/);
    client.socket.destroy();
    await until('the upstream connection to close', () => origin.sockets.size === 0);
    const [line] = await app.logged(1);
    expect(line).toMatchObject({ code: 200, flags: 'DC' });
    await app.statIs('cluster.origin.upstream_cx_active', 0);
  });

  test('a client that waits for its answer and half-closes is gone, as for Envoy', async () => {
    const origin = await Origin.start(() => {});
    const app = await start(origin.port);
    const client = (await RawClient.open(await app.port())).write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await origin.received(1);
    client.socket.end();
    const [line] = await app.logged(1);
    expect(line).toMatchObject({ code: 0, flags: 'DC' });
  });

  test('an upstream before its answer: 503', async () => {
    const origin = await Origin.start((incoming) => void incoming.socket.destroy());
    const app = await start(origin.port);
    const { statusCode, body } = await request(await app.url());
    expect(statusCode).toBe(503);
    expect(await body.text()).toContain('connection termination');
    expect((await app.logged(1))[0]).toMatchObject({ code: 503, flags: 'UC' });
  });

  test('an upstream in the middle of its answer: the client sees that it is cut', async () => {
    const origin = await Origin.start((incoming, response) => {
      response.write('begin');
      if (incoming.url === '/length') incoming.socket.resetAndDestroy();
    });
    const app = await start(origin.port);
    const client = (await RawClient.open(await app.port())).write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.hears(/begin/);
    for (const socket of origin.sockets) socket.destroy();
    const heard = await client.toEnd();
    expect(heard).toMatch(/begin\r\n$/);
    expect((await app.logged(1))[0]).toMatchObject({ code: 200, flags: 'UPE' });
  });

  test('an upstream that refuses: 503', async () => {
    const [port] = await freePorts(1);
    const app = await start(port);
    const { statusCode, body } = await request(await app.url());
    expect(statusCode).toBe(503);
    expect(await body.text()).toContain('reset reason: remote connection failure');
    expect((await app.logged(1))[0]).toMatchObject({ flags: 'UF' });
  });
});

describe('splitting and injection', () => {
  refusals(
    [
      ['a bare CR in a value', 'GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n'],
      ['a NUL in a value', 'GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n'],
      ['a space before the colon', 'GET / HTTP/1.1\r\nhost: a\r\ncontent-length : 5\r\n\r\nhello'],
      ['a space in the target', 'GET /a b HTTP/1.1\r\nhost: a\r\n\r\n'],
      ['a field line that begins with a colon', 'GET / HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n'],
    ],
    (heard) => expect(heard).toMatch(/^HTTP\/1\.1 400 /),
  );

  test('a folded line is one line upstream', async () => {
    const origin = await Origin.start();
    const app = await start(origin.port);
    const client = await RawClient.open(await app.port());
    client.write('GET / HTTP/1.1\r\nhost: a\r\nx: a\r\n injected: b\r\n\r\n');
    await client.hears(/hello/);
    expect(origin.requests[0].headers).toMatchObject({ x: 'a injected: b' });
    expect(origin.requests[0].headers).not.toHaveProperty('injected');
  });

  test('CR and LF in a path stay escaped upstream, in a redirect and in the log', async () => {
    const origin = await Origin.start();
    const redirect = { match: { prefix: '/old' }, redirect: { prefix_rewrite: '/new' } };
    const listener = httpListener({ routes: [redirect, route('/', 'origin')], manager: log });
    const app = await App.start(bootstrap([listener], [cluster('origin', [origin.port])]), { args: flush });
    const url = await app.url();
    await getText(`${url}/a%0d%0ax-injected:%201`);
    expect(origin.requests[0].url).toBe('/a%0d%0ax-injected:%201');
    expect(origin.requests[0].headers['x-injected']).toBeUndefined();
    const { headers, body } = await request(`${url}/old%0d%0aset-cookie:%20a=b`);
    await body.dump();
    expect(headers.location).toMatch(/\/new%0d%0aset-cookie:%20a=b$/);
    expect(headers['set-cookie']).toBeUndefined();
    expect(await app.logged(2)).toHaveLength(2);
  });

  test('a value cannot break out of a log line', async () => {
    const app = await start(1);
    const client = await RawClient.open(await app.port());
    client.write('GET /"},{"code":"forged\\u000a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    await client.toEnd();
    expect(await app.logged(1)).toHaveLength(1);
  });
});

describe('request smuggling', () => {
  /** What a second request behind the first one's end would be. */
  const smuggled = 'GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n';

  refusals(
    [
      [
        'CL.TE',
        `POST /first HTTP/1.1\r\nhost: a\r\ncontent-length: ${5 + smuggled.length}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      ],
      [
        'TE.CL',
        `POST /first HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
      ],
      [
        'TE.TE',
        `POST /first HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: identity\r\ncontent-length: 4\r\n\r\n5c\r\n${smuggled}\r\n0\r\n\r\n`,
      ],
      [
        'TE.TE, obfuscated',
        `POST /first HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\ncontent-length: 4\r\n\r\n5c\r\n${smuggled}`,
      ],
      [
        'CL.CL',
        `POST /first HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ncontent-length: ${smuggled.length}\r\n\r\n${smuggled}`,
      ],
      [
        'a length with a sign',
        `POST /first HTTP/1.1\r\nhost: a\r\ncontent-length: +${smuggled.length}\r\n\r\n${smuggled}`,
      ],
      [
        'a chunk size with 0x',
        `POST /first HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`,
      ],
      [
        'a vertical tab before chunked',
        `POST /first HTTP/1.1\r\nhost: a\r\ntransfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n${smuggled}`,
      ],
    ],
    (heard) => expect(heard).toMatch(/^HTTP\/1\.1 (400|501) [^]*connection: close/),
  );

  test('a body that looks like a request stays a body', async () => {
    const bodies: string[] = [];
    const origin = await Origin.start((incoming, response) => {
      let body = '';
      incoming.setEncoding('latin1').on('data', (text: string) => (body += text));
      incoming.on('end', () => {
        bodies.push(body);
        response.end('ok');
      });
    });
    const app = await start(origin.port);
    const url = await app.url();
    await (await request(url, { method: 'POST', body: smuggled })).body.dump();
    await (await request(url, { method: 'GET', body: smuggled })).body.dump();
    expect(bodies).toEqual([smuggled, smuggled]);
    expect(origin.requests).toHaveLength(2);
  });

  test('answers that are none become 502', async () => {
    const broken = {
      lengths: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 40\r\n\r\nok',
      list: 'HTTP/1.1 200 OK\r\ncontent-length: 2,3\r\n\r\nok',
      nul: 'HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 2\r\n\r\nok',
      ssh: 'SSH-2.0-OpenSSH_9.2\r\n\r\n',
    };
    const origin = await TcpOrigin.start((socket) => {
      socket.on('data', (chunk: Buffer) => {
        const name = /^GET \/(\w+)/.exec(chunk.toString('latin1'))![1] as keyof typeof broken;
        socket.write(broken[name], 'latin1');
      });
    });
    const app = await start(origin.port);
    const url = await app.url();
    for (const name of Object.keys(broken)) {
      const { statusCode, body } = await request(`${url}/${name}`);
      await body.dump();
      expect({ name, statusCode }).toEqual({ name, statusCode: 502 });
    }
    for (const line of await app.logged(4)) expect(line).toMatchObject({ code: 502, flags: 'UPE' });
  });

  test('an answer behind the answer is given to nobody', async () => {
    const two = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\npoisoned';
    const origin = await TcpOrigin.start((socket) => void socket.on('data', () => socket.write(two)));
    const app = await start(origin.port);
    const url = await app.url();
    for (let i = 0; i < 5; i++) expect(await getText(url)).toBe('first');
    expect(origin.sockets).toHaveLength(5);
  });

  test('an answer to HEAD with a body does not shift the next one', async () => {
    const origin = await TcpOrigin.start((socket) => {
      socket.on('data', (chunk: Buffer) => {
        const isHead = chunk.toString('latin1').startsWith('HEAD');
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n${isHead ? 'evil' : 'good'}`);
      });
    });
    const app = await start(origin.port);
    const url = await app.url();
    const head = await request(url, { method: 'HEAD' });
    await head.body.dump();
    expect(head.statusCode).toBe(200);
    expect(await getText(url)).toBe('good');
  });

  test('an answer before the question is given to nobody', async () => {
    const origin = await Origin.start();
    const app = await start(origin.port);
    const url = await app.url();
    expect(await getText(url)).toBe('hello');
    const [idle] = origin.sockets;
    idle.write('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\npoisoned');
    await app.statIs('cluster.origin.upstream_cx_protocol_error', 1);
    await app.statIs('cluster.origin.upstream_cx_active', 0);
    expect(await getText(url)).toBe('hello');
  });
});

test('a direct answer to a request with a body leaves the connection in step', async () => {
  const app = await App.start(bootstrap([httpListener({ routes: [answer('/', 'direct')] })], []));
  const client = await RawClient.open(await app.port());
  client.write('POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 36\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: b\r\n\r\n\n');
  await client.hears(/direct/);
  if (!client.hasEnded) client.write('GET /2 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
  await client.toEnd();
  expect(client.heard.match(/direct/g)!.length).toBeLessThanOrEqual(2);
});
