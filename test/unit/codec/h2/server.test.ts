import { once } from 'node:events';
import * as http2 from 'node:http2';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { StreamAcceptor } from '../../../../src/codec/codec.ts';
import { defaultServerOptions, type H2ServerOptions } from '../../../../src/codec/h2/options.ts';
import { H2ServerCodec } from '../../../../src/codec/h2/server.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import { ResponseHead, type RequestHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { CodecStream, StreamUser } from '../../../../src/core/message-sink.ts';
import { CollectingUser } from '../../../wire/recorder.ts';
import { SocketHost } from './socket-host.ts';

/** What a test's server does with a request; called with its head, its end and its reset. */
type Handler = (user: Request) => void;

class Request extends CollectingUser<RequestHead> {
  readonly stream: CodecStream<ResponseHead>;
  aboves = 0;
  belows = 0;
  onEnd: () => void = () => undefined;
  private readonly handler: Handler;

  constructor(stream: CodecStream<ResponseHead>, handler: Handler) {
    super();
    this.stream = stream;
    this.handler = handler;
  }

  override head(head: RequestHead, end: boolean): void {
    super.head(head, end);
    this.handler(this);
    if (end) this.onEnd();
  }

  override data(chunk: Uint8Array, end: boolean): void {
    super.data(Buffer.from(chunk), end);
    if (end) this.onEnd();
  }

  override trailers(trailers: Headers): void {
    super.trailers(trailers);
    this.onEnd();
  }

  override onAboveHighWatermark(): void {
    this.aboves++;
  }

  override onBelowLowWatermark(): void {
    this.belows++;
  }
}

class World implements StreamAcceptor {
  readonly requests: Request[] = [];
  readonly failures: Failure[] = [];
  finished = 0;
  codec!: H2ServerCodec;
  server!: Server;
  client!: http2.ClientHttp2Session;
  private readonly handler: Handler;

  constructor(handler: Handler) {
    this.handler = handler;
  }

  async open(options: Partial<H2ServerOptions> = {}, client: http2.ClientSessionOptions = {}): Promise<this> {
    this.server = createServer((socket) => {
      const host = new SocketHost(socket);
      this.codec = new H2ServerCodec(host, this, { ...defaultServerOptions, ...options });
      host.carry(this.codec);
    });
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const { port } = this.server.address() as AddressInfo;
    this.client = http2.connect(`http://127.0.0.1:${port}`, client);
    this.client.on('error', () => undefined);
    await once(this.client, 'remoteSettings');
    return this;
  }

  accept(stream: CodecStream<ResponseHead>): StreamUser<RequestHead> {
    const request = new Request(stream, this.handler);
    this.requests.push(request);
    return request;
  }

  onProtocolError(failure: Failure): void {
    this.failures.push(failure);
  }

  onFinished(): void {
    this.finished++;
  }
}

let world: World;
afterEach(() => {
  world.client.destroy();
  world.server.close();
});

/** Sends a request and collects the answer. */
async function ask(
  headers: http2.OutgoingHttpHeaders,
  body?: Buffer,
): Promise<{ headers: http2.IncomingHttpHeaders; body: Buffer; trailers: http2.IncomingHttpHeaders }> {
  const stream = world.client.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on('trailers', (received: http2.IncomingHttpHeaders) => (trailers = received));
  const [response] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { headers: response, body: Buffer.concat(chunks), trailers };
}

const hello: Handler = ({ stream }) => {
  stream.head(new ResponseHead(200, Headers.of(['content-type', 'text/plain'])), false);
  stream.data(Buffer.from('hello'), true);
};

test('answers a client of nghttp2’s', async () => {
  world = await new World(hello).open();
  const answer = await ask({ ':path': '/a?b', 'x-y': 'z' });
  expect(answer.headers[':status']).toBe(200);
  expect(answer.headers['content-type']).toBe('text/plain');
  expect(answer.body.toString()).toBe('hello');
  const head = world.requests[0].heads[0];
  expect([head.method, head.scheme, head.path, head.headers.get('x-y')]).toEqual(['GET', 'http', '/a?b', 'z']);
  expect(head.authority).toMatch(/^127\.0\.0\.1:/);
});

test('carries bodies of several megabytes in both directions', async () => {
  const body = Buffer.alloc(5 * 1024 * 1024, 'sekisho ');
  world = await new World((request) => {
    request.onEnd = () => {
      request.stream.head(new ResponseHead(200, new Headers()), false);
      request.stream.data(request.body, false);
      request.stream.trailers(Headers.of(['x-sum', 'abc']));
    };
  }).open();
  const answer = await ask({ ':path': '/', ':method': 'POST' }, body);
  expect(answer.body.equals(body)).toBe(true);
  expect(answer.trailers['x-sum']).toBe('abc');
});

test('serves many streams at once', async () => {
  world = await new World(hello).open();
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => ask({ ':path': `/${i}` })));
  expect(answers.map(({ body }) => body.toString())).toEqual(Array(200).fill('hello'));
  expect(world.codec.activeStreams).toBe(0);
});

test('a client that reads slowly holds the response back, and gets all of it', async () => {
  const size = 20 * 1024 * 1024;
  let sent = 0;
  let sentAtMost = 0;
  world = await new World((request) => {
    const { stream } = request;
    const more = (): void => {
      while (sent < size && request.aboves === request.belows) {
        sent += 65536;
        stream.data(Buffer.alloc(65536, sent / 65536), sent >= size);
      }
    };
    request.onBelowLowWatermark = () => {
      request.belows++;
      setImmediate(more);
    };
    stream.head(new ResponseHead(200, new Headers()), false);
    more();
    sentAtMost = sent;
  }).open();
  const stream = world.client.request({ ':path': '/' });
  await once(stream, 'response');
  expect(sentAtMost).toBeLessThan(size / 2);
  let received = 0;
  for await (const chunk of stream) received += (chunk as Buffer).length;
  expect(received).toBe(size);
  expect(world.requests[0].aboves).toBeGreaterThan(0);
  expect(world.codec.queuedBytes).toBe(0);
});

test('a request that nobody reads stops at the window, and goes on', async () => {
  const size = 1024 * 1024;
  world = await new World((request) => {
    request.stream.pause();
    request.onEnd = () => request.stream.head(new ResponseHead(200, new Headers()), true);
  }).open({ initialStreamWindowSize: 65535, initialConnectionWindowSize: 65535 });
  const stream = world.client.request({ ':path': '/', ':method': 'POST' }, { endStream: false });
  stream.end(Buffer.alloc(size));
  const response = once(stream, 'response');
  // Nothing but PING frames travels then: the round trip says that everything has arrived.
  for (let i = 0; i < 5; i++) await new Promise((resolve) => world.client.ping(resolve));
  expect(world.requests[0].body.length).toBe(65535);
  world.requests[0].stream.resume();
  await response;
  expect(world.requests[0].body.length).toBe(size);
});

test('one large response does not starve small ones', async () => {
  const finished: string[] = [];
  world = await new World((request) => {
    const { path } = request.heads[0];
    request.stream.head(new ResponseHead(200, new Headers()), false);
    request.stream.data(Buffer.alloc(path === '/large' ? 32 * 1024 * 1024 : 20_000), true);
  }).open();
  const paths = ['/large', ...Array.from({ length: 50 }, (_, i) => `/small${i}`)];
  await Promise.all(
    paths.map(async (path) => {
      await ask({ ':path': path });
      finished.push(path);
    }),
  );
  expect(finished.at(-1)).toBe('/large');
});

test('heads that need CONTINUATION frames, both ways', async () => {
  const value = 'x'.repeat(40_000);
  world = await new World(({ stream, heads }) => {
    stream.head(new ResponseHead(200, Headers.of(['x-back', heads[0].headers.get('x-large') ?? ''])), true);
  }).open({}, { maxHeaderListPairs: 200, settings: { maxHeaderListSize: 100_000 } });
  const answer = await ask({ ':path': '/', 'x-large': value });
  expect(answer.headers['x-back']).toBe(value);
});

test('interim responses reach the client', async () => {
  world = await new World(({ stream }) => {
    stream.head(new ResponseHead(103, Headers.of(['link', '</a>'])), false);
    stream.head(new ResponseHead(200, new Headers()), true);
  }).open();
  const stream = world.client.request({ ':path': '/' });
  const [interim] = (await once(stream, 'headers')) as [http2.IncomingHttpHeaders];
  expect([interim[':status'], interim['link']]).toEqual([103, '</a>']);
  await once(stream, 'response');
});

test('an extended CONNECT carries bytes both ways', async () => {
  world = await new World((request) => {
    request.stream.head(new ResponseHead(101, new Headers()), false);
    request.data = (chunk, end) => request.stream.data(Buffer.from(chunk), end);
  }).open({ allowConnect: true });
  const answer = await ask({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat' }, Buffer.from('hello'));
  expect(answer.headers[':status']).toBe(200);
  expect(answer.body.toString()).toBe('hello');
  expect(world.requests[0].heads[0].headers.get('upgrade')).toBe('websocket');
});

test('a drain lets the client finish what it has begun', async () => {
  const held: Request[] = [];
  world = await new World((request) => held.push(request)).open();
  const answer = ask({ ':path': '/' });
  await new Promise((resolve) => world.client.ping(resolve));
  const goAway = once(world.client, 'goaway');
  world.codec.drain(performance.now());
  await goAway;
  expect(world.finished).toBe(0);
  hello(held[0]);
  expect((await answer).body.toString()).toBe('hello');
  await new Promise((resolve) => setImmediate(resolve));
  expect(world.finished).toBe(1);
});

test('a cancelled request is heard of', async () => {
  const reset = Promise.withResolvers<Failure>();
  world = await new World((request) => (request.reset = (failure) => reset.resolve(failure))).open();
  const stream = world.client.request({ ':path': '/' });
  stream.on('error', () => undefined);
  await new Promise((resolve) => world.client.ping(resolve));
  stream.close(http2.constants.NGHTTP2_CANCEL);
  expect((await reset.promise).kind.reason).toBe('http2.remote_reset');
});

test.each([0, 100, 4096, 65_536])('tables of %i bytes', async (hpackTableSize) => {
  world = await new World(({ stream, heads }) => {
    const value = heads[0].headers.get('x-number') ?? '';
    stream.head(new ResponseHead(200, Headers.of(['x-back', value], ['x-same', 'y'.repeat(50)])), true);
  }).open({ hpackTableSize }, { settings: { headerTableSize: 65_536 } });
  for (let i = 0; i < 100; i++) {
    const answer = await ask({ ':path': '/', 'x-number': `${i % 10}`, 'x-large': `${i % 7}`.repeat(60) });
    expect(answer.headers['x-back']).toBe(`${i % 10}`);
    expect(world.requests.at(-1)!.heads[0].headers.get('x-large')).toBe(`${i % 7}`.repeat(60));
  }
});

test('a field that no table may learn is passed on as one', async () => {
  world = await new World(({ stream, heads }) => {
    const headers = Headers.of(['x-plain', 'a'], ['x-secret', 'b']);
    headers.neverIndexed = heads[0].headers.neverIndexed;
    stream.head(new ResponseHead(200, headers), true);
  }).open();
  const answer = await ask({ ':path': '/', 'x-secret': 'b', 'x-plain': 'a', [http2.sensitiveHeaders]: ['x-secret'] });
  expect(world.requests[0].heads[0].headers.neverIndexed).toEqual(['x-secret']);
  expect((answer.headers as { [http2.sensitiveHeaders]?: string[] })[http2.sensitiveHeaders]).toEqual(['x-secret']);
});
