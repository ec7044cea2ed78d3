import type { RequestHead } from '../../../core/head.ts';
import type { LocalReply } from '../../../filter/filter.ts';
import { ResponseFlag } from '../../../core/failure.ts';
import type { ForwardAction } from '../../../route/route.ts';
import { grpcTimeoutText } from './grpc-timeout.ts';
import type { RouteTimeouts } from './route-timeouts.ts';
import type { HttpStream } from '../stream/stream.ts';

/** What the upstream is told of the first try. */
export function setRouterHeaders(
  head: RequestHead,
  { chain, outcome }: HttpStream,
  action: ForwardAction,
  { expectedMs }: RouteTimeouts,
): void {
  if (chain.router.suppressEnvoyHeaders) return;
  if (expectedMs > 0) head.headers.set('x-envoy-expected-rq-timeout-ms', String(expectedMs));
  if (action.includeAttemptCount) head.headers.set('x-envoy-attempt-count', String(outcome.attemptCount + 1));
}

/** A repeat has less time than the first try had. */
export function tellRemainingTime(
  head: RequestHead,
  { outcome, clock, chain }: HttpStream,
  { responseMs, expectedMs, tellsGrpc }: RouteTimeouts,
): void {
  if (expectedMs === 0 || Number.isNaN(outcome.requestEndMs)) return;
  const left = Math.max(1, Math.round(responseMs - (clock.now - outcome.requestEndMs)));
  const tellable = responseMs === 0 ? expectedMs : Math.min(expectedMs, left);
  if (!chain.router.suppressEnvoyHeaders) head.headers.set('x-envoy-expected-rq-timeout-ms', String(tellable));
  if (tellsGrpc) head.headers.set('grpc-timeout', grpcTimeoutText(tellable));
}

/** `auto_host_rewrite`: the host's name in the place of what the client has asked for. */
export function rewriteToHost(
  head: RequestHead,
  hostname: string,
  { outcome, chain }: HttpStream,
  { appendXForwardedHost }: ForwardAction,
): void {
  const { headers } = head;
  const isFirst = outcome.attemptCount === 1;
  if (isFirst && !chain.router.suppressEnvoyHeaders) headers.set('x-envoy-original-host', head.authority);
  if (isFirst && appendXForwardedHost) {
    const before = headers.get('x-forwarded-host');
    headers.set('x-forwarded-host', before === undefined ? head.authority : `${before},${head.authority}`);
  }
  head.authority = hostname;
}

/** A mutation gave a field a value that would not stay within it. Envoy's answer. */
export function refusalOfField(name: string): LocalReply {
  const body = `invalid header value for: ${name}`;
  const details = `filter_removed_required_request_headers{${body}}`;
  return { status: 503, body, details, flags: ResponseFlag.DownstreamProtocolError };
}

/** The runtime has taken the cluster out of service. */
export function maintenanceReply(suppressEnvoyHeaders: boolean): LocalReply {
  return {
    status: 503,
    body: 'maintenance mode',
    details: 'maintenance_mode',
    flags: ResponseFlag.UpstreamOverflow,
    headers: suppressEnvoyHeaders ? [] : [['x-envoy-overloaded', 'true']],
  };
}

/** The cluster's assignment says that a part of the requests is to be turned away; `isAll`: every one. */
export function dropReply(isAll: boolean, suppressEnvoyHeaders: boolean): LocalReply {
  const body = isAll ? 'unconditional drop overload' : 'drop overload';
  const field = isAll ? 'x-envoy-unconditional-drop-overload' : 'x-envoy-drop-overload';
  return {
    status: 503,
    body,
    details: body.replaceAll(' ', '_'),
    flags: isAll ? ResponseFlag.UnconditionalDropOverload : ResponseFlag.DropOverload,
    headers: suppressEnvoyHeaders ? [] : [[field, 'true']],
  };
}
