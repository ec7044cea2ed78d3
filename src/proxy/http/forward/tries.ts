import type { Failure } from '../../../core/failure.ts';
import { LocalReset } from '../../../core/failures.ts';
import type { RequestHead, ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import type { Cluster } from '../../../cluster/cluster.ts';
import { noPool } from '../../../cluster/pool/no-pool.ts';
import { streamsTo } from '../connect-streams.ts';
import type { Forwarding } from './forwarding.ts';
import { HostChoice } from './host-choice.ts';
import { RetryDecision, RetryState } from './retry-state.ts';
import type { RouteTimeouts } from './route-timeouts.ts';
import { UpstreamTry } from './upstream-try.ts';
import { rewriteToHost, tellRemainingTime } from './router-headers.ts';
import { replyNoHealthyUpstream, replyNoPool } from './own-answers.ts';

/** The tries of one request, one after the other or, hedged, beside each other: whom it asks, whether again, and when. */
export class Tries {
  /** The latest; null: it is over. */
  current: UpstreamTry | null;
  /** Those that were not given up when the next one began; null: none was. */
  private earlier: UpstreamTry[] | null;
  private readonly forwarding: Forwarding;
  private readonly wanted: HostChoice;
  private readonly timeouts: RouteTimeouts;
  private cluster: Cluster;
  /** What of several weighted clusters has been chosen; null: there is no choice. */
  private readonly tried: Set<unknown> | null;
  /** Null: nothing is repeated, or not any more. */
  private retry: RetryState | null;

  /** Takes what the head says of repeats out of it. */
  constructor(forwarding: Forwarding, head: RequestHead, cluster: Cluster, timeouts: RouteTimeouts) {
    const { stream, action } = forwarding;
    this.current = null;
    this.earlier = null;
    this.forwarding = forwarding;
    this.wanted = new HostChoice(stream, action);
    this.timeouts = timeouts;
    this.cluster = cluster;
    this.tried = action.retry !== null && action.retry.refreshesCluster === true ? new Set() : null;
    this.retry = RetryState.from(head, action, cluster, stream.manager.runtime, forwarding.tally!);
    this.wanted.retry = this.retry;
  }

  get mayRepeat(): boolean {
    return this.retry !== null;
  }

  /** One takes what arrives. */
  get isReady(): boolean {
    return this.current !== null && this.current.isReady;
  }

  get isConnected(): boolean {
    return this.current !== null && this.current.isConnected;
  }

  /** One has failed and the next one has not begun. */
  get isBetween(): boolean {
    return this.current === null && this.forwarding.stream.outcome.attemptCount > 0;
  }

  /** There is no going back any more. */
  giveUpRepeats(): void {
    this.retry?.finish();
    this.retry = null;
    this.wanted.retry = null;
  }

  sendData(chunk: Uint8Array, end: boolean): void {
    this.current?.sendData(chunk, end);
  }

  sendTrailers(trailers: Headers): void {
    this.current?.sendTrailers(trailers);
  }

  pause(): void {
    for (const upstream of this.underWay) upstream.pause();
  }

  resume(): void {
    for (const upstream of this.underWay) upstream.resume();
  }

  /** The latest first. */
  get underWay(): readonly UpstreamTry[] {
    const { current, earlier } = this;
    const latest = current === null ? [] : [current];
    return earlier === null ? latest : [...latest, ...earlier];
  }

  /** Whether it is worth waiting without an answer of this one's. */
  othersMayAnswer(upstream: UpstreamTry): boolean {
    if (this.retry !== null && this.retry.isWaiting) return true;
    return this.underWay.some((other) => other !== upstream && !other.hasAnswered);
  }

  /** The next try; the first one too. */
  next(): void {
    const { forwarding, cluster } = this;
    const { stream, action, head } = forwarding;
    stream.outcome.attemptCount++;
    const host = cluster.pick(this.wanted);
    if (host === null) {
      replyNoHealthyUpstream(forwarding);
      return;
    }
    if (action.includeAttemptCount) head!.headers.set('x-envoy-attempt-count', String(stream.outcome.attemptCount));
    if (action.autoHostRewrite && host.hostname !== '') rewriteToHost(head!, host.hostname, stream, action);
    if (stream.manager.data.forwarding.schemeMatchesUpstream) head!.scheme = host.isSecure ? 'https' : 'http';
    const pool = streamsTo(cluster, host, forwarding);
    if (pool === noPool) {
      replyNoPool(forwarding);
      return;
    }
    const upstream = new UpstreamTry(forwarding);
    if (this.current !== null) (this.earlier ??= []).unshift(this.current);
    this.current = upstream;
    upstream.host = host;
    this.wanted.attempted(host);
    upstream.ask(pool);
  }

  /** The pause before a repeat is over. */
  repeat(): void {
    const { forwarding } = this;
    if (this.tried !== null) this.chooseAgain(this.tried);
    this.retry!.started(forwarding.head!);
    tellRemainingTime(forwarding.head!, forwarding.stream, this.timeouts);
    this.next();
  }

  /** `refresh_cluster_on_retry`. The head stays as it was made for the first cluster. */
  private chooseAgain(tried: Set<unknown>): void {
    const { forwarding } = this;
    const { stream, action, head } = forwarding;
    const choice = action.clusterAgain?.(head!, stream.random, stream.outcome, tried) ?? null;
    if (choice === null) return;
    stream.routing.choose(choice);
    const { cluster } = stream.routing;
    if (cluster === null) return;
    this.cluster = cluster;
    this.retry!.cluster = cluster;
    forwarding.reach(cluster, choice);
  }

  /** Whether this answer is dropped for another try's. */
  repeatsAfterHead(upstream: UpstreamTry, head: ResponseHead, end: boolean): boolean {
    const { retry } = this;
    if (retry === null) return false;
    if (upstream.wasHedged) {
      upstream.isUnwanted = retry.wouldRepeat(head);
      return false;
    }
    const decision = retry.onHead(head, upstream.host!, this.forwarding.stream.clock.epochMs);
    if (decision !== RetryDecision.Yes) {
      this.forwarding.stream.outcome.flags |= retry.flagFor(decision);
      upstream.isUnwanted = decision !== RetryDecision.No;
      return false;
    }
    retry.recordCode(head.status);
    this.leave(upstream, end);
    this.repeatLater(retry);
    return true;
  }

  /** Whether an answer's head is kept back a moment, since what comes with it may make it worth another try. */
  waitsForTrailers(upstream: UpstreamTry, head: ResponseHead): boolean {
    const { retry } = this;
    return retry !== null && !upstream.wasHedged && retry.waitsForTrailers(head);
  }

  /** Whether this answer, whose head was kept back, is dropped for another try's. */
  repeatsAfterTrailers(upstream: UpstreamTry, head: ResponseHead, trailers: Headers): boolean {
    const { retry } = this;
    if (retry === null || !this.decided(retry, retry.onTrailers(trailers, upstream.host!))) return false;
    retry.recordCode(head.status);
    this.leave(upstream, true);
    return true;
  }

  /** Whether another try follows one that broke. */
  repeatsAfterFailure(upstream: UpstreamTry, failure: Failure): boolean {
    const { retry } = this;
    if (retry === null || upstream.wasHedged) return false;
    return this.decided(retry, retry.onReset(failure, upstream.host, upstream.wasHeadSent));
  }

  /** Whether another try follows one that took too long: `per_try_timeout`, or else its whole life. */
  repeatsAfterTimeout(upstream: UpstreamTry, isPerTry: boolean): boolean {
    const { retry } = this;
    if (retry === null || upstream.wasHedged) return false;
    return this.decided(retry, retry.onTimeout(upstream.host, isPerTry));
  }

  /** Another try is asked for beside one that takes too long. */
  hedge(upstream: UpstreamTry): void {
    const { retry } = this;
    if (retry !== null) upstream.wasHedged = this.decided(retry, retry.onHedge(upstream.host));
  }

  /** An answer that nobody wants. One that is complete, as a gRPC status in a head is, leaves its connection for others. */
  leave(upstream: UpstreamTry, isComplete: boolean): void {
    this.forget(upstream);
    if (isComplete) upstream.finished();
    else giveUp(upstream);
  }

  /** It is over. */
  forget(upstream: UpstreamTry): void {
    if (this.current === upstream) {
      const { timeouts } = this.forwarding.stream;
      this.current = null;
      timeouts.clearPerTry();
      timeouts.clearTryDuration();
    } else if (this.earlier !== null) this.earlier = this.earlier.filter((other) => other !== upstream);
  }

  /** Its answer goes to the client: no other is asked for, and those that were are given up. */
  settleOn(upstream: UpstreamTry): void {
    if (this.retry !== null && this.retry.isWaiting) {
      this.retry.finish();
      this.forwarding.stream.timeouts.clearRetry();
    }
    if (this.earlier === null) return;
    for (const other of this.underWay) if (other !== upstream) other.cancel(LocalReset);
    if (upstream !== this.current) upstream.becomeLast();
    this.current = upstream;
    this.earlier = null;
  }

  /** Nobody is asked any more. */
  cancel(): void {
    const { timeouts } = this.forwarding.stream;
    const { current, earlier } = this;
    timeouts.clearPerTry();
    timeouts.clearTryDuration();
    timeouts.clearRetry();
    this.current = null;
    this.earlier = null;
    if (current !== null) giveUp(current);
    if (earlier !== null) for (const upstream of earlier) upstream.cancel(LocalReset);
  }

  /** The stream is over. */
  finish(): void {
    this.retry?.finish();
  }

  /** The whole request has been sent: from now on the try has its own time. */
  limitTime(): void {
    const { timeouts } = this.forwarding.stream;
    const { perTryMs, perTryIdleMs } = this.timeouts;
    if (perTryMs > 0) timeouts.setPerTry(perTryMs);
    if (perTryIdleMs > 0) timeouts.setPerTryIdle(perTryIdleMs);
  }

  /** Of the host's choice: cookies that the client is told. */
  tellCookies(head: ResponseHead): void {
    this.wanted.tellCookies(head);
  }

  private decided(retry: RetryState, decision: RetryDecision): boolean {
    if (decision === RetryDecision.Yes) this.repeatLater(retry);
    else this.forwarding.stream.outcome.flags |= retry.flagFor(decision);
    return decision === RetryDecision.Yes;
  }

  private repeatLater(retry: RetryState): void {
    this.forwarding.stream.timeouts.setRetry(retry.backOffMs());
  }
}

/** As Envoy: a host that has been asked for a connection is on record, whether it gives one or not. */
function giveUp(upstream: UpstreamTry): void {
  if (!upstream.isConnected) upstream.tellHost();
  upstream.cancel(LocalReset);
}
