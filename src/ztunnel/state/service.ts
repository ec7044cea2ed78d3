import type { GatewayAddress, PortMap } from './workload.ts';

export type RoutingScope = 'Region' | 'Zone' | 'Subzone' | 'Node' | 'Cluster' | 'Network';

export interface ServiceBalancing {
  readonly routingPreferences: readonly RoutingScope[];
  /** Strict: only endpoints that share every scope; Failover: those that share most; Passthrough: none is chosen. */
  readonly mode: 'Standard' | 'Strict' | 'Failover' | 'Passthrough';
  readonly healthPolicy: 'OnlyHealthy' | 'AllowAll';
}

/** An address on a network; `length`: of a range's prefix, in bits; absent: of one address. */
export interface ServiceAddress {
  readonly network: string;
  readonly address: string;
  readonly length?: number;
}

export interface WeightedWaypoint {
  readonly destination: GatewayAddress;
  readonly weight: number;
}

/** istio.workload.Service. */
export interface Service {
  readonly name: string;
  readonly namespace: string;
  readonly hostname: string;
  readonly vips: readonly ServiceAddress[];
  /** Target port 0: a name, which each endpoint resolves. */
  readonly ports: PortMap;
  /** SPIFFE ids that its endpoints may have besides their own. */
  readonly subjectAltNames: readonly string[];
  readonly waypoint: GatewayAddress | null;
  readonly weightedWaypoints: readonly WeightedWaypoint[];
  readonly loadBalancer: ServiceBalancing | null;
  readonly ipFamilies: 'Automatic' | 'IPv4' | 'IPv6' | 'Dual';
  /** The real one, where several declare the name or the address. */
  readonly canonical: boolean;
  readonly visibility: 'Public' | 'Namespace';
}

/** `namespace/hostname` */
export function serviceKey({ namespace, hostname }: Pick<Service, 'namespace' | 'hostname'>): string {
  return `${namespace}/${hostname}`;
}
