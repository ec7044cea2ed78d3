import { X509Certificate } from 'node:crypto';
import type { CertificateCache } from '../certificates/certificate-cache.ts';
import { dumpPolicy, dumpService, dumpWorkload } from '../state/dump.ts';
import type { Mesh, MeshChange, WorkloadInfo } from '../state/mesh.ts';
import type { ListedConnection } from '../thread/thread-messages.ts';
import type { ZtunnelSettings } from '../settings.ts';

type Json = Record<string, unknown>;

/** A workload whose proxy is ours. */
export interface DumpedProxy {
  readonly uid: string;
  readonly info: WorkloadInfo;
  readonly state: 'Up' | 'Pending' | 'Draining';
}

export interface DumpSource {
  readonly mesh: Mesh;
  readonly settings: ZtunnelSettings;
  readonly certificates: CertificateCache | null;
  readonly proxies: readonly DumpedProxy[];
  readonly connections: readonly ListedConnection[];
  readonly staticConfig: MeshChange;
  readonly version: string;
}

/** GET /config_dump: what `istioctl ztunnel-config` reads. */
export function configDump(source: DumpSource): Json {
  const { mesh, settings, staticConfig } = source;
  return {
    workloads: [...mesh.allWorkloads].map(dumpWorkload),
    services: [...mesh.services.all].map((service) => dumpService(service, mesh)),
    policies: [...mesh.allPolicies].map(dumpPolicy),
    stagedServices: stagedServices(mesh),
    staticConfig: {
      workloads: staticConfig.workloads.map(dumpWorkload),
      services: staticConfig.services.map((service) => dumpService(service, mesh)),
      policies: staticConfig.policies.map(dumpPolicy),
    },
    version: { version: source.version, istioVersion: source.version, buildStatus: 'Clean' },
    config: dumpSettings(settings),
    certificates: source.certificates === null ? [] : dumpCertificates(source.certificates),
    workloadState: Object.fromEntries(
      source.proxies.map(({ uid, info, state }) => [
        uid,
        { state, connections: connectionsOf(uid, source.connections), info },
      ]),
    ),
  };
}

function connectionsOf(uid: string, connections: readonly ListedConnection[]): Json {
  const of = (direction: ListedConnection['direction']): Json[] =>
    connections
      .filter((connection) => connection.uid === uid && connection.direction === direction)
      .map(({ src, originalDst, actualDst, protocol }) => ({ src, originalDst, actualDst, protocol }));
  return { inbound: of('inbound'), outbound: of('outbound') };
}

/** Endpoints of services that nobody knows yet. */
function stagedServices(mesh: Mesh): Json {
  const staged: Json = {};
  for (const key of mesh.endpoints.keys()) {
    if (mesh.services.get(key) !== null) continue;
    staged[key] = Object.fromEntries(
      [...mesh.endpoints.of(key)].map(([uid, { ports, workload }]) => [
        uid,
        { workloadUid: uid, port: ports, status: workload.status },
      ]),
    );
  }
  return staged;
}

function dumpCertificates(cache: CertificateCache): Json[] {
  return [...cache.all].map(([identity, state, certified]) => ({
    identity,
    state,
    certChain: certified === null ? [] : certificatesOf(certified.chain),
    rootCerts: certified === null ? [] : certificatesOf(certified.roots),
  }));
}

function certificatesOf(pem: string): Json[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
  return blocks.map((block) => {
    const certificate = new X509Certificate(block);
    return {
      pem: Buffer.from(block).toString('base64'),
      serialNumber: BigInt(`0x${certificate.serialNumber}`).toString(),
      validFrom: secondsOf(certificate.validFromDate),
      expirationTime: secondsOf(certificate.validToDate),
    };
  });
}

function secondsOf(date: Date): string {
  return date.toISOString().replace(/\.\d+/, '');
}

function dumpSettings(settings: ZtunnelSettings): Json {
  const { proxy, dedicated } = settings;
  const duration = (ms: number): Json => ({ secs: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 });
  const listening = (port: number): string =>
    `${proxy.listenAddress.includes(':') ? `[${proxy.listenAddress}]` : proxy.listenAddress}:${port}`;
  return {
    proxy: true,
    network: proxy.network,
    localNode: proxy.node === '' ? null : proxy.node,
    clusterId: proxy.clusterId,
    clusterDomain: proxy.clusterDomain,
    proxyMode: dedicated === null ? 'Shared' : 'Dedicated',
    proxyWorkloadInformation: dedicated,
    windowSize: proxy.hbone.streamWindowBytes,
    connectionWindowSize: proxy.hbone.connectionWindowBytes,
    frameSize: proxy.hbone.frameBytes,
    poolMaxStreamsPerConn: proxy.hbone.streamsPerConnectionMax,
    poolUnusedReleaseTimeout: duration(proxy.hbone.unusedReleaseMs),
    selfTerminationDeadline: duration(proxy.drainMs),
    outboundAddr: listening(proxy.outboundPort),
    inboundAddr: listening(proxy.inboundPort),
    inboundPlaintextAddr: listening(proxy.plaintextPort),
    socks5Addr: proxy.socksPort < 0 ? null : listening(proxy.socksPort),
    adminAddr: { Localhost: [false, settings.adminPort] },
    statsAddr: { SocketAddr: listening(settings.statsPort) },
    readinessAddr: { SocketAddr: listening(settings.readinessPort) },
    xdsAddress: settings.xdsAddress === '' ? null : settings.xdsAddress,
    caAddress: settings.caAddress === '' ? null : settings.caAddress,
    fakeCa: settings.isCaFake,
    xdsOnDemand: false,
    secretTtl: duration(settings.secretLifetimeMs),
    inpodUds: settings.cniSocketPath,
    inpodPortReuse: proxy.reusePort,
    packetMark: proxy.mark === 0 ? null : proxy.mark,
    numWorkerThreads: settings.threads,
    preferedServiceNamespace: settings.preferredNamespace === '' ? null : settings.preferredNamespace,
  };
}
