import type { Clock } from '../../core/clock.ts';
import type { ExtensionData } from '../../core/extension.ts';
import type { Peer } from '../../core/peer.ts';
import type { RuntimeView } from '../../core/runtime-view.ts';
import type { StatsScope } from '../../observe/stats.ts';
import { Discovered } from '../discovered.ts';
import type { DiscoveredExtension } from '../extension-sources.ts';
import type { ListenerFilterData, PortPredicateData } from '../listener-data.ts';
import { DiscoveredFilter } from './discovered-filter.ts';
import { HttpInspector, httpInspectorKind } from './http-inspector/http-inspector.ts';
import type { ConfiguredFilter } from './inspection.ts';
import type { ListenerFilter } from './listener-filter.ts';
import { LocalRateLimit, localRateLimitKind, type ListenerRateData } from './local-ratelimit/local-ratelimit.ts';
import { OriginalDst, originalDstKind } from './original-dst/original-dst.ts';
import { OriginalSrc, originalSrcKind, type OriginalSrcData } from './original-src/original-src.ts';
import { ProxyProtocol, proxyProtocolKind, type ProxyProtocolData } from './proxy-protocol/proxy-protocol.ts';
import { TlsInspector, tlsInspectorKind, type TlsInspectorData } from './tls-inspector/tls-inspector.ts';

/** What listener filters are built with. */
export interface ListenerFilterTools {
  /** The root scope of the stats. */
  readonly root: StatsScope;
  readonly runtime: RuntimeView;
  readonly clock: Clock;
  /** What comes by ECDS; absent: nothing does. */
  readonly discovered?: Discovered<DiscoveredExtension>;
}

export function buildListenerFilters(
  filters: readonly ListenerFilterData[],
  tools: ListenerFilterTools,
): ConfiguredFilter[] {
  return filters.map(({ kind, data, disabled, discovery }) => {
    const isDisabled = disabled === null ? null : (peer: Peer): boolean => matchesPort(disabled, peer);
    if (discovery === undefined) return { filter: buildFilter(kind, data, tools), isDisabled };
    const build = (config: ExtensionData): ListenerFilter => buildFilter(config.kind, config.data, tools);
    return new DiscoveredFilter(isDisabled, discovery.key, tools.discovered ?? new Discovered(), build);
  });
}

function buildFilter(kind: string, data: unknown, { root, runtime, clock }: ListenerFilterTools): ListenerFilter {
  if (kind === tlsInspectorKind) return new TlsInspector(data as TlsInspectorData, root);
  if (kind === originalDstKind) return new OriginalDst();
  if (kind === originalSrcKind) return new OriginalSrc(data as OriginalSrcData);
  if (kind === httpInspectorKind) return new HttpInspector(root);
  if (kind === proxyProtocolKind) return new ProxyProtocol(data as ProxyProtocolData, root);
  if (kind === localRateLimitKind) return new LocalRateLimit(data as ListenerRateData, root, runtime, clock);
  throw new Error(`no listener filter of type ${kind}`);
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
