import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { answerHead, clientFor, endWith, framed, method, Recorder, serve, unframed } from './grpc-world.ts';

const ok = { 'grpc-status': '0' };

describe('calls', () => {
  it('ask once and are answered once', async () => {
    let seen: unknown;
    const { client, world } = await serve(async (stream, headers, body) => {
      seen = { headers, messages: unframed(await body) };
      stream.respond({ ...answerHead, 'x-head': 'h' }, { waitForTrailers: true });
      endWith(stream, { ...ok, 'x-trailer': 't' }, framed('answer'));
    });
    const user = new Recorder();
    client.ask(method, 'question', user, { timeoutMs: 5000, metadata: [['x-meta', 'm']], authority: 'auth.test' });
    const status = await user.ended;
    expect(user.log).toEqual(['head h', 'answer', 'status 0']);
    expect([status.isOk, status.failure, status.trailers!.get('x-trailer')]).toEqual([true, null, 't']);
    expect(seen).toMatchObject({
      headers: {
        ':method': 'POST',
        ':scheme': 'http',
        ':path': '/test.Service/Method',
        ':authority': 'auth.test',
        te: 'trailers',
        'content-type': 'application/grpc',
        'grpc-timeout': '5000m',
        'x-meta': 'm',
      },
      messages: ['question'],
    });
    expect(world.stats.read()).toMatchObject({ upstream_rq_total: 1, upstream_rq_200: 1, upstream_cx_http2_total: 1 });
    expect(world.stats.read()).not.toHaveProperty('upstream_rq_active');
    expect(world.stats.read()).not.toHaveProperty('upstream_rq_tx_reset');
  });

  it('share a connection', async () => {
    const { client, world } = await serve((stream) => endWith(stream, ok, framed('x')));
    const users = Array.from({ length: 20 }, () => new Recorder());
    for (const user of users) client.ask(method, 'q', user);
    await Promise.all(users.map(({ ended }) => ended));
    expect(users.every(({ log }) => log.join() === 'head -,x,status 0')).toBe(true);
    expect(world.stats.read()).toMatchObject({ upstream_cx_total: 1, upstream_rq_total: 20 });
  });

  it('hear a stream of messages, however it is cut', async () => {
    const { client } = await serve(async (stream, _headers, body) => {
      await body;
      stream.respond(answerHead, { waitForTrailers: true });
      for (const byte of Buffer.concat([framed('one'), framed(''), framed('three')])) {
        stream.write(Buffer.of(byte));
        await new Promise(setImmediate);
      }
      endWith(stream, ok);
    });
    const user = new Recorder();
    client.ask(method, 'q', user);
    await user.ended;
    expect(user.log).toEqual(['head -', 'one', '', 'three', 'status 0']);
  });

  it('speak both ways at once', async () => {
    const { client } = await serve((stream) => {
      stream.respond(answerHead, { waitForTrailers: true });
      stream.on('data', (chunk: Buffer) => stream.write(chunk));
      stream.on('end', () => endWith(stream, ok));
    });
    const user = new Recorder();
    const call = client.open(method, user);
    const words = ['a', 'b', 'c'];
    user.onEach = () => {
      const next = words.shift();
      if (next === undefined) call.end();
      else call.send(next);
    };
    call.send('first');
    await user.ended;
    expect(user.log).toEqual(['head -', 'first', 'a', 'b', 'c', 'status 0']);
  });

  it('send a stream of messages and hear one', async () => {
    const { client } = await serve(async (stream, _headers, body) => {
      endWith(stream, ok, framed(unframed(await body).join('+')));
    });
    const user = new Recorder();
    const call = client.open(method, user);
    call.send('1');
    call.send('2');
    call.send('3', true);
    call.send('too late');
    await user.ended;
    expect(user.log).toEqual(['head -', '1+2+3', 'status 0']);
  });
});

describe('statuses', () => {
  const bad: readonly [name: string, status: string, answer: Parameters<typeof serve>[0]][] = [
    [
      'of trailers',
      'status 5 nicht gefünden',
      (s) => endWith(s, { 'grpc-status': '5', 'grpc-message': 'nicht gef%C3%BCnden' }),
    ],
    [
      'of a head alone',
      'status 7 no%',
      (s) => s.respond({ ...answerHead, 'grpc-status': '7', 'grpc-message': 'no%' }, { endStream: true }),
    ],
    ['that are none', 'status 2', (s) => endWith(s, { 'grpc-status': 'x' })],
    ['that are missing from trailers', 'status 2 the answer has no status', (s) => endWith(s, { a: 'b' })],
    ['that are missing', 'status 13 the answer has no status', (s) => void (s.respond(answerHead), s.end(framed('x')))],
    [
      'that are missing from a head alone',
      'status 13 the answer has no status',
      (s) => s.respond(answerHead, { endStream: true }),
    ],
    ['of HTTP', 'status 14 HTTP status 503', (s) => void (s.respond({ ':status': 503 }), s.end('no'))],
    ['of HTTP, unknown', 'status 2 HTTP status 418', (s) => s.respond({ ':status': 418 }, { endStream: true })],
    [
      'of something else',
      "status 2 content-type 'text/html' is not gRPC's",
      (s) => void (s.respond({ ':status': 200, 'content-type': 'text/html' }), s.end('<p>')),
    ],
    ['of a refused stream', 'status 14 remote refused stream reset', (s) => s.close(7)],
    ['of a reset stream', 'status 13 remote reset', (s) => s.close(2)],
    ['of a lost connection', 'status 14 connection termination', (s) => s.session!.destroy()],
    ['of a compressed message', 'status 12 the answer is compressed', (s) => endWith(s, ok, Buffer.of(1, 0, 0, 0, 0))],
    [
      'of a message beyond the limit',
      'status 8 the answer has a message beyond the limit',
      (s) => endWith(s, ok, framed('x'.repeat(100))),
    ],
    [
      'of a message that ends early',
      'status 13 the answer ends within a message',
      (s) => endWith(s, ok, framed('xyz').subarray(0, 7)),
    ],
    [
      'of a message that is none',
      'status 13 the answer has a message that cannot be read',
      (s) => endWith(s, ok, Buffer.of(0, 0, 0, 0, 1, 0xff)),
    ],
  ];

  it.each(bad)('%s', async (_name, expected, answer) => {
    const { client, world } = await serve(answer);
    const user = new Recorder();
    client.ask(method, 'q', user, { messageBytesMax: 50 });
    await user.ended;
    expect(user.log.at(-1)).toBe(expected);
    expect(user.log.filter((line) => line.startsWith('status'))).toHaveLength(1);
    expect(world.limits.load('cluster/c/default/rq')).toBe(0);
  });

  it('of a host that refuses connections', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const user = new Recorder();
    clientFor(port).client.ask(method, 'q', user);
    const { failure } = await user.ended;
    expect(user.log).toEqual(['status 14 remote connection failure']);
    expect(failure!.detail).toContain('Connection refused');
  });

  it('of a cluster without hosts', () => {
    const user = new Recorder();
    const { client, world } = clientFor(null);
    client.ask(method, 'q', user);
    expect(user.log).toEqual(['status 14 no_healthy_upstream']);
    expect(world.stats.read()).toMatchObject({ upstream_cx_none_healthy: 1 });
  });
});

describe('calls that are given up', () => {
  it('end at their deadline', async () => {
    const codes = Promise.withResolvers<number>();
    const { client, world } = await serve((stream) => stream.on('close', () => codes.resolve(stream.rstCode)));
    const user = new Recorder();
    client.ask(method, 'q', user, { timeoutMs: 50 });
    await user.ended;
    expect(user.log).toEqual(['status 4 deadline exceeded']);
    expect(await codes.promise).toBe(2);
    expect(world.stats.read()).toMatchObject({ upstream_rq_timeout: 1, upstream_rq_tx_reset: 1 });
  });

  it('end without a word when they are cancelled', async () => {
    const begun = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    const { client, world } = await serve((stream) => {
      stream.on('close', () => closed.resolve());
      begun.resolve();
    });
    const user = new Recorder();
    const call = client.ask(method, 'q', user);
    await begun.promise;
    call.cancel();
    await closed.promise;
    expect(user.log).toEqual([]);
    expect(call.send('late')).toBe(true);
    expect(world.stats.read()).not.toHaveProperty('upstream_rq_active');
  });

  it('leave the line of those who wait for a connection', async () => {
    const { client, world } = await serve(() => {});
    const user = new Recorder();
    client.ask(method, 'q', user).cancel();
    expect(user.log).toEqual([]);
    expect(world.stats.read()).toMatchObject({ upstream_rq_cancelled: 1 });
    expect(world.limits.load('cluster/c/default/rq_pending')).toBe(0);
  });

  it('may be cancelled by a message', async () => {
    const { client } = await serve((stream) => endWith(stream, ok, Buffer.concat([framed('1'), framed('2')])));
    const user = new Recorder();
    const last = new Recorder();
    const call = client.ask(method, 'q', user);
    user.onEach = () => {
      call.cancel();
      client.ask(method, 'q', last);
    };
    await last.ended;
    expect(user.log).toEqual(['head -', '1']);
  });
});

describe('flow', () => {
  const large = 'x'.repeat(256 * 1024);

  it('tells who sends to wait for a server that does not read', async () => {
    const streams: { resume(): void }[] = [];
    const { client } = await serve(async (stream, _headers, body) => {
      stream.pause();
      streams.push(stream);
      endWith(stream, ok, framed(String(unframed(await body).length)));
    });
    const user = new Recorder();
    const call = client.open(method, user);
    let sent = 1;
    while (call.send(large)) if (++sent % 10 === 0) await new Promise(setImmediate);
    expect(sent).toBeLessThan(200);
    const room = Promise.withResolvers<void>();
    user.onRoom = room.resolve;
    while (streams.length === 0) await new Promise(setImmediate);
    streams[0].resume();
    await room.promise;
    call.end();
    await user.ended;
    expect(user.log.filter((line) => line !== 'drain')).toEqual(['head -', String(sent), 'status 0']);
  });

  it('holds a server back whose answers nobody wants yet', async () => {
    let written = 0;
    const { client } = await serve((stream) => {
      stream.respond(answerHead, { waitForTrailers: true });
      const write = (): void => {
        while (written < 200) {
          written++;
          if (stream.write(framed(large))) continue;
          stream.once('drain', write);
          return;
        }
        endWith(stream, ok);
      };
      write();
    });
    const user = new Recorder();
    const call = client.ask(method, 'q', user);
    call.pause();
    let before = -1;
    for (let same = 0; same < 500; same = before === written ? same + 1 : 0) {
      before = written;
      await new Promise(setImmediate);
    }
    expect(written).toBeLessThan(200);
    call.resume();
    await user.ended;
    expect(user.log.filter((line) => line === large)).toHaveLength(200);
  });
});
