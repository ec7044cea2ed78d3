import { AgentError } from '../agent-error.ts';
import { parseBoolean, type Environment } from '../environment.ts';
import type { ProxyConfig } from './proxy-config.ts';

/** The release of Istio whose dialect is spoken: istiod writes its configuration for it. ISTIO_META_ISTIO_VERSION overrides it. */
export const istioVersion = '1.29.6';

const variablePrefix = 'ISTIO_META_';
const jsonPrefix = 'ISTIO_METAJSON_';
/** A ReplicaSet's own label, different in each. */
const templateHashLabel = 'pod-template-hash';
const localityLabel = 'istio-locality';
const topologyLabel = 'topology.istio.io/locality';

/** Keys that are true or false, as the text `true`; what is false is left as it was written. */
const booleanKeys = [
  'DNS_CAPTURE',
  'DNS_AUTO_ALLOCATE',
  'ENABLE_HBONE',
  'DISABLE_HBONE_SEND',
  'INBOUND_LISTENER_EXACT_BALANCE',
  'OUTBOUND_LISTENER_EXACT_BALANCE',
];

/** Metadata of a node, as istiod reads it: names in upper case. */
export type NodeMetadata = Readonly<Record<string, unknown>>;

export interface Locality {
  readonly region?: string;
  readonly zone?: string;
  readonly sub_zone?: string;
}

/** What the metadata is made of, beside the variables. */
export interface NodeFacts {
  readonly proxyConfig: ProxyConfig;
  /** The first is the pod's. */
  readonly addresses: readonly string[];
  /** Null: there is no such file. */
  readonly podLabels: ReadonlyMap<string, string> | null;
  readonly podAnnotations: ReadonlyMap<string, string> | null;
  readonly statusPort: number;
  readonly prometheusPort: number;
  readonly outlierLogPath: string;
  /** A socket of another's that has credentials of gateways. */
  readonly hasCredentialSocket: boolean;
  /** Another serves the workload's identity: the agent's own socket has files only. */
  readonly servesFilesOnly: boolean;
  readonly identitySocketFile: string;
}

/** As text; empty: there is no such key, or no text in it. */
export function textIn(values: Readonly<Record<string, unknown>>, key: string): string {
  const value = values[key];
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

/** @throws AgentError where a variable cannot be used */
export function nodeMetadata(environment: Environment, facts: NodeFacts): NodeMetadata {
  const raw = variablesOf(environment, facts.proxyConfig);
  const { labels, staticLabels } = labelsOf(environment, facts.podLabels);
  const annotations = mapOf(raw['ANNOTATIONS'], facts.podAnnotations);
  const metadataDiscovery =
    environment.maybeBoolean('PEER_METADATA_DISCOVERY') ?? parseBoolean(textIn(raw, 'ENABLE_HBONE')) ?? false;
  const isExitOnZero = environment.boolean('EXIT_ON_ZERO_ACTIVE_CONNECTIONS', false);
  const skipsDeprecated = environment.boolean('ENVOY_SKIP_DEPRECATED_LOGS', true);
  return withoutNothing({
    ...raw,
    ISTIO_VERSION: raw['ISTIO_VERSION'] ?? istioVersion,
    INSTANCE_IPS: [...new Set(facts.addresses)].join(','),
    NAME: environment.variables['POD_NAME'] ?? raw['NAME'],
    NAMESPACE: environment.variables['POD_NAMESPACE'] ?? raw['NAMESPACE'],
    SERVICE_ACCOUNT: environment.variables['SERVICE_ACCOUNT'] ?? raw['SERVICE_ACCOUNT'],
    LABELS: withLocality(labels),
    STATIC_LABELS: staticLabels,
    ANNOTATIONS: annotations,
    ENVOY_STATUS_PORT: facts.statusPort,
    ENVOY_PROMETHEUS_PORT: facts.prometheusPort,
    EXIT_ON_ZERO_ACTIVE_CONNECTIONS: isExitOnZero ? 'true' : raw['EXIT_ON_ZERO_ACTIVE_CONNECTIONS'],
    METADATA_DISCOVERY: String(metadataDiscovery),
    ENVOY_SKIP_DEPRECATED_LOGS: skipsDeprecated ? 'true' : raw['ENVOY_SKIP_DEPRECATED_LOGS'],
    WORKLOAD_IDENTITY_SOCKET_FILE: facts.identitySocketFile,
    OUTLIER_LOG_PATH: facts.outlierLogPath,
    PROXY_CONFIG: facts.proxyConfig,
    PILOT_SAN: facts.proxyConfig.controlPlaneAuthPolicy === 'MUTUAL_TLS' ? [serverName(facts.proxyConfig)] : undefined,
    credential: facts.hasCredentialSocket ? 'true' : raw['credential'],
    'file-credential': facts.servesFilesOnly ? 'true' : raw['file-credential'],
  });
}

/** What istiod's certificate is expected to name. */
export function serverName({ discoveryAddress }: ProxyConfig): string {
  const [host] = (discoveryAddress ?? '').split(':');
  return host === 'localhost' ? 'istiod.istio-system.svc' : host;
}

/** Of the labels `topology.istio.io/locality` or `istio-locality`: `region.zone.subzone`, or with slashes. */
export function localityOf(labels: Readonly<Record<string, string>>): Locality {
  const [region, zone, subZone] = locality(labels).split('/');
  return withoutNothing({ region, zone, sub_zone: subZone });
}

function locality(labels: Readonly<Record<string, string>>): string {
  const written = labels[topologyLabel] ?? labels[localityLabel] ?? '';
  return written.includes('/') ? written : written.replaceAll('.', '/');
}

function withLocality(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const found = locality(labels);
  return found === '' ? labels : { ...labels, [localityLabel]: found };
}

function variablesOf(environment: Environment, config: ProxyConfig): Record<string, unknown> {
  const raw: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(config.proxyMetadata ?? {}))
    if (name.startsWith(variablePrefix)) raw[name.slice(variablePrefix.length)] = value;
  for (const [name, value] of environment.withPrefix(variablePrefix)) raw[name] = value;
  for (const [name, value] of environment.withPrefix(jsonPrefix)) {
    const found = objectIn(value);
    if (found === null) environment.complaints.push(`${jsonPrefix}${name} is no JSON object: it is left out`);
    Object.assign(raw, found);
  }
  for (const key of booleanKeys) {
    if (raw[key] === undefined) continue;
    const value = parseBoolean(textIn(raw, key));
    if (value === undefined)
      throw new AgentError(`${variablePrefix}${key} is '${textIn(raw, key)}'; allowed: true, false`);
    if (value) raw[key] = 'true';
  }
  return raw;
}

function labelsOf(
  environment: Environment,
  podLabels: ReadonlyMap<string, string> | null,
): { labels: Record<string, string>; staticLabels: Record<string, string> } {
  const staticLabels = (objectIn(environment.text(`${jsonPrefix}LABELS`)) ?? {}) as Record<string, string>;
  const labels: Record<string, string> = { ...staticLabels };
  for (const [key, value] of podLabels ?? []) if (key !== templateHashLabel) labels[key] = value;
  return { labels, staticLabels };
}

function mapOf(written: unknown, found: ReadonlyMap<string, string> | null): Record<string, string> {
  const base = typeof written === 'object' && written !== null ? (written as Record<string, string>) : {};
  return { ...base, ...Object.fromEntries(found ?? []) };
}

function objectIn(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** Without what is undefined, empty text or an empty map. */
function withoutNothing(values: Record<string, unknown>): Record<string, never> {
  const kept = Object.entries(values).filter(
    ([, value]) =>
      value !== undefined &&
      value !== '' &&
      !(typeof value === 'object' && value !== null && Object.keys(value).length === 0),
  );
  return Object.fromEntries(kept) as Record<string, never>;
}
