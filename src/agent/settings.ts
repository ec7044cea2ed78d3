import { AgentError } from './agent-error.ts';
import type { AgentFlags } from './agent-flags.ts';
import { addressFamily } from './bootstrap/address-family.ts';
import { bootstrap, bootstrapPath } from './bootstrap/bootstrap.ts';
import { nodeMetadata, type NodeMetadata } from './bootstrap/node-metadata.ts';
import { parsePodInfo, podAnnotationsPath, podLabelsPath } from './bootstrap/pod-info.ts';
import { proxyArguments } from './bootstrap/proxy-arguments.ts';
import { mergeProxyConfig, withField, type Message, type ProxyConfig } from './bootstrap/proxy-config.ts';
import type { Environment } from './environment.ts';

/** What of the machine the agent looks at. */
export interface Surroundings {
  readonly environment: Environment;
  /** Null: there is no such file. */
  readonly readFile: (path: string) => string | null;
  /** Addresses of the interfaces, but loopback and link-local ones. */
  readonly addresses: readonly string[];
  /** By the name of the interface, for the annotation that leaves some out. */
  readonly addressesOf: (networkInterface: string) => readonly string[];
}

/** What the agent is to do, all decided. */
export interface Settings {
  readonly flags: AgentFlags;
  readonly environment: Environment;
  readonly proxyConfig: ProxyConfig;
  readonly metadata: NodeMetadata;
  readonly nodeId: string;
  readonly domain: string;
  /** The first is the pod's. */
  readonly addresses: readonly string[];
  readonly isIpv6Only: boolean;
  /** 127.0.0.1 or ::1. */
  readonly localhost: string;
  readonly bootstrap: Message;
  readonly bootstrapPath: string;
  /** The proxy's command line. */
  readonly arguments: readonly string[];
}

/** Who else is there, as far as it changes what the agent does. */
export interface Neighbours {
  /** A socket at `./var/run/secrets/credential-uds/socket` answers. */
  readonly hasCredentialSocket: boolean;
  /** A socket at the place of the workload's identity answers: SPIRE's. */
  readonly hasIdentitySocket: boolean;
}

/** A template that came with Istio's image: what it says is said here. */
const stockTemplate = /\/envoy_bootstrap(_tmpl|_v2)?\.json$/;

/** @throws AgentError where something cannot be used */
export function settings(flags: AgentFlags, surroundings: Surroundings, neighbours: Neighbours): Settings {
  const { environment, readFile } = surroundings;
  const read = (path: string): ReadonlyMap<string, string> | null => {
    const text = readFile(path);
    return text === null ? null : parsePodInfo(text, path);
  };
  const podAnnotations = read(podAnnotationsPath);
  const proxyConfig = proxyConfigOf(flags, surroundings, podAnnotations);
  const addresses = addressesOf(surroundings, podAnnotations);
  const namespace = environment.text('POD_NAMESPACE');
  const domain = flags.domain === '' ? `${namespace}.svc.cluster.local` : flags.domain;
  const nodeId = [flags.type, addresses[0], `${environment.text('POD_NAME')}.${namespace}`, domain].join('~');
  const identitySocketFile = environment.text('WORKLOAD_IDENTITY_SOCKET_FILE', 'socket');
  if (identitySocketFile.includes('/'))
    throw new AgentError(`WORKLOAD_IDENTITY_SOCKET_FILE is a file name, not a path: '${identitySocketFile}'`);
  const metadata = nodeMetadata(environment, {
    proxyConfig,
    addresses,
    podLabels: read(podLabelsPath),
    podAnnotations,
    statusPort: environment.integer('ENVOY_STATUS_PORT', 15021),
    prometheusPort: environment.integer('ENVOY_PROMETHEUS_PORT', 15090),
    outlierLogPath: flags.outlierLogPath,
    hasCredentialSocket: neighbours.hasCredentialSocket,
    servesFilesOnly: neighbours.hasIdentitySocket,
    identitySocketFile,
  });
  const { isIpv6Only, localhost } = addressFamily(addresses, environment.boolean('ISTIO_DUAL_STACK', false));
  const path = bootstrapPath(proxyConfig);
  return {
    flags,
    environment,
    proxyConfig,
    metadata,
    nodeId,
    domain,
    addresses,
    isIpv6Only,
    localhost,
    bootstrap: bootstrap({ nodeId, metadata, proxyConfig, environment, logsJson: flags.logsJson }),
    bootstrapPath: path,
    arguments: proxyArguments({
      path,
      proxyConfig,
      isIpv6Only,
      logLevel: flags.proxyLogLevel,
      componentLogLevel: flags.proxyComponentLogLevel,
      skipsDeprecatedLogs: environment.boolean('ENVOY_SKIP_DEPRECATED_LOGS', true),
      override: overrideOf(surroundings),
      hostAddress: environment.text('HOST_IP'),
    }),
  };
}

function proxyConfigOf(
  flags: AgentFlags,
  { environment, readFile }: Surroundings,
  annotations: ReadonlyMap<string, string> | null,
): ProxyConfig {
  let config = mergeProxyConfig({
    meshConfig: readFile(flags.meshConfigPath) ?? '',
    environment: environment.text('PROXY_CONFIG'),
    annotation: annotations?.get('proxy.istio.io/config') ?? '',
  });
  const cpus = environment.integer('ISTIO_CPU_LIMIT', 0);
  if (config.concurrency === undefined && cpus !== 0) config = withField(config, 'concurrency', cpus);
  if (flags.concurrency !== 0) config = withField(config, 'concurrency', flags.concurrency);
  if (config.serviceCluster === undefined && config.tracingServiceName === undefined)
    config = withField(config, 'serviceCluster', flags.serviceCluster);
  const discoveryAddress = annotations?.get('sidecar.istio.io/discoveryAddress');
  if (discoveryAddress !== undefined) config = withField(config, 'discoveryAddress', discoveryAddress);
  const statusPort = annotations?.get('status.sidecar.istio.io/port');
  if (statusPort !== undefined && /^\d+$/.test(statusPort))
    config = withField(config, 'statusPort', Number(statusPort));
  if (flags.templateFile !== '') config = withField(config, 'proxyBootstrapTemplatePath', flags.templateFile);
  const template = environment.text('ISTIO_BOOTSTRAP', config.customConfigFile ?? config.proxyBootstrapTemplatePath);
  if (template !== '' && !stockTemplate.test(template))
    throw new AgentError(
      `the bootstrap template '${template}' is a Go template, which is not supported by sekisho; ISTIO_BOOTSTRAP_OVERRIDE names a file that is merged over the bootstrap`,
    );
  return config;
}

/** The pod's first, then those of the interfaces. */
function addressesOf(
  { environment, addresses, addressesOf: addressesOfInterface }: Surroundings,
  annotations: ReadonlyMap<string, string> | null,
): string[] {
  const pod = environment.text('INSTANCE_IP');
  const excluded = annotations?.get('traffic.sidecar.istio.io/excludeInterfaces') ?? '';
  const left = new Set([pod, ...excluded.split(',').flatMap((name) => addressesOfInterface(name))]);
  const found = addresses.length === 0 ? ['127.0.0.1', '::1'] : addresses;
  return [...(pod === '' ? [] : [pod]), ...found.filter((address) => !left.has(address))];
}

function overrideOf({ environment, readFile }: Surroundings): string {
  const path = environment.text('ISTIO_BOOTSTRAP_OVERRIDE');
  if (path === '') return '';
  const text = readFile(path);
  if (text === null) environment.complaints.push(`ISTIO_BOOTSTRAP_OVERRIDE: there is no file ${path}`);
  return text ?? '';
}
