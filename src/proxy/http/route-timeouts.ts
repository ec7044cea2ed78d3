import type { RequestHead } from '../../core/head.ts';
import { isGrpcRequest } from '../../core/grpc-request.ts';
import { grpcTimeoutMs, grpcTimeoutText } from './grpc-timeout.ts';
import type { ForwardAction } from '../../route/route.ts';
import type { RouterData } from '../../filter/router/router-data.ts';

/** The timeouts of one forwarded request. Milliseconds; 0: none. */
export interface RouteTimeouts {
  readonly responseMs: number;
  readonly perTryMs: number;
  readonly perTryIdleMs: number;
  /** What `x-envoy-expected-rq-timeout-ms` tells the upstream; 0: nothing. */
  readonly expectedMs: number;
  /** `x-envoy-upstream-rq-timeout-alt-response`: a timeout is answered by an empty 204. */
  readonly emptyReplyOnTimeout: boolean;
}

const timeoutHeader = 'x-envoy-upstream-rq-timeout-ms';
const perTryHeader = 'x-envoy-upstream-rq-per-try-timeout-ms';
const altResponseHeader = 'x-envoy-upstream-rq-timeout-alt-response';
const expectedHeader = 'x-envoy-expected-rq-timeout-ms';

/**
 * Reads the timeouts from the route and from the request's control headers, which are taken out. Control headers of
 * untrusted clients are gone already. Source: Envoy `FilterUtility::finalTimeout`.
 */
export function takeRouteTimeouts(head: RequestHead, action: ForwardAction, router: RouterData): RouteTimeouts {
  const headers = head.headers;
  let responseMs = action.timeoutMs;
  let perTryMs = action.retry === null ? 0 : action.retry.perTryTimeoutMs;
  let hasExpected = false;
  const grpcMs = action.maxGrpcTimeoutMs >= 0 && isGrpcRequest(head) ? legacyGrpcMs(head, action) : -1;
  if (grpcMs >= 0) responseMs = grpcMs;
  if (router.respectExpectedRqTimeout) {
    const expected = milliseconds(headers.get(expectedHeader));
    if (expected >= 0) {
      responseMs = expected;
      hasExpected = true;
    }
  }
  if (!hasExpected) {
    const asked = milliseconds(headers.get(timeoutHeader));
    if (asked >= 0) responseMs = asked;
  }
  const perTry = milliseconds(headers.get(perTryHeader));
  if (perTry >= 0) perTryMs = perTry;
  // A try may not outlast the whole.
  if (perTryMs >= responseMs && responseMs > 0) perTryMs = 0;
  const emptyReplyOnTimeout = headers.remove(altResponseHeader);
  headers.remove(timeoutHeader);
  headers.remove(perTryHeader);
  const expectedMs = perTryMs > 0 ? perTryMs : responseMs;
  if (grpcMs >= 0 && expectedMs > 0) headers.set('grpc-timeout', grpcTimeoutText(expectedMs));
  return {
    responseMs,
    perTryMs,
    perTryIdleMs: action.retry === null ? 0 : action.retry.perTryIdleTimeoutMs,
    expectedMs,
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

/** -1: absent or no whole number, which Envoy ignores. */
function milliseconds(text: string | undefined): number {
  if (text === undefined || text === '' || text.length > 15) return -1;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
  }
  return Number(text);
}
