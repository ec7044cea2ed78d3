import { CORE_SCHEMA, defineScalarTag, defineSequenceTag, load, YAMLException } from 'js-yaml';
import { formatIp, parseIp } from '../../../core/ip-address.ts';
import { noChange, type MeshChange } from '../mesh.ts';
import type { Service, ServiceAddress, ServiceBalancing, WeightedWaypoint } from '../service.ts';
import { noLocality, type GatewayAddress, type PortMap, type Workload } from '../workload.ts';
import { FieldReader, LocalConfigError } from './field-reader.ts';
import { parseRange, readPolicy, TaggedMatch } from './policy-reader.ts';

export { LocalConfigError } from './field-reader.ts';

const never = (): boolean => false;

const schema = CORE_SCHEMA.withTags(
  (['Exact', 'Prefix', 'Suffix'] as const).map((kind) =>
    defineScalarTag(`!${kind}`, { resolve: (value) => new TaggedMatch({ kind, value }), identify: never }),
  ),
  defineSequenceTag('!Presence', {
    create: () => new TaggedMatch({ kind: 'Presence' }),
    addItem: () => 'takes no values',
    identify: never,
  }),
);

/**
 * The form of LOCAL_XDS and LOCAL_XDS_PATH: YAML of workloads, services and policies.
 * @throws LocalConfigError
 */
export function readLocalConfig(text: string): MeshChange {
  const reader = new FieldReader(parse(text) ?? {}, 'local config');
  const change: MeshChange = {
    ...noChange,
    workloads: reader.list('workloads', readWorkload),
    services: reader.list('services', readService),
    policies: reader.list('policies', readPolicy),
  };
  reader.end();
  return change;
}

function parse(text: string): unknown {
  try {
    return load(text, { schema });
  } catch (error) {
    if (error instanceof YAMLException) throw new LocalConfigError(error.message);
    throw error;
  }
}

function readWorkload(value: unknown, path: string): Workload {
  const reader = new FieldReader(value, path);
  if (!reader.has('services')) reader.fail('services', 'is missing');
  const workload: Workload = {
    uid: reader.text('uid') || `${reader.text('namespace')}/${reader.text('name')}`,
    name: reader.requiredText('name'),
    namespace: reader.requiredText('namespace'),
    serviceAccount: reader.text('serviceAccount', 'default'),
    trustDomain: reader.text('trustDomain'),
    workloadIps: reader.list('workloadIps', readIp),
    hostname: reader.text('hostname'),
    network: reader.text('network'),
    protocol: reader.choice('protocol', ['TCP', 'HBONE']),
    waypoint: readGateway(reader.inner('waypoint')),
    networkGateway: readGateway(reader.inner('networkGateway')),
    node: reader.text('node'),
    canonicalName: reader.text('canonicalName'),
    canonicalRevision: reader.text('canonicalRevision'),
    workloadType: reader.choice('workloadType', ['deployment', 'cronjob', 'pod', 'job']),
    workloadName: reader.text('workloadName'),
    nativeTunnel: reader.boolean('nativeTunnel'),
    applicationTunnel: readTunnel(reader.inner('applicationTunnel')),
    services: reader.entries('services', readPorts),
    authorizationPolicies: reader.texts('authorizationPolicies'),
    status: reader.choice('status', ['Healthy', 'Unhealthy']),
    clusterId: reader.text('clusterId'),
    locality: readLocality(reader.inner('locality')),
    networkMode: reader.choice('networkMode', ['Standard', 'HostNetwork']),
    capacity: reader.number('capacity', 1),
  };
  reader.end();
  return workload;
}

function readService(value: unknown, path: string): Service {
  const reader = new FieldReader(value, path);
  const service: Service = {
    name: reader.requiredText('name'),
    namespace: reader.requiredText('namespace'),
    hostname: reader.requiredText('hostname'),
    vips: [...reader.list('vips', readVip), ...reader.list('cidrVips', readRangeVip)],
    ports: readPorts(
      reader.entries('ports', (port) => port),
      `${path}.ports`,
    ),
    subjectAltNames: reader.texts('subjectAltNames'),
    waypoint: readGateway(reader.inner('waypoint')),
    weightedWaypoints: reader.list('weightedWaypoints', readWeighted),
    loadBalancer: readBalancing(reader.inner('loadBalancer')),
    ipFamilies: reader.choice('ipFamilies', ['Automatic', 'IPv4', 'IPv6', 'Dual']),
    canonical: reader.boolean('canonical'),
    visibility: reader.choice('visibility', ['Public', 'Namespace']),
  };
  reader.end();
  return service;
}

function readBalancing(reader: FieldReader | null): ServiceBalancing | null {
  if (reader === null) return null;
  const scopes = ['Region', 'Zone', 'Subzone', 'Node', 'Cluster', 'Network'] as const;
  const balancing: ServiceBalancing = {
    routingPreferences: reader.list('routingPreferences', (value, path) => {
      const scope = scopes.find((one) => one === value);
      if (scope === undefined) throw new LocalConfigError(`${path}: expected one of ${scopes.join(', ')}`);
      return scope;
    }),
    mode: reader.choice('mode', ['Standard', 'Strict', 'Failover', 'Passthrough']),
    healthPolicy: reader.choice('healthPolicy', ['OnlyHealthy', 'AllowAll']),
  };
  reader.end();
  return balancing;
}

function readWeighted(value: unknown, path: string): WeightedWaypoint {
  const reader = new FieldReader(value, path);
  const destination = readGateway(reader.inner('destination')) ?? reader.fail('destination', 'is missing');
  const weighted = { destination, weight: reader.number('weight', 0) };
  reader.end();
  return weighted;
}

/** `network/address` or `namespace/hostname`. */
function readGateway(reader: FieldReader | null): GatewayAddress | null {
  if (reader === null) return null;
  const destination = reader.requiredText('destination');
  const hboneMtlsPort = reader.number('hboneMtlsPort', 15008);
  reader.end();
  const slash = destination.indexOf('/');
  if (slash < 0) return reader.fail('destination', 'expected network/address or namespace/hostname');
  const [scope, name] = [destination.slice(0, slash), destination.slice(slash + 1)];
  const bytes = parseIp(name);
  return bytes === null
    ? { kind: 'hostname', namespace: scope, hostname: name, hboneMtlsPort }
    : { kind: 'address', network: scope, address: formatIp(bytes), hboneMtlsPort };
}

function readTunnel(reader: FieldReader | null): Workload['applicationTunnel'] {
  if (reader === null) return null;
  const tunnel = { protocol: reader.choice('protocol', ['NONE', 'PROXY']), port: reader.number('port', 0) };
  reader.end();
  return tunnel;
}

function readLocality(reader: FieldReader | null): Workload['locality'] {
  if (reader === null) return noLocality;
  const locality = { region: reader.text('region'), zone: reader.text('zone'), subzone: reader.text('subzone') };
  reader.end();
  return locality;
}

function readPorts(value: unknown, path: string): PortMap {
  if (typeof value !== 'object' || value === null) throw new LocalConfigError(`${path}: expected ports`);
  const ports: Record<number, number> = {};
  for (const [port, target] of Object.entries(value)) {
    if (!isPort(Number(port)) || !isPort(target)) throw new LocalConfigError(`${path}.${port}: expected a port`);
    ports[Number(port)] = target;
  }
  return ports;
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff;
}

function readIp(value: unknown, path: string): string {
  const bytes = typeof value === 'string' ? parseIp(value) : null;
  if (bytes === null) throw new LocalConfigError(`${path}: expected an address`);
  return formatIp(bytes);
}

function readVip(value: unknown, path: string): ServiceAddress {
  const slash = typeof value === 'string' ? value.indexOf('/') : -1;
  if (slash < 0) throw new LocalConfigError(`${path}: expected network/address`);
  const text = value as string;
  return { network: text.slice(0, slash), address: readIp(text.slice(slash + 1), path) };
}

/** `network/address/length` */
function readRangeVip(value: unknown, path: string): ServiceAddress {
  const [, network, rest] = typeof value === 'string' ? (/^([^/]*)\/(.+)$/.exec(value) ?? []) : [];
  const range = rest === undefined ? null : parseRange(rest);
  if (range === null) throw new LocalConfigError(`${path}: expected network/address/length`);
  return { network, address: formatIp(range.bytes), length: range.length };
}
