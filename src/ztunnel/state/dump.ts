import { formatIp } from '../../core/ip-address.ts';
import { isUsable } from './endpoints.ts';
import type { Mesh } from './mesh.ts';
import type { AddressRange, Policy, PolicyMatch, StringMatch } from './policy.ts';
import type { Service } from './service.ts';
import type { GatewayAddress, Locality, Workload } from './workload.ts';

type Json = Record<string, unknown>;

/** A workload as `config_dump` has it: without what says nothing. */
export function dumpWorkload(workload: Workload): Json {
  const { locality, authorizationPolicies } = workload;
  return withoutEmpty({
    workloadIps: workload.workloadIps,
    waypoint: gateway(workload.waypoint),
    networkGateway: gateway(workload.networkGateway),
    protocol: workload.protocol,
    networkMode: workload.networkMode,
    uid: workload.uid,
    name: workload.name,
    namespace: workload.namespace,
    trustDomain: textOf(workload.trustDomain),
    serviceAccount: workload.serviceAccount,
    network: textOf(workload.network),
    workloadName: textOf(workload.workloadName),
    workloadType: workload.workloadType === 'deployment' && workload.workloadName === '' ? null : workload.workloadType,
    canonicalName: textOf(workload.canonicalName),
    canonicalRevision: textOf(workload.canonicalRevision),
    hostname: textOf(workload.hostname),
    node: textOf(workload.node),
    nativeTunnel: workload.nativeTunnel || null,
    authorizationPolicies: authorizationPolicies.length === 0 ? null : authorizationPolicies,
    status: workload.status,
    clusterId: workload.clusterId,
    locality: isNowhere(locality) ? null : withoutEmpty({ ...locality }),
    applicationTunnel: workload.applicationTunnel,
    capacity: workload.capacity,
  });
}

export function dumpService(service: Service, mesh: Mesh): Json {
  const endpoints: Json = {};
  for (const [uid, endpoint] of mesh.endpointsOf(service))
    if (isUsable(endpoint, service))
      endpoints[uid] = { workloadUid: uid, port: endpoint.ports, status: endpoint.workload.status };
  const { vips, weightedWaypoints } = service;
  const addresses = vips.filter(({ length }) => length === undefined);
  const ranges = vips.filter(({ length }) => length !== undefined);
  return withoutEmpty({
    name: service.name,
    namespace: service.namespace,
    hostname: service.hostname,
    vips: addresses.map(({ network, address }) => `${network}/${address}`),
    cidrVips:
      ranges.length === 0 ? null : ranges.map(({ network, address, length }) => `${network}/${address}/${length}`),
    ports: service.ports,
    endpoints,
    subjectAltNames: service.subjectAltNames,
    waypoint: gateway(service.waypoint),
    weightedWaypoints:
      weightedWaypoints.length === 0
        ? null
        : weightedWaypoints.map(({ destination, weight }) => ({ destination: gateway(destination), weight })),
    loadBalancer: service.loadBalancer,
    ipFamilies: service.ipFamilies === 'Automatic' ? null : service.ipFamilies,
    canonical: service.canonical,
    visibility: service.visibility === 'Public' ? null : service.visibility,
  });
}

export function dumpPolicy(policy: Policy): Json {
  return {
    name: policy.name,
    namespace: policy.namespace,
    scope: policy.scope,
    action: policy.action,
    rules: policy.rules.map((clauses) => clauses.map((matches) => matches.map(dumpMatch))),
    dryRun: policy.dryRun,
  };
}

function dumpMatch(match: PolicyMatch): Json {
  const dumped: Json = {
    namespaces: match.namespaces.map(text),
    notNamespaces: match.notNamespaces.map(text),
    principals: match.principals.map(text),
    notPrincipals: match.notPrincipals.map(text),
    serviceAccounts: match.serviceAccounts,
    notServiceAccounts: match.notServiceAccounts,
    sourceIps: match.sourceIps.map(range),
    notSourceIps: match.notSourceIps.map(range),
    destinationIps: match.destinationIps.map(range),
    notDestinationIps: match.notDestinationIps.map(range),
    destinationPorts: match.destinationPorts,
    notDestinationPorts: match.notDestinationPorts,
  };
  return Object.fromEntries(Object.entries(dumped).filter(([, list]) => (list as unknown[]).length > 0));
}

function text(match: StringMatch): Json {
  return { [match.kind]: match.kind === 'Presence' ? [] : match.value };
}

function range({ bytes, length }: AddressRange): string {
  return `${formatIp(bytes)}/${length}`;
}

function gateway(address: GatewayAddress | null): Json | null {
  if (address === null) return null;
  const destination =
    address.kind === 'address' ? `${address.network}/${address.address}` : `${address.namespace}/${address.hostname}`;
  return { destination, hboneMtlsPort: address.hboneMtlsPort };
}

function textOf(value: string): string | null {
  return value === '' ? null : value;
}

function isNowhere({ region, zone, subzone }: Locality): boolean {
  return region === '' && zone === '' && subzone === '';
}

function withoutEmpty(object: Json): Json {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}
