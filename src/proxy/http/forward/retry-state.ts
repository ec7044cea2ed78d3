import { ResponseFlag, RetryKind, type Failure } from '../../../core/failure.ts';
import { LocalReset } from '../../../core/failures.ts';
import type { RequestHead, ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import { runtimeInteger, runtimePercent, type RuntimeView } from '../../../core/runtime-view.ts';
import type { Cluster, Host, ResourceLimit } from '../../../cluster/cluster.ts';
import { parseRetryOn, RetryOn } from '../../../route/retry-on.ts';
import type { ForwardAction, RetryPolicy } from '../../../route/route.ts';
import { ControlHeader, hasControlHeaders, retryHeaders } from './control-headers.ts';
import { resetIntervalMs } from './reset-interval.ts';
import type { Tally } from './tally.ts';

/** Whether a try is repeated, and if not, why. */
export const RetryDecision = { No: 0, Yes: 1, LimitExceeded: 2, Overflow: 3 } as const;
export type RetryDecision = (typeof RetryDecision)[keyof typeof RetryDecision];

/** Envoy: back-off starts at 25 ms, or at what the runtime says, and is capped at ten times its base. */
const defaultBaseMs = 25;

const none: readonly never[] = [];

/** What one request may still try. Source: Envoy `RetryStateImpl`. */
export class RetryState {
  private readonly policy: RetryPolicy | null;
  /** That of the latest try. */
  cluster: Cluster;
  private readonly tally: Tally;
  private readonly runtime: RuntimeView;
  private readonly priority: 0 | 1;
  private retryOn: number;
  private retriableCodes: readonly number[];
  private retriableHeaderNames: readonly string[];
  private remaining: number;
  private attempts: number;
  private failedHosts: Host[] | null;
  /** The cluster's breaker, for which one counts that is waited for or on its way; null: none is. */
  private underWay: ResourceLimit | null;
  private hasStarted: boolean;
  /** 0: it has not asked. */
  private askedToWaitMs: number;
  /** The upstream has said how long the repeat is to wait. */
  private isRateLimited: boolean;
  /** The latest try. */
  private hasTimedOut: boolean;
  private readonly tellsOfTimeouts: boolean;

  /** Null: nothing about this request is ever repeated. The control headers are taken out. */
  static from(
    head: RequestHead,
    action: ForwardAction,
    cluster: Cluster,
    runtime: RuntimeView,
    tally: Tally,
  ): RetryState | null {
    const { retry: policy } = action;
    const isAsked = hasControlHeaders(head.headers);
    if (policy === null && !isAsked) return null;
    const state = new RetryState(isAsked ? head : null, action, cluster, runtime, tally);
    if (isAsked) for (const name of retryHeaders) head.headers.remove(name);
    if (state.retryOn === 0) return null;
    return policy !== null && !policy.permits(head) ? null : state;
  }

  /** `asking`: null where the request asks for nothing itself. */
  private constructor(
    asking: RequestHead | null,
    action: ForwardAction,
    cluster: Cluster,
    runtime: RuntimeView,
    tally: Tally,
  ) {
    const { retry: policy } = action;
    this.policy = policy;
    this.tally = tally;
    this.cluster = cluster;
    this.runtime = runtime;
    this.priority = action.priority;
    this.retryOn = policy === null ? 0 : policy.retryOn;
    this.retriableCodes = policy === null ? none : policy.retriableStatusCodes;
    this.retriableHeaderNames = none;
    this.remaining = policy === null ? 1 : policy.maxRetries;
    this.attempts = 0;
    this.failedHosts = null;
    this.underWay = null;
    this.hasStarted = false;
    this.askedToWaitMs = 0;
    this.isRateLimited = false;
    this.hasTimedOut = false;
    this.tellsOfTimeouts = action.includeIsTimeoutRetry === true;
    if (asking !== null) this.addAsked(asking.headers);
  }

  private addAsked(headers: Headers): void {
    this.retryOn |= parseRetryOn(headers.get(ControlHeader.RetryOn) ?? '', RetryOn.AnyHttp);
    this.retryOn |= parseRetryOn(headers.get(ControlHeader.RetryGrpcOn) ?? '', RetryOn.AnyGrpc);
    const codes = headers.get(ControlHeader.RetriableCodes);
    if (codes !== undefined)
      this.retriableCodes = [...this.retriableCodes, ...codes.split(',').map(Number).filter(Number.isInteger)];
    const names = headers.get(ControlHeader.RetriableNames);
    if (names !== undefined) this.retriableHeaderNames = names.split(',').map((name) => name.trim().toLowerCase());
    const maxRetries = Number(headers.get(ControlHeader.MaxRetries) ?? NaN);
    if (Number.isInteger(maxRetries) && maxRetries >= 0) this.remaining = maxRetries;
  }

  /** A repeat is due later. */
  get isWaiting(): boolean {
    return this.underWay !== null && !this.hasStarted;
  }

  /** A gRPC status that comes behind the head may lead to a repeat too: one of our own, Envoy passes such an answer on. */
  waitsForTrailers(head: ResponseHead): boolean {
    return (this.retryOn & RetryOn.AnyGrpc) !== 0 && !head.headers.has('grpc-status') && !this.wantsHead(head);
  }

  onTrailers(trailers: Headers, host: Host): RetryDecision {
    return this.decide(this.wantsGrpcStatus(trailers.get('grpc-status')), host);
  }

  /** What decides over an answer that has been given up already. */
  wouldRepeat(head: ResponseHead): boolean {
    return this.wantsHead(head);
  }

  /** The try goes on, and another one is to begin beside it. Any request may have that, whatever it is retried on. */
  onHedge(host: Host | null): RetryDecision {
    this.hasTimedOut = true;
    return this.decide(true, host);
  }

  /** `epochMs`: the wall clock, for answers that say when to come back. */
  onHead(head: ResponseHead, host: Host, epochMs: number): RetryDecision {
    const isWanted = this.wantsHead(head);
    const rateLimited = this.policy?.rateLimited ?? null;
    if (isWanted && rateLimited !== null) this.askedToWaitMs = resetIntervalMs(head, rateLimited, epochMs);
    return this.decide(isWanted, host);
  }

  /** `wasHeadSent`: the upstream may have begun to work on the request. */
  onReset(failure: Failure, host: Host | null, wasHeadSent: boolean): RetryDecision {
    return this.decide(this.wantsReset(failure, wasHeadSent), host);
  }

  /** The try took longer than `per_try_timeout`, or for its whole life than it may. */
  onTimeout(host: Host | null, isPerTry: boolean): RetryDecision {
    this.hasTimedOut = isPerTry;
    return this.onReset(LocalReset, host, true);
  }

  /** `PickContext.rejects`: the predicates hold for retries only. */
  rejects(host: Host): boolean {
    if (this.failedHosts === null || this.policy === null) return false;
    const { hostPredicates } = this.policy;
    if (this.policy.omits?.(host.metadata) === true) return true;
    if (hostPredicates.includes('omit_canary_hosts') && host.canary) return true;
    return hostPredicates.includes('previous_hosts') && this.failedHosts.includes(host);
  }

  flagFor(decision: RetryDecision): number {
    if (decision === RetryDecision.LimitExceeded) return ResponseFlag.UpstreamRetryLimitExceeded;
    return decision === RetryDecision.Overflow ? ResponseFlag.UpstreamOverflow : ResponseFlag.None;
  }

  /**
   * Uniform between 0 and the current interval, which doubles with every attempt up to the cap (reference §1.9); or what
   * the upstream has asked for, and up to half as much again.
   */
  backOffMs(): number {
    const asked = this.askedToWaitMs;
    if (asked > 1) {
      this.askedToWaitMs = 0;
      this.isRateLimited = true;
      return asked + Math.random() * Math.floor(asked / 2);
    }
    const { policy } = this;
    const isUsual = policy === null || policy.backOffBaseMs === 0;
    const base = isUsual
      ? runtimeInteger(this.runtime, 'upstream.base_retry_backoff_ms', defaultBaseMs)
      : policy.backOffBaseMs;
    const max = policy === null || policy.backOffMaxMs === 0 ? base * 10 : policy.backOffMaxMs;
    this.isRateLimited = false;
    return Math.random() * Math.min(base * 2 ** (this.attempts - 1), max);
  }

  /** The answer of a try that is repeated counts below `retry.` only. */
  recordCode(status: number): void {
    const scope = this.cluster.stats.scope.scope('retry');
    scope.counter(`upstream_rq_${status}`).inc();
    scope.counter(`upstream_rq_${(status / 100) | 0}xx`).inc();
    scope.counter('upstream_rq_completed').inc();
  }

  /** The repeat begins now, with this head. */
  started({ headers }: RequestHead): void {
    if (this.tellsOfTimeouts) headers.set('x-envoy-is-timeout-retry', String(this.hasTimedOut));
    this.hasTimedOut = false;
    this.hasStarted = true;
    this.tally.retried();
    const { stats } = this.cluster;
    if (this.isRateLimited) stats.scope.counter('upstream_rq_retry_backoff_ratelimited').inc();
    else stats.rqRetryBackoffExponential.inc();
  }

  finish(): void {
    this.release();
  }

  private decide(isWanted: boolean, host: Host | null): RetryDecision {
    if (this.underWay !== null && !isWanted) this.tally.retrySucceeded();
    this.release();
    if (!isWanted) return RetryDecision.No;
    const retries = this.cluster.breakers(this.priority).retries;
    if (this.remaining === 0) {
      this.tally.retryLimitExceeded();
      return RetryDecision.LimitExceeded;
    }
    this.remaining--;
    if (!retries.canCreate) {
      this.tally.retryOverflowed();
      return RetryDecision.Overflow;
    }
    if (!runtimePercent(this.runtime, 'upstream.use_retry', 100, Math.random())) return RetryDecision.No;
    if (host !== null) {
      this.failedHosts ??= [];
      this.failedHosts.push(host);
    }
    this.attempts++;
    retries.inc();
    this.underWay = retries;
    this.hasStarted = false;
    return RetryDecision.Yes;
  }

  private release(): void {
    this.underWay?.dec();
    this.underWay = null;
  }

  private wantsHead(head: ResponseHead): boolean {
    const { retryOn } = this;
    const status = head.status;
    if (head.headers.has('x-envoy-ratelimited')) return (retryOn & RetryOn.EnvoyRateLimited) !== 0;
    if (status >= 500 && status < 600) {
      if ((retryOn & RetryOn.FiveXx) !== 0) return true;
      if ((retryOn & RetryOn.GatewayError) !== 0 && status >= 502 && status <= 504) return true;
    }
    if ((retryOn & RetryOn.Retriable4xx) !== 0 && status === 409) return true;
    if ((retryOn & RetryOn.RetriableStatusCodes) !== 0 && this.retriableCodes.includes(status)) return true;
    if ((retryOn & RetryOn.RetriableHeaders) !== 0) {
      if (this.policy !== null && this.policy.matchesRetriableHeaders(head)) return true;
      if (this.retriableHeaderNames.some((name) => head.headers.has(name))) return true;
    }
    return (retryOn & RetryOn.AnyGrpc) !== 0 && this.wantsGrpcStatus(head.headers.get('grpc-status'));
  }

  private wantsGrpcStatus(status: string | undefined): boolean {
    if (status === undefined || !/^\d+$/.test(status)) return false;
    const bit = grpcStatusBits[Number(status)];
    return bit !== undefined && (this.retryOn & bit) !== 0;
  }

  private wantsReset(failure: Failure, wasHeadSent: boolean): boolean {
    const { retryOn } = this;
    const kind = failure.kind.retry;
    if (kind === RetryKind.Never)
      return (
        failure.kind.name === 'local-reset' && (retryOn & (RetryOn.FiveXx | RetryOn.GatewayError | RetryOn.Reset)) !== 0
      );
    if ((retryOn & (RetryOn.Reset | RetryOn.FiveXx)) !== 0) return true;
    if ((retryOn & RetryOn.ResetBeforeRequest) !== 0 && !wasHeadSent) return true;
    if ((retryOn & RetryOn.RefusedStream) !== 0 && kind === RetryKind.RefusedStream) return true;
    if ((retryOn & RetryOn.ConnectFailure) !== 0 && kind === RetryKind.ConnectFailure) return true;
    return (retryOn & RetryOn.GatewayError) !== 0;
  }
}

const grpcStatusBits: Readonly<Record<number, number>> = {
  1: RetryOn.Cancelled,
  4: RetryOn.DeadlineExceeded,
  8: RetryOn.ResourceExhausted,
  13: RetryOn.Internal,
  14: RetryOn.Unavailable,
};
