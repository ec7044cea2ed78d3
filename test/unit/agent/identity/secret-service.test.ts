import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, type ClientDuplexStream } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GrpcServer } from '../../../../src/agent/grpc/grpc-server.ts';
import { secretFilesOf } from '../../../../src/agent/identity/file-secrets.ts';
import { machineTime } from '../../../../src/agent/identity/later.ts';
import {
  decodeSecretRequest,
  encodeSecretAnswer,
  streamSecretsPath,
} from '../../../../src/agent/identity/sds-decode.ts';
import { SecretService } from '../../../../src/agent/identity/secret-service.ts';
import { Secrets, type SecretsOptions } from '../../../../src/agent/identity/secrets.ts';
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
  type DiscoveryResponse,
} from '../../../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import {
  SecretSchema,
  type Secret,
} from '../../../../src/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { anyUnpack, create, fromBinary, toBinary } from '../../../../src/proto/protobuf.js';
import { Authority, type Issued } from '../../../certificates.ts';
import { KeptLog } from '../../../kept-log.ts';

let folder: string;
let server: GrpcServer;
let secrets: Secrets;
let clients: Client[];
const log = new KeptLog();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sds-'));
  clients = [];
});
afterEach(() => {
  for (const client of clients) client.close();
  server.close();
  secrets.close();
  rmSync(folder, { recursive: true });
});

async function serve(options: Partial<SecretsOptions> = {}): Promise<void> {
  secrets = new Secrets({
    workloadFiles: new Map(),
    hasCa: true,
    revokedPath: () => '',
    systemRootsPath: '',
    settleMs: 5,
    later: machineTime,
    random: () => 0.5,
    log,
    ...options,
  });
  const service = new SecretService(secrets, log);
  server = await GrpcServer.listen(join(folder, 'a/socket'), {
    [streamSecretsPath]: (call) => service.streamSecrets(call),
  });
}

/** One stream of a client that is none of ours. */
class Watch {
  private readonly call: ClientDuplexStream<Uint8Array, DiscoveryResponse>;
  private readonly answers: DiscoveryResponse[] = [];
  private readonly waiting: ((answer: DiscoveryResponse) => void)[] = [];
  readonly ended: Promise<{ code?: number; details?: string }>;

  constructor() {
    const client = new Client(`unix:${join(folder, 'a/socket')}`, credentials.createInsecure());
    clients.push(client);
    this.call = client.makeBidiStreamRequest(
      streamSecretsPath,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes) => fromBinary(DiscoveryResponseSchema, bytes),
    );
    this.call.on('data', (answer: DiscoveryResponse) => {
      const next = this.waiting.shift();
      if (next === undefined) this.answers.push(answer);
      else next(answer);
    });
    this.ended = new Promise((resolve) => {
      this.call.on('error', (error) => resolve(error));
    });
  }

  ask(resourceNames: string[], responseNonce = ''): void {
    this.call.write(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, { resourceNames, responseNonce })));
  }

  next(): Promise<DiscoveryResponse> {
    const answer = this.answers.shift();
    return answer === undefined ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve(answer);
  }

  get unread(): number {
    return this.answers.length;
  }
}

function secretIn(answer: DiscoveryResponse): Secret {
  expect(answer.resources).toHaveLength(1);
  return anyUnpack(answer.resources[0], SecretSchema)!;
}

function inlineText(secret: Secret): string {
  const { type } = secret;
  const source = type.case === 'validationContext' ? type.value.trustedCa : (type.value as never)['certificateChain'];
  return Buffer.from((source as { specifier: { value: Uint8Array } }).specifier.value).toString();
}

const certified = (chain: string, roots: string) => ({ chain, key: 'key\n', roots, expiresMs: 0 });

describe('what the CA has certified', () => {
  test('is told when it is there, again when it changes, and not again for an acknowledgement', async () => {
    await serve();
    const watch = new Watch();
    watch.ask(['default']);
    const roots = new Watch();
    roots.ask(['ROOTCA']);
    secrets.onCertified(certified('one\n', 'root one\n'), true);
    const first = await watch.next();
    expect(secretIn(first)).toMatchObject({ name: 'default' });
    expect(inlineText(secretIn(first))).toBe('one\n');
    expect(inlineText(secretIn(await roots.next()))).toBe('root one\n');
    watch.ask(['default'], first.nonce);
    secrets.onCertified(certified('two\n', 'root one\n'), false);
    expect(inlineText(secretIn(await watch.next()))).toBe('two\n');
    secrets.addRoots(['root two\n', 'root one']);
    expect(inlineText(secretIn(await roots.next()))).toBe('root one\nroot two\n');
    expect(watch.unread + roots.unread).toBe(0);
  });

  test('a name that there is not ends the stream', async () => {
    await serve();
    const watch = new Watch();
    watch.ask(['other']);
    expect(await watch.ended).toMatchObject({ code: 5, details: "there is no secret 'other'" });
  });

  test('where another serves the workload, its names are none of ours', async () => {
    await serve({ hasCa: false });
    const watch = new Watch();
    watch.ask(['default']);
    expect(await watch.ended).toMatchObject({ code: 5 });
  });
});

describe('certificates in files', () => {
  let authority: Authority;
  let issued: Issued;

  beforeEach(async () => {
    authority = await Authority.root();
    issued = await authority.issue();
  });

  /** As they are replaced: whole. */
  function put(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    return path;
  }

  test('are told, and again when both have changed; half a change is not', async () => {
    await serve();
    const chain = put('chain.pem', issued.chainPem);
    const key = put('key.pem', issued.keyPem);
    const watch = new Watch();
    watch.ask([`file-cert:${chain}~${key}`]);
    expect(inlineText(secretIn(await watch.next()))).toBe(issued.chainPem);
    const other = await authority.issue();
    put('chain.pem', other.chainPem);
    put('key.pem', other.keyPem);
    expect(inlineText(secretIn(await watch.next()))).toBe(other.chainPem);
  });

  test('are waited for', async () => {
    await serve();
    const watch = new Watch();
    watch.ask([`file-root:${join(folder, 'roots.pem')}`]);
    put('roots.pem', authority.rootPem);
    expect(inlineText(secretIn(await watch.next()))).toBe(authority.rootPem);
  });

  test("of the workload's own, with what is revoked", async () => {
    const rootsPath = put('root-cert.pem', authority.rootPem);
    await serve({
      workloadFiles: new Map([['ROOTCA', { kind: 'roots', rootsPath }]]),
      hasCa: false,
      revokedPath: () => '/crl.pem',
    });
    const watch = new Watch();
    watch.ask(['ROOTCA']);
    expect(secretIn(await watch.next()).type.value).toMatchObject({ crl: { specifier: { value: '/crl.pem' } } });
  });
});

test.each([
  ['file-cert:a~b', { kind: 'certificate', chainPath: 'a', keyPath: 'b' }],
  ['file-root:a', { kind: 'roots', rootsPath: 'a' }],
  ['file-root:system', { kind: 'roots', rootsPath: '/bundle' }],
  ['file-cert:a', null],
  ['file-cert:a~b~c', null],
  ['file-root:a~b', null],
  ['default', null],
])('files of %s', (name, expected) => {
  expect(secretFilesOf(name, '/bundle')).toEqual(expected);
});

test.each(['default', 'ROOTCA'])("%s: the bytes of Istio's agent", async (name) => {
  await serve();
  const recorded = readFileSync(join(import.meta.dirname, `../../../fixtures/pilot-agent-sds/${name}.pb`));
  const answer = fromBinary(DiscoveryResponseSchema, recorded);
  const secret = secretIn(answer);
  const text = (source: unknown): string =>
    Buffer.from((source as { specifier: { value: Uint8Array } }).specifier.value).toString();
  const made =
    secret.type.case === 'tlsCertificate'
      ? {
          kind: 'certificate' as const,
          chain: text(secret.type.value.certificateChain),
          key: text(secret.type.value.privateKey),
        }
      : { kind: 'roots' as const, roots: inlineText(secret), revoked: '' };
  const { versionInfo: version, nonce } = answer;
  expect(Buffer.from(encodeSecretAnswer({ secrets: [[name, made]], version, nonce }))).toEqual(recorded);
  expect(decodeSecretRequest(new Uint8Array())).toEqual({ names: [], nonce: '', refusal: '' });
});
