import type { SocketOptionData } from '../../net/socket-options/socket-option-data.ts';
import { noExclusions, type ExclusionData } from './exclusions.ts';
import { defaultHboneSettings, type HboneSettings } from '../../tunnel/hbone/options.ts';

/** What the data path goes by: plain data, the same for every workload. */
export interface ProxySettings {
  /** NETWORK: our own. */
  readonly network: string;
  /** NODE_NAME; empty: workloads of any node are ours. */
  readonly node: string;
  readonly clusterId: string;
  /** XDS_ON_DEMAND: addresses are asked for when they are needed. */
  readonly isOnDemand: boolean;
  readonly clusterDomain: string;
  readonly hbone: HboneSettings;
  /** Ports of a workload's listeners. 0: any (tests). */
  readonly outboundPort: number;
  readonly inboundPort: number;
  readonly plaintextPort: number;
  /** -1: off. */
  readonly socksPort: number;
  readonly listenAddress: string;
  /** Whether what an application hears from seems to come from the client itself. */
  readonly preservesSource: boolean;
  readonly sendsBaggage: boolean;
  readonly usesLocalhostForTunnels: boolean;
  readonly reusePort: boolean;
  /** SO_MARK; 0: none. */
  readonly mark: number;
  /** Seconds; null: off. */
  readonly keepAlive: { readonly seconds: number; readonly intervalSeconds: number; readonly probes: number } | null;
  /** How long what was sent may go unacknowledged (TCP_USER_TIMEOUT); 0: as long as the kernel says. */
  readonly userTimeoutMs: number;
  readonly drainMs: number;
  /** TLS 1.2 besides 1.3. */
  readonly allowsTls12: boolean;
  /** Only post-quantum key exchange. */
  readonly isPostQuantum: boolean;
  /** Connections that are open or in the making; more are turned away. */
  readonly nodeConnectionsMax: number;
  readonly workloadConnectionsMax: number;
  readonly exclusions: ExclusionData;
}

export const defaultProxySettings: ProxySettings = {
  network: '',
  node: '',
  clusterId: 'Kubernetes',
  isOnDemand: false,
  clusterDomain: 'cluster.local',
  hbone: defaultHboneSettings,
  outboundPort: 15001,
  inboundPort: 15008,
  plaintextPort: 15006,
  socksPort: -1,
  listenAddress: '::',
  preservesSource: false,
  sendsBaggage: true,
  usesLocalhostForTunnels: true,
  reusePort: true,
  mark: 0,
  keepAlive: { seconds: 180, intervalSeconds: 180, probes: 9 },
  userTimeoutMs: 0,
  drainMs: 5000,
  allowsTls12: false,
  isPostQuantum: false,
  nodeConnectionsMax: 500_000,
  workloadConnectionsMax: 100_000,
  exclusions: noExclusions,
};

/** How long a workload may be unknown to the control plane while a connection of it waits. ztunnel's. */
export const workloadWaitMs = 5000;

/** Bytes that a socket holds for a slow reader before its writer is told to wait. */
export const bufferLimit = 256 * 1024;

/** Of a connection that carries tunnels. */
export const carrierBufferLimit = 1024 * 1024;

/** For sockets of workloads' outgoing connections. */
export function userTimeout({ userTimeoutMs }: ProxySettings): { socketOptions?: readonly SocketOptionData[] } {
  if (userTimeoutMs === 0) return {};
  return { socketOptions: [{ ...tcpUserTimeout, value: userTimeoutMs, moment: 'before-bind', family: 0 }] };
}

/** Numbers of IPPROTO_TCP and TCP_USER_TIMEOUT. */
const tcpUserTimeout = { level: 6, name: 18 } as const;

/** Where nothing is ever tunnelled to: our own listeners. */
export function ownPorts({ outboundPort, inboundPort, plaintextPort, socksPort }: ProxySettings): ReadonlySet<number> {
  return new Set([outboundPort, inboundPort, plaintextPort, ...(socksPort < 0 ? [] : [socksPort])]);
}

export function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}
