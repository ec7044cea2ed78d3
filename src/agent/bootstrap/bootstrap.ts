import { join } from 'node:path/posix';
import { AgentError } from '../agent-error.ts';
import type { Environment } from '../environment.ts';
import { addressFamily } from './address-family.ts';
import { localityOf, textIn, type NodeMetadata } from './node-metadata.ts';
import type { Message, ProxyConfig } from './proxy-config.ts';
import { serviceCluster } from './service-cluster.ts';
import { controlPlaneCluster, localCluster, remoteCluster, socketAddress, socketCluster } from './static-clusters.ts';
import { prometheusListener, statusListener } from './static-listeners.ts';
import { statsConfig, statsIntervals } from './stats-config.ts';

/** Folder of the socket at which the workload's identity is served. */
export const identitySocketFolder = './var/run/secrets/workload-spiffe-uds';
/** The agent's own socket where another serves the workload's identity: certificates in files only. */
export const filesSocketPath = './var/run/secrets/credential-uds/files-socket';

const internalListener = {
  name: 'envoy.bootstrap.internal_listener',
  typed_config: typedStruct('envoy.extensions.bootstrap.internal_listener.v3.InternalListener', { buffer_size_kb: 64 }),
};
const metadataDiscovery = {
  name: 'metadata_discovery',
  typed_config: typedStruct('istio.workload.BootstrapExtension', { config_source: { ads: {} } }),
};

/** What a bootstrap is made of. */
export interface BootstrapFacts {
  /** `type~address~name~domain`. */
  readonly nodeId: string;
  readonly metadata: NodeMetadata;
  readonly proxyConfig: ProxyConfig;
  readonly environment: Environment;
  readonly logsJson: boolean;
}

/**
 * The proxy's configuration as Istio's agent writes it (1.29): envoy.config.bootstrap.v3.Bootstrap in JSON.
 * @throws AgentError for what it cannot say
 */
export function bootstrap(facts: BootstrapFacts): Message {
  const { nodeId, metadata, proxyConfig, environment } = facts;
  const isWaypoint = nodeId.startsWith('waypoint~');
  const isDelta = isWaypoint || environment.boolean('ISTIO_DELTA_XDS', true);
  const hasMetadataDiscovery = isDelta && (isWaypoint || metadata['METADATA_DISCOVERY'] === 'true');
  const labels = (metadata['LABELS'] ?? {}) as Record<string, string>;
  return {
    application_log_config: { log_format: facts.logsJson ? jsonLog : textLog },
    node: {
      id: nodeId,
      cluster: serviceCluster(proxyConfig, metadata),
      locality: localityOf(labels),
      metadata,
    },
    layered_runtime: {
      layers: [
        { name: 'global config', static_layer: runtimeFlags(proxyConfig, environment) },
        { name: 'admin', admin_layer: {} },
      ],
    },
    bootstrap_extensions: hasMetadataDiscovery ? [metadataDiscovery, internalListener] : [internalListener],
    ...statsIntervals(metadata, environment),
    stats_config: statsConfig(proxyConfig, metadata, hasMetadataDiscovery, environment),
    ...networkParts(facts, isDelta),
    ...overload(proxyConfig),
    ...tracing(proxyConfig),
    ...statsSinks(proxyConfig, environment),
    ...clusterManager(metadata),
    deferred_stat_options: { enable_deferred_creation_stats: true },
  };
}

const textLog = { text_format: '%Y-%m-%dT%T.%fZ\t%l\tenvoy %n %g:%#\t%v\tthread=%t' };
const jsonLog = {
  json_format: {
    time: '%Y-%m-%dT%T.%fZ',
    level: '%l',
    scope: 'envoy %n',
    msg: '%j',
    caller: '%g:%#',
    thread: '%t',
  },
};

function networkParts({ metadata, proxyConfig, environment }: BootstrapFacts, isDelta: boolean): Message {
  const addresses = textIn(metadata, 'INSTANCE_IPS').split(',');
  const family = addressFamily(addresses, environment.boolean('ISTIO_DUAL_STACK', false));
  const { localhost, additionalLocalhost, wildcard, additionalWildcard } = family;
  const adminPort = proxyConfig.proxyAdminPort ?? 0;
  const isLocalOnly = proxyConfig.proxyMetadata?.['METRICS_LOCALHOST_ACCESS_ONLY'] === 'true';
  const source = { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' };
  return {
    admin: {
      access_log: [
        {
          name: 'envoy.access_loggers.file',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
            path: '/dev/null',
          },
        },
      ],
      profile_path: '/var/lib/istio/data/envoy.prof',
      address: { socket_address: { address: localhost, port_value: adminPort } },
    },
    dynamic_resources: {
      lds_config: source,
      cds_config: source,
      ads_config: {
        api_type: isDelta ? 'DELTA_GRPC' : 'GRPC',
        set_node_on_first_message_only: true,
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' } }],
      },
    },
    static_resources: {
      clusters: [
        localCluster('prometheus_stats', localhost, adminPort),
        localCluster('agent', localhost, proxyConfig.statusPort ?? 0),
        socketCluster('sds-grpc', `${identitySocketFolder}/${textIn(metadata, 'WORKLOAD_IDENTITY_SOCKET_FILE')}`),
        ...(metadata['file-credential'] === undefined ? [] : [socketCluster('sds-files-grpc', filesSocketPath)]),
        controlPlaneCluster(`${proxyConfig.configPath ?? '.'}/XDS`),
        ...remoteClusters(proxyConfig, environment, family.dnsLookupFamily),
      ],
      listeners: [
        prometheusListener(
          {
            address: isLocalOnly ? localhost : wildcard,
            additionalAddress: isLocalOnly ? additionalLocalhost : additionalWildcard,
            port: Number(metadata['ENVOY_PROMETHEUS_PORT']),
          },
          proxyConfig.statsCompression ?? true,
        ),
        statusListener(
          { address: wildcard, additionalAddress: additionalWildcard, port: Number(metadata['ENVOY_STATUS_PORT']) },
          environment.boolean('ENVOY_STATUS_PORT_ENABLE_PROXY_PROTOCOL', false),
        ),
      ],
    },
  };
}

/** Values of the runtime: an empty one takes a default away. */
function runtimeFlags(config: ProxyConfig, environment: Environment): Message {
  const flags: Record<string, unknown> = {
    're2.max_program_size.error_level': '32768',
    'envoy.deprecated_features:envoy.config.listener.v3.Listener.hidden_envoy_deprecated_use_original_dst': true,
    'envoy.reloadable_features.http_reject_path_with_fragment': false,
    'envoy.reloadable_features.fixed_heap_use_allocated': true,
  };
  if (environment.text('COMPLIANCE_POLICY') === 'fips-140-2')
    flags['envoy.reloadable_features.google_grpc_disable_tls_13'] = true;
  if (!environment.boolean('HTTP_STRIP_FRAGMENT_FROM_PATH_UNSAFE_IF_DISABLED', true))
    flags['envoy.reloadable_features.http_strip_fragment_from_path_unsafe_if_disabled'] = 'false';
  for (const [name, value] of Object.entries(config.runtimeValues ?? {})) {
    if (value === '') delete flags[name];
    else flags[name] = value === 'true' ? true : value === 'false' ? false : value;
  }
  return flags;
}

function overload(config: ProxyConfig): Message {
  const written =
    config.proxyMetadata?.['ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS'] ??
    config.runtimeValues?.['overload.global_downstream_max_connections'] ??
    '';
  return {
    overload_manager: {
      resource_monitors: [
        {
          name: 'envoy.resource_monitors.global_downstream_max_connections',
          typed_config: {
            '@type':
              'type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
            max_active_downstream_connections: /^\d+$/.test(written) ? Number(written) : 2_147_483_647,
          },
        },
      ],
    },
  };
}

function addressIn(part: Message | undefined): string {
  return typeof part?.['address'] === 'string' ? part['address'] : '';
}

function remoteClusters(config: ProxyConfig, environment: Environment, dnsLookupFamily: string): Message[] {
  const common = { hostAddress: environment.text('HOST_IP'), dnsLookupFamily };
  const clusters: Message[] = [];
  const zipkin = addressIn(config.tracing?.['zipkin'] as Message | undefined);
  const tls = config.tracing?.['tlsSettings'] as Message | undefined;
  if (zipkin !== '')
    clusters.push(
      remoteCluster({ ...common, name: 'zipkin', address: zipkin, isHttp2: false, tls, refreshRate: '30s' }),
    );
  for (const [name, service] of [
    ['envoy_metrics_service', config.envoyMetricsService],
    ['envoy_accesslog_service', config.envoyAccessLogService],
  ] as const) {
    const address = addressIn(service);
    if (address === '') continue;
    const keepalive = service?.['tcpKeepalive'] as Message | undefined;
    clusters.push(
      remoteCluster({
        ...common,
        name,
        address,
        isHttp2: true,
        tls: service?.['tlsSettings'] as Message | undefined,
        ...(keepalive === undefined ? {} : { keepalive }),
      }),
    );
  }
  return clusters;
}

function tracing(config: ProxyConfig): Message {
  for (const tracer of ['lightstep', 'datadog', 'stackdriver', 'openCensusAgent'])
    if (config.tracing?.[tracer] !== undefined)
      throw new AgentError(
        `tracing.${tracer} of the ProxyConfig is not supported by sekisho; name a provider in a Telemetry`,
      );
  if (addressIn(config.tracing?.['zipkin'] as Message | undefined) === '') return {};
  return {
    tracing: {
      http: {
        name: 'envoy.tracers.zipkin',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.config.trace.v3.ZipkinConfig',
          collector_cluster: 'zipkin',
          collector_endpoint: '/api/v2/spans',
          collector_endpoint_version: 'HTTP_JSON',
          trace_id_128bit: true,
          shared_span_context: false,
        },
      },
    },
  };
}

function statsSinks(config: ProxyConfig, environment: Environment): Message {
  const sinks: Message[] = [];
  if (addressIn(config.envoyMetricsService) !== '')
    sinks.push({
      name: 'envoy.stat_sinks.metrics_service',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.config.metrics.v3.MetricsServiceConfig',
        transport_api_version: 'V3',
        grpc_service: { envoy_grpc: { cluster_name: 'envoy_metrics_service' } },
      },
    });
  if (config.statsdUdpAddress !== undefined)
    sinks.push({
      name: 'envoy.stat_sinks.statsd',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.config.metrics.v3.StatsdSink',
        address: { socket_address: socketAddress(config.statsdUdpAddress, environment.text('HOST_IP')) },
      },
    });
  return sinks.length === 0 ? {} : { stats_sinks: sinks };
}

function clusterManager(metadata: NodeMetadata): Message {
  const path = metadata['OUTLIER_LOG_PATH'];
  const loadStats = metadata['LOAD_STATS_CONFIG_JSON'];
  if (path === undefined && loadStats === undefined) return {};
  return {
    cluster_manager: {
      enable_deferred_cluster_creation: true,
      ...(path === undefined ? {} : { outlier_detection: { event_log_path: path } }),
      ...(loadStats === undefined
        ? {}
        : { load_stats_config: JSON.parse(textIn(metadata, 'LOAD_STATS_CONFIG_JSON')) as Message }),
    },
  };
}

function typedStruct(type: string, value: Message): Message {
  return { '@type': 'type.googleapis.com/udpa.type.v1.TypedStruct', type_url: `type.googleapis.com/${type}`, value };
}

/** Where it is written, relative to the working folder. */
export function bootstrapPath(config: ProxyConfig): string {
  return join(config.configPath ?? '.', 'envoy-rev.json');
}
