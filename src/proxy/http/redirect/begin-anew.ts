import type { RequestHead, ResponseHead } from '../../../core/head.ts';
import type { HttpStream } from '../stream/stream.ts';

/**
 * Ends a stream without an answer and begins another in its place, with another head and the same body, on the same
 * stream of the codec: filters see it as they see any request. Trailers are not repeated, as in Envoy.
 * @param answer why: the upstream's redirect; null: there are routes for it that there were not
 */
export function beginAnew(
  old: HttpStream,
  head: RequestHead,
  body: readonly Uint8Array[] | null,
  answer: ResponseHead | null,
): void {
  const { connection, outcome } = old;
  const next = connection.continueStream(old);
  next.redirects = old.redirects;
  next.isAnew = true;
  next.asksToClose = old.asksToClose;
  next.isClientSlow = old.isClientSlow;
  next.outcome.isInternal = outcome.isInternal;
  next.outcome.remoteAddress = outcome.remoteAddress;
  next.outcome.bytesReceived = outcome.bytesReceived;
  outcome.requestHead = head;
  if (answer !== null) {
    outcome.responseHead = answer;
    outcome.responseCode = answer.status;
  }
  outcome.details = 'internal_redirect';
  old.request.becomes(next.request);
  old.finish();
  const { request } = next;
  // What was posted is not what is asked for now.
  const isDropped = answer?.status === 303 && head.method === 'GET';
  if (body === null || body.length === 0 || isDropped) {
    request.head(head, true);
    return;
  }
  request.head(head, false);
  const last = body.length - 1;
  for (let i = 0; i <= last; i++) request.data(body[i], i === last);
}
