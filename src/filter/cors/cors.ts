import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import { CorsPolicies, type CorsPolicy } from './cors-policy.ts';

interface Admitted {
  readonly origin: string;
  readonly policies: CorsPolicies;
}

/**
 * `envoy.filters.http.cors`: answers preflights and marks answers to allowed origins, as the route's policies say.
 * One object for all streams; only those with an allowed Origin are remembered.
 */
export class CorsFilter implements HttpFilter, FilterFactory {
  private readonly filterName: string;
  private readonly originValid: Counter;
  private readonly originInvalid: Counter;
  private readonly admitted: Map<Stream, Admitted>;
  /** A route's list of levels is one array for life. */
  private readonly merged: WeakMap<readonly unknown[], CorsPolicies>;

  constructor(context: FilterContext) {
    this.filterName = context.filterName;
    const stats = context.stats.scope('cors');
    this.originValid = stats.counter('origin_valid');
    this.originInvalid = stats.counter('origin_invalid');
    this.admitted = new Map();
    this.merged = new WeakMap();
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    const origin = head.headers.get('origin');
    if (origin === undefined || origin === '') return Verdict.Continue;
    if (stream.route?.action.kind !== 'forward') return Verdict.Continue;
    const levels = stream.perFilterConfigs(this.filterName);
    if (levels.length === 0) return Verdict.Continue;
    const policies = this.policiesOf(levels);
    const isEnabled = policies.isEnabled();
    if (!isEnabled && !policies.isShadowEnabled()) return Verdict.Continue;
    const isAllowed = policies.allows(origin);
    if (isAllowed) this.originValid.inc();
    else this.originInvalid.inc();
    if (!isEnabled) return Verdict.Continue;
    if (isAllowed) this.admitted.set(stream, { origin, policies });
    if (!isPreflight(head)) return Verdict.Continue;
    if (!isAllowed && policies.flag('forwardNotMatchingPreflights', true)) return Verdict.Continue;
    const headers = preflightHeaders(head, isAllowed ? origin : '', policies);
    stream.reply({ status: 200, body: '', details: 'cors_response', headers, asIs: true });
    return Verdict.Stop;
  }

  onResponseHead(stream: Stream, head: ResponseHead): Verdict {
    if (this.admitted.size === 0) return Verdict.Continue;
    const admitted = this.admitted.get(stream);
    if (admitted === undefined) return Verdict.Continue;
    const { headers } = head;
    headers.set('access-control-allow-origin', admitted.origin);
    if (admitted.policies.flag('allowCredentials', false)) headers.set('access-control-allow-credentials', 'true');
    const expose = admitted.policies.text('exposeHeaders');
    if (expose !== '') headers.set('access-control-expose-headers', expose);
    return Verdict.Continue;
  }

  onComplete(stream: Stream): void {
    if (this.admitted.size > 0) this.admitted.delete(stream);
  }

  private policiesOf(levels: readonly unknown[]): CorsPolicies {
    let policies = this.merged.get(levels);
    if (policies === undefined) {
      policies = new CorsPolicies(levels as readonly CorsPolicy[]);
      this.merged.set(levels, policies);
    }
    return policies;
  }
}

function isPreflight(head: RequestHead): boolean {
  return head.method === 'OPTIONS' && (head.headers.get('access-control-request-method') ?? '') !== '';
}

/** `origin` empty: not allowed, and yet answered. A configured `*` repeats what the client asked for. */
function preflightHeaders(head: RequestHead, origin: string, policies: CorsPolicies): (readonly [string, string])[] {
  const headers: (readonly [string, string])[] = [];
  if (origin !== '') headers.push(['access-control-allow-origin', origin]);
  if (policies.flag('allowCredentials', false)) headers.push(['access-control-allow-credentials', 'true']);
  const methods = policies.text('allowMethods');
  if (methods !== '') {
    const asked = head.headers.get('access-control-request-method') ?? '';
    headers.push(['access-control-allow-methods', methods === '*' ? asked : methods]);
  }
  const names = policies.text('allowHeaders');
  if (names !== '') {
    const asked = head.headers.get('access-control-request-headers') ?? '';
    headers.push(['access-control-allow-headers', names === '*' ? asked : names]);
  }
  const maxAge = policies.text('maxAge');
  if (maxAge !== '') headers.push(['access-control-max-age', maxAge]);
  const asksPrivate = head.headers.get('access-control-request-private-network') === 'true';
  if (asksPrivate && policies.flag('allowPrivateNetworkAccess', false))
    headers.push(['access-control-allow-private-network', 'true']);
  return headers;
}
