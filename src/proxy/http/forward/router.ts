import { ResponseFlag } from '../../../core/failure.ts';
import type { RequestHead } from '../../../core/head.ts';
import type { DirectResponseAction } from '../../../route/route.ts';
import { Forwarding } from './forwarding.ts';
import type { HttpStream } from '../stream/stream.ts';

/** The filters have let the request through: it is redirected, answered or forwarded, as its route says. */
export function routeRequest(stream: HttpStream, head: RequestHead, end: boolean): void {
  stream.routing.ensure();
  const { route } = stream.routing;
  stream.stats.routerRqTotal.inc();
  if (route === null) {
    stream.stats.count('no_route');
    stream.replyFromRouter({ status: 404, body: '', details: 'route_not_found', flags: ResponseFlag.NoRouteFound });
    return;
  }
  const action = route.action;
  if (action.kind === 'forward') {
    stream.forwarding = new Forwarding(stream, route, action);
    stream.forwarding.start(head, end);
    return;
  }
  // Envoy counts redirects as direct responses.
  stream.stats.count('rq_direct_response');
  if (action.kind === 'redirect') {
    const location = action.location(head, stream.outcome);
    const headers: [string, string][] = [['location', location]];
    stream.replyFromRouter({ status: action.status, body: '', details: 'direct_response', headers });
  } else replyDirectly(stream, action, head);
}

function replyDirectly(stream: HttpStream, action: DirectResponseAction, head: RequestHead): void {
  const headers: [string, string][] = [];
  const location = action.location?.(head) ?? '';
  if (location !== '') headers.push(['location', location]);
  const contentType = action.contentType ?? '';
  if (contentType !== '') headers.push(['content-type', contentType]);
  const body = action.formatBody?.(stream.outcome) ?? action.body;
  stream.replyFromRouter({ status: action.status, body, details: 'direct_response', headers });
}
