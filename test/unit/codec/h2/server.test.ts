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
