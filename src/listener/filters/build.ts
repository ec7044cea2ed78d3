import type { Clock } from '../../core/clock.ts';
import type { ExtensionData } from '../../core/extension.ts';
import type { Peer } from '../../core/peer.ts';
import type { RuntimeView } from '../../core/runtime-view.ts';
import type { StatsScope } from '../../observe/stats/stats.ts';
import { Discovered } from '../discovered.ts';
import type { DiscoveredExtension } from '../extension-sources.ts';
import type { ListenerFilterData, PortPredicateData } from '../listener-data.ts';
import { DiscoveredFilter } from './discovered-filter.ts';
import type { ConfiguredFilter } from './inspection.ts';
import type { ListenerFilter } from './listener-filter.ts';
import type { ListenerRateData } from './local-ratelimit/local-ratelimit.ts';
import { OriginalDst, originalDstKind } from './original-dst/original-dst.ts';
import type { OriginalSrcData } from './original-src/original-src.ts';
import type { ProxyProtocolData } from './proxy-protocol/proxy-protocol.ts';
import type { TlsInspectorData } from './tls-inspector/tls-inspector.ts';

/** What listener filters are built with. */
export interface ListenerFilterTools {
  /** The root scope of the stats. */
  readonly root: StatsScope;
  readonly runtime: RuntimeView;
  readonly clock: Clock;
  /** What comes by ECDS; absent: nothing does. */
  readonly discovered?: Discovered<DiscoveredExtension>;
}

type Build = (data: unknown, tools: ListenerFilterTools) => ListenerFilter;

interface Loader {
  /** Message name of the filter's configuration. */
  readonly kind: string;
  load(): Promise<Build>;
}

const loaders: readonly Loader[] = [
  filter('tls_inspector.v3.TlsInspector', async () => {
    const { TlsInspector } = await import('./tls-inspector/tls-inspector.ts');
    return (data, { root }) => new TlsInspector(data as TlsInspectorData, root);
  }),
  filter('original_src.v3.OriginalSrc', async () => {
    const { OriginalSrc } = await import('./original-src/original-src.ts');
    return (data) => new OriginalSrc(data as OriginalSrcData);
  }),
  filter('http_inspector.v3.HttpInspector', async () => {
    const { HttpInspector } = await import('./http-inspector/http-inspector.ts');
    return (_data, { root }) => new HttpInspector(root);
  }),
  filter('proxy_protocol.v3.ProxyProtocol', async () => {
    const { ProxyProtocol } = await import('./proxy-protocol/proxy-protocol.ts');
    return (data, { root }) => new ProxyProtocol(data as ProxyProtocolData, root);
  }),
  filter('local_ratelimit.v3.LocalRateLimit', async () => {
    const { LocalRateLimit } = await import('./local-ratelimit/local-ratelimit.ts');
    return (data, { root, runtime, clock }) => new LocalRateLimit(data as ListenerRateData, root, runtime, clock);
  }),
];

function filter(type: string, load: () => Promise<Build>): Loader {
  return { kind: `envoy.extensions.filters.listener.${type}`, load };
}

/** As HttpFilterBuilders: a filter's code is loaded in a worker when a configuration names it. */
export class ListenerFilterBuilders {
  private readonly byKind: Map<string, Build>;

  constructor() {
    // `use_original_dst` stands for it without naming it.
    this.byKind = new Map([[originalDstKind, () => new OriginalDst()]]);
  }

  /** `kinds`: message names, which may be of anything. Afterwards those that are listener filters' can be built. */
  async load(kinds: readonly string[]): Promise<void> {
    const wanted = loaders.filter(({ kind }) => kinds.includes(kind) && !this.byKind.has(kind));
    const builds = await Promise.all(wanted.map((loader) => loader.load()));
    wanted.forEach(({ kind }, i) => this.byKind.set(kind, builds[i]));
  }

  build(filters: readonly ListenerFilterData[], tools: ListenerFilterTools): ConfiguredFilter[] {
    return filters.map(({ kind, data, disabled, discovery }) => {
      const isDisabled = disabled === null ? null : (peer: Peer): boolean => matchesPort(disabled, peer);
      if (discovery === undefined) return { filter: this.buildOne(kind, data, tools), isDisabled };
      const build = (config: ExtensionData): ListenerFilter => this.buildOne(config.kind, config.data, tools);
      return new DiscoveredFilter(isDisabled, discovery.key, tools.discovered ?? new Discovered(), build);
    });
  }

  private buildOne(kind: string, data: unknown, tools: ListenerFilterTools): ListenerFilter {
    const build = this.byKind.get(kind);
    if (build === undefined) throw new Error(`no listener filter of type ${kind}`);
    return build(data, tools);
  }
}

function matchesPort(predicate: PortPredicateData, peer: Peer): boolean {
  switch (predicate.kind) {
    case 'any':
      return true;
    case 'not':
      return !matchesPort(predicate.rule, peer);
    case 'and':
      return predicate.rules.every((rule) => matchesPort(rule, peer));
    case 'or':
      return predicate.rules.some((rule) => matchesPort(rule, peer));
    case 'range':
      return peer.local.kind === 'ip' && predicate.start <= peer.local.port && peer.local.port < predicate.end;
  }
}
