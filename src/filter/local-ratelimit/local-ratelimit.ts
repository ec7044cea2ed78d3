import { ResponseFlag } from '../../core/failure.ts';
import { Headers } from '../../core/headers.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Peer } from '../../core/peer.ts';
import { compileFormat } from '../../observe/format/format.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import type { TokenBucket } from '../../observe/limit/token-bucket.ts';
import { HeaderMutations } from '../../route/mutate/header-mutations.ts';
import type { HeaderMutationsData } from '../../route/route-data.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import type { RuntimeFractionData } from '../fraction-data.ts';
import { Descriptors, type Descriptor, type DescriptorWish } from '../../route/rate-limit/descriptors.ts';
import { cellsOf, Limits } from './limits.ts';
import type { LocalRateLimitData } from './local-ratelimit-data.ts';

const resourceExhausted = 8;
const noDescriptors: readonly Descriptor[] = [];

/** Those of connections, by whom they are with: as in Envoy the first settings that a connection meets hold for it. */
const limitsOfConnections = new WeakMap<Peer, Limits>();

/** One LocalRateLimit, of the filter or of a route, ready to be asked. */
export class LocalRateLimit {
  readonly data: LocalRateLimitData;
  readonly enabled: Counter;
  readonly ok: Counter;
  readonly rateLimited: Counter;
  readonly enforced: Counter;
  readonly requestHeaders: HeaderMutations | null;
  readonly responseHeaders: HeaderMutations | null;
  private readonly limits: Limits;
  /** Of the filter itself; null: routes have them. */
  private readonly own: Descriptors | null;
  private readonly wish: DescriptorWish;
  private readonly context: FilterContext;

  constructor(data: LocalRateLimitData, context: FilterContext) {
    this.data = data;
    this.context = context;
    const stats = (context.rootStats ?? context.stats).scope(data.statPrefix).scope('http_local_rate_limit');
    this.enabled = stats.counter('enabled');
    this.ok = stats.counter('ok');
    this.rateLimited = stats.counter('rate_limited');
    this.enforced = stats.counter('enforced');
    this.requestHeaders = mutations(data.requestHeaders, 'request');
    this.responseHeaders = mutations(data.responseHeaders, 'response');
    this.limits = new Limits(data.limits, data.memory);
    this.own = data.rateLimits.length === 0 ? null : new Descriptors(data.rateLimits);
    this.wish = {
      stage: this.own === null ? data.stage : 0,
      // As in Envoy: an entry of a route is asked now, whatever it says.
      isOnDone: this.own === null ? null : false,
      localCluster: context.localNode.cluster,
      isDisabled: () => true,
    };
  }

  isOn(fraction: RuntimeFractionData | null): boolean {
    if (fraction === null) return false;
    const { runtimeKey, numerator, denominator } = fraction;
    return this.context.runtime.fraction(runtimeKey, numerator, denominator, this.context.random());
  }

  descriptorsOf(stream: Stream, head: RequestHead): readonly Descriptor[] {
    const { own, wish, data } = this;
    if (data.limits.descriptors.length === 0) return noDescriptors;
    const found: Descriptor[] = [];
    if (own !== null) own.add(stream, head, wish, found);
    else if (stream.route?.action.kind === 'forward')
      stream.route.action.rateLimits?.add(stream, head, wish, data.virtualHosts, found);
    return found;
  }

  limitsFor(stream: Stream): Limits {
    const { peer } = stream.outcome;
    if (!this.data.isPerConnection || peer === null) return this.limits;
    let limits = limitsOfConnections.get(peer);
    if (limits === undefined) {
      limits = new Limits(this.data.limits, new ArrayBuffer(cellsOf(this.data.limits) * 8));
      limitsOfConnections.set(peer, limits);
    }
    return limits;
  }
}

function mutations(data: HeaderMutationsData | null, side: 'request' | 'response'): HeaderMutations | null {
  if (data === null) return null;
  return new HeaderMutations(data, side, (format, omitEmptyValues) => compileFormat(format, { omitEmptyValues }));
}

/** `envoy.filters.http.local_ratelimit`. One object for all streams. */
export class LocalRateLimitFilter implements HttpFilter, FilterFactory {
  private readonly settings: LocalRateLimit;
  private readonly filterName: string;
  /** Streams whose answers are to say how much is left. */
  private readonly shown: Map<Stream, TokenBucket>;

  constructor(settings: LocalRateLimit, context: FilterContext) {
    this.settings = settings;
    this.filterName = context.filterName;
    this.shown = new Map();
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    const settings = (stream.perFilterConfig(this.filterName) as LocalRateLimit | undefined) ?? this.settings;
    const { data } = settings;
    if (!settings.isOn(data.enabled)) return Verdict.Continue;
    settings.enabled.inc();
    const descriptors = settings.descriptorsOf(stream, head);
    const { isAllowed, bucket, isShown } = settings.limitsFor(stream).ask(descriptors, stream.clock.now);
    if ((isShown ?? data.hasRateLimitHeaders) && bucket !== null) this.shown.set(stream, bucket);
    if (isAllowed) {
      settings.ok.inc();
      return Verdict.Continue;
    }
    settings.rateLimited.inc();
    if (!settings.isOn(data.enforced)) {
      settings.requestHeaders?.apply(head.headers, stream.outcome);
      return Verdict.Continue;
    }
    settings.enforced.inc();
    stream.reply({
      status: data.status,
      body: 'local_rate_limited',
      details: 'local_rate_limited',
      flags: ResponseFlag.RateLimited,
      headers: added(settings.responseHeaders, stream.outcome),
      ...(data.isResourceExhausted ? { grpcStatus: resourceExhausted } : {}),
    });
    return Verdict.Stop;
  }

  onResponseHead(stream: Stream, { headers }: ResponseHead): Verdict {
    if (this.shown.size === 0) return Verdict.Continue;
    const bucket = this.shown.get(stream);
    if (bucket === undefined) return Verdict.Continue;
    const { now } = stream.clock;
    headers.add('x-ratelimit-limit', String(bucket.maxTokens));
    headers.add('x-ratelimit-remaining', String(bucket.remaining(now)));
    headers.add('x-ratelimit-reset', String(Math.ceil(bucket.tokenInMs(now) / 1000)));
    return Verdict.Continue;
  }

  onComplete(stream: Stream): void {
    if (this.shown.size > 0) this.shown.delete(stream);
  }
}

function added(mutations: HeaderMutations | null, outcome: Outcome): [string, string][] {
  if (mutations === null) return [];
  const headers = new Headers();
  mutations.apply(headers, outcome);
  return headers.names.map((name, i) => [name, headers.values[i]]);
}
