import { ResponseFlag, type Failure } from '../../../core/failure.ts';
import { NoHealthyUpstream } from '../../../core/failures.ts';
import { isGrpcRequest } from '../../../core/grpc-request.ts';
import type { Cluster } from '../../../cluster/cluster.ts';
import type { Forwarding } from './forwarding.ts';
import { failureReply } from '../response/failure-reply.ts';
import { dropReply, maintenanceReply } from './router-headers.ts';

/** What the router answers where no upstream's answer goes to the client. */

export function replyNoCluster({ stream, action }: Forwarding): void {
  stream.stats.count('no_cluster');
  const status = action.clusterNotFoundStatus;
  stream.replyFromRouter({ status, body: '', details: 'cluster_not_found', flags: ResponseFlag.NoClusterFound });
}

/** The runtime has taken the cluster out of service. */
export function replyMaintenance({ stream, tally }: Forwarding, cluster: Cluster): void {
  tally!.recordCode(503, false, '');
  stream.replyFromRouter(maintenanceReply(stream.chain.router.suppressEnvoyHeaders));
  cluster.stats.scope.counter('upstream_rq_maintenance_mode').inc();
}

/** True: `drop_overloads` has taken this request, and it is answered. */
export function dropsOverload({ stream, tally }: Forwarding, ratio: number): boolean {
  const isAll = ratio >= 1;
  if (!isAll && Math.random() >= ratio) return false;
  tally!.recordCode(503, false, '');
  stream.replyFromRouter(dropReply(isAll, stream.chain.router.suppressEnvoyHeaders));
  return true;
}

export function replyNoHealthyUpstream(forwarding: Forwarding): void {
  forwarding.cluster!.stats.cxNoneHealthy.inc();
  replyNoPool(forwarding);
}

/** There is a host, but no pool for it. */
export function replyNoPool({ stream, tally }: Forwarding): void {
  const { flag, status: usual, reason } = NoHealthyUpstream.kind;
  const wanted = stream.outcome.attemptCount > 1 ? null : stream.overrideHost;
  const status = (wanted?.isStrict === true && wanted.notFoundStatus) || usual;
  tally!.recordCode(status, false, '');
  stream.replyFromRouter({ status, body: 'no healthy upstream', details: reason, flags: flag });
}

/** The request outgrew its buffer while nobody took it. */
export function replyReplayFull({ stream }: Forwarding): void {
  const body = 'exceeded request buffer limit while retrying upstream';
  stream.replyFromRouter({ status: 507, body, details: 'request_payload_exceeded_retry_buffer_limit' });
}

/** One of the tries has taken too long, or the whole request. */
export function replyTimeout(forwarding: Forwarding, details: string, flags: number): void {
  const status = forwarding.timeoutStatus;
  const body = status === 504 ? 'upstream request timeout' : '';
  forwarding.stream.replyFromRouter({ status, body, details, flags, headers: attemptHeaders(forwarding) });
}

/** `x-envoy-upstream-stream-duration-ms` is over. */
export function replyDurationReached(forwarding: Forwarding): void {
  const { stream } = forwarding;
  stream.replyFromRouter({
    status: stream.request.hasEnded ? 504 : 408,
    body: 'upstream max stream duration reached',
    details: 'upstream_max_stream_duration_reached',
    flags: ResponseFlag.UpstreamMaxStreamDurationReached,
    headers: attemptHeaders(forwarding),
  });
}

/** The last try broke before its head came. */
export function replyFailure(forwarding: Forwarding, failure: Failure): void {
  const { stream } = forwarding;
  const { flag } = failure.kind;
  const headers = attemptHeaders(forwarding);
  if (flag === ResponseFlag.UpstreamOverflow && !stream.chain.router.suppressEnvoyHeaders)
    headers.push(['x-envoy-overloaded', 'true']);
  stream.replyFromRouter({ ...failureReply(failure, 'before', stream.outcome.attemptCount), headers });
}

/** The answer broke off behind its head. True: the client has seen that head, so it has to see the answer break off. */
export function mustBreakOff({ stream, head }: Forwarding, failure: Failure): boolean {
  const { outcome } = stream;
  const reply = failureReply(failure, 'after', outcome.attemptCount);
  // As Envoy: counted where the status of a gRPC call was still to come.
  if (isGrpcRequest(head!) && outcome.responseHead?.headers.has('grpc-status') === false)
    stream.stats.count('rq_reset_after_downstream_response_started');
  if (!stream.response.isHeadSent) {
    // Filters hold it, so the client has seen nothing yet.
    stream.replyFromRouter(reply);
    return false;
  }
  outcome.flags |= failure.kind.flag;
  outcome.details = reply.details.replaceAll(' ', '_');
  stream.stats.count('downstream_rq_tx_reset');
  stream.stats.count('downstream_rq_rx_reset');
  return true;
}

function attemptHeaders({ action, stream }: Forwarding): [string, string][] {
  if (!action.includeAttemptCountInResponse) return [];
  return [['x-envoy-attempt-count', String(stream.outcome.attemptCount)]];
}
