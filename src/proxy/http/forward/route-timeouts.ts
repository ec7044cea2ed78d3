import type { RequestHead } from '../../../core/head.ts';
import { isGrpcRequest } from '../../../core/grpc-request.ts';
import { ControlHeader, hasControlHeaders, milliseconds } from './control-headers.ts';
import { grpcTimeoutMs, grpcTimeoutText } from './grpc-timeout.ts';
import type { ForwardAction } from '../../../route/route.ts';
import type { RouterData } from '../../../filter/router/router-data.ts';

/** The timeouts of one forwarded request. Milliseconds; 0: none. */
export interface RouteTimeouts {
  readonly responseMs: number;
  readonly perTryMs: number;
  readonly perTryIdleMs: number;
  /** What `x-envoy-expected-rq-timeout-ms` tells the upstream; 0: nothing. */
  readonly expectedMs: number;
  /** How long a try may take upstream, to the end of its answer. */
  readonly tryDurationMs: number;
  /** `grpc-timeout` says `expectedMs` too: the deprecated `max_grpc_timeout` is set. */
  readonly tellsGrpc: boolean;
  /** A try that takes longer than `perTryMs` goes on beside another one. */
  readonly hedges: boolean;
  /** `x-envoy-upstream-rq-timeout-alt-response`: a timeout is answered by an empty 204. */
  readonly emptyReplyOnTimeout: boolean;
}

/**
 * Reads the timeouts from the route and from the request's control headers, which are taken out. Control headers of
 * untrusted clients are gone already. Source: Envoy `FilterUtility::finalTimeout`.
 */
export function takeRouteTimeouts(head: RequestHead, action: ForwardAction, router: RouterData): RouteTimeouts {
  const grpcMs = action.maxGrpcTimeoutMs >= 0 && isGrpcRequest(head) ? legacyGrpcMs(head, action) : -1;
  const responseMs = grpcMs >= 0 ? grpcMs : action.timeoutMs;
  const perTryMs = action.retry === null ? 0 : action.retry.perTryTimeoutMs;
  const hedges = action.hedgesOnPerTryTimeout === true;
  const timeouts = hasControlHeaders(head.headers)
    ? askedTimeouts(head, responseMs, perTryMs, hedges, router)
    : { responseMs, perTryMs, tryDurationMs: 0, hedges, emptyReplyOnTimeout: false };
  // A try may not outlast the whole.
  const isCapped = timeouts.perTryMs >= timeouts.responseMs && timeouts.responseMs > 0;
  const tryMs = isCapped ? 0 : timeouts.perTryMs;
  // A hedged try goes on to the end of the whole.
  const expectedMs = tryMs > 0 && !timeouts.hedges ? tryMs : timeouts.responseMs;
  if (grpcMs >= 0 && expectedMs > 0) head.headers.set('grpc-timeout', grpcTimeoutText(expectedMs));
  return {
    responseMs: timeouts.responseMs,
    perTryMs: tryMs,
    perTryIdleMs: action.retry === null ? 0 : action.retry.perTryIdleTimeoutMs,
    expectedMs,
    tryDurationMs: timeouts.tryDurationMs,
    tellsGrpc: grpcMs >= 0,
    hedges: timeouts.hedges,
    emptyReplyOnTimeout: timeouts.emptyReplyOnTimeout,
  };
}

type Asked = Pick<RouteTimeouts, 'responseMs' | 'perTryMs' | 'tryDurationMs' | 'hedges' | 'emptyReplyOnTimeout'>;

/** What the request makes of its route's timeouts. */
function askedTimeouts(
  { headers }: RequestHead,
  responseMs: number,
  perTryMs: number,
  hedges: boolean,
  router: RouterData,
): Asked {
  const expected = router.respectExpectedRqTimeout ? milliseconds(headers.get(ControlHeader.ExpectedTimeout)) : -1;
  const whole = expected >= 0 ? expected : milliseconds(headers.get(ControlHeader.Timeout));
  const perTry = milliseconds(headers.get(ControlHeader.PerTryTimeout));
  const duration = milliseconds(headers.get(ControlHeader.StreamDuration));
  const hedge = headers.get(ControlHeader.Hedge);
  const emptyReplyOnTimeout = headers.remove(ControlHeader.AltResponse);
  headers.remove(ControlHeader.Timeout);
  headers.remove(ControlHeader.PerTryTimeout);
  headers.remove(ControlHeader.StreamDuration);
  headers.remove(ControlHeader.Hedge);
  return {
    responseMs: whole >= 0 ? whole : responseMs,
    perTryMs: perTry >= 0 ? perTry : perTryMs,
    tryDurationMs: Math.max(0, duration),
    hedges: hedge === 'true' || (hedges && hedge !== 'false'),
    emptyReplyOnTimeout,
  };
}

/** The deprecated `max_grpc_timeout`: the client's deadline in place of the route's timeout; 0: none. */
function legacyGrpcMs(head: RequestHead, { maxGrpcTimeoutMs, grpcTimeoutOffsetMs }: ForwardAction): number {
  const asked = Math.max(0, grpcTimeoutMs(head));
  const shortened = asked > grpcTimeoutOffsetMs ? asked - grpcTimeoutOffsetMs : asked;
  // 0 is without end, so any limit is shorter.
  return maxGrpcTimeoutMs !== 0 && (shortened === 0 || shortened > maxGrpcTimeoutMs) ? maxGrpcTimeoutMs : shortened;
}
