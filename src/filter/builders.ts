import type { FilterBuilder } from './filter.ts';

interface Loader {
  /** Message names of the filter's configuration and of the one that routes have for it. */
  readonly kinds: readonly string[];
  load(): Promise<FilterBuilder>;
}

/** Every HTTP filter. Not the router: `proxy/http` is the router. */
const loaders: readonly Loader[] = [
  filter(
    ['admission_control.v3.AdmissionControl'],
    async () => (await import('./admission-control/build.ts')).admissionControlBuilder,
  ),
  filter(
    ['buffer.v3.Buffer', 'buffer.v3.BufferPerRoute'],
    async () => (await import('./buffer/build.ts')).bufferBuilder,
  ),
  filter(
    ['compressor.v3.Compressor', 'compressor.v3.CompressorPerRoute'],
    async () => (await import('./compressor/build.ts')).compressorBuilder,
  ),
  filter(['decompressor.v3.Decompressor'], async () => (await import('./decompressor/build.ts')).decompressorBuilder),
  filter(['health_check.v3.HealthCheck'], async () => (await import('./health-check/build.ts')).healthCheckBuilder),
  filter(
    ['custom_response.v3.CustomResponse'],
    async () => (await import('./custom-response/build.ts')).customResponseBuilder,
  ),
  filter(
    ['bandwidth_limit.v3.BandwidthLimit'],
    async () => (await import('./bandwidth-limit/build.ts')).bandwidthLimitBuilder,
  ),
  filter(['csrf.v3.CsrfPolicy'], async () => (await import('./csrf/build.ts')).csrfBuilder),
  filter(
    ['header_to_metadata.v3.Config'],
    async () => (await import('./header-to-metadata/build.ts')).headerToMetadataBuilder,
  ),
  filter(
    ['set_filter_state.v3.Config'],
    async () => (await import('./set-filter-state/build.ts')).setFilterStateBuilder,
  ),
  filter(['set_metadata.v3.Config'], async () => (await import('./set-metadata/build.ts')).setMetadataBuilder),
  filter(
    ['jwt_authn.v3.JwtAuthentication', 'jwt_authn.v3.PerRouteConfig'],
    async () => (await import('./jwt-authn/build.ts')).jwtAuthnBuilder,
  ),
  filter(
    ['ext_authz.v3.ExtAuthz', 'ext_authz.v3.ExtAuthzPerRoute'],
    async () => (await import('./ext-authz/build.ts')).extAuthzBuilder,
  ),
  filter(
    ['dynamic_forward_proxy.v3.FilterConfig', 'dynamic_forward_proxy.v3.PerRouteConfig'],
    async () => (await import('./dynamic-forward-proxy/build.ts')).dynamicForwardProxyBuilder,
  ),
  filter(
    ['on_demand.v3.OnDemand', 'on_demand.v3.PerRouteConfig'],
    async () => (await import('./on-demand/build.ts')).onDemandBuilder,
  ),
  filter(
    ['basic_auth.v3.BasicAuth', 'basic_auth.v3.BasicAuthPerRoute'],
    async () => (await import('./basic-auth/build.ts')).basicAuthBuilder,
  ),
  filter(
    ['ratelimit.v3.RateLimit', 'ratelimit.v3.RateLimitPerRoute'],
    async () => (await import('./ratelimit/build.ts')).rateLimitBuilder,
  ),
  filter(['cors.v3.Cors', 'cors.v3.CorsPolicy'], async () => (await import('./cors/build.ts')).corsBuilder),
  filter(['fault.v3.HTTPFault'], async () => (await import('./fault/build.ts')).faultBuilder),
  filter(
    ['grpc_http1_bridge.v3.Config'],
    async () => (await import('./grpc-http1-bridge/build.ts')).grpcHttp1BridgeBuilder,
  ),
  filter(
    ['grpc_json_transcoder.v3.GrpcJsonTranscoder'],
    async () => (await import('./grpc-json-transcoder/build.ts')).grpcJsonTranscoderBuilder,
  ),
  filter(['grpc_stats.v3.FilterConfig'], async () => (await import('./grpc-stats/build.ts')).grpcStatsBuilder),
  filter(
    ['stateful_session.v3.StatefulSession', 'stateful_session.v3.StatefulSessionPerRoute'],
    async () => (await import('./stateful-session/build.ts')).statefulSessionBuilder,
  ),
  common(
    'matching.v3.ExtensionWithMatcher',
    async () => (await import('./match-delegate/build.ts')).matchDelegateBuilder,
  ),
  filter(['grpc_web.v3.GrpcWeb'], async () => (await import('./grpc-web/build.ts')).grpcWebBuilder),
  filter(
    ['header_mutation.v3.HeaderMutation', 'header_mutation.v3.HeaderMutationPerRoute'],
    async () => (await import('./header-mutation/build.ts')).headerMutationBuilder,
  ),
  filter(
    ['local_ratelimit.v3.LocalRateLimit'],
    async () => (await import('./local-ratelimit/build.ts')).localRateLimitBuilder,
  ),
  {
    kinds: ['istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig'],
    load: async () => (await import('./istio/alpn/build.ts')).alpnBuilder,
  },
  {
    kinds: ['stats.PluginConfig'],
    load: async () => (await import('./istio/stats/build.ts')).istioStatsBuilder,
  },
  {
    kinds: ['io.istio.http.peer_metadata.Config'],
    load: async () => (await import('./istio/peer-metadata/build.ts')).peerMetadataBuilder,
  },
  filter(['rbac.v3.RBAC', 'rbac.v3.RBACPerRoute'], async () => (await import('./rbac/build.ts')).rbacBuilder),
];

/** Whose message is not an HTTP filter's alone. */
function common(type: string, load: () => Promise<FilterBuilder>): Loader {
  return { kinds: [`envoy.extensions.common.${type}`], load };
}

function filter(types: readonly string[], load: () => Promise<FilterBuilder>): Loader {
  return { kinds: types.map((type) => `envoy.extensions.filters.http.${type}`), load };
}

/** Message names of all filters' configurations. */
export const httpFilterKinds: readonly string[] = loaders.flatMap(({ kinds }) => kinds);

/** A filter's code is loaded in a worker when a configuration names it: a start pays only for what is used. */
export class HttpFilterBuilders {
  private readonly byKind: Map<string, FilterBuilder>;

  constructor() {
    this.byKind = new Map();
  }

  /** `kinds`: message names, which may be of anything. Afterwards `get` knows those that are filters'. */
  async load(kinds: readonly string[]): Promise<void> {
    const wanted = loaders.filter((loader) => loader.kinds.some((kind) => kinds.includes(kind)));
    const builders = await Promise.all(wanted.map((loader) => loader.load()));
    wanted.forEach((loader, i) => {
      for (const kind of loader.kinds) this.byKind.set(kind, builders[i]);
    });
  }

  /** The filter with this configuration, or with this one on a route. Undefined: not loaded, or none. */
  get(kind: string): FilterBuilder | undefined {
    return this.byKind.get(kind);
  }
}
