import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path/posix';
import type { Log } from '../../observe/log/log.ts';
import { AgentError } from '../agent-error.ts';
import { filesSocketPath, identitySocketFolder } from '../bootstrap/bootstrap.ts';
import type { ControlPlane } from '../control-plane.ts';
import type { Environment } from '../environment.ts';
import { GrpcChannel } from '../grpc/grpc-channel.ts';
import { GrpcServer } from '../grpc/grpc-server.ts';
import { CaClient, type Certified } from './ca-client.ts';
import type { SecretFiles } from './file-secrets.ts';
import { keyKind } from './key-pair.ts';
import { machineTime } from './later.ts';
import { streamSecretsPath } from './sds-decode.ts';
import { SecretService } from './secret-service.ts';
import { rootSecretName, workloadSecretName } from './secret.ts';
import { Secrets } from './secrets.ts';
import { WorkloadCertificate } from './workload-certificate.ts';

/** Files that another wrote for the workload. */
const mountedFolder = './etc/certs';
const credentialsFolder = './var/run/secrets/workload-spiffe-credentials';
const revokedPath = './var/run/secrets/istio/crl/ca-crl.pem';
/** Bundles of the distributions, in the order in which Istio's agent looks for them. */
const systemRootsPaths = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

export interface IdentityOptions {
  readonly environment: Environment;
  readonly controlPlane: ControlPlane;
  /** A socket at the place of the workload's identity answers: SPIRE's. Files only are served then. */
  readonly hasIdentitySocket: boolean;
  readonly log: Log;
}

/** Who the workload is: certificates of a CA or of files, served to the proxy at a Unix socket. */
export class Identity {
  readonly secrets: Secrets;
  private readonly server: GrpcServer;
  private readonly certificate: WorkloadCertificate | null;
  private readonly client: CaClient | null;

  private constructor(
    secrets: Secrets,
    server: GrpcServer,
    certificate: WorkloadCertificate | null,
    client: CaClient | null,
  ) {
    this.secrets = secrets;
    this.server = server;
    this.certificate = certificate;
    this.client = client;
  }

  /** @throws AgentError or Error where it cannot */
  static async open(options: IdentityOptions): Promise<Identity> {
    const { environment, hasIdentitySocket, log } = options;
    const workloadFiles = filesOfWorkload(environment);
    const isMounted =
      environment.boolean('FILE_MOUNTED_CERTS', false) || existsSync(join(credentialsFolder, 'key.pem'));
    if (isMounted && environment.text('PROV_CERT') !== '')
      throw new AgentError('PROV_CERT and FILE_MOUNTED_CERTS exclude each other');
    const hasCa = !isMounted && !hasIdentitySocket;
    const secrets = new Secrets({
      workloadFiles,
      hasCa,
      revokedPath: () => (existsSync(revokedPath) ? revokedPath : ''),
      systemRootsPath: systemRootsPaths.find((path) => existsSync(path)) ?? '',
      settleMs: environment.durationMs('FILE_DEBOUNCE_DURATION', 100),
      later: machineTime,
      random: Math.random,
      log,
    });
    const service = new SecretService(secrets, log);
    const path = hasIdentitySocket ? filesSocketPath : join(identitySocketFolder, 'socket');
    const server = await GrpcServer.listen(path, { [streamSecretsPath]: (call) => service.streamSecrets(call) });
    log.info(`secrets are served at ${path}${hasIdentitySocket ? ", files only: another serves the workload's" : ''}`);
    if (!hasCa || workloadFiles.has(workloadSecretName)) return new Identity(secrets, server, null, null);
    const client = caClient(options);
    const certificate = workloadCertificate(options, client, secrets);
    void certificate.start();
    return new Identity(secrets, server, certificate, client);
  }

  /** When the CA's certificate ends; null: there is none. */
  get expiresMs(): number | null {
    return this.certificate?.current?.expiresMs ?? null;
  }

  close(): void {
    this.certificate?.close();
    this.client?.close();
    this.server.close();
    this.secrets.close();
  }
}

/** `spiffe://trust-domain/ns/namespace/sa/account`. */
export function spiffeIdOf(environment: Environment): string {
  const trustDomain = environment.text('TRUST_DOMAIN', 'cluster.local');
  return `spiffe://${trustDomain}/ns/${environment.text('POD_NAMESPACE')}/sa/${environment.text('SERVICE_ACCOUNT')}`;
}

function caClient({ environment, controlPlane }: IdentityOptions): CaClient {
  const provider = environment.text('CA_PROVIDER', 'Citadel');
  if (provider !== 'Citadel') throw new AgentError(`CA_PROVIDER is '${provider}'; allowed: Citadel`);
  return new CaClient({
    channel: new GrpcChannel(controlPlane.authority),
    metadata: () => controlPlane.authorityMetadata(),
    identity: spiffeIdOf(environment),
    key: keyKind(environment),
    validitySeconds: Math.trunc(environment.durationMs('SECRET_TTL', 24 * 3_600_000) / 1000),
    signer: environment.text('ISTIO_META_CERT_SIGNER'),
  });
}

function workloadCertificate(
  { environment, log }: IdentityOptions,
  client: CaClient,
  secrets: Secrets,
): WorkloadCertificate {
  const folder = environment.text('OUTPUT_CERTS');
  return new WorkloadCertificate({
    certify: () => client.certify(),
    renewal: {
      graceRatio: environment.number('SECRET_GRACE_PERIOD_RATIO', 0.5),
      graceJitter: environment.number('SECRET_GRACE_PERIOD_RATIO_JITTER', 0.01),
    },
    later: machineTime,
    random: Math.random,
    log,
    onChanged: (certified, hasNewRoots) => {
      secrets.onCertified(certified, hasNewRoots);
      if (folder !== '') writeCertificate(folder, certified, log);
    },
  });
}

/** OUTPUT_CERTS: for the others of a virtual machine, and for the agent itself when it starts again. */
function writeCertificate(folder: string, { chain, key, roots }: Certified, log: Log): void {
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
    writeFileSync(join(folder, 'cert-chain.pem'), chain, { mode: 0o600 });
    writeFileSync(join(folder, 'root-cert.pem'), roots, { mode: 0o600 });
  } catch (error) {
    log.error(`the certificate cannot be written to ${folder}: ${(error as Error).message}`);
  }
}

/** Where files have the workload's own; those that the agent itself writes are none of them. */
function filesOfWorkload(environment: Environment): Map<string, SecretFiles> {
  const found = new Map<string, SecretFiles>();
  for (const folder of [credentialsFolder, mountedFolder]) {
    if (join(environment.text('OUTPUT_CERTS', '/')) === join(folder)) continue;
    const chainPath = join(folder, 'cert-chain.pem');
    const keyPath = join(folder, 'key.pem');
    const rootsPath = join(folder, 'root-cert.pem');
    if (!found.has(workloadSecretName) && existsSync(chainPath) && existsSync(keyPath))
      found.set(workloadSecretName, { kind: 'certificate', chainPath, keyPath });
    if (!found.has(rootSecretName) && existsSync(rootsPath)) found.set(rootSecretName, { kind: 'roots', rootsPath });
  }
  return found;
}
