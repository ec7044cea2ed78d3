import { ResponseFlag } from '../../core/failure.ts';
import { cachedName, type Destination } from '../../core/destination.ts';
import type { RequestHead } from '../../core/head.ts';
import { Verdict, type FilterFactory, type HttpFilter, type LocalReply, type Stream } from '../filter.ts';
import type { LookupEnd, NameLookups, NameWaiter } from '../network/network-filter.ts';
import type { DynamicForwardProxyData, HostRewriteData } from './dynamic-forward-proxy-data.ts';

/** Filter state that says whom a request wants to reach. Envoy's. */
const hostKey = 'envoy.upstream.dynamic_host';
const portKey = 'envoy.upstream.dynamic_port';

const emptyHost: LocalReply = { status: 400, body: 'Empty host header', details: 'empty_host_header' };
const pendingOverflow: LocalReply = {
  status: 503,
  body: 'Dynamic forward proxy pending request overflow',
  details: 'dynamic_forward_proxy_pending_request_overflow',
};
const cacheOverflow: LocalReply = { status: 503, body: 'DNS cache overflow', details: 'dns_cache_overflow' };

/** One per connection manager and worker. */
export class DynamicForwardProxies implements FilterFactory {
  readonly data: DynamicForwardProxyData;
  readonly filterName: string;
  readonly lookups: NameLookups;

  constructor(data: DynamicForwardProxyData, filterName: string, lookups: NameLookups) {
    this.data = data;
    this.filterName = filterName;
    this.lookups = lookups;
  }

  create(): HttpFilter {
    return new DynamicForwardProxy(this);
  }
}

/** Resolves the name that a request wants to reach before it is routed to a host of that name. */
class DynamicForwardProxy implements HttpFilter, NameWaiter {
  private readonly shared: DynamicForwardProxies;
  /** That waits for the name; null: nothing does. */
  private stream: Stream | null;
  private name: string;

  constructor(shared: DynamicForwardProxies) {
    this.shared = shared;
    this.stream = null;
    this.name = '';
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    const port = stream.namedHostsPort ?? 0;
    if (port === 0) return Verdict.Continue;
    const { lookups, data, filterName } = this.shared;
    const rewrite = stream.perFilterConfig(filterName) as HostRewriteData | undefined;
    if (rewrite !== undefined) rewriteHost(head, rewrite);
    const wanted = data.followsState ? byState(stream, head.authority, port) : { host: head.authority, port };
    if (wanted.host === '') return refuse(stream, emptyHost);
    this.name = cachedName(wanted);
    switch (lookups.want(data.cache, this.name, this)) {
      case 'cached':
        return Verdict.Continue;
      case 'full':
        return refuse(stream, pendingOverflow);
      case 'waiting':
        this.stream = stream;
        return Verdict.Stop;
    }
  }

  onLookup(how: LookupEnd, details: string): void {
    const { stream } = this;
    this.stream = null;
    if (stream === null) return;
    if (how === 'cached') stream.resumeRequest(this);
    else stream.reply(how === 'full' ? cacheOverflow : unresolved(details));
  }

  onComplete(): void {
    if (this.stream === null) return;
    this.stream = null;
    this.shared.lookups.cancel(this.shared.data.cache.name, this.name, this);
  }
}

/** Whom the cluster will look for, too. */
function byState({ outcome: { filterState } }: Stream, authority: string, port: number): Destination {
  const host = filterState?.get(hostKey);
  const said = Number(filterState?.get(portKey) ?? 0);
  return { host: typeof host === 'string' && host !== '' ? host : authority, port: said > 0 ? said : port };
}

function rewriteHost(head: RequestHead, { literal, header }: HostRewriteData): void {
  // A header that is there says it, be it nothing.
  const host = header === '' ? literal || undefined : head.get(header);
  if (host === undefined) return;
  head.authority = host;
  head.hasAuthority = true;
}

function refuse(stream: Stream, reply: LocalReply): Verdict {
  stream.reply(reply);
  return Verdict.Stop;
}

function unresolved(details: string): LocalReply {
  return {
    status: 503,
    body: 'DNS resolution failure',
    details: `dns_resolution_failure{${details.replaceAll(' ', '_')}}`,
    flags: ResponseFlag.DnsResolutionFailed,
  };
}
