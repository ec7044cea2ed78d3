import { isIP } from 'node:net';
import type { Address } from '../../core/peer.ts';
import { durationMs } from '../../core/duration.ts';
import { fieldValue } from '../../core/field-value.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  AddressSchema,
  EnvoyInternalAddressSchema,
  PipeSchema,
  SocketAddress_Protocol,
  SocketAddressSchema,
  type Address as ProtoAddress,
} from '../../proto/envoy/config/core/v3/address_pb.js';
import { MetadataSchema, type Metadata } from '../../proto/envoy/config/core/v3/base_pb.js';
import { HealthStatus } from '../../proto/envoy/config/core/v3/health_check_pb.js';
import {
  Endpoint_HealthCheckConfigSchema,
  EndpointSchema,
  LbEndpointSchema,
  LocalityLbEndpointsSchema,
  type Endpoint,
  type LbEndpoint,
  type LocalityLbEndpoints,
} from '../../proto/envoy/config/endpoint/v3/endpoint_components_pb.js';
import {
  ClusterLoadAssignmentSchema,
  type ClusterLoadAssignment,
} from '../../proto/envoy/config/endpoint/v3/endpoint_pb.js';
import { emptyLocality, type AssignmentData, type EndpointHealth, type HostData } from '../cluster-data.ts';
import type { HostCheckData } from '../health/health-check-data.ts';
import { decodePolicy } from './policy-decode.ts';
import type { TransportChoice } from '../transport/transport-choice.ts';

const supported = new SupportedFields(ClusterLoadAssignmentSchema, ['cluster_name', 'endpoints', 'policy']);
const supportedLocality = new SupportedFields(
  LocalityLbEndpointsSchema,
  ['locality', 'lb_endpoints', 'load_balancing_weight', 'priority', 'metadata'],
  ['proximity'],
);
const supportedLbEndpoint = new SupportedFields(LbEndpointSchema, [
  'endpoint',
  'health_status',
  'metadata',
  'load_balancing_weight',
]);
const supportedEndpoint = new SupportedFields(EndpointSchema, ['address', 'hostname', 'health_check_config']);
const supportedCheck = new SupportedFields(Endpoint_HealthCheckConfigSchema, [
  'port_value',
  'hostname',
  'address',
  'disable_active_health_check',
]);
const supportedAddress = new SupportedFields(AddressSchema, ['socket_address', 'pipe', 'envoy_internal_address']);
const supportedInternal = new SupportedFields(EnvoyInternalAddressSchema, ['server_listener_name', 'endpoint_id']);
const supportedSocketAddress = new SupportedFields(SocketAddressSchema, [
  'protocol',
  'address',
  'port_value',
  'ipv4_compat',
]);
// The mode is for binding.
const supportedPipe = new SupportedFields(PipeSchema, ['path'], ['mode']);
const supportedMetadata = new SupportedFields(MetadataSchema, ['filter_metadata']);

/** Envoy keeps the sum of a locality's weights in 32 bits. */
const weightSumMax = 0xffffffff;

/** An endpoint as configured: `host.address.host` is an IP, a path, or a name to resolve. */
export interface EndpointData {
  readonly host: HostData;
  /** Where it stands, for reasons that are found later. */
  readonly at: Reasons;
}

export interface LoadAssignmentData {
  readonly endpoints: readonly EndpointData[];
  readonly localityCount: number;
  readonly policy: AssignmentData;
}

/** `transports`: of the cluster. */
export function decodeLoadAssignment(
  assignment: ClusterLoadAssignment | undefined,
  transports: TransportChoice,
  reasons: Reasons,
): LoadAssignmentData {
  if (assignment === undefined)
    return { endpoints: [], localityCount: 0, policy: decodePolicy(undefined, reasons.at('policy')) };
  supported.check(assignment, reasons);
  const endpoints = assignment.endpoints.flatMap((locality, i) =>
    decodeLocality(locality, transports, reasons.at('endpoints', i)),
  );
  const policy = decodePolicy(assignment.policy, reasons.at('policy'));
  return { endpoints, localityCount: assignment.endpoints.length, policy };
}

/** An assignment that a control plane tells. */
export interface DecodedAssignment {
  readonly clusterName: string;
  readonly hosts: readonly HostData[];
  readonly assignment: AssignmentData;
  /** The hosts hold for so long unless they are told again; 0: for ever. */
  readonly staleAfterMs: number;
}

/** `transports`: of the cluster. Null: reasons were added. */
export function decodeAssignment(
  message: ClusterLoadAssignment,
  transports: TransportChoice,
  reasons: Reasons,
): DecodedAssignment | null {
  const { endpoints, policy } = decodeLoadAssignment(message, transports, reasons);
  for (const { host, at } of endpoints) {
    if (host.address.kind === 'ip' && isIP(host.address.host) === 0)
      at.add(
        `malformed IP address: ${host.address.host}. Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'`,
      );
  }
  return {
    clusterName: message.clusterName,
    hosts: endpoints.map(({ host }) => host),
    assignment: policy,
    staleAfterMs: durationMs(message.policy?.endpointStaleAfter, 0),
  };
}

/** Null: none. */
export function decodeMetadata(metadata: Metadata | undefined, reasons: Reasons): HostData['metadata'] {
  if (metadata === undefined) return null;
  supportedMetadata.check(metadata, reasons);
  return Object.keys(metadata.filterMetadata).length === 0 ? null : { ...metadata.filterMetadata };
}

function decodeLocality(locality: LocalityLbEndpoints, transports: TransportChoice, reasons: Reasons): EndpointData[] {
  supportedLocality.check(locality, reasons);
  const sum = locality.lbEndpoints.reduce((all, endpoint) => all + (endpoint.loadBalancingWeight ?? 1), 0);
  if (sum > weightSumMax)
    reasons
      .at('lb_endpoints')
      .add(`the sum of weights of all endpoints in the locality must not exceed ${weightSumMax}, found ${sum}`);
  const metadata = decodeMetadata(locality.metadata, reasons.at('metadata'));
  return locality.lbEndpoints.flatMap((endpoint, i) =>
    decodeEndpoint(endpoint, locality, reasons.at('lb_endpoints', i)).map(({ host, at }) => ({
      host: { ...host, transport: transports.of(host.metadata, metadata) },
      at,
    })),
  );
}

function decodeEndpoint(lbEndpoint: LbEndpoint, locality: LocalityLbEndpoints, reasons: Reasons): EndpointData[] {
  supportedLbEndpoint.check(lbEndpoint, reasons);
  if (lbEndpoint.hostIdentifier.case !== 'endpoint') return [];
  const endpoint = lbEndpoint.hostIdentifier.value;
  const at = reasons.at('endpoint');
  supportedEndpoint.check(endpoint, at);
  const address = decodeAddress(endpoint.address, at.at('address'));
  if (address === null) return [];
  const metadata = decodeMetadata(lbEndpoint.metadata, reasons.at('metadata'));
  const place = locality.locality;
  const healthCheck = decodeCheck(endpoint, address, at);
  const host: HostData = {
    address,
    // `auto_host_rewrite` makes it a request's host.
    hostname: fieldValue(endpoint.hostname),
    weight: lbEndpoint.loadBalancingWeight ?? 1,
    priority: locality.priority,
    locality: place === undefined ? emptyLocality : { region: place.region, zone: place.zone, subZone: place.subZone },
    localityWeight: locality.loadBalancingWeight ?? 0,
    health: healthOf(lbEndpoint.healthStatus),
    canary: isCanary(metadata),
    metadata,
    transport: 0,
    ...(healthCheck !== null && { healthCheck }),
  };
  return [{ host, at: at.at('address').at('socket_address').at('address') }];
}

/** Null: it is checked as its cluster says. */
function decodeCheck({ healthCheckConfig: config }: Endpoint, own: Address, reasons: Reasons): HostCheckData | null {
  if (config === undefined) return null;
  const at = reasons.at('health_check_config');
  supportedCheck.check(config, at);
  const other = config.address === undefined ? null : decodeAddress(config.address, at.at('address'));
  // A name is resolved: who is checked elsewhere has an address of its own.
  const base = other ?? (own.kind === 'ip' && isIP(own.host) === 0 ? null : own);
  if (base === null && config.portValue !== 0)
    at.at('port_value').add('checking another port of a name that is resolved is not supported by sekisho');
  const isElsewhere = config.portValue !== 0 && base?.kind === 'ip';
  return {
    address: isElsewhere ? { ...base, port: config.portValue } : other,
    hostname: fieldValue(config.hostname),
    isDisabled: config.disableActiveHealthCheck,
  };
}

/** Null: reasons were added. */
function decodeAddress(address: ProtoAddress | undefined, reasons: Reasons): Address | null {
  if (address === undefined) {
    reasons.add('an endpoint needs an address');
    return null;
  }
  supportedAddress.check(address, reasons);
  const { address: choice } = address;
  switch (choice.case) {
    case 'socketAddress': {
      const at = reasons.at('socket_address');
      const { value } = choice;
      supportedSocketAddress.check(value, at);
      if (value.protocol !== SocketAddress_Protocol.TCP)
        at.at('protocol').add("protocol 'UDP' is not supported by sekisho for upstreams");
      const port = value.portSpecifier.case === 'portValue' ? value.portSpecifier.value : 0;
      return { kind: 'ip', host: value.address, port };
    }
    case 'pipe':
      supportedPipe.check(choice.value, reasons.at('pipe'));
      return { kind: 'pipe', host: choice.value.path, port: 0 };
    case 'envoyInternalAddress': {
      const { addressNameSpecifier, endpointId } = choice.value;
      supportedInternal.check(choice.value, reasons.at('envoy_internal_address'));
      const host = addressNameSpecifier.case === 'serverListenerName' ? addressNameSpecifier.value : '';
      return { kind: 'internal', host, port: 0, endpointId };
    }
    default:
      return null;
  }
}

/** Hosts of a static cluster. Adds a reason for every name, which only DNS clusters may have. */
export function staticHosts(assignment: LoadAssignmentData): HostData[] {
  for (const { host, at } of assignment.endpoints) {
    if (host.address.kind === 'ip' && isIP(host.address.host) === 0)
      at.add(`malformed IP address: ${host.address.host}; a name needs cluster type 'STRICT_DNS' or 'LOGICAL_DNS'`);
  }
  return assignment.endpoints.map(({ host }) => host);
}

function isCanary(metadata: HostData['metadata']): boolean {
  const lb = metadata?.['envoy.lb'];
  return typeof lb === 'object' && lb !== null && 'canary' in lb && lb.canary === true;
}

function healthOf(status: HealthStatus): EndpointHealth {
  switch (status) {
    case HealthStatus.UNHEALTHY:
      return 'UNHEALTHY';
    case HealthStatus.DRAINING:
      return 'DRAINING';
    case HealthStatus.TIMEOUT:
      return 'TIMEOUT';
    case HealthStatus.DEGRADED:
      return 'DEGRADED';
    default:
      return 'HEALTHY';
  }
}
