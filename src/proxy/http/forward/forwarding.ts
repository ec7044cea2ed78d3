import { ResponseFlag, type Failure } from '../../../core/failure.ts';
import { isGrpcRequest } from '../../../core/grpc-request.ts';
import type { RequestHead, ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import type { Cluster } from '../../../cluster/cluster.ts';
import type { ClusterChoice, ForwardAction, Route } from '../../../route/route.ts';
import { consents, waitsForConsent } from '../connect-streams.ts';
import {
  mustBreakOff,
  replyDurationReached,
  replyFailure,
  dropsOverload,
  replyMaintenance,
  replyNoCluster,
  replyReplayFull,
  replyTimeout,
} from './own-answers.ts';
import { refusalOfField, setRouterHeaders } from './router-headers.ts';
import { Tally } from './tally.ts';
import { Tries } from './tries.ts';
import { Shadows } from '../mirror/shadows.ts';
import { overloadReply } from '../overload/http-overload.ts';
import { PauseReason } from '../stream/pause-reason.ts';
import { takeRouteTimeouts, type RouteTimeouts } from './route-timeouts.ts';
import { beginAnew } from '../redirect/begin-anew.ts';
import { redirectOf } from '../redirect/follow.ts';
import { RequestReplay } from './request-replay.ts';
import type { HttpStream } from '../stream/stream.ts';
import { failedHandshake } from '../response/failed-handshake.ts';
import { addUpstreamServiceTime } from '../response/preparation.ts';
import { checkStrictly } from './strict-headers.ts';
import type { UpstreamTry } from './upstream-try.ts';

/** The router's work for one stream: the request goes out to whoever is tried, and an answer comes back. */
export class Forwarding {
  readonly stream: HttpStream;
  readonly route: Route;
  readonly action: ForwardAction;
  cluster: Cluster | null;
  head: RequestHead | null;
  /** The request's own, before any host's name takes its place. */
  authority: string;
  readonly replay: RequestReplay;
  /** Both from the moment that the cluster is known. */
  tries: Tries | null;
  tally: Tally | null;
  private choice: ClusterChoice | null;
  private timeouts: RouteTimeouts | null;
  private shadows: Shadows | null;
  /** What an answer may lead to needs the request again. */
  mayRedirect: boolean;
  /** Bits of PauseReason. */
  private responsePauses: number;
  /** Kept back until what has come with it has been read; null: none is. */
  private heldHead: ResponseHead | null;
  private isOver: boolean;

  constructor(stream: HttpStream, route: Route, action: ForwardAction) {
    this.stream = stream;
    this.route = route;
    this.action = action;
    this.cluster = null;
    this.head = null;
    this.authority = '';
    this.replay = new RequestReplay(this);
    this.tries = null;
    this.tally = null;
    this.choice = null;
    this.timeouts = null;
    this.shadows = null;
    this.mayRedirect = action.redirects !== null && action.redirects !== undefined;
    // The client may have been slow before this stream began.
    this.responsePauses = stream.isClientSlow ? PauseReason.SlowReader : 0;
    this.heldHead = null;
    this.isOver = false;
  }

  /** A try has its upstream stream and takes what arrives. */
  get isTryReady(): boolean {
    return this.tries !== null && this.tries.isReady && !this.replay.isHeld;
  }

  /** Another try may follow, so what was sent must be kept. */
  get mayRetry(): boolean {
    return (this.tries!.mayRepeat || this.mayRedirect) && !this.isOver && !this.stream.response.hasBegun;
  }

  /** Bytes; 0: no limit. */
  get requestBufferLimit(): number {
    return this.action.requestBufferLimit >= 0 ? this.action.requestBufferLimit : this.stream.bufferLimit;
  }

  /** How a timeout is answered. */
  get timeoutStatus(): number {
    return this.timeouts!.emptyReplyOnTimeout ? 204 : 504;
  }

  /** A try is over, however it went. */
  tryEnded(beganMs: number): void {
    this.tally!.tryEnded(beganMs, this.timeouts!.perTryMs);
  }

  giveUpRetries(): void {
    this.mayRedirect = false;
    this.tries!.giveUpRepeats();
    this.cluster!.stats.retryOrShadowAbandoned.inc();
  }

  refuseReplay(): void {
    this.giveUpRetries();
    replyReplayFull(this);
  }

  start(head: RequestHead, end: boolean): void {
    const { stream, action } = this;
    this.head = head;
    const { strictCheckHeaders, suppressEnvoyHeaders } = stream.chain.router;
    const bad = strictCheckHeaders.length === 0 ? null : checkStrictly(head, strictCheckHeaders);
    if (bad !== null) {
      stream.replyFromRouter(bad);
      return;
    }
    const { cluster, choice } = stream.routing;
    if (cluster === null) {
      replyNoCluster(this);
      return;
    }
    this.choice = choice;
    this.cluster = cluster;
    this.tally = this.tallyOf(head, cluster);
    if (cluster.isInMaintenance) {
      replyMaintenance(this, cluster);
      return;
    }
    const { dropRatio = 0 } = cluster;
    if (dropRatio > 0 && dropsOverload(this, dropRatio)) return;
    const { overload } = stream.manager;
    if (overload !== null && overload.shedsForwarding()) {
      stream.stats.count('rq_overload_local_reply');
      stream.outcome.attemptCount = 1;
      stream.replyFromRouter(overloadReply(false));
      return;
    }
    this.timeouts = takeRouteTimeouts(head, action, stream.chain.router);
    this.tries = new Tries(this, head, cluster, this.timeouts);
    setRouterHeaders(head, stream, action, this.timeouts);
    action.mutateRequest(head, stream.outcome, choice!, !suppressEnvoyHeaders);
    if (stream.outcome.invalidField !== '') {
      stream.replyFromRouter(refusalOfField(stream.outcome.invalidField));
      return;
    }
    this.authority = head.authority;
    this.replay.head(end);
    this.replay.isHeld = !end && waitsForConsent(stream.upgrade, head, action);
    this.shadows = this.shadowsOf(head);
    this.tries.next();
    if (this.isOver) return;
    this.shadows?.start(end);
    if (end) this.requestEnded();
    else if (stream.isWebSocket) this.limitTime();
  }

  /** The next try goes to another cluster than the first. */
  reach(cluster: Cluster, choice: ClusterChoice): void {
    this.cluster = cluster;
    this.choice = choice;
    this.tally!.cluster = cluster;
  }

  private tallyOf(head: RequestHead, cluster: Cluster): Tally {
    const { stream, route } = this;
    const virtualCluster = route.virtualCluster(head);
    stream.outcome.virtualClusterName = virtualCluster.name;
    const elsewhere = stream.manager.routeStats.of(route.virtualHostName, virtualCluster.statName, route.statPrefix);
    return new Tally(stream, cluster, elsewhere);
  }

  private shadowsOf(head: RequestHead): Shadows | null {
    const { mirrors = [] } = this.action;
    if (mirrors.length === 0) return null;
    return Shadows.of(mirrors, head, this.stream, this.timeouts!.responseMs, this.requestBufferLimit);
  }

  data(chunk: Uint8Array, end: boolean): void {
    if (this.isOver) return;
    this.replay.data(chunk, end);
    this.shadows?.data(chunk, end);
    if (!this.replay.isHeld) this.tries!.sendData(chunk, end);
    if (end) this.requestEnded();
  }

  trailers(trailers: Headers): void {
    if (this.isOver) return;
    this.replay.trailers(trailers);
    this.shadows?.trailers(trailers);
    if (!this.replay.isHeld) this.tries!.sendTrailers(trailers);
    this.requestEnded();
  }

  /** The stream ends without this: no verb comes back from the upstream any more. */
  abandon(): void {
    this.isOver = true;
    this.heldHead = null;
    this.stream.timeouts.clearResponse();
    this.stream.timeouts.clearHeldHead();
    this.tries?.cancel();
  }

  onStreamFinished(): void {
    if (!this.isOver) this.abandon();
    this.replay.drop();
    this.tries?.finish();
    this.shadows?.leave();
  }

  pauseResponse(reason: PauseReason): void {
    const wasPaused = this.responsePauses !== 0;
    this.responsePauses |= reason;
    if (!wasPaused) this.tries?.pause();
  }

  resumeResponse(reason: PauseReason): void {
    if (this.responsePauses === 0) return;
    this.responsePauses &= ~reason;
    if (this.responsePauses === 0) this.tries?.resume();
  }

  // ---- what the current try tells

  /** The try has its upstream stream. */
  onTryReady(upstream: UpstreamTry): void {
    this.tally!.tried();
    upstream.host!.recordConnected(false);
    if (this.responsePauses !== 0) upstream.pause();
    if (this.timeouts!.tryDurationMs > 0) this.stream.timeouts.setTryDuration(this.timeouts!.tryDurationMs);
    if (this.stream.request.hasEnded) this.tries!.limitTime();
  }

  onHead(upstream: UpstreamTry, head: ResponseHead, end: boolean): void {
    const { stream } = this;
    const host = upstream.host!;
    if (head.status < 200 && head.status !== 101) {
      this.tally!.recordCode(head.status, false, host.zone);
      // As Envoy: what has been told once is not told by another.
      this.tries!.settleOn(upstream);
      this.tries!.giveUpRepeats();
      stream.response.head(head, false);
      return;
    }
    if (!end && isGrpcRequest(this.head!) && this.tries!.waitsForTrailers(upstream, head)) {
      this.heldHead = head;
      stream.timeouts.setHeldHead();
      return;
    }
    this.answered(upstream, head, end);
  }

  /** A final head goes to the client, unless another try's is to take its place. */
  private answered(upstream: UpstreamTry, head: ResponseHead, end: boolean): void {
    const { stream } = this;
    const host = upstream.host!;
    upstream.hasAnswered = true;
    const isCanary = head.headers.get('x-envoy-upstream-canary') === 'true' || host.canary;
    host.recordAnswer(this.head!, head);
    if (this.tries!.repeatsAfterHead(upstream, head, end)) return;
    if (this.replay.isHeld && !this.openTunnel(upstream, head)) return;
    const next = redirectOf(this, head);
    if (next !== null) {
      // The upstream sends the client elsewhere, and the stream goes there in its place.
      this.tries!.leave(upstream, end);
      beginAnew(stream, next, this.replay.take(), head);
      return;
    }
    if (upstream.isUnwanted && this.tries!.othersMayAnswer(upstream)) {
      this.tries!.leave(upstream, end);
      return;
    }
    this.tries!.settleOn(upstream);
    stream.timeouts.tryAnswered();
    this.tally!.recordCode(head.status, isCanary, host.zone);
    stream.outcome.details = 'via_upstream';
    this.finishHead(head);
    if (end) this.upstreamEnded(upstream);
    stream.response.head(head, end);
  }

  /** The upstream has answered an upgrade or CONNECT, whose body has waited for that. False: we answer in its place. */
  private openTunnel(upstream: UpstreamTry, head: ResponseHead): boolean {
    const { stream, replay } = this;
    stream.timeouts.clearResponse();
    stream.timeouts.clearPerTry();
    if (consents(this.head!, head)) upstream.openTunnel(replay);
    const failed = stream.isWebSocket ? failedHandshake(head, upstream.version) : null;
    if (failed !== null) stream.replyFromRouter(failed);
    return failed === null;
  }

  /** There is nothing to wait for any more. */
  releaseHead(): void {
    const { heldHead, tries } = this;
    const upstream = tries!.current;
    this.heldHead = null;
    this.stream.timeouts.clearHeldHead();
    if (heldHead !== null && upstream !== null) this.answered(upstream, heldHead, false);
  }

  /** False: what follows the head is not wanted. */
  private releasesHead(upstream: UpstreamTry): boolean {
    this.releaseHead();
    return !this.isOver && this.tries!.current === upstream;
  }

  onData(upstream: UpstreamTry, chunk: Uint8Array, end: boolean): void {
    if (this.heldHead !== null && !this.releasesHead(upstream)) return;
    if (end) this.upstreamEnded(upstream);
    this.stream.timeouts.upstreamActivity();
    this.stream.response.data(chunk, end);
  }

  onTrailers(upstream: UpstreamTry, trailers: Headers): void {
    const { heldHead } = this;
    if (heldHead !== null) {
      if (this.tries!.repeatsAfterTrailers(upstream, heldHead, trailers)) {
        this.heldHead = null;
        this.stream.timeouts.clearHeldHead();
        return;
      }
      if (!this.releasesHead(upstream)) return;
    }
    this.upstreamEnded(upstream);
    this.stream.response.trailers(trailers);
  }

  /** The try broke: before its head it may be repeated or is answered, later the response breaks off. */
  onTryFailure(upstream: UpstreamTry, failure: Failure): void {
    const { stream, tries } = this;
    if (this.heldHead !== null && !this.releasesHead(upstream)) return;
    tries!.forget(upstream);
    stream.outcome.upstreamTransportFailureReason = failure.detail;
    upstream.host?.recordResult(0, failure);
    if (stream.response.hasBegun) {
      if (!mustBreakOff(this, failure)) return;
      this.isOver = true;
      stream.response.reset(failure);
    } else if (!tries!.repeatsAfterFailure(upstream, failure)) {
      this.tally!.recordCode(failure.kind.status, false, upstream.host?.zone ?? '');
      if (!tries!.othersMayAnswer(upstream)) replyFailure(this, failure);
    }
  }

  // ---- timeouts

  onResponseTimeout(): void {
    for (const upstream of this.tries!.underWay) {
      this.tally!.timedOut();
      // One that was hedged has been recorded as too slow.
      if (!upstream.wasHedged) upstream.host?.recordTimeout(this.timeoutResult);
      if (!upstream.hasAnswered) this.recordTimeout(upstream);
    }
    replyTimeout(this, 'response_timeout', ResponseFlag.UpstreamRequestTimeout);
  }

  onPerTryTimeout(): void {
    const upstream = this.takeSlow();
    if (upstream === null) return;
    this.cluster!.stats.rqPerTryTimeout.inc();
    this.giveUpSlow(upstream, 'upstream_per_try_timeout', ResponseFlag.UpstreamRequestTimeout);
  }

  onPerTryIdleTimeout(): void {
    const upstream = this.takeSlow();
    if (upstream === null) return;
    this.cluster!.stats.rqPerTryIdleTimeout.inc();
    this.giveUpSlow(upstream, 'upstream_per_try_idle_timeout', ResponseFlag.StreamIdleTimeout);
  }

  onTryDurationReached(): void {
    const { tries, stream } = this;
    const upstream = tries!.current;
    if (upstream === null) return;
    this.cluster!.stats.rqMaxDurationReached.inc();
    tries!.leave(upstream, false);
    if (stream.response.hasBegun || !tries!.repeatsAfterTimeout(upstream, false)) replyDurationReached(this);
  }

  /** What a timeout counts as at its host; 0: it has answered. */
  private get timeoutResult(): number {
    return this.stream.response.hasBegun ? 0 : this.timeoutStatus;
  }

  private recordTimeout({ host }: UpstreamTry): void {
    if (!this.stream.response.hasBegun) this.tally!.recordCode(this.timeoutStatus, false, host?.zone ?? '');
  }

  /** The try that has taken too long and is to be given up; null: another one is asked beside it. */
  private takeSlow(): UpstreamTry | null {
    const { stream, tries } = this;
    const upstream = tries!.current;
    stream.timeouts.clearPerTry();
    if (upstream === null || !this.timeouts!.hedges) return upstream;
    upstream.host?.recordTimeout(this.timeoutResult);
    if (!stream.response.hasBegun) tries!.hedge(upstream);
    return null;
  }

  private giveUpSlow(upstream: UpstreamTry, details: string, flag: number): void {
    const { stream, tries } = this;
    upstream.flagSpan(flag);
    tries!.leave(upstream, false);
    upstream.host?.recordTimeout(this.timeoutResult);
    if (!stream.response.hasBegun && tries!.repeatsAfterTimeout(upstream, true)) return;
    this.recordTimeout(upstream);
    replyTimeout(this, details, flag);
  }

  // ---- inside

  private requestEnded(): void {
    if (this.isOver) return;
    this.limitTime();
    if (this.tries!.isConnected) this.tries!.limitTime();
  }

  private limitTime(): void {
    const timeoutMs = this.timeouts!.responseMs;
    if (timeoutMs > 0 && !this.isOver) this.stream.timeouts.setResponse(timeoutMs);
  }

  private upstreamEnded(upstream: UpstreamTry): void {
    this.isOver = true;
    this.stream.timeouts.clearResponse();
    this.tries!.leave(upstream, true);
    this.tally!.recordTime(upstream.host!, this.timeouts!.responseMs);
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
    this.tries!.tellCookies(head);
    this.choice!.mutateResponse(head, outcome);
    this.route.mutateResponse(head, outcome);
  }
}
