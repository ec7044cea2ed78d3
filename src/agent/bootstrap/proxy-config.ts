import { load } from 'js-yaml';
import { AgentError } from '../agent-error.ts';

/**
 * `istio.mesh.v1alpha1.ProxyConfig` as its JSON, in canonical form: names in camel case, durations as `45s`, what has
 * its default left out. It travels to istiod as PROXY_CONFIG of the node's metadata.
 */
export interface ProxyConfig extends Readonly<Record<string, unknown>> {
  readonly configPath?: string;
  readonly binaryPath?: string;
  readonly serviceCluster?: string;
  readonly tracingServiceName?: string;
  readonly drainDuration?: string;
  readonly terminationDrainDuration?: string;
  readonly discoveryAddress?: string;
  readonly statsdUdpAddress?: string;
  readonly proxyAdminPort?: number;
  readonly statusPort?: number;
  readonly controlPlaneAuthPolicy?: string;
  readonly customConfigFile?: string;
  readonly proxyBootstrapTemplatePath?: string;
  readonly concurrency?: number;
  readonly tracing?: Message;
  readonly envoyAccessLogService?: Message;
  readonly envoyMetricsService?: Message;
  readonly proxyMetadata?: Readonly<Record<string, string>>;
  readonly runtimeValues?: Readonly<Record<string, string>>;
  readonly extraStatTags?: readonly string[];
  readonly proxyStatsMatcher?: Message;
  readonly proxyHeaders?: Message;
  readonly privateKeyProvider?: Message;
  readonly fileFlushInterval?: string;
  readonly fileFlushMinSizeKb?: number;
  readonly statsCompression?: boolean;
}

export type Message = Readonly<Record<string, unknown>>;

type Kind = 'text' | 'integer' | 'wrapped' | 'duration' | 'message' | 'texts' | readonly string[];

/** Fields by name in camel case; of an enum its values, first the one that is left out. */
const fields: Readonly<Record<string, Kind>> = {
  configPath: 'text',
  binaryPath: 'text',
  serviceCluster: 'text',
  tracingServiceName: ['', 'APP_LABEL_AND_NAMESPACE', 'CANONICAL_NAME_ONLY', 'CANONICAL_NAME_AND_NAMESPACE'],
  drainDuration: 'duration',
  discoveryAddress: 'text',
  discoveryRefreshDelay: 'duration',
  zipkinAddress: 'text',
  statsdUdpAddress: 'text',
  envoyMetricsServiceAddress: 'text',
  proxyAdminPort: 'integer',
  availabilityZone: 'text',
  controlPlaneAuthPolicy: ['NONE', 'MUTUAL_TLS', 'INHERIT'],
  customConfigFile: 'text',
  statNameLength: 'integer',
  concurrency: 'wrapped',
  proxyBootstrapTemplatePath: 'text',
  interceptionMode: ['REDIRECT', 'TPROXY', 'NONE'],
  tracing: 'message',
  sds: 'message',
  envoyAccessLogService: 'message',
  envoyMetricsService: 'message',
  proxyMetadata: 'message',
  runtimeValues: 'message',
  statusPort: 'integer',
  extraStatTags: 'texts',
  gatewayTopology: 'message',
  terminationDrainDuration: 'duration',
  meshId: 'text',
  readinessProbe: 'message',
  proxyStatsMatcher: 'message',
  holdApplicationUntilProxyStarts: 'wrapped',
  caCertificatesPem: 'texts',
  image: 'message',
  privateKeyProvider: 'message',
  proxyHeaders: 'message',
  fileFlushInterval: 'duration',
  fileFlushMinSizeKb: 'integer',
  statsCompression: 'wrapped',
};

/** `istiod`'s and the agent's built-in defaults. */
export const defaultProxyConfig: ProxyConfig = {
  configPath: './etc/istio/proxy',
  binaryPath: '/usr/local/bin/envoy',
  serviceCluster: 'istio-proxy',
  drainDuration: '45s',
  terminationDrainDuration: '5s',
  discoveryAddress: 'istiod.istio-system.svc:15012',
  proxyAdminPort: 15000,
  controlPlaneAuthPolicy: 'MUTUAL_TLS',
  statNameLength: 189,
  statusPort: 15020,
};

/** Where the parts come from; empty: nothing is there. Each overrides those before it. */
export interface ProxyConfigSources {
  /** A MeshConfig, whose `defaultConfig` counts. */
  readonly meshConfig: string;
  /** The variable PROXY_CONFIG. */
  readonly environment: string;
  /** The annotation `proxy.istio.io/config`. */
  readonly annotation: string;
}

/**
 * What all sources say together: a field of a later one replaces that of an earlier one, maps of metadata are merged.
 * @throws AgentError where one of them cannot be read or has an unknown field
 */
export function mergeProxyConfig(sources: ProxyConfigSources): ProxyConfig {
  let config = defaultProxyConfig;
  const mesh = parse(sources.meshConfig, 'the mesh configuration');
  if (mesh['defaultConfig'] !== undefined)
    config = merge(config, message(mesh['defaultConfig'], "the mesh configuration's defaultConfig"), 'defaultConfig');
  config = merge(config, parse(sources.environment, 'PROXY_CONFIG'), 'PROXY_CONFIG');
  const name = 'the annotation proxy.istio.io/config';
  return merge(config, parse(sources.annotation, name), name);
}

/** With one field more, or another value of it. */
export function withField(config: ProxyConfig, field: string, value: unknown): ProxyConfig {
  return { ...config, [field]: value };
}

function parse(text: string, name: string): Message {
  if (text.trim() === '') return {};
  try {
    return message(load(text) ?? {}, name);
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw new AgentError(`${name} cannot be read: ${(error as Error).message.split('\n', 1)[0]}`);
  }
}

function message(value: unknown, name: string): Message {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Message;
  throw new AgentError(`${name} is not an object`);
}

function merge(base: ProxyConfig, over: Message, name: string): ProxyConfig {
  const merged: Record<string, unknown> = { ...base };
  for (const [written, value] of Object.entries(over)) {
    const field = written.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const kind = fields[field];
    if (kind === undefined) throw new AgentError(`${name}: unknown field '${written}'`);
    const found = value === null ? undefined : canonical(kind, value, `${name}: ${written}`);
    // Both are one choice.
    if (field === 'serviceCluster') delete merged['tracingServiceName'];
    if (field === 'tracingServiceName') delete merged['serviceCluster'];
    if (found === undefined) delete merged[field];
    else if (field === 'proxyMetadata' || field === 'proxyHeaders')
      merged[field] = { ...(merged[field] as Message | undefined), ...(found as Message) };
    else merged[field] = found;
  }
  return merged;
}

/** Undefined: the default, which is left out. */
function canonical(kind: Kind, value: unknown, where: string): unknown {
  if (kind === 'text') {
    if (typeof value !== 'string') throw new AgentError(`${where} is not text`);
    return value === '' ? undefined : value;
  }
  if (kind === 'integer') {
    if (!/^-?\d+$/.test(String(value))) throw new AgentError(`${where} is not a whole number`);
    return Number(value) === 0 ? undefined : Number(value);
  }
  if (kind === 'wrapped') return typeof value === 'string' ? Number(value) : value;
  if (kind === 'duration') return duration(value, where);
  if (kind === 'message') return message(value, where);
  if (kind === 'texts') {
    if (!Array.isArray(value)) throw new AgentError(`${where} is not a list`);
    return value.length === 0 ? undefined : value;
  }
  if (typeof value !== 'string' || value === '' || !kind.includes(value))
    throw new AgentError(`${where} is '${String(value)}'; allowed: ${kind.filter((each) => each !== '').join(', ')}`);
  return value === kind[0] ? undefined : value;
}

function duration(value: unknown, where: string): string {
  const parts = typeof value === 'string' ? /^(-?\d+)(?:\.(\d{1,9}))?s$/.exec(value) : null;
  if (parts === null) throw new AgentError(`${where} is not a duration, as 45s`);
  const nanos = (parts[2] ?? '').padEnd(9, '0');
  // As protobuf writes it: none, three, six or nine digits.
  const digits = nanos.replace(/(?:000){1,3}$/, '');
  return `${Number(parts[1])}${digits === '' ? '' : `.${digits}`}s`;
}

/** A duration of the configuration in milliseconds. */
export function configDurationMs(text: string | undefined, otherwiseMs: number): number {
  return text === undefined ? otherwiseMs : Number(text.slice(0, -1)) * 1000;
}
