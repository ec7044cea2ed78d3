import { LocalReset } from '../../../core/failures.ts';
import type { LocalReply } from '../../../filter/filter.ts';
import type { Route } from '../../../route/route.ts';
import type { HttpStream } from '../stream/stream.ts';

const tooLarge: LocalReply = { status: 500, body: 'Internal Server Error', details: 'response_payload_too_large' };

/** Ends a stream with an answer of our own, whatever has happened to it before. `route`: whose mutations apply to it. */
export function answerLocally(stream: HttpStream, reply: LocalReply, route: Route | null): void {
  const { outcome, response } = stream;
  outcome.flags |= reply.flags ?? 0;
  outcome.details = reply.details.replaceAll(' ', '_');
  if (response.isHeadSent) {
    // Too late for an answer of our own: the client learns of it by the response breaking off.
    stream.stats.count('downstream_rq_tx_reset');
    stream.stats.count('downstream_rq_rx_reset');
    stream.forwarding?.abandon();
    response.reset(LocalReset);
    return;
  }
  stream.request.cut();
  stream.forwarding?.abandon();
  if (response.hasBegun) {
    answerPastFilters(stream, reply);
    return;
  }
  const { manager } = stream;
  const prepared = manager.localReplies.make(reply, stream.requestHead, outcome, stream.isGrpc);
  if (route !== null) {
    // Envoy mutates before the answer's code is on record.
    const { responseCode } = outcome;
    outcome.responseCode = 0;
    route.mutateResponse(prepared.head, outcome);
    outcome.responseCode = responseCode;
  }
  // What was wrong with such a request may be wrong with what follows it.
  if (reply.status === 400 && !manager.data.streamErrorOnInvalidMessage) stream.connection.closeAfterResponse();
  response.head(prepared.head, prepared.body === null);
  if (prepared.body !== null) response.data(prepared.body, true);
}

/** A filter wanted more of the response body than may be buffered. */
export function answerTooLarge(stream: HttpStream): void {
  stream.forwarding?.abandon();
  stream.outcome.details = tooLarge.details;
  if (stream.response.isHeadSent) stream.response.reset(LocalReset);
  else answerPastFilters(stream, tooLarge);
}

/** Filters hold a response whose head has not left: ours takes its place, without their seeing another one. */
function answerPastFilters(stream: HttpStream, reply: LocalReply): void {
  const { outcome, response, codecStream } = stream;
  response.cut();
  const prepared = stream.manager.localReplies.make(reply, stream.requestHead, outcome, stream.isGrpc);
  stream.finishHead(prepared.head, prepared.body === null);
  response.isHeadSent = true;
  codecStream.head(prepared.head, prepared.body === null);
  if (prepared.body !== null) {
    outcome.bytesSent += prepared.body.length;
    codecStream.data(prepared.body, true);
  }
  stream.finish();
}
