import { formatAuthority } from '../../tunnel/hbone/authority.ts';
import type { Mesh } from '../state/mesh.ts';
import type { Service } from '../state/service.ts';
import { networkAddress, identityOf, type GatewayAddress, type Workload } from '../state/workload.ts';
import { chooseEndpoint, type Chance } from './balancing.ts';

/** Where HBONE is listened to. */
export const hbonePort = 15008;

/** How an outgoing connection is to be made. */
export interface OutboundPlan {
  readonly protocol: 'tcp' | 'hbone' | 'double-hbone';
  /** What is connected to: an address; or a name to resolve. */
  readonly host: string;
  readonly port: number;
  /** Of the CONNECT; empty: none. */
  readonly authority: string;
  /** SPIFFE ids, of which the peer must have one. */
  readonly identities: readonly string[];
  /** Those that the far end of a double tunnel may have; empty: it is none. */
  readonly farIdentities: readonly string[];
  /** Whom it is with: the endpoint, or the waypoint in front of it; null: nobody that we know of. */
  readonly workload: Workload | null;
  /** What was asked for by an address of its own; null: none. */
  readonly service: Service | null;
}

/** There is no way; ztunnel's words. */
export interface Unreachable {
  readonly reason: string;
  /** What istiod may know of, by the name that it is asked for by, and we do not. */
  readonly missing?: string;
}

/** Where a client wants to go. */
export interface Wish {
  readonly client: Workload;
  readonly host: string;
  readonly port: number;
}

/** Decides what becomes of outgoing connections. */
export class Destinations {
  private readonly mesh: Mesh;
  private readonly network: string;
  private readonly chance: Chance;

  constructor(mesh: Mesh, network: string, chance: Chance = Math.random) {
    this.mesh = mesh;
    this.network = network;
    this.chance = chance;
  }

  plan(wish: Wish): OutboundPlan | Unreachable {
    const { client, host, port } = wish;
    const service = this.mesh.services.byIp(this.network, host, client.namespace);
    if (service === null) return this.planForWorkload(wish);
    const waypoint = this.waypointOf(service);
    if (waypoint !== null) return this.throughWaypoint(waypoint, wish, service);
    if (service.loadBalancer?.mode === 'Passthrough') return asItIs(wish, service);
    const chosen = chooseEndpoint(this.mesh, service, port, client, this.network, this.chance);
    if (chosen === null) return { reason: `no healthy upstream: ${formatAuthority(host, port)}` };
    return this.planFor(chosen.workload, chosen.port, wish, service);
  }

  /** What more has to be known before the plan is the right one, as istiod is asked for it; null: nothing. */
  missingOf(plan: OutboundPlan | Unreachable, host: string): string | null {
    if ('reason' in plan) return plan.missing ?? null;
    return plan.workload === null && plan.service === null ? networkAddress(this.network, host) : null;
  }

  private planForWorkload(wish: Wish): OutboundPlan | Unreachable {
    const { client, host, port } = wish;
    const workload = this.mesh.workloadByIp(this.network, host);
    if (workload === null) return asItIs(wish, null);
    const { waypoint } = workload;
    if (waypoint !== null && !this.isMemberOf(waypoint, client)) return this.throughWaypoint(waypoint, wish, null);
    return this.planFor(workload, port, wish, null);
  }

  private planFor(workload: Workload, port: number, wish: Wish, service: Service | null): OutboundPlan | Unreachable {
    if (workload.network !== this.network) return this.acrossNetworks(workload, wish, service);
    const host = addressIn(workload, wish.host, service);
    if (host === '') return { reason: `no valid destination for workload: ${workload.name}` };
    if (workload.protocol === 'TCP') return { ...asItIs(wish, service), host, port, workload };
    return {
      protocol: 'hbone',
      host,
      port: hbonePort,
      authority: formatAuthority(host, port),
      identities: [identityOf(workload), ...(service?.subjectAltNames ?? [])],
      farIdentities: [],
      workload,
      service,
    };
  }

  /** The waypoint decides what becomes of the address that was asked for. */
  private throughWaypoint(waypoint: GatewayAddress, wish: Wish, service: Service | null): OutboundPlan | Unreachable {
    const gateway = this.gateway(waypoint, wish.client);
    if (gateway === null) return { reason: `unknown waypoint: ${gatewayKey(waypoint)}`, missing: gatewayKey(waypoint) };
    const { workload, port, identities } = gateway;
    if (workload.network !== this.network) return this.acrossNetworks(workload, wish, service);
    const host = addressIn(workload, wish.host, null);
    if (host === '') return { reason: `no valid destination for workload: ${workload.name}` };
    const authority = formatAuthority(wish.host, wish.port);
    return { protocol: 'hbone', host, port, authority, identities, farIdentities: [], workload, service };
  }

  /** Through the other network's gateway, and inside that tunnel another to where it really goes. */
  private acrossNetworks(workload: Workload, wish: Wish, service: Service | null): OutboundPlan | Unreachable {
    const { networkGateway } = workload;
    if (networkGateway === null) return { reason: `no valid destination for workload: ${workload.name}` };
    if (service === null) return { reason: `no service for target address: ${formatAuthority(wish.host, wish.port)}` };
    const gateway = this.gateway(networkGateway, wish.client);
    if (gateway === null) {
      const missing = gatewayKey(networkGateway);
      return { reason: `unknown network gateway: ${missing}`, missing };
    }
    const host = addressIn(gateway.workload, wish.host, null);
    if (host === '') return { reason: `no valid destination for workload: ${gateway.workload.name}` };
    return {
      protocol: 'double-hbone',
      host,
      port: gateway.port,
      authority: formatAuthority(service.hostname, wish.port),
      identities: gateway.identities,
      farIdentities: service.subjectAltNames,
      workload,
      service,
    };
  }

  /** A waypoint or a gateway, and where it takes HBONE. */
  private gateway(
    gateway: GatewayAddress,
    client: Workload,
  ): { workload: Workload; port: number; identities: readonly string[] } | null {
    const port = gateway.hboneMtlsPort || hbonePort;
    if (gateway.kind === 'address') {
      const workload = this.mesh.workloadByIp(gateway.network, gateway.address);
      if (workload !== null) return { workload, port, identities: [identityOf(workload)] };
    }
    const service = this.gatewayService(gateway, client);
    if (service === null) return null;
    const chosen = chooseEndpoint(this.mesh, service, port, client, this.network, this.chance, true);
    if (chosen === null) return null;
    const identities = [identityOf(chosen.workload), ...service.subjectAltNames];
    return { workload: chosen.workload, port: chosen.port, identities };
  }

  private gatewayService(gateway: GatewayAddress, client: Workload): Service | null {
    const { services } = this.mesh;
    return gateway.kind === 'address'
      ? services.byIp(gateway.network, gateway.address, client.namespace)
      : services.get(`${gateway.namespace}/${gateway.hostname}`);
  }

  /** One of several by their weights, where they have any. */
  private waypointOf({ waypoint, weightedWaypoints }: Service): GatewayAddress | null {
    const total = weightedWaypoints.reduce((sum, { weight }) => sum + weight, 0);
    let at = this.chance() * total;
    for (const { destination, weight } of weightedWaypoints) {
      at -= weight;
      if (at < 0) return destination;
    }
    return waypoint;
  }

  /** `workload` is the waypoint or the gateway itself, or one of those that make it up. */
  isMemberOf(gateway: GatewayAddress, workload: Workload): boolean {
    if (gateway.kind === 'address') {
      if (workload.network === gateway.network && workload.workloadIps.includes(gateway.address)) return true;
    }
    const service = this.gatewayService(gateway, workload);
    return service !== null && this.mesh.endpointsOf(service).has(workload.uid);
  }
}

/** To where it was going, without the mesh. */
export function asItIs({ host, port }: Pick<Wish, 'host' | 'port'>, service: Service | null): OutboundPlan {
  return { protocol: 'tcp', host, port, authority: '', identities: [], farIdentities: [], workload: null, service };
}

/** Which of its addresses: the one that was asked for, or one of its family, or whichever the service allows. */
export function addressIn({ workloadIps, hostname }: Workload, asked: string, service: Service | null): string {
  if (workloadIps.includes(asked)) return asked;
  const families = service?.ipFamilies ?? 'Automatic';
  const allowed = workloadIps.filter((ip) => families !== (ip.includes(':') ? 'IPv4' : 'IPv6'));
  const isV6 = asked.includes(':');
  return allowed.find((ip) => ip.includes(':') === isV6) ?? allowed[0] ?? hostname;
}

function gatewayKey(gateway: GatewayAddress): string {
  return gateway.kind === 'address'
    ? `${gateway.network}/${gateway.address}`
    : `${gateway.namespace}/${gateway.hostname}`;
}
