import { defaultHboneSettings } from '../tunnel/hbone/options.ts';
import { defaultProxySettings, type ProxySettings } from './proxy/settings.ts';
import { parseRange } from './state/local/policy-reader.ts';
import type { WorkloadInfo } from './state/mesh.ts';
import type { AddressRange } from './state/policy.ts';
import { levelNames, ZtunnelLevel } from './telemetry/log-lines.ts';

/** Environment variables. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** A variable that cannot be used; the message is one line for the terminal. */
export class ZtunnelSettingsError extends Error {}

/** What the process goes by. */
export interface ZtunnelSettings {
  readonly proxy: ProxySettings;
  /** Dedicated: one workload, in our own network namespace; null: shared, workloads come from the CNI plugin. */
  readonly dedicated: WorkloadInfo | null;
  /** `https://host:port`; empty: none. */
  readonly xdsAddress: string;
  readonly caAddress: string;
  readonly isCaFake: boolean;
  /** A path, `SYSTEM`, or PEM. */
  readonly xdsRoots: string;
  readonly caRoots: string;
  /** Instead of the host of the address; empty: none. */
  readonly xdsServerName: string;
  readonly caServerName: string;
  /** A path or the token itself; empty: none. */
  readonly token: string;
  readonly xdsHeaders: Readonly<Record<string, string>>;
  readonly caHeaders: Readonly<Record<string, string>>;
  /** YAML, or where it is; empty: none. */
  readonly localConfig: string;
  readonly localConfigPath: string;
  readonly preferredNamespace: string;
  readonly secretLifetimeMs: number;
  /** Of lists of certificates that hold no more, which need not be there; empty: none. */
  readonly revocationPath: string;
  readonly cniSocketPath: string;
  /** Pods have a DNS proxy. */
  readonly hasDns: boolean;
  /** Pods may have addresses of IPv6. */
  readonly hasIpv6: boolean;
  readonly trustDomain: string;
  readonly adminPort: number;
  readonly statsPort: number;
  readonly readinessPort: number;
  readonly threads: number;
  readonly isJsonLog: boolean;
  readonly level: ZtunnelLevel;
  /** Of our own pod; empty: unknown. */
  readonly podName: string;
  readonly podNamespace: string;
  readonly serviceAccount: string;
  readonly instanceIp: string;
  readonly ioBackend: 'auto' | 'io_uring' | 'node';
}

const rootsPath = './var/run/secrets/istio/root-cert.pem';
const tokenPath = './var/run/secrets/tokens/istio-token';
const cniSocketPath = '/var/run/ztunnel/ztunnel.sock';
const sharedMark = 1337;
/** What of the machine matters. */
export interface Machine {
  readonly processors: number;
  exists(path: string): boolean;
}

/** @throws ZtunnelSettingsError */
export function readZtunnelSettings(variables: Variables, machine: Machine): ZtunnelSettings {
  const read = new VariableReader(variables);
  const dedicated = dedicatedWorkload(read);
  const isInKubernetes = variables['KUBERNETES_SERVICE_HOST'] !== undefined;
  const istiod = isInKubernetes ? 'https://istiod.istio-system.svc:15012' : 'https://localhost:15012';
  const settings: ZtunnelSettings = {
    proxy: proxySettings(read, dedicated !== null),
    dedicated,
    xdsAddress: withScheme(read.text('XDS_ADDRESS', istiod)),
    caAddress: withScheme(read.text('CA_ADDRESS', istiod)),
    isCaFake: read.boolean('FAKE_CA', false),
    xdsRoots: read.text('XDS_ROOT_CA', rootsPath),
    caRoots: read.text('CA_ROOT_CA', rootsPath),
    xdsServerName: read.text('ALT_XDS_HOSTNAME', ''),
    caServerName: read.text('ALT_CA_HOSTNAME', ''),
    token: read.text('AUTH_TOKEN', machine.exists(tokenPath) ? tokenPath : ''),
    xdsHeaders: read.prefixed('XDS_HEADER_'),
    caHeaders: read.prefixed('CA_HEADER_'),
    localConfig: read.text('LOCAL_XDS', ''),
    localConfigPath: read.text('LOCAL_XDS_PATH', ''),
    preferredNamespace: read.text('PREFERED_SERVICE_NAMESPACE', ''),
    secretLifetimeMs: read.durationMs('SECRET_TTL', 86_400_000),
    revocationPath: read.text('CRL_PATH', ''),
    cniSocketPath: read.text('INPOD_UDS', cniSocketPath),
    hasDns: read.boolean('ISTIO_META_DNS_CAPTURE', true),
    hasIpv6: read.boolean('IPV6_ENABLED', true),
    trustDomain: read.text('TRUST_DOMAIN', 'cluster.local'),
    adminPort: read.number('ADMIN_PORT', 15000),
    statsPort: read.number('STATS_PORT', 15020),
    readinessPort: read.number('READINESS_PORT', 15021),
    threads: threadCount(read, machine.processors),
    isJsonLog: read.text('LOG_FORMAT', 'plain') === 'json',
    level: logLevel(read.text('RUST_LOG', 'info')),
    podName: read.text('POD_NAME', ''),
    podNamespace: read.text('POD_NAMESPACE', ''),
    serviceAccount: read.text('SERVICE_ACCOUNT', ''),
    instanceIp: read.text('INSTANCE_IP', '1.1.1.1'),
    ioBackend: read.oneOf('SEKISHO_IO_BACKEND', ['auto', 'io_uring', 'node']),
  };
  if (settings.hasDns && settings.proxy.isOnDemand)
    throw new ZtunnelSettingsError(
      'XDS_ON_DEMAND needs ISTIO_META_DNS_CAPTURE=false: a DNS proxy has to know all names',
    );
  if (settings.localConfig !== '' && settings.localConfigPath !== '')
    throw new ZtunnelSettingsError('LOCAL_XDS and LOCAL_XDS_PATH exclude each other');
  return settings;
}

function proxySettings(read: VariableReader, isDedicated: boolean): ProxySettings {
  const isV6 = read.boolean('IPV6_ENABLED', true);
  const keepAlive = {
    seconds: read.durationMs('KEEPALIVE_TIME', 180_000) / 1000,
    intervalSeconds: read.durationMs('KEEPALIVE_INTERVAL', 180_000) / 1000,
    probes: read.number('KEEPALIVE_RETRIES', 9),
  };
  return {
    ...defaultProxySettings,
    network: read.text('NETWORK', ''),
    isOnDemand: read.boolean('XDS_ON_DEMAND', false),
    node: isDedicated ? '' : read.text('NODE_NAME', ''),
    clusterId: read.text('ISTIO_META_CLUSTER_ID', read.text('CLUSTER_ID', 'Kubernetes')),
    clusterDomain: read.text('CLUSTER_DOMAIN', 'cluster.local'),
    hbone: {
      ...defaultHboneSettings,
      streamWindowBytes: read.number('HTTP2_STREAM_WINDOW_SIZE', defaultHboneSettings.streamWindowBytes),
      connectionWindowBytes: read.number('HTTP2_CONNECTION_WINDOW_SIZE', defaultHboneSettings.connectionWindowBytes),
      frameBytes: read.number('HTTP2_FRAME_SIZE', defaultHboneSettings.frameBytes),
      streamsPerConnectionMax: read.number(
        'POOL_MAX_STREAMS_PER_CONNECTION',
        defaultHboneSettings.streamsPerConnectionMax,
      ),
      unusedReleaseMs: read.durationMs('POOL_UNUSED_RELEASE_TIMEOUT', defaultHboneSettings.unusedReleaseMs),
    },
    socksPort: read.boolean('UNSTABLE_ENABLE_SOCKS5', false) ? 15080 : -1,
    listenAddress: read.text('SEKISHO_LISTEN_ADDRESS', isV6 ? '::' : '0.0.0.0'),
    preservesSource: read.boolean('ENABLE_ORIG_SRC', !isDedicated),
    sendsBaggage: read.boolean('ENABLE_RESPONSE_BAGGAGE', true),
    usesLocalhostForTunnels: read.boolean('LOCALHOST_APP_TUNNEL', true),
    reusePort: isDedicated || read.boolean('INPOD_PORT_REUSE', true),
    mark: isDedicated ? read.number('PACKET_MARK', 0) : read.number('PACKET_MARK', sharedMark),
    keepAlive: read.boolean('KEEPALIVE_ENABLED', true) ? keepAlive : null,
    // Until the last probe has gone unanswered.
    userTimeoutMs: read.boolean('USER_TIMEOUT_ENABLED', false)
      ? (keepAlive.seconds + keepAlive.intervalSeconds * keepAlive.probes) * 1000
      : 0,
    drainMs: drainMs(read),
    allowsTls12: read.boolean('TLS12_ENABLED', false),
    isPostQuantum: read.text('COMPLIANCE_POLICY', '') === 'pqc',
    nodeConnectionsMax: read.number('SEKISHO_NODE_CONNECTIONS_MAX', defaultProxySettings.nodeConnectionsMax),
    workloadConnectionsMax: read.number(
      'SEKISHO_WORKLOAD_CONNECTIONS_MAX',
      defaultProxySettings.workloadConnectionsMax,
    ),
    exclusions: {
      outboundPorts: read.ports('SEKISHO_EXCLUDE_OUTBOUND_PORTS'),
      outboundRanges: read.ranges('SEKISHO_EXCLUDE_OUTBOUND_CIDRS'),
      inboundPorts: read.ports('SEKISHO_EXCLUDE_INBOUND_PORTS'),
    },
  };
}

/** PROXY_WORKLOAD_INFO: namespace/name/account. */
function dedicatedWorkload(read: VariableReader): WorkloadInfo | null {
  if (read.oneOf('PROXY_MODE', ['shared', 'dedicated']) === 'shared') return null;
  const [namespace, name, serviceAccount, more] = read.text('PROXY_WORKLOAD_INFO', '').split('/');
  if (!namespace || !name || !serviceAccount || more !== undefined)
    throw new ZtunnelSettingsError(
      'PROXY_WORKLOAD_INFO must be namespace/name/serviceaccount with PROXY_MODE=dedicated',
    );
  return { namespace, name, serviceAccount };
}

/** Some seconds before Kubernetes kills the process. */
function drainMs(read: VariableReader): number {
  const own = read.durationMs('CONNECTION_TERMINATION_DEADLINE', -1);
  if (own >= 0) return own;
  const grace = read.number('TERMINATION_GRACE_PERIOD_SECONDS', 0);
  if (grace === 0) return 5000;
  return (grace > 10 ? grace - 5 : Math.max(1, grace - 1)) * 1000;
}

/** `n`, `n%` of the processors, or 0 for all; else a quarter, and two at least. */
function threadCount(read: VariableReader, processors: number): number {
  const text = read.text('ZTUNNEL_WORKER_THREADS', '');
  if (text === '') return Math.max(2, Math.ceil(processors / 4));
  const found = /^(\d+)(%?)$/.exec(text);
  if (found === null) throw new ZtunnelSettingsError(`ZTUNNEL_WORKER_THREADS is '${text}': expected a number or n%`);
  const count = Number(found[1]);
  if (found[2] === '%') return Math.max(1, Math.ceil((processors * count) / 100));
  return count === 0 ? processors : count;
}

/** `info`, or `info,access=warn`: the first that is for all. */
function logLevel(text: string): ZtunnelLevel {
  const all = text.split(',').find((part) => !part.includes('=')) ?? 'info';
  return parseZtunnelLevel(all) ?? ZtunnelLevel.Info;
}

export function parseZtunnelLevel(name: string): ZtunnelLevel | null {
  const at = levelNames.indexOf(name.trim().toLowerCase());
  return at < 0 ? null : (at as ZtunnelLevel);
}

function withScheme(address: string): string {
  return address === '' || address.includes('://') ? address : `https://${address}`;
}

class VariableReader {
  private readonly variables: Variables;

  constructor(variables: Variables) {
    this.variables = variables;
  }

  text(name: string, otherwise: string): string {
    return this.variables[name] ?? otherwise;
  }

  boolean(name: string, otherwise: boolean): boolean {
    const text = this.variables[name];
    if (text === undefined || text === '') return otherwise;
    if (text !== 'true' && text !== 'false')
      throw new ZtunnelSettingsError(`${name} is '${text}': expected true or false`);
    return text === 'true';
  }

  number(name: string, otherwise: number): number {
    const text = this.variables[name];
    if (text === undefined || text === '') return otherwise;
    if (!/^\d{1,10}$/.test(text)) throw new ZtunnelSettingsError(`${name} is '${text}': expected a whole number`);
    return Number(text);
  }

  /** `5s`, `300ms`, `1m`, `24h`, and joined: `1m30s`. */
  durationMs(name: string, otherwise: number): number {
    const text = this.variables[name];
    if (text === undefined || text === '') return otherwise;
    if (!/^(\d+(ms|s|m|h|d))+$/.test(text)) throw new ZtunnelSettingsError(`${name} is '${text}': expected a duration`);
    const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    let sum = 0;
    for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) sum += Number(count) * units[unit];
    return sum;
  }

  oneOf<const Choice extends string>(name: string, choices: readonly Choice[]): Choice {
    const text = this.text(name, choices[0]);
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new ZtunnelSettingsError(`${name} is '${text}'; allowed: ${choices.join(', ')}`);
    return found;
  }

  /** `80,8080`; empty: none. */
  ports(name: string): number[] {
    return this.list(name).map((text) => {
      if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
        throw new ZtunnelSettingsError(`${name} has '${text}': expected a port`);
      return Number(text);
    });
  }

  /** `10.0.0.0/8,fd00::/8`; an address alone is a range of one. */
  ranges(name: string): AddressRange[] {
    return this.list(name).map((text) => {
      const range = parseRange(text);
      if (range === null) throw new ZtunnelSettingsError(`${name} has '${text}': expected a range of addresses`);
      return range;
    });
  }

  private list(name: string): string[] {
    const texts = this.text(name, '').split(',');
    return texts.map((text) => text.trim()).filter((text) => text !== '');
  }

  /** gRPC metadata: names in lower case. */
  prefixed(prefix: string): Record<string, string> {
    return Object.fromEntries(
      Object.entries(this.variables)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, value]) => [name.slice(prefix.length).toLowerCase(), value ?? '']),
    );
  }
}
