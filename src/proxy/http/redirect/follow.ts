import { RequestHead, type ResponseHead } from '../../../core/head.ts';
import type { InternalRedirectPolicy, Route } from '../../../route/route.ts';
import type { Forwarding } from '../forward/forwarding.ts';
import type { HttpStream } from '../stream/stream.ts';
import { FollowedRedirects } from './history.ts';
import { parseLocation, type Location } from './location.ts';

/**
 * The request that an upstream's redirect asks for, if its route follows such; null: the client is to see the answer.
 * Then the route may be another one than before, for what is logged, as in Envoy.
 */
export function redirectOf(forwarding: Forwarding, answer: ResponseHead): RequestHead | null {
  const { action, stream, replay, head } = forwarding;
  const { redirects } = action;
  if (redirects === null || redirects === undefined || !redirects.follows(answer.status)) return null;
  const isWhole = stream.request.hasEnded && replay.hasEnded && forwarding.mayRedirect && stream.upgrade === '';
  const isPossible = isWhole && answer.headers.has('location');
  const next = isPossible ? redirected(stream, redirects, head!, answer) : null;
  const result = next === null ? 'failed' : 'succeeded';
  forwarding.cluster!.stats.scope.counter(`upstream_internal_redirect_${result}_total`).inc();
  return next;
}

/** Source: Envoy `Filter::convertRequestHeadersForInternalRedirect`. */
function redirected(
  stream: HttpStream,
  policy: InternalRedirectPolicy,
  head: RequestHead,
  answer: ResponseHead,
): RequestHead | null {
  const location = parseLocation(answer.headers.get('location') ?? '');
  if (location === null) {
    stream.stats.count('passthrough_internal_redirect_bad_location');
    return null;
  }
  const wasSecure = head.scheme !== 'http';
  const isSecure = location.scheme !== 'http';
  if (!policy.allowsCrossScheme && wasSecure !== isSecure) {
    stream.stats.count('passthrough_internal_redirect_unsafe_scheme');
    return null;
  }
  const history = (stream.redirects ??= new FollowedRedirects());
  if (history.count >= policy.maxRedirects) {
    stream.stats.count('passthrough_internal_redirect_too_many_redirects');
    return null;
  }
  const next = nextHead(head, location);
  copyHeaders(policy, answer, next);
  const from = stream.route!.name;
  const route = routeOf(stream, next);
  if (route === null) {
    stream.stats.count('passthrough_internal_redirect_no_route');
    return null;
  }
  if (!policy.accepts({ from, route: route.name, wasSecure, isSecure }, history)) {
    stream.stats.count('passthrough_internal_redirect_predicate');
    return null;
  }
  if (answer.status === 303 && next.method !== 'GET' && next.method !== 'HEAD') {
    next.method = 'GET';
    next.headers.remove('content-length');
  }
  history.count++;
  next.headers.set('x-envoy-original-url', `${wasSecure ? 'https' : 'http'}://${head.authority}${head.path}`);
  return next;
}

function nextHead(head: RequestHead, { scheme, authority, path }: Location): RequestHead {
  const next = new RequestHead(head.method, authority, path, head.version, head.headers.clone());
  next.scheme = scheme;
  return next;
}

function copyHeaders({ headersToCopy }: InternalRedirectPolicy, answer: ResponseHead, next: RequestHead): void {
  for (const name of headersToCopy) {
    next.headers.remove(name);
    for (const value of answer.headers.getAll(name)) next.headers.add(name, value);
  }
}

/** What the stream's route would be for another head. */
function routeOf(stream: HttpStream, head: RequestHead): Route | null {
  const { requestHead, outcome } = stream;
  stream.routing.clear();
  outcome.routeName = '';
  outcome.upstreamCluster = '';
  outcome.upstreamClusterRaw = '';
  stream.requestHead = head;
  stream.routing.decide();
  stream.requestHead = requestHead;
  return stream.route;
}
