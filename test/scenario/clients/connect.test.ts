/** connect-node as client and server: Connect, gRPC and gRPC-Web, unary and streaming, on every crossing. */
import { create } from '@bufbuild/protobuf';
import { StringValueSchema, type StringValue } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  compressionGzip,
  Http2SessionManager,
} from '@connectrpc/connect-node';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Authority, type Issued } from '../../certificates.ts';
import { App } from '../app.ts';
import { bootstrap, cluster, httpListener } from '../config.ts';
import { http2Cluster } from '../h2-origin.ts';
import { Echo, refused, startEcho } from './echo-service.ts';
import { securedListener } from './secured.ts';

const protocols = {
  Connect: createConnectTransport,
  gRPC: createGrpcTransport,
  'gRPC-Web': createGrpcWebTransport,
} as const;
type Protocol = keyof typeof protocols;
type Version = '1.1' | '2';

/** What of it is possible: gRPC wants HTTP/2 on both sides. */
const crossings: readonly (readonly [Protocol, Version, Version])[] = (['Connect', 'gRPC-Web'] as const).flatMap(
  (protocol) => [
    [protocol, '1.1', '1.1'] as const,
    [protocol, '1.1', '2'] as const,
    [protocol, '2', '1.1'] as const,
    [protocol, '2', '2'] as const,
  ],
);

interface EchoClient {
  say(message: StringValue, options?: object): Promise<StringValue>;
  spell(message: StringValue, options?: object): AsyncIterable<StringValue>;
  gather(messages: AsyncIterable<StringValue>, options?: object): Promise<StringValue>;
  talk(messages: AsyncIterable<StringValue>, options?: object): AsyncIterable<StringValue>;
}

const message = (value: string): StringValue => create(StringValueSchema, { value });

let authority: Authority;
let server: Issued;

beforeAll(async () => {
  authority = await Authority.root();
  server = await authority.issue({ subject: 'CN=server', dns: ['localhost'] });
});

/** A client of the service behind a proxy of its own, over TLS or not. */
async function through(
  protocol: Protocol,
  down: Version,
  up: Version,
  isSecured: boolean,
  manager: Record<string, unknown> = {},
): Promise<EchoClient> {
  const origin = cluster('origin', [await startEcho()], up === '2' ? http2Cluster() : {});
  const listener = isSecured ? securedListener({ authority, server }, { manager }) : httpListener({ manager });
  const app = await App.start(bootstrap([listener], [origin]));
  const baseUrl = isSecured ? `https://localhost:${await app.port()}` : await app.url();
  const nodeOptions = { ca: authority.rootPem };
  // Without a manager of its own a connection outlives the test.
  const sessions = new Http2SessionManager(baseUrl, {}, nodeOptions);
  onTestFinished(() => sessions.abort());
  const shared = { baseUrl, sendCompression: compressionGzip, compressMinBytes: 4096 };
  const options = down === '2' ? { httpVersion: down, sessionManager: sessions } : { httpVersion: down, nodeOptions };
  const transport = (protocols[protocol] as (options: object) => Transport)({ ...shared, ...options });
  return createClient(Echo, transport) as unknown as EchoClient;
}

async function* letters(word: string): AsyncGenerator<StringValue> {
  for (const letter of word) yield message(letter);
}

async function joined(answers: AsyncIterable<StringValue>): Promise<string> {
  let whole = '';
  for await (const { value } of answers) whole += value;
  return whole;
}

async function unary(client: EchoClient): Promise<void> {
  let heard: string | null = null;
  let last: string | null = null;
  const options = {
    headers: { 'x-said': 'this' },
    onHeader: (headers: Headers) => (heard = headers.get('x-heard')),
    onTrailer: (trailers: Headers) => (last = trailers.get('x-last')),
  };
  expect(await client.say(message('hello'), options)).toMatchObject({ value: 'hello' });
  expect([heard, last]).toEqual(['this', 'yes']);
  // Compressed.
  const large = 'large '.repeat(200_000);
  expect((await client.say(message(large))).value === large).toBe(true);
}

async function failing(client: EchoClient): Promise<void> {
  const error = ConnectError.from(await client.say(message(refused)).catch((reason: unknown) => reason));
  expect([error.code, error.rawMessage]).toEqual([Code.FailedPrecondition, 'as you wish – ü']);
  expect(error.metadata.get('x-why')).toBe('asked for');
  expect(error.findDetails(StringValueSchema)).toMatchObject([{ value: 'a detail' }]);
}

async function streaming(client: EchoClient): Promise<void> {
  expect(await joined(client.spell(message('a stream of letters')))).toBe('a stream of letters');
  expect((await client.gather(letters('gathered'))).value).toBe('gathered');
  const calls = Array.from({ length: 20 }, (_, i) => joined(client.spell(message(`call ${i}`))));
  expect(await Promise.all(calls)).toEqual(calls.map((_, i) => `call ${i}`));
}

/** A question is asked only when the one before has been answered. */
async function conversation(client: EchoClient): Promise<void> {
  const heard: string[] = [];
  let next = Promise.withResolvers<void>();
  async function* questions(): AsyncGenerator<StringValue> {
    for (const word of ['one', 'two', 'three']) {
      yield message(word);
      await next.promise;
      next = Promise.withResolvers<void>();
    }
  }
  for await (const { value } of client.talk(questions())) {
    heard.push(value);
    next.resolve();
  }
  expect(heard).toEqual(['ONE', 'TWO', 'THREE']);
}

async function everything(client: EchoClient, isDuplex: boolean): Promise<void> {
  await unary(client);
  await failing(client);
  await streaming(client);
  if (isDuplex) await conversation(client);
}

describe.each([false, true])('TLS: %s', (isSecured) => {
  test.each(crossings)('%s, HTTP/%s to HTTP/%s', async (protocol, down, up) => {
    await everything(await through(protocol, down, up, isSecured), down === '2' && up === '2');
  });

  test('gRPC, HTTP/2 to HTTP/2', async () => {
    await everything(await through('gRPC', '2', '2', isSecured), true);
  });
});

test('a deadline of the client’s is one of the proxy’s stream', async () => {
  const client = await through('gRPC', '2', '2', false);
  // oxlint-disable-next-line require-yield -- it never says anything
  async function* silence(): AsyncGenerator<StringValue> {
    await Promise.withResolvers<void>().promise;
  }
  const late = await joined(client.talk(silence(), { timeoutMs: 200 })).catch((reason: unknown) => reason);
  expect(ConnectError.from(late).code).toBe(Code.DeadlineExceeded);
  await unary(client);
});

const filter = (name: string, type: string): object => ({
  name,
  typed_config: { '@type': `type.googleapis.com/envoy.extensions.filters.http.${type}` },
});

test.each(['1.1', '2'] as const)('gRPC-Web over HTTP/%s is gRPC behind the filter', async (down) => {
  const filters = [filter('grpc_web', 'grpc_web.v3.GrpcWeb'), filter('router', 'router.v3.Router')];
  const client = await through('gRPC-Web', down, '2', false, { http_filters: filters });
  await everything(client, false);
  let protocol: string | null = null;
  await client.say(message('?'), { onHeader: (headers: Headers) => (protocol = headers.get('x-protocol')) });
  expect(protocol).toBe('grpc');
});
