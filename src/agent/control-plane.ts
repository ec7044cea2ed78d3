import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path/posix';
import { AgentError } from './agent-error.ts';
import type { ChannelOptions, ChannelTls, Metadata } from './grpc/grpc-channel.ts';
import type { Settings } from './settings.ts';

const rootCertificateName = 'root-cert.pem';
/** Mounted from the ConfigMap istio-ca-root-cert. */
const meshRootPath = './var/run/secrets/istio/root-cert.pem';
const mountedRootPath = './etc/certs/root-cert.pem';
const tokenPath = './var/run/secrets/tokens/istio-token';
/** istiod's port without TLS. */
const plainPort = ':15010';
const localIstiod = 'istiod.istio-system.svc';

/** Where the control plane and its CA are, how they prove who they are, and what they are told of us. */
export class ControlPlane {
  private readonly settings: Settings;

  constructor(settings: Settings) {
    this.settings = settings;
  }

  /** The discovery service. @throws AgentError */
  get discovery(): ChannelOptions {
    const { environment, proxyConfig } = this.settings;
    const address = proxyConfig.discoveryAddress ?? '';
    const isPlain = address.endsWith(plainPort) || proxyConfig.controlPlaneAuthPolicy === undefined;
    return {
      ...hostAndPort(address, 'discoveryAddress'),
      tls: isPlain
        ? null
        : () => this.tls(address, environment.text('ISTIOD_SAN'), this.discoveryRootPath(), this.clientPaths(true)),
    };
  }

  /** The CA. @throws AgentError */
  get authority(): ChannelOptions {
    const { environment, proxyConfig } = this.settings;
    const own = environment.text('CA_ADDR');
    const address = own === '' ? (proxyConfig.discoveryAddress ?? '') : own;
    const serverName = own === '' ? environment.text('ISTIOD_SAN') : '';
    return {
      ...hostAndPort(address, 'CA_ADDR'),
      tls: address.endsWith(plainPort)
        ? null
        : () => this.tls(address, serverName, this.authorityRootPath(), this.clientPaths(false)),
    };
  }

  /** Metadata of calls of the discovery service. */
  discoveryMetadata(): Metadata {
    return { ...this.headers('XDS_HEADER_'), ...this.clusterAndToken() };
  }

  authorityMetadata(): Metadata {
    return { ...this.headers('CA_HEADER_'), ...this.clusterAndToken() };
  }

  /** The token is read each time: it is written anew before it ends. */
  private clusterAndToken(): Metadata {
    const { environment } = this.settings;
    const clusterId = environment.text('ISTIO_META_CLUSTER_ID');
    const token = readToken(environment.text('JWT_POLICY', 'third-party-jwt'));
    return {
      ...(clusterId === '' ? {} : { clusterid: clusterId }),
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  private headers(prefix: string): Metadata {
    const found = this.settings.environment.withPrefix(prefix);
    return Object.fromEntries(found.map(([name, value]) => [name.toLowerCase(), value]));
  }

  private tls(
    address: string,
    serverName: string,
    rootPath: string,
    client: { readonly chain: string; readonly key: string } | null,
  ): ChannelTls {
    const { host } = hostAndPort(address, 'address');
    const hasClient = client !== null && existsSync(client.chain) && existsSync(client.key);
    return {
      roots: rootPath === '' ? null : readFileSync(rootPath, 'utf8'),
      serverName: serverName === '' ? (host === 'localhost' ? localIstiod : host) : serverName,
      certificate: hasClient
        ? { chain: readFileSync(client.chain, 'utf8'), key: readFileSync(client.key, 'utf8') }
        : null,
    };
  }

  /** Empty: the roots of the system. */
  private discoveryRootPath(): string {
    const { environment, proxyConfig } = this.settings;
    const explicit = environment.text('XDS_ROOT_CA');
    const provisioned = environment.text('PROV_CERT');
    if (explicit === 'SYSTEM') return '';
    if (explicit !== '') return explicit;
    if (existsSync(mountedRootPath)) return mountedRootPath;
    if (provisioned !== '') return join(provisioned, rootCertificateName);
    if (environment.boolean('FILE_MOUNTED_CERTS', false))
      return proxyConfig.proxyMetadata?.['ISTIO_META_TLS_CLIENT_ROOT_CERT'] ?? meshRootPath;
    if (environment.text('PILOT_CERT_PROVIDER') === 'none')
      throw new AgentError("PILOT_CERT_PROVIDER is 'none', and XDS_ROOT_CA names no roots for the control plane");
    return meshRootPath;
  }

  private authorityRootPath(): string {
    const { environment } = this.settings;
    const explicit = environment.text('CA_ROOT_CA');
    const provisioned = environment.text('PROV_CERT');
    if (explicit === 'SYSTEM') return '';
    if (explicit !== '') return explicit;
    if (environment.text('PILOT_CERT_PROVIDER') === 'custom') return mountedRootPath;
    if (provisioned !== '') return join(provisioned, rootCertificateName);
    if (environment.text('PILOT_CERT_PROVIDER') === 'none')
      throw new AgentError("PILOT_CERT_PROVIDER is 'none', and CA_ROOT_CA names no roots for the CA");
    return meshRootPath;
  }

  /** A certificate that is there before there is one of the CA: a virtual machine's. */
  private clientPaths(isDiscovery: boolean): { readonly chain: string; readonly key: string } | null {
    const { environment, proxyConfig } = this.settings;
    const provisioned = environment.text('PROV_CERT');
    if (provisioned !== '') return { chain: join(provisioned, 'cert-chain.pem'), key: join(provisioned, 'key.pem') };
    if (!isDiscovery || !environment.boolean('FILE_MOUNTED_CERTS', false)) return null;
    const chain = proxyConfig.proxyMetadata?.['ISTIO_META_TLS_CLIENT_CERT_CHAIN'];
    const key = proxyConfig.proxyMetadata?.['ISTIO_META_TLS_CLIENT_KEY'];
    return chain === undefined || key === undefined ? null : { chain, key };
  }
}

function hostAndPort(address: string, name: string): { readonly host: string; readonly port: number } {
  const found = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  if (found === null) throw new AgentError(`${name} is '${address}', which is no host:port`);
  return { host: found[1] ?? found[2], port: Number(found[3]) };
}

/** Empty: there is none. */
function readToken(policy: string): string {
  if (policy !== 'third-party-jwt' && policy !== 'first-party-jwt') return '';
  try {
    return readFileSync(tokenPath, 'utf8').trim();
  } catch {
    return '';
  }
}
