import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Authority } from '../../certificates.ts';
import type { AtEnd } from '../../scenario/scope.ts';
import { until } from '../../scenario/wait.ts';
import { findProgram } from '../binaries.ts';
import { freePorts } from '../ports.ts';

const issuer = 'tests';
const audience = 'istio-ca';

/** What istiod says of one proxy: the state of each type of resource. */
export interface SyncStatus {
  readonly proxy: string;
  readonly cluster_sent?: string;
  readonly cluster_acked?: string;
  readonly listener_sent?: string;
  readonly listener_acked?: string;
  readonly route_sent?: string;
  readonly route_acked?: string;
  readonly endpoint_sent?: string;
  readonly endpoint_acked?: string;
}

/** A genuine istiod on files alone: no Kubernetes. ISTIOD_BIN names the program. */
export class Istiod {
  readonly directory: string;
  /** Plaintext, without authentication. */
  readonly grpcPort: number;
  /** TLS: certificates and tokens. */
  readonly securePort: number;
  readonly authority: Authority;
  private readonly httpPort: number;
  private readonly monitoringPort: number;
  private readonly jwksUrl: string;
  private readonly tokenKey: KeyObject;
  private child: ChildProcess | null;

  private constructor(
    directory: string,
    ports: readonly number[],
    authority: Authority,
    jwksUrl: string,
    tokenKey: KeyObject,
  ) {
    this.directory = directory;
    [this.grpcPort, this.securePort, this.httpPort, this.monitoringPort] = ports;
    this.authority = authority;
    this.jwksUrl = jwksUrl;
    this.tokenKey = tokenKey;
    this.child = null;
  }

  /** `files`: Istio's resources, by name. `mesh`: MeshConfig, YAML. */
  static async start(
    directory: string,
    mesh: string,
    files: Readonly<Record<string, string>>,
    atEnd: AtEnd,
  ): Promise<Istiod> {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] });
    const keys = createServer((_, response) => void response.end(jwks)).listen(0, '127.0.0.1');
    await once(keys, 'listening');
    atEnd(() => void keys.close());
    const jwksUrl = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/jwks`;
    const istiod = new Istiod(
      directory,
      await freePorts(4),
      await Authority.root('CN=Root,O=istiod'),
      jwksUrl,
      privateKey,
    );
    istiod.writeAuthority();
    mkdirSync(join(directory, 'conf'));
    writeFileSync(join(directory, 'mesh.yaml'), mesh);
    writeFileSync(join(directory, 'networks.yaml'), '{}\n');
    for (const [name, text] of Object.entries(files)) istiod.write(name, text);
    atEnd(() => istiod.stop());
    await istiod.run();
    return istiod;
  }

  /** A resource, or another text of one; istiod takes it within half a second. */
  write(name: string, text: string): void {
    writeFileSync(join(this.directory, 'conf', `${name}.yaml`), text);
  }

  /** A service account's token, as Kubernetes would give it. */
  token(namespace: string, account: string): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: [audience], sub: `system:serviceaccount:${namespace}:${account}` };
    const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ ...claims, iat: now, exp: now + 3600 })}`;
    return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), this.tokenKey).toString('base64url')}`;
  }

  /** What it last sent each proxy, and what of that was acknowledged. */
  async sync(): Promise<readonly SyncStatus[]> {
    const answer = await this.debug('/debug/syncz');
    return answer as readonly SyncStatus[];
  }

  async debug(path: string): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.httpPort}${path}`);
    return response.json();
  }

  output(): string {
    return readFileSync(join(this.directory, 'istiod.log'), 'utf8');
  }

  async run(): Promise<void> {
    const log = openSync(join(this.directory, 'istiod.log'), 'a');
    const child = spawn(findProgram('istiod')!, this.args(), { env: this.environment(), stdio: ['ignore', log, log] });
    closeSync(log);
    this.child = child;
    // `/ready` never says so without Kubernetes.
    await until('istiod to listen', () => {
      if (child.exitCode !== null) throw new Error(`istiod ended:\n${this.output().slice(-4000)}`);
      return answers(this.grpcPort);
    });
  }

  async stop(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  private args(): string[] {
    return [
      'discovery',
      '--registries=',
      `--configDir=${join(this.directory, 'conf')}`,
      `--meshConfig=${join(this.directory, 'mesh.yaml')}`,
      `--networksConfig=${join(this.directory, 'networks.yaml')}`,
      `--grpcAddr=127.0.0.1:${this.grpcPort}`,
      `--secureGRPCAddr=127.0.0.1:${this.securePort}`,
      `--httpAddr=127.0.0.1:${this.httpPort}`,
      '--httpsAddr=',
      `--monitoringAddr=127.0.0.1:${this.monitoringPort}`,
      // Its own introspection would take a fixed port.
      '--ctrlz_port=0',
    ];
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      POD_NAME: 'istiod-0',
      POD_NAMESPACE: 'istio-system',
      REVISION: 'default',
      CLUSTER_ID: 'Kubernetes',
      ROOT_CA_DIR: join(this.directory, 'cacerts'),
      PILOT_CERT_PROVIDER: 'istiod',
      ENABLE_DEBUG_ENDPOINT_AUTH: 'false',
      PILOT_ENABLE_IP_AUTOALLOCATE: 'false',
      PILOT_DEBOUNCE_AFTER: '10ms',
      CLOUD_PLATFORM: 'none',
      JWT_RULE: JSON.stringify({ issuer, jwks_uri: this.jwksUrl, audiences: [audience] }),
    };
  }

  private writeAuthority(): void {
    const { certificate, rootPem } = this.authority;
    const folder = join(this.directory, 'cacerts');
    mkdirSync(folder);
    writeFileSync(join(folder, 'ca-key.pem'), certificate.keyPem);
    writeFileSync(join(folder, 'ca-cert.pem'), certificate.pem);
    writeFileSync(join(folder, 'cert-chain.pem'), certificate.chainPem);
    writeFileSync(join(folder, 'root-cert.pem'), rootPem);
  }
}

/** Every type that was sent has been taken. */
export function isSynced(status: SyncStatus): boolean {
  return (
    status.cluster_sent !== undefined &&
    status.cluster_acked === status.cluster_sent &&
    status.listener_acked === status.listener_sent &&
    status.route_acked === status.route_sent &&
    status.endpoint_acked === status.endpoint_sent
  );
}

function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1', () => {
    socket.destroy();
    resolve(true);
  });
  socket.on('error', () => resolve(false));
  return promise;
}
