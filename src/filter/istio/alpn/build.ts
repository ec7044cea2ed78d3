import type { HttpVersion, RequestHead } from '../../../core/head.ts';
import { Verdict, type FilterBuilder, type FilterFactory, type HttpFilter, type Stream } from '../../filter.ts';
import type { AlpnData } from './alpn-data.ts';

const applicationProtocolsKey = 'envoy.network.application_protocols';

/** `istio.alpn`: servers of a mesh choose the filter chain by what a client offers, and so are told what is spoken. No state. */
class AlpnFilter implements HttpFilter, FilterFactory {
  /** As filter state has it. */
  private readonly byVersion: ReadonlyMap<HttpVersion, string>;

  constructor({ overrides }: AlpnData) {
    const byVersion = new Map<HttpVersion, string>();
    // Of several for one protocol Istio takes the first.
    for (const { version, protocols } of overrides)
      if (!byVersion.has(version)) byVersion.set(version, protocols.join(','));
    this.byVersion = byVersion;
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream, _head: RequestHead): Verdict {
    const version = stream.upstreamVersion ?? null;
    if (version === null) return Verdict.Continue;
    const { outcome } = stream;
    const istio = outcome.clusterMetadata?.istio as Readonly<Record<string, unknown>> | undefined;
    if (istio?.alpn_override === 'false') return Verdict.Continue;
    const protocols = this.byVersion.get(version) ?? '';
    if (protocols === '') return Verdict.Continue;
    outcome.filterState ??= new Map();
    outcome.filterState.set(applicationProtocolsKey, protocols);
    return Verdict.Continue;
  }
}

export const alpnBuilder: FilterBuilder = {
  kind: 'istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig',
  build: (data) => new AlpnFilter(data as AlpnData),
};
