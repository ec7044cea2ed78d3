import type { Failure } from '../../../core/failure.ts';
import { LocalReset } from '../../../core/failures.ts';
import type { RequestHead, ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import type { Cluster } from '../../../cluster/cluster.ts';
import { streamsTo } from '../connect-streams.ts';
import type { Forwarding } from '../forwarding.ts';
import { HostChoice } from '../host-choice.ts';
import { RetryDecision, RetryState } from '../retry-state.ts';
import type { RouteTimeouts } from '../route-timeouts.ts';
import { UpstreamTry } from '../upstream-try.ts';
import { rewriteToHost, tellRemainingTime } from './router-headers.ts';
import { replyNoHealthyUpstream } from './own-answers.ts';

/** The tries of one request, one after the other: whom it asks, whether it asks again, and when. */
export class Tries {
  /** Null: nobody is asked now. */
  current: UpstreamTry | null;
  private readonly forwarding: Forwarding;
  private readonly wanted: HostChoice;
  private readonly timeouts: RouteTimeouts;
  private readonly cluster: Cluster;
  /** Null: nothing is repeated, or not any more. */
  private retry: RetryState | null;

  /** Takes what the head says of repeats out of it. */
  constructor(forwarding: Forwarding, head: RequestHead, cluster: Cluster, timeouts: RouteTimeouts) {
    const { stream, action } = forwarding;
    this.current = null;
    this.forwarding = forwarding;
    this.wanted = new HostChoice(stream, action);
    this.timeouts = timeouts;
    this.cluster = cluster;
    this.retry = RetryState.from(head, action, cluster, stream.manager.runtime);
    this.wanted.retry = this.retry;
  }

  get mayRepeat(): boolean {
    return this.retry !== null;
  }

  /** One has its upstream stream. */
  get isReady(): boolean {
    return this.current !== null && this.current.isReady;
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
    this.current?.pause();
  }

  resume(): void {
    this.current?.resume();
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
    const upstream = new UpstreamTry(forwarding);
    this.current = upstream;
    upstream.host = host;
    upstream.ask(streamsTo(cluster, host, forwarding));
  }

  /** The pause before a repeat is over. */
  repeat(): void {
    const { forwarding } = this;
    this.retry!.started(forwarding.head!);
    tellRemainingTime(forwarding.head!, forwarding.stream, this.timeouts);
    forwarding.tally!.retried();
    this.next();
  }

  /** Whether this answer is dropped for another try's. */
  repeatsAfterHead(upstream: UpstreamTry, head: ResponseHead, end: boolean): boolean {
    const { retry } = this;
    if (retry === null) return false;
    const { outcome, clock } = this.forwarding.stream;
    const decision = retry.onHead(head, upstream.host!, clock.epochMs);
    if (decision !== RetryDecision.Yes) {
      outcome.flags |= retry.flagFor(decision);
      if (decision === RetryDecision.No) retry.succeeded();
      return false;
    }
    retry.recordCode(head.status);
    this.leave(upstream, end);
    this.repeatLater(retry);
    return true;
  }

  /** Whether another try follows one that broke. */
  repeatsAfterFailure(upstream: UpstreamTry, failure: Failure): boolean {
    const { retry } = this;
    if (retry === null) return false;
    return this.decided(retry, retry.onReset(failure, upstream.host, upstream.wasHeadSent));
  }

  /** Whether another try follows one that took too long. */
  repeatsAfterTimeout(upstream: UpstreamTry): boolean {
    const { retry } = this;
    return retry !== null && this.decided(retry, retry.onTimeout(upstream.host));
  }

  /** An answer that nobody wants. One that is complete, as a gRPC status in a head is, leaves its connection for others. */
  leave(upstream: UpstreamTry, isComplete: boolean): void {
    this.current = null;
    if (isComplete) upstream.finished();
    else upstream.cancel(LocalReset);
  }

  /** Nobody is asked any more. */
  cancel(): void {
    const { timeouts } = this.forwarding.stream;
    timeouts.clearPerTry();
    timeouts.clearRetry();
    const { current } = this;
    this.current = null;
    current?.cancel(LocalReset);
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
