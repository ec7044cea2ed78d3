import { parseAuthority, type TunnelTarget } from '../../tunnel/hbone/authority.ts';
import type { Service } from '../state/service.ts';
import { networkAddress, type Workload } from '../state/workload.ts';
import type { Pod } from './pod.ts';
import { isLoopback } from './settings.ts';

/** Where what comes through a tunnel goes. */
export interface InboundTarget {
  /** What is connected to, and what policies look at. */
  readonly host: string;
  readonly port: number;
  /** A PROXY protocol header goes in front. */
  readonly hasProxyHeader: boolean;
  /** What was asked for, by address; for the header. */
  readonly askedHost: string;
  readonly askedPort: number;
  /** The connection seems to come from the client. */
  readonly mayKeepSource: boolean;
  readonly service: Service | null;
}

/** It is not to be had. `status`: what the client is told. */
export interface InboundRefusal {
  readonly status: 400 | 401 | 503;
  readonly text: string;
}

/**
 * What `authority` means to `workload`, which was reached at `local`. Nothing but the workload's own address is ever
 * connected to, whatever a client asks for.
 */
export function inboundTarget(
  pod: Pod,
  workload: Workload,
  local: string,
  authority: string,
): InboundTarget | InboundRefusal {
  const asked = parseAuthority(authority);
  if (asked === null) return { status: 400, text: `invalid authority: ${authority}` };
  const named = asked.isAddress ? byAddress(pod, workload, local, asked) : byName(pod, workload, local, asked);
  if ('status' in named) return named;
  const { applicationTunnel } = workload;
  const port = applicationTunnel !== null && applicationTunnel.port !== 0 ? applicationTunnel.port : named.port;
  if (pod.ownPorts.has(port)) return { status: 503, text: 'attempted to call ourselves' };
  const hasProxyHeader = applicationTunnel?.protocol === 'PROXY';
  const usesLoopback = hasProxyHeader && pod.thread.settings.usesLocalhostForTunnels;
  const loopback = local.includes(':') ? '::1' : '127.0.0.1';
  return {
    host: usesLoopback ? loopback : named.host,
    port,
    hasProxyHeader,
    askedHost: named.askedHost,
    askedPort: asked.port,
    mayKeepSource: !usesLoopback,
    service: named.service,
  };
}

/** What a client asks a waypoint for by an address that nobody knows, as istiod is asked for it; null: nothing. */
export function behindWaypoint(pod: Pod, workload: Workload, local: string, authority: string): string | null {
  const asked = parseAuthority(authority);
  if (asked === null || !asked.isAddress || asked.host === local || workload.applicationTunnel !== null) return null;
  const key = networkAddress(pod.thread.settings.network, asked.host);
  return pod.thread.mesh.knows(key) ? null : key;
}

interface Named {
  readonly host: string;
  readonly port: number;
  readonly askedHost: string;
  readonly service: Service | null;
}

function byAddress(pod: Pod, workload: Workload, local: string, { host, port }: TunnelTarget): Named | InboundRefusal {
  const service = guessedService(pod, workload, port);
  const named = { host: local, port, askedHost: host, service };
  if (host === local) {
    // Only a workload that is at home there may be reached at a loopback address.
    if (isLoopback(host) && !workload.workloadIps.includes(host)) return mismatch(local, host);
    return named;
  }
  if (workload.applicationTunnel !== null && !isLoopback(host)) return named;
  // A waypoint gets what is meant for those that it stands in front of.
  return isWaypointFor(pod, workload, host) ? named : mismatch(local, host);
}

function mismatch(local: string, host: string): InboundRefusal {
  return { status: 400, text: `ip mismatch: ${local} != ${host}` };
}

function byName(pod: Pod, workload: Workload, local: string, { host, port }: TunnelTarget): Named | InboundRefusal {
  const { mesh, settings } = pod.thread;
  const service = mesh.services.byHostname(host, workload.namespace);
  const endpoint = service === null ? undefined : mesh.endpointsOf(service).get(workload.uid);
  const target = endpoint?.ports[port] ?? service?.ports[port] ?? 0;
  if (service === null || endpoint === undefined || target === 0)
    return { status: 503, text: `unknown destination: ${host}:${port}` };
  const vip =
    service.vips.find(({ network, address }) => network === settings.network && !address.includes(':')) ??
    service.vips.find(({ network }) => network === settings.network);
  return { host: local, port: target, askedHost: vip?.address ?? local, service };
}

function isWaypointFor(pod: Pod, workload: Workload, host: string): boolean {
  const { mesh, settings } = pod.thread;
  const { destinations } = pod;
  const ofWorkload = mesh.workloadByIp(settings.network, host)?.waypoint ?? null;
  if (ofWorkload !== null && destinations.isMemberOf(ofWorkload, workload)) return true;
  const ofService = mesh.services.byIp(settings.network, host, workload.namespace)?.waypoint ?? null;
  return ofService !== null && destinations.isMemberOf(ofService, workload);
}

/** Of a connection by address: the only service of the workload that leads to this port, if there is one only. */
export function guessedService(pod: Pod, workload: Workload, port: number): Service | null {
  const { services } = pod.thread.mesh;
  const found = Object.entries(workload.services)
    .filter(([, ports]) => Object.values(ports).includes(port))
    .map(([key]) => services.get(key))
    .filter((service) => service !== null);
  return found.length === 1 ? found[0] : null;
}
