import { cachedName } from '../../../core/destination.ts';
import {
  NetworkVerdict,
  type LookupEnd,
  type FilteredStream,
  type NameLookups,
  type NameWaiter,
  type NetworkFilter,
  type NetworkFilterBuilder,
  type NetworkFilterFactory,
} from '../network-filter.ts';
import type { SniProxyData } from './sni-proxy-data.ts';

/** Filter state that says whom a connection wants to reach. Envoy's. */
const hostKey = 'envoy.upstream.dynamic_host';
const portKey = 'envoy.upstream.dynamic_port';

class SniProxies implements NetworkFilterFactory {
  private readonly data: SniProxyData;
  private readonly lookups: NameLookups;

  constructor(data: SniProxyData, lookups: NameLookups) {
    this.data = data;
    this.lookups = lookups;
  }

  create(): NetworkFilter {
    return new SniProxy(this.data, this.lookups);
  }
}

/** Resolves the name that a client asks for by SNI before tcp_proxy connects to it. */
class SniProxy implements NetworkFilter, NameWaiter {
  private readonly data: SniProxyData;
  private readonly lookups: NameLookups;
  /** That waits for the name; null: nothing does. */
  private stream: FilteredStream | null;
  private name: string;

  constructor(data: SniProxyData, lookups: NameLookups) {
    this.data = data;
    this.lookups = lookups;
    this.stream = null;
    this.name = '';
  }

  onNewConnection(stream: FilteredStream): NetworkVerdict {
    const { filterState } = stream.notes;
    const host = filterState.get(hostKey) ?? stream.peer.serverName;
    if (typeof host !== 'string' || host === '') return NetworkVerdict.Continue;
    const said = Number(filterState.get(portKey) ?? 0);
    const port = said > 0 ? said : this.data.port;
    filterState.set(portKey, port);
    this.name = cachedName({ host, port });
    switch (this.lookups.want(this.data.cache, this.name, this)) {
      case 'cached':
        return NetworkVerdict.Continue;
      case 'full':
        stream.close('dynamic_forward_proxy_overflow');
        return NetworkVerdict.Stop;
      case 'waiting':
        this.stream = stream;
        stream.pause();
        return NetworkVerdict.Stop;
    }
  }

  onLookup(how: LookupEnd): void {
    const { stream } = this;
    this.stream = null;
    if (stream === null) return;
    stream.resume();
    if (how === 'full') stream.close('dynamic_forward_proxy_overflow');
    else stream.proceed();
  }

  onClosed(): void {
    if (this.stream === null) return;
    this.stream = null;
    this.lookups.cancel(this.data.cache.name, this.name, this);
  }
}

export const sniProxyBuilder: NetworkFilterBuilder = {
  kind: 'envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig',
  build: (data, { lookups }) => new SniProxies(data as SniProxyData, lookups),
};
