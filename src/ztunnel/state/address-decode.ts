import { fromBinary } from '../../proto/protobuf.js';
import {
  AddressSchema,
  type Address,
  ApplicationTunnel_Protocol,
  IPFamilies,
  LoadBalancing_HealthPolicy,
  LoadBalancing_Mode,
  LoadBalancing_Scope,
  NetworkMode,
  TunnelProtocol,
  Visibility,
  WorkloadStatus,
  WorkloadType,
  type GatewayAddress as GatewayMessage,
  type LoadBalancing,
  type PortList,
  type Service as ServiceMessage,
  type Workload as WorkloadMessage,
} from '../../proto/istio/workload_pb.js';
import { plainIp } from '../../tunnel/hbone/authority.ts';
import type { RoutingScope, Service, ServiceBalancing } from './service.ts';
import { noLocality, type GatewayAddress, type PortMap, type Workload, type WorkloadType as Kind } from './workload.ts';

/** Where a gateway does not say it. */
const hbonePort = 15008;

const kinds: Readonly<Record<WorkloadType, Kind>> = {
  [WorkloadType.DEPLOYMENT]: 'deployment',
  [WorkloadType.CRONJOB]: 'cronjob',
  [WorkloadType.POD]: 'pod',
  [WorkloadType.JOB]: 'job',
};

const scopes: Readonly<Partial<Record<LoadBalancing_Scope, RoutingScope>>> = {
  [LoadBalancing_Scope.REGION]: 'Region',
  [LoadBalancing_Scope.ZONE]: 'Zone',
  [LoadBalancing_Scope.SUBZONE]: 'Subzone',
  [LoadBalancing_Scope.NODE]: 'Node',
  [LoadBalancing_Scope.CLUSTER]: 'Cluster',
  [LoadBalancing_Scope.NETWORK]: 'Network',
};

const modes: Readonly<Record<LoadBalancing_Mode, ServiceBalancing['mode']>> = {
  [LoadBalancing_Mode.UNSPECIFIED_MODE]: 'Standard',
  [LoadBalancing_Mode.STRICT]: 'Strict',
  [LoadBalancing_Mode.FAILOVER]: 'Failover',
  [LoadBalancing_Mode.PASSTHROUGH]: 'Passthrough',
};

const families: Readonly<Record<IPFamilies, Service['ipFamilies']>> = {
  [IPFamilies.AUTOMATIC]: 'Automatic',
  [IPFamilies.IPV4_ONLY]: 'IPv4',
  [IPFamilies.IPV6_ONLY]: 'IPv6',
  [IPFamilies.DUAL]: 'Dual',
};

/** A workload or a service. */
export type DecodedAddress =
  | { readonly kind: 'workload'; readonly workload: Workload }
  | { readonly kind: 'service'; readonly service: Service };

/** `istio.workload.Address` as plain data. @throws Error with what is wrong with it */
export function decodeAddress(packed: Uint8Array): DecodedAddress {
  const { type }: Address = fromBinary(AddressSchema, packed);
  if (type.case === 'workload') return { kind: 'workload', workload: decodeWorkload(type.value) };
  if (type.case === 'service') return { kind: 'service', service: decodeService(type.value) };
  throw new Error('neither a workload nor a service');
}

function decodeWorkload(message: WorkloadMessage): Workload {
  if (message.uid === '') throw new Error('a workload without a uid');
  const { applicationTunnel } = message;
  return {
    uid: message.uid,
    name: message.name,
    namespace: message.namespace,
    serviceAccount: message.serviceAccount || 'default',
    trustDomain: message.trustDomain || 'cluster.local',
    workloadIps: message.addresses.map(addressOf),
    hostname: message.hostname,
    network: message.network,
    protocol: protocolOf(message.tunnelProtocol),
    waypoint: gatewayOf(message.waypoint),
    networkGateway: gatewayOf(message.networkGateway),
    node: message.node,
    canonicalName: message.canonicalName,
    canonicalRevision: message.canonicalRevision,
    workloadType: kinds[message.workloadType] ?? 'deployment',
    workloadName: message.workloadName,
    nativeTunnel: message.nativeTunnel,
    applicationTunnel:
      applicationTunnel === undefined
        ? null
        : {
            protocol: applicationTunnel.protocol === ApplicationTunnel_Protocol.PROXY ? 'PROXY' : 'NONE',
            port: portOf(applicationTunnel.port),
          },
    services: Object.fromEntries(Object.entries(message.services).map(([key, ports]) => [key, portsOf(ports)])),
    authorizationPolicies: message.authorizationPolicies,
    status: message.status === WorkloadStatus.HEALTHY ? 'Healthy' : 'Unhealthy',
    clusterId: message.clusterId || 'Kubernetes',
    locality: localityOf(message),
    networkMode: message.networkMode === NetworkMode.HOST_NETWORK ? 'HostNetwork' : 'Standard',
    capacity: message.capacity ?? 1,
  };
}

function localityOf({ locality }: WorkloadMessage): Workload['locality'] {
  if (locality === undefined) return noLocality;
  return { region: locality.region, zone: locality.zone, subzone: locality.subzone };
}

function decodeService(message: ServiceMessage): Service {
  return {
    name: message.name,
    namespace: message.namespace,
    hostname: message.hostname,
    vips: message.addresses.map(({ network, address, length }) => ({
      network,
      address: addressOf(address),
      ...(length === undefined ? {} : { length: lengthOf(length, address.length) }),
    })),
    ports: portsOf(message),
    subjectAltNames: message.subjectAltNames,
    waypoint: gatewayOf(message.waypoint),
    weightedWaypoints: message.weightedWaypoints.flatMap(({ destination, weight }) => {
      const gateway = gatewayOf(destination);
      return gateway === null ? [] : [{ destination: gateway, weight }];
    }),
    loadBalancer: balancingOf(message.loadBalancing),
    ipFamilies: families[message.ipFamilies] ?? 'Automatic',
    canonical: message.canonical,
    visibility: message.visibility === Visibility.NAMESPACE ? 'Namespace' : 'Public',
  };
}

function balancingOf(balancing: LoadBalancing | undefined): ServiceBalancing | null {
  if (balancing === undefined) return null;
  return {
    routingPreferences: balancing.routingPreference
      .map((scope) => scopes[scope])
      .filter((scope) => scope !== undefined),
    mode: modes[balancing.mode] ?? 'Standard',
    healthPolicy: balancing.healthPolicy === LoadBalancing_HealthPolicy.ALLOW_ALL ? 'AllowAll' : 'OnlyHealthy',
  };
}

function gatewayOf(message: GatewayMessage | undefined): GatewayAddress | null {
  if (message === undefined) return null;
  const { destination } = message;
  const hboneMtlsPort = portOf(message.hboneMtlsPort) || hbonePort;
  if (destination.case === 'hostname') return { kind: 'hostname', ...hostnameOf(destination.value), hboneMtlsPort };
  if (destination.case !== 'address') return null;
  const { network, address } = destination.value;
  return { kind: 'address', network, address: addressOf(address), hboneMtlsPort };
}

function hostnameOf({ namespace, hostname }: { readonly namespace: string; readonly hostname: string }) {
  return { namespace, hostname };
}

function protocolOf(protocol: TunnelProtocol): Workload['protocol'] {
  if (protocol === TunnelProtocol.HBONE) return 'HBONE';
  if (protocol === TunnelProtocol.NONE) return 'TCP';
  throw new Error(`unknown tunnel protocol ${protocol}`);
}

function portsOf({ ports }: Pick<PortList, 'ports'>): PortMap {
  return Object.fromEntries(ports.map(({ servicePort, targetPort }) => [portOf(servicePort), portOf(targetPort)]));
}

function portOf(port: number): number {
  if (port > 0xffff) throw new Error(`${port} is no port`);
  return port;
}

function lengthOf(length: number, bytes: number): number {
  if (length > bytes * 8) throw new Error(`a prefix of ${length} bits of an address of ${bytes} bytes`);
  return length;
}

function addressOf(bytes: Uint8Array): string {
  if (bytes.length !== 4 && bytes.length !== 16) throw new Error(`an address of ${bytes.length} bytes`);
  return plainIp(bytes);
}
