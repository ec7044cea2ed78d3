import { once } from 'node:events';
import * as http2 from 'node:http2';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { ClientCodecOwner } from '../../../../src/codec/codec.ts';
import { H2ClientCodec } from '../../../../src/codec/h2/client.ts';
import { defaultClientOptions, type H2ClientOptions } from '../../../../src/codec/h2/options.ts';
import { RetryKind, type Failure } from '../../../../src/core/failure.ts';
import { LocalReset } from '../../../../src/core/failures.ts';
import { HttpVersion, RequestHead, type ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { CodecStream } from '../../../../src/core/message-sink.ts';
import { CollectingUser } from '../../../wire/recorder.ts';
import { SocketHost } from './socket-host.ts';

/** Keeps what it hears, and promises the end of it. */
class Response extends CollectingUser<ResponseHead> {
  readonly ended: Promise<void>;
  private settle!: () => void;

  constructor() {
    super();
    this.ended = new Promise((resolve) => (this.settle = resolve));
  }

  override head(head: ResponseHead, end: boolean): void {
    super.head(head, end);
    if (end) this.settle();
  }

  override data(chunk: Uint8Array, end: boolean): void {
    super.data(Buffer.from(chunk), end);
    if (end) this.settle();
  }

  override trailers(trailers: Headers): void {
    super.trailers(trailers);
    this.settle();
  }

  override reset(failure: Failure): void {
    super.reset(failure);
    this.settle();
  }
}

class World implements ClientCodecOwner {
  readonly done: boolean[] = [];
  readonly failures: Failure[] = [];
  announced = 0;
  codec!: H2ClientCodec;
  readonly server: http2.Http2Server;
  readonly sessions: http2.ServerHttp2Session[] = [];
  private host!: SocketHost;

  constructor(
    options: http2.ServerOptions,
    onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
  ) {
    this.server = http2.createServer(options);
    this.server.on('stream', (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
      stream.on('error', () => undefined);
      onStream(stream, headers);
    });
    this.server.on('session', (session) => this.sessions.push(session));
  }

  async open(options: Partial<H2ClientOptions> = {}): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const socket = connect((this.server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    this.host = new SocketHost(socket);
    this.codec = new H2ClientCodec(this.host, this, { ...defaultClientOptions, ...options });
    this.host.carry(this.codec);
    return this;
  }

  /** Sends a request's head. */
  ask(
    method: string,
    path: string,
    end: boolean,
    headers = new Headers(),
  ): { stream: CodecStream<RequestHead>; response: Response } {
    const response = new Response();
    const stream = this.codec.open(response);
    const head = new RequestHead(method, 'a.test', path, HttpVersion.Http11, headers);
    head.scheme = 'http';
    stream.head(head, end);
    return { stream, response };
  }

  onStreamDone(reusable: boolean): void {
    this.done.push(reusable);
  }

  onCloseAnnounced(): void {
    this.announced++;
  }

  onProtocolError(failure: Failure): void {
    this.failures.push(failure);
  }

  close(): void {
    this.host.socket.destroy();
    this.server.close();
  }
}

let world: World;
afterEach(() => world.close());

test('asks a server of nghttp2’s', async () => {
  world = await new World({}, (stream, headers) => {
    stream.respond({ ':status': 200, 'x-path': headers[':path'], 'x-host': headers[':authority'] });
    stream.end('hello');
  }).open();
  const { response } = world.ask('GET', '/a?b', true);
  await response.ended;
  expect(response.heads[0].status).toBe(200);
  expect(response.heads[0].headers.get('x-path')).toBe('/a?b');
  expect(response.heads[0].headers.get('x-host')).toBe('a.test');
  expect(response.body.toString()).toBe('hello');
  expect(world.done).toEqual([true]);
});

test('carries bodies of several megabytes in both directions, and trailers', async () => {
  const body = Buffer.alloc(5 * 1024 * 1024, 'sekisho ');
  world = await new World({}, (stream) => {
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': 'abc' }));
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.pipe(stream);
  }).open();
  const { stream, response } = world.ask('POST', '/', false);
  stream.data(body, false);
  stream.trailers(Headers.of(['x-sum', 'def']));
  await response.ended;
  expect(response.body.equals(body)).toBe(true);
  expect(response.trailing?.get('x-sum')).toBe('abc');
});

test('carries many streams at once', async () => {
  world = await new World({}, (stream, headers) => {
    stream.respond();
    stream.end(headers[':path']);
  }).open();
  const asked = Array.from({ length: 100 }, (_, i) => world.ask('GET', `/${i}`, true).response);
  await Promise.all(asked.map(({ ended }) => ended));
  expect(asked.map(({ body }) => body.toString())).toEqual(asked.map((_, i) => `/${i}`));
  expect(world.codec.activeStreams).toBe(0);
});

test('a refused stream may be repeated', async () => {
  world = await new World({}, (stream) => stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)).open();
  const { response } = world.ask('GET', '/', true);
  await response.ended;
  expect(response.failure?.kind.retry).toBe(RetryKind.RefusedStream);
  expect(world.done).toEqual([true]);
});

test('a server may reset as many streams as it is asked', async () => {
  world = await new World({}, (stream) => stream.close(http2.constants.NGHTTP2_CANCEL)).open();
  for (let i = 0; i < 1500; i++) {
    const { response } = world.ask('GET', '/', true);
    await response.ended;
    expect(response.failure).not.toBeNull();
  }
  expect(world.failures).toEqual([]);
});

test('a request that is given up is reset', async () => {
  const closed = Promise.withResolvers<number>();
  world = await new World({}, (stream) => {
    stream.on('close', () => closed.resolve(stream.rstCode));
    stream.respond();
    stream.write('begun');
  }).open();
  const { stream, response } = world.ask('POST', '/', false);
  response.data = () => stream.reset(LocalReset);
  expect(await closed.promise).toBe(http2.constants.NGHTTP2_INTERNAL_ERROR);
  expect(world.done).toEqual([true]);
  expect(response.failure).toBeNull();
});

test('a server that goes away is noticed, and what it has taken is finished', async () => {
  const held: http2.ServerHttp2Stream[] = [];
  world = await new World({}, (stream) => held.push(stream)).open();
  const { response } = world.ask('GET', '/', true);
  while (held.length === 0) await once(world.server, 'stream');
  const goAway = Promise.withResolvers<void>();
  world.onCloseAnnounced = () => goAway.resolve();
  world.sessions[0].close();
  await goAway.promise;
  expect(world.codec.canOpen).toBe(false);
  held[0].respond();
  held[0].end('hello');
  await response.ended;
  expect(response.body.toString()).toBe('hello');
  expect(world.done).toEqual([false]);
});

test('no more streams than the server allows', async () => {
  world = await new World({ settings: { maxConcurrentStreams: 2 } }, (stream) =>
    stream.respond({}, { endStream: true }),
  ).open();
  const first = world.ask('GET', '/', true).response;
  await first.ended;
  world.codec.open(new Response());
  world.codec.open(new Response());
  expect(world.codec.canOpen).toBe(false);
});

test('a response that nobody reads stops at the window, and goes on', async () => {
  const size = 1024 * 1024;
  world = await new World({}, (stream) => {
    stream.respond();
    stream.end(Buffer.alloc(size));
  }).open({ initialStreamWindowSize: 65535 });
  const { stream, response } = world.ask('GET', '/', true);
  stream.pause();
  const other = world.ask('GET', '/', true).response;
  await other.ended;
  expect(response.body.length).toBe(65535);
  stream.resume();
  await response.ended;
  expect(response.body.length).toBe(size);
});

test('an upgrade becomes an extended CONNECT', async () => {
  world = await new World({ settings: { enableConnectProtocol: true } }, (stream, headers) => {
    stream.respond({ ':status': 200, 'x-protocol': headers[':protocol'] });
    stream.pipe(stream);
  }).open();
  const { stream, response } = world.ask(
    'GET',
    '/chat',
    false,
    Headers.of(['connection', 'upgrade'], ['upgrade', 'websocket']),
  );
  stream.data(Buffer.from('hello'), true);
  await response.ended;
  expect(response.heads[0].status).toBe(101);
  expect(response.heads[0].headers.get('x-protocol')).toBe('websocket');
  expect(response.body.toString()).toBe('hello');
});

test('interim responses come before the answer', async () => {
  world = await new World({}, (stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</a>' });
    stream.respond({ ':status': 204 }, { endStream: true });
  }).open();
  const { response } = world.ask('GET', '/', true);
  await response.ended;
  expect(response.heads.map(({ status }) => status)).toEqual([103, 204]);
});

test('HEAD', async () => {
  world = await new World({}, (stream) => {
    stream.respond({ ':status': 200, 'content-length': 5 }, { endStream: true });
  }).open();
  const { response } = world.ask('HEAD', '/', true);
  await response.ended;
  expect(response.failure).toBeNull();
});
