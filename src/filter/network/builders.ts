import type { NetworkFilterBuilder } from './network-filter.ts';

interface Loader {
  readonly kind: string;
  load(): Promise<NetworkFilterBuilder>;
}

/** Every network filter that is not terminal. */
const loaders: readonly Loader[] = [
  {
    kind: 'envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit',
    load: async () => (await import('./connection-limit/build.ts')).connectionLimitBuilder,
  },
  {
    kind: 'envoy.extensions.filters.network.ext_authz.v3.ExtAuthz',
    load: async () => (await import('./ext-authz/build.ts')).networkExtAuthzBuilder,
  },
  {
    kind: 'envoy.tcp.metadataexchange.config.MetadataExchange',
    load: async () => (await import('./metadata-exchange/build.ts')).metadataExchangeBuilder,
  },
  {
    kind: 'stats.PluginConfig',
    load: async () => (await import('./istio-stats/build.ts')).networkIstioStatsBuilder,
  },
  {
    kind: 'envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit',
    load: async () => (await import('./local-ratelimit/build.ts')).networkLocalRateLimitBuilder,
  },
  {
    kind: 'envoy.extensions.filters.network.ratelimit.v3.RateLimit',
    load: async () => (await import('./ratelimit/build.ts')).networkRateLimitBuilder,
  },
  {
    kind: 'envoy.extensions.filters.network.rbac.v3.RBAC',
    load: async () => (await import('./rbac/build.ts')).networkRbacBuilder,
  },
  {
    kind: 'envoy.extensions.filters.network.set_filter_state.v3.Config',
    load: async () => (await import('./set-filter-state/build.ts')).networkSetFilterStateBuilder,
  },
  {
    kind: 'envoy.extensions.filters.network.sni_cluster.v3.SniCluster',
    load: async () => (await import('./sni-cluster/build.ts')).sniClusterBuilder,
  },
  {
    kind: 'envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig',
    load: async () => (await import('./sni-dynamic-forward-proxy/build.ts')).sniProxyBuilder,
  },
];

/** Message names of all their configurations. */
export const networkFilterKinds: readonly string[] = loaders.map(({ kind }) => kind);

/** As HttpFilterBuilders: a filter's code is loaded in a worker when a configuration names it. */
export class NetworkFilterBuilders {
  private readonly byKind: Map<string, NetworkFilterBuilder>;

  constructor() {
    this.byKind = new Map();
  }

  /** `kinds`: message names, which may be of anything. */
  async load(kinds: readonly string[]): Promise<void> {
    const wanted = loaders.filter(({ kind }) => kinds.includes(kind) && !this.byKind.has(kind));
    for (const builder of await Promise.all(wanted.map((loader) => loader.load())))
      this.byKind.set(builder.kind, builder);
  }

  /** Undefined: not loaded, or none. */
  get(kind: string): NetworkFilterBuilder | undefined {
    return this.byKind.get(kind);
  }
}
