import type { ExtensionDecoder } from './core/extension.ts';
import type { ExtensionEntry } from './control/extension-table.ts';
import { expressionKind, loadExpressions } from './observe/expression/expressions.ts';
import { downstreamTlsKind, upstreamTlsKind } from './identity/tls-context-data.ts';
import { fromBinary } from './proto/protobuf.js';

const httpFilters = 'envoy.filters.http';
/** Behind the router. */
const httpUpstreamFilters = 'envoy.filters.http.upstream';
const networkFilters = 'envoy.filters.network';
const upstreamFilters = 'envoy.filters.upstream_network';

/** Every extension that a configuration may name. Decoders are loaded when one does. */
export const extensionEntries: readonly ExtensionEntry[] = [
  httpFilter('router.v3.Router', async () => (await import('./proxy/http/decode/router-decode.ts')).routerDecoder),
  {
    category: httpUpstreamFilters,
    kind: 'envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec',
    load: async () => (await import('./cluster/protocol/stream-filters-decode.ts')).upstreamCodecDecoder,
  },
  httpFilter('fault.v3.HTTPFault', async () => (await import('./filter/fault/decode.ts')).faultDecoder),
  dualFilter(
    'admission_control.v3.AdmissionControl',
    async () => (await import('./filter/admission-control/decode.ts')).admissionControlDecoder,
  ),
  dualFilter('buffer.v3.Buffer', async () => (await import('./filter/buffer/decode.ts')).bufferDecoder),
  httpFilter('buffer.v3.BufferPerRoute', async () => (await import('./filter/buffer/decode.ts')).bufferPerRouteDecoder),
  httpFilter('compressor.v3.Compressor', async () => (await import('./filter/compressor/decode.ts')).compressorDecoder),
  httpFilter(
    'compressor.v3.CompressorPerRoute',
    async () => (await import('./filter/compressor/decode.ts')).compressorPerRouteDecoder,
  ),
  httpFilter(
    'decompressor.v3.Decompressor',
    async () => (await import('./filter/decompressor/decode.ts')).decompressorDecoder,
  ),
  httpFilter(
    'health_check.v3.HealthCheck',
    async () => (await import('./filter/health-check/decode.ts')).healthCheckDecoder,
  ),
  httpFilter(
    'custom_response.v3.CustomResponse',
    async () => (await import('./filter/custom-response/decode.ts')).customResponseDecoder,
  ),
  httpFilter(
    'bandwidth_limit.v3.BandwidthLimit',
    async () => (await import('./filter/bandwidth-limit/decode.ts')).bandwidthLimitDecoder,
  ),
  {
    category: httpFilters,
    alsoIn: [httpUpstreamFilters],
    kind: 'envoy.extensions.common.matching.v3.ExtensionWithMatcher',
    load: async () => (await import('./filter/match-delegate/decode.ts')).matchDelegateDecoder,
  },
  httpFilter('csrf.v3.CsrfPolicy', async () => (await import('./filter/csrf/decode.ts')).csrfDecoder),
  httpFilter(
    'header_to_metadata.v3.Config',
    async () => (await import('./filter/header-to-metadata/decode.ts')).headerToMetadataDecoder,
  ),
  httpFilter(
    'set_filter_state.v3.Config',
    async () => (await import('./filter/set-filter-state/decode.ts')).setFilterStateDecoder,
  ),
  httpFilter(
    'set_metadata.v3.Config',
    async () => (await import('./filter/set-metadata/decode.ts')).setMetadataDecoder,
  ),
  httpFilter(
    'jwt_authn.v3.JwtAuthentication',
    async () => (await import('./filter/jwt-authn/decode.ts')).jwtAuthnDecoder,
  ),
  httpFilter(
    'jwt_authn.v3.PerRouteConfig',
    async () => (await import('./filter/jwt-authn/decode.ts')).jwtPerRouteDecoder,
  ),
  httpFilter('ext_authz.v3.ExtAuthz', async () => (await import('./filter/ext-authz/decode.ts')).extAuthzDecoder),
  httpFilter(
    'ext_authz.v3.ExtAuthzPerRoute',
    async () => (await import('./filter/ext-authz/decode.ts')).extAuthzPerRouteDecoder,
  ),
  httpFilter(
    'dynamic_forward_proxy.v3.FilterConfig',
    async () => (await import('./proxy/http/decode/dynamic-forward-proxy-decode.ts')).dynamicForwardProxyDecoder,
  ),
  httpFilter(
    'dynamic_forward_proxy.v3.PerRouteConfig',
    async () =>
      (await import('./proxy/http/decode/dynamic-forward-proxy-decode.ts')).dynamicForwardProxyPerRouteDecoder,
  ),
  httpFilter(
    'on_demand.v3.OnDemand',
    async () => (await import('./proxy/http/decode/on-demand-decode.ts')).onDemandDecoder,
  ),
  httpFilter(
    'on_demand.v3.PerRouteConfig',
    async () => (await import('./proxy/http/decode/on-demand-decode.ts')).onDemandPerRouteDecoder,
  ),
  httpFilter('basic_auth.v3.BasicAuth', async () => (await import('./filter/basic-auth/decode.ts')).basicAuthDecoder),
  httpFilter(
    'basic_auth.v3.BasicAuthPerRoute',
    async () => (await import('./filter/basic-auth/decode.ts')).basicAuthPerRouteDecoder,
  ),
  httpFilter('ratelimit.v3.RateLimit', async () => (await import('./filter/ratelimit/decode.ts')).rateLimitDecoder),
  httpFilter(
    'ratelimit.v3.RateLimitPerRoute',
    async () => (await import('./filter/ratelimit/decode.ts')).rateLimitPerRouteDecoder,
  ),
  httpFilter('cors.v3.Cors', async () => (await import('./filter/cors/decode.ts')).corsDecoder),
  httpFilter('cors.v3.CorsPolicy', async () => (await import('./filter/cors/decode.ts')).corsPolicyDecoder),
  dualFilter(
    'header_mutation.v3.HeaderMutation',
    async () => (await import('./filter/header-mutation/decode.ts')).headerMutationDecoder,
  ),
  httpFilter(
    'header_mutation.v3.HeaderMutationPerRoute',
    async () => (await import('./filter/header-mutation/decode.ts')).headerMutationPerRouteDecoder,
  ),
  httpFilter(
    'grpc_http1_bridge.v3.Config',
    async () => (await import('./filter/grpc-http1-bridge/decode.ts')).grpcHttp1BridgeDecoder,
  ),
  httpFilter(
    'grpc_json_transcoder.v3.GrpcJsonTranscoder',
    async () => (await import('./filter/grpc-json-transcoder/decode.ts')).grpcJsonTranscoderDecoder,
  ),
  httpFilter(
    'grpc_stats.v3.FilterConfig',
    async () => (await import('./filter/grpc-stats/decode.ts')).grpcStatsDecoder,
  ),
  httpFilter(
    'stateful_session.v3.StatefulSession',
    async () => (await import('./filter/stateful-session/decode.ts')).statefulSessionDecoder,
  ),
  httpFilter(
    'stateful_session.v3.StatefulSessionPerRoute',
    async () => (await import('./filter/stateful-session/decode.ts')).statefulSessionPerRouteDecoder,
  ),
  httpFilter('grpc_web.v3.GrpcWeb', async () => (await import('./filter/grpc-web/decode.ts')).grpcWebDecoder),
  httpFilter(
    'local_ratelimit.v3.LocalRateLimit',
    async () => (await import('./filter/local-ratelimit/decode.ts')).localRateLimitDecoder,
  ),
  dualFilter('rbac.v3.RBAC', async () => (await import('./filter/rbac/decode.ts')).rbacDecoder),
  httpFilter('rbac.v3.RBACPerRoute', async () => (await import('./filter/rbac/decode.ts')).rbacPerRouteDecoder),
  {
    category: httpFilters,
    kind: 'istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig',
    load: async () => (await import('./filter/istio/alpn/decode.ts')).alpnDecoder,
  },
  {
    category: httpFilters,
    alsoIn: [networkFilters],
    kind: 'stats.PluginConfig',
    load: async () => (await import('./filter/istio/stats/decode.ts')).istioStatsDecoder,
  },
  {
    category: httpFilters,
    kind: 'io.istio.http.peer_metadata.Config',
    load: async () => (await import('./filter/istio/peer-metadata/decode.ts')).peerMetadataDecoder,
  },
  {
    category: networkFilters,
    alsoIn: [upstreamFilters],
    kind: 'envoy.tcp.metadataexchange.config.MetadataExchange',
    load: async () => (await import('./filter/network/metadata-exchange/decode.ts')).metadataExchangeDecoder,
  },
  networkFilter(
    'ratelimit.v3.RateLimit',
    async () => (await import('./filter/network/ratelimit/decode.ts')).networkRateLimitDecoder,
  ),
  networkFilter('rbac.v3.RBAC', async () => (await import('./filter/network/rbac/decode.ts')).networkRbacDecoder),
  {
    category: networkFilters,
    kind: 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    load: loadHttpConnectionManager,
  },
  { category: networkFilters, kind: 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', load: loadTcpProxy },
  networkFilter(
    'connection_limit.v3.ConnectionLimit',
    async () => (await import('./filter/network/connection-limit/decode.ts')).connectionLimitDecoder,
  ),
  networkFilter(
    'ext_authz.v3.ExtAuthz',
    async () => (await import('./filter/network/ext-authz/decode.ts')).networkExtAuthzDecoder,
  ),
  networkFilter(
    'local_ratelimit.v3.LocalRateLimit',
    async () => (await import('./filter/network/local-ratelimit/decode.ts')).networkLocalRateLimitDecoder,
  ),
  networkFilter(
    'set_filter_state.v3.Config',
    async () => (await import('./filter/network/set-filter-state/decode.ts')).networkSetFilterStateDecoder,
  ),
  networkFilter('echo.v3.Echo', async () => (await import('./proxy/network/answering-decode.ts')).echoDecoder),
  networkFilter(
    'direct_response.v3.Config',
    async () => (await import('./proxy/network/answering-decode.ts')).networkDirectResponseDecoder,
  ),
  {
    category: networkFilters,
    kind: 'envoy.extensions.filters.network.sni_cluster.v3.SniCluster',
    load: async () => (await import('./filter/network/sni-cluster/decode.ts')).sniClusterDecoder,
  },
  {
    category: networkFilters,
    kind: 'envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig',
    load: async () => (await import('./proxy/network/sni-proxy-decode.ts')).sniProxyDecoder,
  },
  listenerFilter(
    'tls_inspector.v3.TlsInspector',
    async () => (await import('./listener/filters/tls-inspector/decode.ts')).tlsInspectorDecoder,
  ),
  listenerFilter(
    'http_inspector.v3.HttpInspector',
    async () => (await import('./listener/filters/http-inspector/decode.ts')).httpInspectorDecoder,
  ),
  listenerFilter(
    'original_dst.v3.OriginalDst',
    async () => (await import('./listener/filters/original-dst/decode.ts')).originalDstDecoder,
  ),
  listenerFilter(
    'original_src.v3.OriginalSrc',
    async () => (await import('./listener/filters/original-src/decode.ts')).originalSrcDecoder,
  ),
  listenerFilter(
    'proxy_protocol.v3.ProxyProtocol',
    async () => (await import('./listener/filters/proxy-protocol/decode.ts')).proxyProtocolDecoder,
  ),
  listenerFilter(
    'local_ratelimit.v3.LocalRateLimit',
    async () => (await import('./listener/filters/local-ratelimit/decode.ts')).listenerLocalRateLimitDecoder,
  ),
  accessLogger('file.v3.FileAccessLog', 'fileAccessLogDecoder'),
  serviceLogger(
    'grpc.v3.HttpGrpcAccessLogConfig',
    async () => (await import('./proxy/export/log/decode.ts')).httpGrpcLogDecoder,
  ),
  serviceLogger(
    'grpc.v3.TcpGrpcAccessLogConfig',
    async () => (await import('./proxy/export/log/decode.ts')).tcpGrpcLogDecoder,
  ),
  serviceLogger(
    'open_telemetry.v3.OpenTelemetryAccessLogConfig',
    async () => (await import('./proxy/export/log/otlp-log-decode.ts')).otlpLogDecoder,
  ),
  accessLogger('stream.v3.StdoutAccessLog', 'stdoutAccessLogDecoder'),
  accessLogger('stream.v3.StderrAccessLog', 'stderrAccessLogDecoder'),
  {
    category: 'envoy.tracers',
    kind: 'envoy.config.trace.v3.ZipkinConfig',
    load: async () => (await import('./proxy/trace/zipkin-decode.ts')).zipkinDecoder,
  },
  {
    category: 'envoy.tracers',
    kind: 'envoy.config.trace.v3.OpenTelemetryConfig',
    load: async () => (await import('./proxy/trace/opentelemetry-decode.ts')).openTelemetryDecoder,
  },
  openTelemetryPart('resource_detectors.v3.EnvironmentResourceDetectorConfig', 'environmentDetectorDecoder'),
  openTelemetryPart('resource_detectors.v3.StaticConfigResourceDetectorConfig', 'staticDetectorDecoder'),
  openTelemetryPart('samplers.v3.AlwaysOnSamplerConfig', 'alwaysOnDecoder'),
  openTelemetryPart('samplers.v3.TraceIdRatioBasedSamplerConfig', 'ratioDecoder'),
  openTelemetryPart('samplers.v3.ParentBasedSamplerConfig', 'parentBasedDecoder'),
  upstreamOptions('http.v3.HttpProtocolOptions', 'httpProtocolOptionsDecoder'),
  upstreamOptions('tcp.v3.TcpProtocolOptions', 'tcpProtocolOptionsDecoder'),
  {
    category: 'sekisho.expressions',
    kind: expressionKind,
    load: async () => {
      await loadExpressions(null);
      return { kind: expressionKind, decode: () => null };
    },
  },
  resourceMonitor('fixed_heap.v3.FixedHeapConfig', 'fixedHeapDecoder'),
  resourceMonitor('cgroup_memory.v3.CgroupMemoryConfig', 'cgroupMemoryDecoder'),
  resourceMonitor('cpu_utilization.v3.CpuUtilizationConfig', 'cpuUtilizationDecoder'),
  resourceMonitor('injected_resource.v3.InjectedResourceConfig', 'injectedResourceDecoder'),
  resourceMonitor('downstream_connections.v3.DownstreamConnectionsConfig', 'downstreamConnectionsDecoder'),
  rawBuffer('envoy.transport_sockets.downstream'),
  {
    category: 'envoy.transport_sockets.downstream',
    kind: downstreamTlsKind,
    load: async () => (await import('./identity/decode/downstream-tls-decode.ts')).downstreamTlsDecoder,
  },
  {
    category: 'envoy.transport_sockets.upstream',
    kind: upstreamTlsKind,
    load: async () => (await import('./identity/decode/upstream-tls-decode.ts')).upstreamTlsDecoder,
  },
  {
    category: 'envoy.transport_sockets.upstream',
    kind: 'envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport',
    load: async () => (await import('./cluster/transport/proxy-protocol-decode.ts')).proxyProtocolTransportDecoder,
  },
  {
    category: 'envoy.transport_sockets.upstream',
    kind: 'envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport',
    load: async () => (await import('./cluster/transport/internal/decode.ts')).internalTransportDecoder,
  },
  {
    category: 'envoy.bootstrap',
    kind: 'envoy.extensions.bootstrap.internal_listener.v3.InternalListener',
    load: async () => (await import('./control/bootstrap-extensions-decode.ts')).internalListenerDecoder,
  },
  {
    category: 'envoy.bootstrap',
    kind: 'istio.workload.BootstrapExtension',
    load: async () => (await import('./control/bootstrap-extensions-decode.ts')).workloadDiscoveryDecoder,
  },
  {
    category: 'envoy.health_check.event_sinks',
    kind: 'envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink',
    load: async () => (await import('./cluster/health/event-sink-decode.ts')).eventFileSinkDecoder,
  },
];

function accessLogger(
  type: string,
  name: 'fileAccessLogDecoder' | 'stdoutAccessLogDecoder' | 'stderrAccessLogDecoder',
): ExtensionEntry {
  return {
    category: 'envoy.access_loggers',
    kind: `envoy.extensions.access_loggers.${type}`,
    load: async () => (await import('./observe/access-log/loggers-decode.ts'))[name],
  };
}

/** A log that goes to a service. */
function serviceLogger(type: string, load: () => Promise<ExtensionDecoder>): ExtensionEntry {
  return { category: 'envoy.access_loggers', kind: `envoy.extensions.access_loggers.${type}`, load };
}

function listenerFilter(type: string, load: () => Promise<ExtensionDecoder>): ExtensionEntry {
  return { category: 'envoy.filters.listener', kind: `envoy.extensions.filters.listener.${type}`, load };
}

function networkFilter(type: string, load: () => Promise<ExtensionDecoder>): ExtensionEntry {
  return { category: networkFilters, kind: `envoy.extensions.filters.network.${type}`, load };
}

/** A filter's configuration, or a route's for it. */
function httpFilter(type: string, load: () => Promise<ExtensionDecoder>): ExtensionEntry {
  return { category: httpFilters, kind: `envoy.extensions.filters.http.${type}`, load };
}

/** A filter that may stand behind the router, too. */
function dualFilter(type: string, load: () => Promise<ExtensionDecoder>): ExtensionEntry {
  return { ...httpFilter(type, load), alsoIn: [httpUpstreamFilters] };
}

async function loadHttpConnectionManager(): Promise<ExtensionDecoder> {
  const [{ decodeHttpConnectionManager }, { HttpConnectionManagerSchema }] = await Promise.all([
    import('./proxy/http/decode.ts'),
    import('./proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js'),
  ]);
  return {
    kind: HttpConnectionManagerSchema.typeName,
    decode: (bytes, reasons, extensions) =>
      decodeHttpConnectionManager(fromBinary(HttpConnectionManagerSchema, bytes), reasons, extensions),
  };
}

async function loadTcpProxy(): Promise<ExtensionDecoder> {
  const [{ decodeTcpProxy }, { TcpProxySchema }] = await Promise.all([
    import('./proxy/tcp/decode.ts'),
    import('./proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js'),
  ]);
  return {
    kind: TcpProxySchema.typeName,
    decode: (bytes, reasons, extensions) => decodeTcpProxy(fromBinary(TcpProxySchema, bytes), reasons, extensions),
  };
}

function upstreamOptions(
  type: string,
  name: 'httpProtocolOptionsDecoder' | 'tcpProtocolOptionsDecoder',
): ExtensionEntry {
  return {
    category: 'envoy.upstream_options',
    kind: `envoy.extensions.upstreams.${type}`,
    load: async () => (await import('./cluster/protocol/extension-decode.ts'))[name],
  };
}

function openTelemetryPart(
  type: string,
  name:
    | 'environmentDetectorDecoder'
    | 'staticDetectorDecoder'
    | 'alwaysOnDecoder'
    | 'ratioDecoder'
    | 'parentBasedDecoder',
): ExtensionEntry {
  return {
    category: `envoy.tracers.opentelemetry.${type.slice(0, type.indexOf('.'))}`,
    kind: `envoy.extensions.tracers.opentelemetry.${type}`,
    load: async () => (await import('./proxy/trace/opentelemetry-parts-decode.ts'))[name],
  };
}

function resourceMonitor(
  type: string,
  name:
    | 'fixedHeapDecoder'
    | 'cgroupMemoryDecoder'
    | 'cpuUtilizationDecoder'
    | 'injectedResourceDecoder'
    | 'downstreamConnectionsDecoder',
): ExtensionEntry {
  return {
    category: 'envoy.resource_monitors',
    kind: `envoy.extensions.resource_monitors.${type}`,
    load: async () => (await import('./control/overload/monitor/decode.ts'))[name],
  };
}

/** Plain text: nothing to decode. A cluster reads its own transport socket. */
function rawBuffer(category: string): ExtensionEntry {
  const kind = 'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer';
  return { category, kind, load: () => Promise.resolve({ kind, decode: () => ({}) }) };
}
