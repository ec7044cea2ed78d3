import type { RequestHead } from '../../core/head.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import { StringMatcher } from '../../route/match/string-matcher.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import type { RuntimeFractionData } from '../fraction-data.ts';
import type { CsrfPolicyData } from './csrf-data.ts';

/** One policy, of the filter or of a route, ready to be asked. */
export class CsrfPolicy {
  private readonly data: CsrfPolicyData;
  private readonly origins: readonly StringMatcher[];
  private readonly context: FilterContext;

  constructor(data: CsrfPolicyData, context: FilterContext) {
    this.data = data;
    this.origins = data.additionalOrigins.map((origin) => new StringMatcher(origin));
    this.context = context;
  }

  isEnabled(): boolean {
    return this.isOn(this.data.enabled);
  }

  isShadowEnabled(): boolean {
    return this.data.shadowEnabled !== null && this.isOn(this.data.shadowEnabled);
  }

  allows(origin: string): boolean {
    return this.origins.some((matcher) => matcher.matches(origin));
  }

  private isOn({ runtimeKey, numerator, denominator }: RuntimeFractionData): boolean {
    return this.context.runtime.fraction(runtimeKey, numerator, denominator, this.context.random());
  }
}

/** `envoy.filters.http.csrf`: what changes something must come from a page of the same origin. No state. */
export class CsrfFilter implements HttpFilter, FilterFactory {
  private readonly policy: CsrfPolicy;
  private readonly filterName: string;
  private readonly missingSourceOrigin: Counter;
  private readonly requestInvalid: Counter;
  private readonly requestValid: Counter;

  constructor(policy: CsrfPolicy, context: FilterContext) {
    this.policy = policy;
    this.filterName = context.filterName;
    const stats = context.stats.scope('csrf');
    this.missingSourceOrigin = stats.counter('missing_source_origin');
    this.requestInvalid = stats.counter('request_invalid');
    this.requestValid = stats.counter('request_valid');
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    const policy = (stream.perFilterConfig(this.filterName) as CsrfPolicy | undefined) ?? this.policy;
    const isEnabled = policy.isEnabled();
    if (!isEnabled && !policy.isShadowEnabled()) return Verdict.Continue;
    if (!changesSomething(head.method)) return Verdict.Continue;
    const source = sourceOf(head);
    if (source !== '' && (source === hostOf(`http://${head.authority}`) || policy.allows(source))) {
      this.requestValid.inc();
      return Verdict.Continue;
    }
    if (source === '') this.missingSourceOrigin.inc();
    else this.requestInvalid.inc();
    if (!isEnabled) return Verdict.Continue;
    stream.reply({ status: 403, body: 'Invalid origin', details: 'csrf_origin_mismatch' });
    return Verdict.Stop;
  }
}

function changesSomething(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'DELETE' || method === 'PATCH';
}

/** Empty: the request does not say. */
function sourceOf({ headers }: RequestHead): string {
  const origin = headers.get('origin') ?? '';
  if (origin === 'null') return '';
  return hostOf(origin) || hostOf(headers.get('referer') ?? '');
}

/** Host and port of an absolute URL; what is none is taken as it is. */
function hostOf(url: string): string {
  const at = url.indexOf('://');
  if (at < 0) return url;
  const rest = url.slice(at + 3);
  const end = rest.search(/[/?#]/);
  return end < 0 ? rest : rest.slice(0, end);
}
