import { ResponseFlag, type Failure } from '../../core/failure.ts';
import { LocalReset, NoHealthyUpstream } from '../../core/failures.ts';
import { isGrpcRequest } from '../../core/grpc-request.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import type { Cluster, Host } from '../../cluster/cluster.ts';
import type { ClusterChoice, ForwardAction, Route } from '../../route/route.ts';
import { consents, streamsTo, waitsForConsent } from './connect-streams.ts';
import {
  maintenanceReply,
  refusalOfField,
  rewriteToHost,
  setRouterHeaders,
  tellRemainingTime,
} from './forward/router-headers.ts';
import { HostChoice } from './host-choice.ts';
import { Shadows } from './mirror/shadows.ts';
import { PauseReason } from './pause-reason.ts';
import { takeRouteTimeouts, type RouteTimeouts } from './route-timeouts.ts';
import { beginAnew } from './redirect/begin-anew.ts';
import { redirectOf } from './redirect/follow.ts';
import { RequestReplay } from './request-replay.ts';
import { RetryDecision, RetryState } from './retry-state.ts';
import type { HttpStream } from './stream.ts';
import { failedHandshake } from './response/failed-handshake.ts';
import { failureReply } from './response/failure-reply.ts';
import { addUpstreamServiceTime } from './response/preparation.ts';
import type { RouteStats } from './route-stats.ts';
import { checkStrictly } from './strict-headers.ts';
import { UpstreamTry } from './upstream-try.ts';

/** The router's work for one stream: choose a cluster and a host, try, perhaps try again, and pass the answer back. */
export class Forwarding {
  readonly stream: HttpStream;
  readonly route: Route;
  readonly action: ForwardAction;
  cluster: Cluster | null;
  head: RequestHead | null;
  /** The request's own, before any host's name takes its place. */
  authority: string;
  private readonly wanted: HostChoice;
  readonly replay: RequestReplay;
  private choice: ClusterChoice | null;
  private timeouts: RouteTimeouts | null;
  private shadows: Shadows | null;
  /** What an answer may lead to needs the request again. */
  mayRedirect: boolean;
  private retry: RetryState | null;
  private current: UpstreamTry | null;
  /** Virtual cluster and route, where they count too. */
  private elsewhere: readonly RouteStats[];
  /** Bits of PauseReason. */
  private responsePauses: number;
  private isOver: boolean;

  constructor(stream: HttpStream, route: Route, action: ForwardAction) {
    this.stream = stream;
    this.route = route;
    this.action = action;
    this.cluster = null;
    this.head = null;
    this.authority = '';
    this.wanted = new HostChoice(stream, action);
    this.replay = new RequestReplay(this);
    this.choice = null;
    this.timeouts = null;
    this.shadows = null;
    this.mayRedirect = action.redirects !== null && action.redirects !== undefined;
    this.retry = null;
    this.current = null;
    this.elsewhere = [];
    // The client may have been slow before this stream began.
    this.responsePauses = stream.isClientSlow ? PauseReason.SlowReader : 0;
    this.isOver = false;
  }

  /** A try has its upstream stream and takes what arrives. */
  get isTryReady(): boolean {
    return this.current !== null && this.current.isReady && !this.replay.isHeld;
  }

  /** Another try may follow, so what was sent must be kept. */
  get mayRetry(): boolean {
    return (this.retry !== null || this.mayRedirect) && !this.isOver && !this.stream.response.hasBegun;
  }

  /** A try has failed and the next one has not begun. */
  get isBetweenTries(): boolean {
    return this.current === null && this.stream.outcome.attemptCount > 0;
  }

  /** Bytes; 0: no limit. */
  get requestBufferLimit(): number {
    return this.action.requestBufferLimit >= 0 ? this.action.requestBufferLimit : this.stream.bufferLimit;
  }

  giveUpRetries(): void {
    this.mayRedirect = false;
    this.retry?.finish();
    this.retry = null;
    this.wanted.retry = null;
    this.cluster!.stats.retryOrShadowAbandoned.inc();
  }

  /** The request outgrew its buffer while nobody took it. Envoy's answer. */
  refuseReplay(): void {
    this.giveUpRetries();
    const body = 'exceeded request buffer limit while retrying upstream';
    this.stream.replyFromRouter({ status: 507, body, details: 'request_payload_exceeded_retry_buffer_limit' });
  }

  start(head: RequestHead, end: boolean): void {
    const { stream, action } = this;
    const { outcome, manager } = stream;
    this.head = head;
    const { strictCheckHeaders } = stream.chain.router;
    const bad = strictCheckHeaders.length === 0 ? null : checkStrictly(head, strictCheckHeaders);
    if (bad !== null) {
      stream.replyFromRouter(bad);
      return;
    }
    const choice = stream.choice!;
    const { cluster } = stream;
    if (cluster === null) {
      stream.stats.count('no_cluster');
      const status = action.clusterNotFoundStatus;
      stream.replyFromRouter({ status, body: '', details: 'cluster_not_found', flags: ResponseFlag.NoClusterFound });
      return;
    }
    this.choice = choice;
    this.cluster = cluster;
    const virtualCluster = this.route.virtualCluster(head);
    outcome.virtualClusterName = virtualCluster;
    this.elsewhere = manager.routeStats.of(this.route.virtualHostName, virtualCluster, this.route.statPrefix);
    if (cluster.isInMaintenance) {
      this.refuseForMaintenance(cluster);
      return;
    }
    this.timeouts = takeRouteTimeouts(head, action, stream.chain.router);
    this.retry = RetryState.from(head, action, cluster, manager.runtime);
    this.wanted.retry = this.retry;
    setRouterHeaders(head, stream, action, this.timeouts);
    action.mutateRequest(head, outcome, choice, !stream.chain.router.suppressEnvoyHeaders);
    if (outcome.invalidField !== '') {
      stream.replyFromRouter(refusalOfField(outcome.invalidField));
      return;
    }
    this.authority = head.authority;
    this.replay.head(end);
    this.replay.isHeld = !end && waitsForConsent(stream.upgrade, head, action);
    this.shadows = this.shadowsOf(head);
    this.try();
    if (this.isOver) return;
    this.shadows?.start(end);
    if (end) this.requestEnded();
    else if (stream.isWebSocket) this.limitTime();
  }

  private shadowsOf(head: RequestHead): Shadows | null {
    const { mirrors = [] } = this.action;
    if (mirrors.length === 0) return null;
    return Shadows.of(mirrors, head, this.stream, this.timeouts!.responseMs, this.requestBufferLimit);
  }

  private refuseForMaintenance(cluster: Cluster): void {
    this.recordCode(503, false, '');
    this.stream.replyFromRouter(maintenanceReply(this.stream.chain.router.suppressEnvoyHeaders));
    cluster.stats.scope.counter('upstream_rq_maintenance_mode').inc();
  }

  data(chunk: Uint8Array, end: boolean): void {
    if (this.isOver) return;
    this.replay.data(chunk, end);
    this.shadows?.data(chunk, end);
    if (!this.replay.isHeld) this.current?.sendData(chunk, end);
    if (end) this.requestEnded();
  }

  trailers(trailers: Headers): void {
    if (this.isOver) return;
    this.replay.trailers(trailers);
    this.shadows?.trailers(trailers);
    if (!this.replay.isHeld) this.current?.sendTrailers(trailers);
    this.requestEnded();
  }

  /** The stream ends without this: no verb comes back from the upstream any more. */
  abandon(): void {
    this.isOver = true;
    this.stream.timeouts.clearResponse();
    this.stream.timeouts.clearPerTry();
    this.stream.timeouts.clearRetry();
    const current = this.current;
    this.current = null;
    current?.cancel(LocalReset);
  }

  onStreamFinished(): void {
    if (!this.isOver) this.abandon();
    this.replay.drop();
    this.retry?.finish();
    this.shadows?.leave();
  }

  pauseResponse(reason: PauseReason): void {
    const wasPaused = this.responsePauses !== 0;
    this.responsePauses |= reason;
    if (!wasPaused) this.current?.pause();
  }

  resumeResponse(reason: PauseReason): void {
    if (this.responsePauses === 0) return;
    this.responsePauses &= ~reason;
    if (this.responsePauses === 0) this.current?.resume();
  }

  // ---- what the current try tells

  /** The try has its upstream stream. */
  onTryReady(upstream: UpstreamTry): void {
    const { stream } = this;
    for (const stats of this.elsewhere) stats.total.inc();
    upstream.host!.recordConnected(false);
    if (this.responsePauses !== 0) upstream.pause();
    if (stream.request.hasEnded) this.armPerTry();
  }

  onHead(upstream: UpstreamTry, head: ResponseHead, end: boolean): void {
    const { stream } = this;
    if (head.status < 200 && head.status !== 101) {
      this.recordCode(head.status, false, upstream.host!.zone);
      stream.response.head(head, false);
      return;
    }
    const outcome = stream.outcome;
    const host = upstream.host!;
    stream.timeouts.clearPerTry();
    const canary = head.headers.get('x-envoy-upstream-canary') === 'true' || host.canary;
    host.recordAnswer(this.head!, head);
    if (this.retry !== null) {
      const decision = this.retry.onHead(head, host, stream.clock.epochMs);
      if (decision === RetryDecision.Yes) {
        this.retry.recordCode(head.status);
        this.current = null;
        // One that is complete, as a gRPC status in a head is, leaves its connection for others.
        if (end) upstream.finished();
        else upstream.cancel(LocalReset);
        this.retryLater();
        return;
      }
      outcome.flags |= this.retry.flagFor(decision);
      if (decision === RetryDecision.No) this.retry.succeeded();
    }
    if (this.replay.isHeld && !this.openTunnel(upstream, head)) return;
    const next = redirectOf(this, head);
    if (next !== null) {
      this.leaveFor(next, upstream, head, end);
      return;
    }
    this.recordCode(head.status, canary, host.zone);
    outcome.details = 'via_upstream';
    this.finishHead(head);
    if (end) this.upstreamEnded(upstream);
    stream.response.head(head, end);
  }

  /** The upstream sends the client elsewhere, and the stream goes there in its place. */
  private leaveFor(next: RequestHead, upstream: UpstreamTry, answer: ResponseHead, end: boolean): void {
    this.current = null;
    if (end) upstream.finished();
    else upstream.cancel(LocalReset);
    beginAnew(this.stream, next, this.replay.take(), answer);
  }

  /** The upstream has answered an upgrade or CONNECT, whose body has waited for that. False: we answer in its place. */
  private openTunnel(upstream: UpstreamTry, head: ResponseHead): boolean {
    const { stream, replay } = this;
    stream.timeouts.clearResponse();
    if (consents(this.head!, head)) upstream.openTunnel(replay);
    const failed = stream.isWebSocket ? failedHandshake(head, upstream.version) : null;
    if (failed !== null) stream.replyFromRouter(failed);
    return failed === null;
  }

  onData(upstream: UpstreamTry, chunk: Uint8Array, end: boolean): void {
    if (end) this.upstreamEnded(upstream);
    this.stream.timeouts.upstreamActivity();
    this.stream.response.data(chunk, end);
  }

  onTrailers(upstream: UpstreamTry, trailers: Headers): void {
    this.upstreamEnded(upstream);
    this.stream.response.trailers(trailers);
  }

  /** The try broke: before its head it may be repeated or is answered, later the response breaks off. */
  onTryFailure(upstream: UpstreamTry, failure: Failure): void {
    const { stream } = this;
    const outcome = stream.outcome;
    this.current = null;
    stream.timeouts.clearPerTry();
    outcome.upstreamTransportFailureReason = failure.detail;
    upstream.host?.recordResult(0, failure);
    if (stream.response.hasBegun) {
      this.brokenOff(failure);
      return;
    }
    if (this.retry !== null) {
      const decision = this.retry.onReset(failure, upstream.host, upstream.wasHeadSent);
      if (decision === RetryDecision.Yes) {
        this.retryLater();
        return;
      }
      outcome.flags |= this.retry.flagFor(decision);
    }
    this.replyFailure(failure, upstream.host);
  }

  // ---- timeouts

  onResponseTimeout(): void {
    this.cluster!.stats.rqTimeout.inc();
    for (const stats of this.elsewhere) stats.timeout.inc();
    const host = this.current?.host ?? null;
    host?.recordTimeout(this.timeoutResult);
    this.replyTimeout('response_timeout', ResponseFlag.UpstreamRequestTimeout, host);
  }

  onPerTryTimeout(): void {
    this.cluster!.stats.rqPerTryTimeout.inc();
    this.perTryFailed('upstream_per_try_timeout', ResponseFlag.UpstreamRequestTimeout);
  }

  onPerTryIdleTimeout(): void {
    this.cluster!.stats.rqPerTryIdleTimeout.inc();
    this.perTryFailed('upstream_per_try_idle_timeout', ResponseFlag.StreamIdleTimeout);
  }

  retryNow(): void {
    this.retry!.started(this.head!);
    tellRemainingTime(this.head!, this.stream, this.timeouts!);
    for (const stats of this.elsewhere) stats.retry.inc();
    this.try();
  }

  /** What a timeout counts as at its host; 0: it has answered. */
  private get timeoutResult(): number {
    if (this.stream.response.hasBegun) return 0;
    return this.timeouts!.emptyReplyOnTimeout ? 204 : 504;
  }

  private perTryFailed(details: string, flag: number): void {
    const { stream } = this;
    const upstream = this.current;
    if (upstream === null) return;
    stream.timeouts.clearPerTry();
    this.current = null;
    upstream.cancel(LocalReset);
    upstream.host?.recordTimeout(this.timeoutResult);
    if (this.retry !== null && !stream.response.hasBegun) {
      const decision = this.retry.onTimeout(upstream.host);
      if (decision === RetryDecision.Yes) {
        this.retryLater();
        return;
      }
      stream.outcome.flags |= this.retry.flagFor(decision);
    }
    this.replyTimeout(details, flag, upstream.host);
  }

  private replyTimeout(details: string, flags: number, host: Host | null): void {
    const { stream } = this;
    const [status, body] = this.timeouts!.emptyReplyOnTimeout ? [204, ''] : [504, 'upstream request timeout'];
    if (!stream.response.hasBegun) this.recordCode(status, false, host?.zone ?? '');
    stream.replyFromRouter({ status, body, details, flags, headers: this.attemptHeaders() });
  }

  // ---- inside

  private try(): void {
    const { stream, cluster } = this;
    stream.outcome.attemptCount++;
    const host = cluster!.pick(this.wanted);
    if (host === null) {
      cluster!.stats.cxNoneHealthy.inc();
      const { flag, status, reason } = NoHealthyUpstream.kind;
      this.recordCode(status, false, '');
      stream.replyFromRouter({ status, body: 'no healthy upstream', details: reason, flags: flag });
      return;
    }
    if (this.action.includeAttemptCount)
      this.head!.headers.set('x-envoy-attempt-count', String(stream.outcome.attemptCount));
    if (this.action.autoHostRewrite && host.hostname !== '')
      rewriteToHost(this.head!, host.hostname, stream, this.action);
    if (stream.manager.data.forwarding.schemeMatchesUpstream) this.head!.scheme = host.isSecure ? 'https' : 'http';
    const upstream = new UpstreamTry(this);
    this.current = upstream;
    upstream.host = host;
    upstream.ask(streamsTo(cluster!, host, this));
  }

  /** An answer's status, everywhere it counts. */
  private recordCode(status: number, isCanary: boolean, hostZone: string): void {
    if (!this.stream.chain.router.dynamicStats) return;
    this.cluster!.stats.recordCode(status, this.stream.outcome.isInternal, isCanary, hostZone);
    for (const stats of this.elsewhere) stats.recordCode(status);
  }

  private retryLater(): void {
    this.stream.timeouts.setRetry(this.retry!.backOffMs());
  }

  private requestEnded(): void {
    if (this.isOver) return;
    this.limitTime();
    if (this.current?.isReady === true) this.armPerTry();
  }

  private limitTime(): void {
    const timeoutMs = this.timeouts!.responseMs;
    if (timeoutMs > 0 && !this.isOver) this.stream.timeouts.setResponse(timeoutMs);
  }

  private armPerTry(): void {
    const { perTryMs, perTryIdleMs } = this.timeouts!;
    if (perTryMs > 0) this.stream.timeouts.setPerTry(perTryMs);
    if (perTryIdleMs > 0) this.stream.timeouts.setPerTryIdle(perTryIdleMs);
  }

  private upstreamEnded(upstream: UpstreamTry): void {
    const { stream } = this;
    this.isOver = true;
    this.current = null;
    stream.timeouts.clearResponse();
    stream.timeouts.clearPerTry();
    upstream.finished();
    if (Number.isNaN(stream.outcome.requestEndMs)) return;
    const since = stream.outcome.requestEndMs;
    for (const stats of this.elsewhere) stats.recordTime(Math.round(stream.clock.now - since));
    this.cluster!.stats.recordTime(
      Math.round(stream.clock.now - since),
      stream.outcome.isInternal,
      upstream.host!.canary,
      upstream.host!.zone,
    );
  }

  /** For answers of our own. */
  private attemptHeaders(): [string, string][] {
    if (!this.action.includeAttemptCountInResponse) return [];
    return [['x-envoy-attempt-count', String(this.stream.outcome.attemptCount)]];
  }

  private finishHead(head: ResponseHead): void {
    const { stream } = this;
    const { outcome } = stream;
    outcome.responseHead = head;
    outcome.responseCode = head.status;
    // Counted from the end of the request: an answer that comes before it has no such time.
    if (!stream.chain.router.suppressEnvoyHeaders && !Number.isNaN(outcome.requestEndMs)) {
      addUpstreamServiceTime(head, stream.clock.now - outcome.requestEndMs);
    }
    if (this.action.includeAttemptCountInResponse)
      head.headers.set('x-envoy-attempt-count', String(outcome.attemptCount));
    this.wanted.tellCookies(head);
    this.choice!.mutateResponse(head, outcome);
    this.route.mutateResponse(head, outcome);
  }

  private brokenOff(failure: Failure): void {
    const { stream } = this;
    const { outcome } = stream;
    const reply = failureReply(failure, 'after', outcome.attemptCount);
    // As Envoy: counted where the status of a gRPC call was still to come.
    if (isGrpcRequest(this.head!) && outcome.responseHead?.headers.has('grpc-status') === false)
      stream.stats.count('rq_reset_after_downstream_response_started');
    if (!stream.response.isHeadSent) {
      // Filters hold it, so the client has seen nothing yet.
      stream.replyFromRouter(reply);
      return;
    }
    outcome.flags |= failure.kind.flag;
    outcome.details = reply.details.replaceAll(' ', '_');
    stream.stats.count('downstream_rq_tx_reset');
    stream.stats.count('downstream_rq_rx_reset');
    this.isOver = true;
    stream.response.reset(failure);
  }

  private replyFailure(failure: Failure, host: Host | null): void {
    const { stream } = this;
    const { status, flag } = failure.kind;
    this.recordCode(status, false, host?.zone ?? '');
    const headers = this.attemptHeaders();
    if (flag === ResponseFlag.UpstreamOverflow && !stream.chain.router.suppressEnvoyHeaders)
      headers.push(['x-envoy-overloaded', 'true']);
    stream.replyFromRouter({ ...failureReply(failure, 'before', stream.outcome.attemptCount), headers });
  }
}
