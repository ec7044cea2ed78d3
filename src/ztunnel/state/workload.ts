/** Where a waypoint or a gateway is: an address on a network, or a service's host name. */
export type GatewayAddress = { readonly hboneMtlsPort: number } & (
  | { readonly kind: 'address'; readonly network: string; readonly address: string }
  | { readonly kind: 'hostname'; readonly namespace: string; readonly hostname: string }
);

export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
}

export const noLocality: Locality = { region: '', zone: '', subzone: '' };

/** Deliver what comes through a tunnel to this port, with a PROXY protocol header in front where it says so. */
export interface ApplicationTunnel {
  readonly protocol: 'NONE' | 'PROXY';
  /** 0: the port that was asked for. */
  readonly port: number;
}

export type WorkloadType = 'deployment' | 'cronjob' | 'pod' | 'job';

/** Service port → target port. */
export type PortMap = Readonly<Record<number, number>>;

/** A pod or whatever else stands for addresses, as istiod describes it (istio.workload.Workload). */
export interface Workload {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Empty: cluster.local. */
  readonly trustDomain: string;
  /** Canonical, without brackets. */
  readonly workloadIps: readonly string[];
  /** To be resolved where there are no addresses; empty: none. */
  readonly hostname: string;
  readonly network: string;
  readonly protocol: 'HBONE' | 'TCP';
  readonly waypoint: GatewayAddress | null;
  /** The way in where its network is not ours. */
  readonly networkGateway: GatewayAddress | null;
  readonly node: string;
  readonly canonicalName: string;
  readonly canonicalRevision: string;
  readonly workloadType: WorkloadType;
  readonly workloadName: string;
  /** Speaks HBONE itself. */
  readonly nativeTunnel: boolean;
  readonly applicationTunnel: ApplicationTunnel | null;
  /** `namespace/hostname` → its ports there. */
  readonly services: Readonly<Record<string, PortMap>>;
  /** `namespace/name` of policies that select it. */
  readonly authorizationPolicies: readonly string[];
  readonly status: 'Healthy' | 'Unhealthy';
  readonly clusterId: string;
  readonly locality: Locality;
  /** HostNetwork: its addresses are the node's. */
  readonly networkMode: 'Standard' | 'HostNetwork';
  /** Weight; 0: it gets nothing. */
  readonly capacity: number;
}

export const defaultTrustDomain = 'cluster.local';

/** `spiffe://trust-domain/ns/namespace/sa/account` */
export function identityOf({ trustDomain, namespace, serviceAccount }: WorkloadAccount): string {
  return `spiffe://${trustDomain || defaultTrustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

export type WorkloadAccount = Pick<Workload, 'trustDomain' | 'namespace' | 'serviceAccount'>;

/** As maps of addresses call it. */
export function networkAddress(network: string, address: string): string {
  return `${network}/${address}`;
}

/** Of two with an address in common, the better known one is meant. */
export function addressRank({ uid, protocol }: Workload): number {
  const isPod = uid.includes('//Pod/') || uid.includes('/v1/Pod/');
  return (isPod ? 2 : 0) + (protocol === 'HBONE' ? 1 : 0);
}
