import { isGrpcRequest } from '../../core/grpc-request.ts';
import type { RequestHead } from '../../core/head.ts';
import type { TlsFacts } from '../../core/tls-facts.ts';
import type { RouteConditionsData, RuntimeFractionData, TlsMatchData } from '../route-data.ts';
import type { MatchContext, RouteRuntime } from '../route.ts';
import { CookieMatcher } from './cookie-matcher.ts';
import { allMatch, HeaderMatcher } from './header-matcher.ts';
import { QueryMatcher } from './query-matcher.ts';
import { FilterStateMatcher, MetadataMatcher } from './state-matcher.ts';

/** All that a route asks of a request beside its path. */
export class RouteConditions {
  private readonly headers: readonly HeaderMatcher[];
  private readonly queryParameters: readonly QueryMatcher[];
  private readonly cookies: readonly CookieMatcher[];
  private readonly grpc: boolean;
  private readonly tls: TlsMatchData | null;
  private readonly fraction: RuntimeFractionData | null;
  private readonly metadata: readonly MetadataMatcher[];
  private readonly filterState: readonly FilterStateMatcher[];
  private readonly runtime: RouteRuntime;

  constructor(data: RouteConditionsData, runtime: RouteRuntime) {
    this.headers = data.headers.map((matcher) => new HeaderMatcher(matcher));
    this.queryParameters = data.queryParameters.map((matcher) => new QueryMatcher(matcher));
    this.cookies = data.cookies.map((matcher) => new CookieMatcher(matcher));
    this.grpc = data.grpc;
    this.tls = data.tls ?? null;
    this.fraction = data.fraction;
    this.metadata = (data.metadata ?? []).map((matcher) => new MetadataMatcher(matcher));
    this.filterState = (data.filterState ?? []).map((matcher) => new FilterStateMatcher(matcher));
    this.runtime = runtime;
  }

  hold(head: RequestHead, context: MatchContext): boolean {
    if (this.fraction !== null && !this.isChosen(this.fraction, context.random)) return false;
    if (this.tls !== null && !isOfConnection(this.tls, context.outcome?.peer?.tls ?? null)) return false;
    if (this.grpc && !isGrpcRequest(head)) return false;
    if (!allMatch(this.headers, head)) return false;
    for (let i = 0; i < this.queryParameters.length; i++) {
      if (!this.queryParameters[i].matches(head.path)) return false;
    }
    for (let i = 0; i < this.cookies.length; i++) if (!this.cookies[i].matches(head.headers)) return false;
    for (let i = 0; i < this.metadata.length; i++) if (!this.metadata[i].matches(context.outcome)) return false;
    for (let i = 0; i < this.filterState.length; i++) if (!this.filterState[i].matches(context.outcome)) return false;
    return true;
  }

  private isChosen(fraction: RuntimeFractionData, random: number): boolean {
    const { key, numerator, denominator } = fraction;
    if (key === '') return Math.floor(random * denominator) < numerator;
    return this.runtime.fraction(key, numerator, denominator, random);
  }
}

function isOfConnection({ presented, validated }: TlsMatchData, tls: TlsFacts | null): boolean {
  if (presented !== null && presented !== (tls !== null && tls.peerChain.length > 0)) return false;
  return validated === null || validated === (tls !== null && tls.isPeerVerified);
}
