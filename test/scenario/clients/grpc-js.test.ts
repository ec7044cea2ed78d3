/** grpc-js as client of a TLS listener, which it reaches by ALPN, with a certificate of its own. */
import {
  Client,
  credentials,
  Metadata,
  status,
  type CallOptions,
  type ClientUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Authority, type Issued } from '../../certificates.ts';
import { App } from '../app.ts';
import { bootstrap, cluster, route } from '../config.ts';
import { http2Cluster } from '../h2-origin.ts';
import { until } from '../wait.ts';
import { method, refused, startEcho } from './echo-service.ts';
import { securedListener } from './secured.ts';

let authority: Authority;
let server: Issued;
let client: Issued;

beforeAll(async () => {
  authority = await Authority.root();
  server = await authority.issue({ subject: 'CN=server', dns: ['localhost'] });
  client = await authority.issue({ subject: 'CN=client', uris: ['spiffe://scenario.test/grpc-js'] });
});

async function started(common: Record<string, unknown> = {}): Promise<App> {
  const routes = [route('/', 'origin', { timeout: '0s' })];
  const context = { require_client_certificate: true };
  const listener = securedListener({ authority, server, context, common }, { routes });
  return App.start(bootstrap([listener], [cluster('origin', [await startEcho()], http2Cluster())]));
}

async function connected(app: App, presents = true): Promise<Client> {
  const own = presents ? [Buffer.from(client.keyPem), Buffer.from(client.chainPem)] : [];
  const secure = credentials.createSsl(Buffer.from(authority.rootPem), ...own);
  const opened = new Client(`localhost:${await app.port()}`, secure, { 'grpc.enable_retries': 0 });
  onTestFinished(() => opened.close());
  return opened;
}

const encode = (value: string): Buffer =>
  Buffer.from(toBinary(StringValueSchema, create(StringValueSchema, { value })));
const decode = (bytes: Buffer): string => fromBinary(StringValueSchema, bytes).value;

interface Said {
  readonly value: string;
  readonly initial: Metadata;
  readonly trailing: Metadata;
}

function say(to: Client, value: string, options: CallOptions = {}): Promise<Said> {
  return new Promise((resolve, reject) => {
    const metadata = new Metadata();
    metadata.set('x-said', 'this');
    let initial = new Metadata();
    let answer = '';
    const call: ClientUnaryCall = to.makeUnaryRequest(
      method('Say'),
      encode,
      decode,
      value,
      metadata,
      options,
      (error: ServiceError | null, heard?: string) => {
        if (error) reject(error);
        answer = heard ?? '';
      },
    );
    call.on('metadata', (heard: Metadata) => (initial = heard));
    call.on('status', ({ metadata: trailing }) => resolve({ value: answer, initial, trailing }));
  });
}

async function talk(to: Client, words: readonly string[]): Promise<string[]> {
  const call = to.makeBidiStreamRequest(method('Talk'), encode, decode);
  const heard: string[] = [];
  call.on('data', (value: string) => heard.push(value));
  for (const word of words) {
    const before = heard.length;
    call.write(word);
    await until(`an answer to ${word}`, () => heard.length > before);
  }
  call.end();
  await new Promise<void>((resolve, reject) => void call.on('end', resolve).on('error', reject));
  return heard;
}

describe('grpc-js over TLS', () => {
  test('unary calls with metadata both ways, an error in its own words', async () => {
    const app = await started();
    const to = await connected(app);
    const { value, initial, trailing } = await say(to, 'hello');
    expect([value, initial.get('x-heard'), trailing.get('x-last')]).toEqual(['hello', ['this'], ['yes']]);
    await expect(say(to, refused)).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'as you wish – ü',
    });
    const large = 'large '.repeat(500_000);
    expect((await say(to, large)).value === large).toBe(true);
    expect(await app.stat('http.ingress.downstream_cx_http2_total')).toBe(1);
    expect(await app.stat('listener.127.0.0.1_0.ssl.handshake')).toBe(1);
  });

  test('a conversation, and a hundred of them at the same time', async () => {
    const to = await connected(await started());
    expect(await talk(to, ['one', 'two'])).toEqual(['ONE', 'TWO']);
    const all = Array.from({ length: 100 }, (_, i) => talk(to, [`a${i}`, `b${i}`, `c${i}`]));
    expect(await Promise.all(all)).toEqual(all.map((_, i) => [`A${i}`, `B${i}`, `C${i}`]));
  });

  test('a call that is cancelled is reset at the origin', async () => {
    const app = await started();
    const to = await connected(app);
    const call = to.makeBidiStreamRequest(method('Talk'), encode, decode);
    call.on('error', () => {});
    call.write('a');
    await new Promise((resolve) => call.once('data', resolve));
    call.cancel();
    await app.statIs('cluster.origin.upstream_rq_active', 0);
    expect(await app.stat('http.ingress.downstream_rq_rx_reset')).toBe(1);
  });

  test('TLS 1.2 suffices', async () => {
    const app = await started({ tls_params: { tls_maximum_protocol_version: 'TLSv1_2' } });
    expect((await say(await connected(app), 'old')).value).toBe('old');
    expect(await app.stat('listener.127.0.0.1_0.ssl.versions.TLSv1.2')).toBe(1);
  });

  test('who has no certificate is told that nobody is there', async () => {
    const app = await started();
    await expect(say(await connected(app, false), 'x')).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(await app.stat('listener.127.0.0.1_0.ssl.fail_verify_no_cert')).toBeGreaterThan(0);
  });
});
