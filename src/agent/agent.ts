import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '../observe/log/log.ts';
import { AgentError } from './agent-error.ts';
import { AgentMetrics } from './agent-metrics.ts';
import { configDurationMs } from './bootstrap/proxy-config.ts';
import { ControlPlane } from './control-plane.ts';
import { decodeAddedRoots } from './discovery/added-roots.ts';
import { nameTableType, proxyConfigType } from './discovery/discovery-messages.ts';
import { DiscoveryRelay, type ResourceHandler } from './discovery/discovery-relay.ts';
import { DnsProxy } from './dns/dns-proxy.ts';
import { GrpcChannel } from './grpc/grpc-channel.ts';
import { GrpcServer } from './grpc/grpc-server.ts';
import { Identity } from './identity/identity.ts';
import type { Settings } from './settings.ts';
import { parseAppProbes } from './status/app-probe.ts';
import { AppProber } from './status/app-prober.ts';
import { MergedMetrics, scrapeTargets } from './status/merged-metrics.ts';
import { ProxyAdmin } from './status/proxy-admin.ts';
import { Readiness } from './status/readiness.ts';
import { StatusServer } from './status/status-server.ts';
import { Termination } from './status/termination.ts';

export interface AgentOptions {
  readonly settings: Settings;
  /** A socket at the place of the workload's identity answers: SPIRE's. */
  readonly hasIdentitySocket: boolean;
  readonly log: Log;
  /** `/quitquitquit`: the process is to end, at once. */
  readonly onQuit: () => void;
}

/**
 * What stands around a proxy in an Istio mesh: its identity, its way to the control plane, health, metrics, names.
 * The proxy knows it only by its sockets and ports, as it would Istio's own agent.
 */
export class Agent {
  private readonly settings: Settings;
  private readonly identity: Identity;
  private readonly relay: DiscoveryRelay;
  private readonly relayServer: GrpcServer;
  private readonly dns: DnsProxy | null;
  private readonly status: StatusServer | null;
  private readonly termination: Termination;

  private constructor(
    settings: Settings,
    identity: Identity,
    relay: DiscoveryRelay,
    relayServer: GrpcServer,
    dns: DnsProxy | null,
    status: StatusServer | null,
    termination: Termination,
  ) {
    this.settings = settings;
    this.identity = identity;
    this.relay = relay;
    this.relayServer = relayServer;
    this.dns = dns;
    this.status = status;
    this.termination = termination;
  }

  /** Opens all that the proxy will ask for, and writes its configuration. @throws AgentError or Error */
  static async open(options: AgentOptions): Promise<Agent> {
    const { settings, hasIdentitySocket, log } = options;
    const { environment, proxyConfig } = settings;
    refuseWhatIsNotDone(settings);
    const controlPlane = new ControlPlane(settings);
    const dns = await openDns(settings, log);
    const identity = await Identity.open({ environment, controlPlane, hasIdentitySocket, log });
    const relay = new DiscoveryRelay({
      channel: new GrpcChannel(controlPlane.discovery),
      metadata: () => controlPlane.discoveryMetadata(),
      own: ownTypes(settings, identity, dns),
      log,
    });
    const socketPath = join(proxyConfig.configPath ?? '.', 'XDS');
    const relayServer = await GrpcServer.listen(socketPath, relay.methods);
    mkdirSync(dirname(settings.bootstrapPath), { recursive: true });
    writeFileSync(settings.bootstrapPath, `${JSON.stringify(settings.bootstrap, null, 1)}\n`);
    const admin = new ProxyAdmin(settings.localhost, proxyConfig.proxyAdminPort ?? 0);
    const termination = terminationOf(settings, admin, log);
    const status = await openStatus(options, { admin, identity, relay, dns, termination });
    for (const complaint of environment.complaints) log.warn(complaint);
    log.info(
      `${settings.nodeId}: control plane ${proxyConfig.discoveryAddress ?? ''}, bootstrap ${settings.bootstrapPath}`,
    );
    return new Agent(settings, identity, relay, relayServer, dns, status, termination);
  }

  /** Drains the proxy. Resolves when it may end. */
  terminate(): Promise<void> {
    return this.termination.run();
  }

  close(): void {
    this.status?.close();
    this.relayServer.close();
    this.relay.close();
    this.identity.close();
    this.dns?.close();
    rmSync(this.settings.bootstrapPath, { force: true });
  }
}

/** What Istio's agent does and this one does not, by name. */
function refuseWhatIsNotDone({ proxyConfig, environment }: Settings): void {
  for (const field of ['readinessProbe', 'privateKeyProvider'])
    if (proxyConfig[field] !== undefined)
      throw new AgentError(`${field} of the ProxyConfig is not supported by sekisho`);
  if (environment.boolean('DISABLE_ENVOY', false))
    throw new AgentError('DISABLE_ENVOY is not supported by sekisho: it is the proxy');
  const fetcher = environment.text('CREDENTIAL_FETCHER_TYPE', 'JWT');
  if (fetcher !== 'JWT') throw new AgentError(`CREDENTIAL_FETCHER_TYPE is '${fetcher}'; allowed: JWT`);
}

async function openDns(settings: Settings, log: Log): Promise<DnsProxy | null> {
  const { environment, flags } = settings;
  const isCaptured = flags.type === 'sidecar' && environment.boolean('ISTIO_META_DNS_CAPTURE', false);
  if (!isCaptured && !environment.boolean('ISTIO_META_ENABLE_DNS_SERVER', false)) return null;
  return DnsProxy.open({
    address: environment.text('DNS_PROXY_ADDR', 'localhost:15053'),
    namespace: environment.text('POD_NAMESPACE'),
    domain: settings.domain,
    isParallel: environment.boolean('DNS_FORWARD_PARALLEL', false),
    timeoutMs: environment.durationMs('DNS_FORWARD_TIMEOUT', 5000),
    log,
  });
}

function ownTypes(
  { environment }: Settings,
  identity: Identity,
  dns: DnsProxy | null,
): ReadonlyMap<string, ResourceHandler> {
  const own = new Map<string, ResourceHandler>();
  if (dns !== null) own.set(nameTableType, (bytes) => dns.update(bytes));
  if (environment.boolean('PROXY_CONFIG_XDS_AGENT', false))
    own.set(proxyConfigType, (bytes) => identity.secrets.addRoots(decodeAddedRoots(bytes)));
  return own;
}

function terminationOf({ environment, flags, proxyConfig }: Settings, admin: ProxyAdmin, log: Log): Termination {
  return new Termination({
    admin,
    isSidecar: flags.type === 'sidecar',
    drainMs: configDurationMs(proxyConfig.terminationDrainDuration, 0),
    exitsOnZero: environment.boolean('EXIT_ON_ZERO_ACTIVE_CONNECTIONS', false),
    minimumDrainMs: environment.durationMs('MINIMUM_DRAIN_DURATION', 5000),
    uncountedPorts: [
      environment.integer('ENVOY_STATUS_PORT', 15021),
      environment.integer('ENVOY_PROMETHEUS_PORT', 15090),
    ],
    wait: async (ms) => wait(ms),
    log,
  });
}

interface Parts {
  readonly admin: ProxyAdmin;
  readonly identity: Identity;
  readonly relay: DiscoveryRelay;
  readonly dns: DnsProxy | null;
  readonly termination: Termination;
}

/** Null: its port is 0. */
async function openStatus({ settings, log, onQuit }: AgentOptions, parts: Parts): Promise<StatusServer | null> {
  const { environment, flags, isIpv6Only, localhost, proxyConfig } = settings;
  const { statusPort } = proxyConfig;
  if (statusPort === undefined) return null;
  const { dns, identity, relay, termination } = parts;
  const targets = flags.type === 'sidecar' ? environment.text('ISTIO_PROMETHEUS_ANNOTATIONS') : '';
  const prometheusPort = environment.integer('ENVOY_PROMETHEUS_PORT', 15090);
  const metrics = new AgentMetrics(
    () => identity.expiresMs,
    () => relay.failures,
  );
  const pod = environment.text('INSTANCE_IP', localhost);
  const isLegacy = environment.boolean('REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION', false);
  return StatusServer.listen(statusPort, {
    readiness: new Readiness(parts.admin, () =>
      dns === null || dns.isReady ? '' : 'istio DNS capture is turned ON and DNS lookup table is not ready yet',
    ),
    metrics: new MergedMetrics({
      proxyBase: `http://${localhost.includes(':') ? `[${localhost}]` : localhost}:${prometheusPort}`,
      targets: scrapeTargets(targets, statusPort),
      own: () => metrics.text(),
      log,
    }),
    probes: parseAppProbes(environment.text('ISTIO_KUBE_APP_PROBERS')),
    prober: new AppProber({
      destination: isLegacy ? 'localhost' : pod,
      localAddress: isIpv6Only || pod.includes(':') ? '::6' : '127.0.0.6',
      statusPort,
      log,
    }),
    metricsAreLocal: environment.text('METRICS_LOCALHOST_ACCESS_ONLY') === 'true',
    names: () => dns?.namesJson() ?? null,
    onQuit: () => {
      termination.skip();
      onQuit();
    },
    onDrain: () => void termination.drainNow(),
    log,
  });
}
