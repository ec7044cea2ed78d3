import { ResponseFlag, RetryKind, type Failure } from '../../core/failure.ts';
import { LocalReset } from '../../core/failures.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import { runtimeInteger, runtimePercent, type RuntimeView } from '../../core/runtime-view.ts';
import type { Cluster, Host } from '../../cluster/cluster.ts';
import { parseRetryOn, RetryOn } from '../../route/retry-on.ts';
import { resetIntervalMs } from './forward/reset-interval.ts';
import type { ForwardAction, RetryPolicy } from '../../route/route.ts';

/** Whether a try is repeated, and if not, why. */
export const RetryDecision = { No: 0, Yes: 1, LimitExceeded: 2, Overflow: 3 } as const;
export type RetryDecision = (typeof RetryDecision)[keyof typeof RetryDecision];

/** Envoy: back-off starts at 25 ms, or at what the runtime says, and is capped at ten times its base. */
const defaultBaseMs = 25;

const noStatusCodes: readonly number[] = [];

/** What one request may still try. Source: Envoy `RetryStateImpl`. */
export class RetryState {
  private readonly policy: RetryPolicy | null;
  private readonly cluster: Cluster;
  private readonly runtime: RuntimeView;
  private readonly priority: 0 | 1;
  private readonly retryOn: number;
  private readonly retriableCodes: readonly number[];
  private readonly retriableHeaderNames: readonly string[];
  private remaining: number;
  private attempts: number;
  private failedHosts: Host[] | null;
  private isWaiting: boolean;
  private hasRetried: boolean;
  /** 0: it has not asked. */
  private askedToWaitMs: number;
  /** The latest try. */
  private hasTimedOut: boolean;
  private readonly tellsOfTimeouts: boolean;

  /** Null: nothing about this request is ever repeated. The control headers are taken out. */
  static from(head: RequestHead, action: ForwardAction, cluster: Cluster, runtime: RuntimeView): RetryState | null {
    const policy = action.retry;
    const headers = head.headers;
    const headerOn = headers.get('x-envoy-retry-on');
    const headerGrpcOn = headers.get('x-envoy-retry-grpc-on');
    if (policy === null && headerOn === undefined && headerGrpcOn === undefined) return null;
    const state = new RetryState(head, action, cluster, runtime, policy, headerOn, headerGrpcOn);
    for (const name of controlHeaders) headers.remove(name);
    if (state.retryOn === 0 || state.remaining === 0) return null;
    return policy !== null && !policy.permits(head) ? null : state;
  }

  private constructor(
    head: RequestHead,
    action: ForwardAction,
    cluster: Cluster,
    runtime: RuntimeView,
    policy: RetryPolicy | null,
    headerOn: string | undefined,
    headerGrpcOn: string | undefined,
  ) {
    this.policy = policy;
    this.cluster = cluster;
    this.runtime = runtime;
    this.priority = action.priority;
    let retryOn = policy === null ? 0 : policy.retryOn;
    if (headerOn !== undefined) retryOn |= parseRetryOn(headerOn);
    if (headerGrpcOn !== undefined) retryOn |= parseRetryOn(headerGrpcOn);
    this.retryOn = retryOn;
    const codes = head.headers.get('x-envoy-retriable-status-codes');
    const configured = policy === null ? noStatusCodes : policy.retriableStatusCodes;
    this.retriableCodes =
      codes === undefined ? configured : [...configured, ...codes.split(',').map(Number).filter(Number.isInteger)];
    const names = head.headers.get('x-envoy-retriable-header-names');
    this.retriableHeaderNames = names === undefined ? [] : names.split(',').map((name) => name.trim().toLowerCase());
    const maxRetries = Number(head.headers.get('x-envoy-max-retries') ?? NaN);
    this.remaining =
      Number.isInteger(maxRetries) && maxRetries >= 0 ? maxRetries : policy === null ? 1 : policy.maxRetries;
    this.attempts = 0;
    this.failedHosts = null;
    this.isWaiting = false;
    this.hasRetried = false;
    this.askedToWaitMs = 0;
    this.hasTimedOut = false;
    this.tellsOfTimeouts = action.includeIsTimeoutRetry === true;
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

  /** The try took longer than one may. */
  onTimeout(host: Host | null): RetryDecision {
    this.hasTimedOut = true;
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
      this.cluster.stats.scope.counter('upstream_rq_retry_backoff_ratelimited').inc();
      return asked + Math.random() * Math.floor(asked / 2);
    }
    const { policy } = this;
    const isUsual = policy === null || policy.backOffBaseMs === 0;
    const base = isUsual
      ? runtimeInteger(this.runtime, 'upstream.base_retry_backoff_ms', defaultBaseMs)
      : policy.backOffBaseMs;
    const max = policy === null || policy.backOffMaxMs === 0 ? base * 10 : policy.backOffMaxMs;
    this.cluster.stats.rqRetryBackoffExponential.inc();
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
    this.release();
    this.hasRetried = true;
    this.cluster.stats.rqRetry.inc();
  }

  /** The answer that is passed on came from a repeat. */
  succeeded(): void {
    if (this.hasRetried) this.cluster.stats.rqRetrySuccess.inc();
    this.hasRetried = false;
  }

  finish(): void {
    this.release();
  }

  private decide(isWanted: boolean, host: Host | null): RetryDecision {
    this.release();
    if (!isWanted) return RetryDecision.No;
    const retries = this.cluster.breakers(this.priority).retries;
    if (this.remaining === 0) {
      this.cluster.stats.rqRetryLimitExceeded.inc();
      return RetryDecision.LimitExceeded;
    }
    if (!retries.canCreate) {
      this.cluster.stats.rqRetryOverflow.inc();
      return RetryDecision.Overflow;
    }
    if (!runtimePercent(this.runtime, 'upstream.use_retry', 100, Math.random())) return RetryDecision.No;
    if (host !== null) {
      this.failedHosts ??= [];
      this.failedHosts.push(host);
    }
    this.remaining--;
    this.attempts++;
    retries.inc();
    this.isWaiting = true;
    return RetryDecision.Yes;
  }

  private release(): void {
    if (!this.isWaiting) return;
    this.isWaiting = false;
    this.cluster.breakers(this.priority).retries.dec();
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

const controlHeaders: readonly string[] = [
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-retriable-header-names',
  'x-envoy-retriable-status-codes',
];

const grpcStatusBits: Readonly<Record<number, number>> = {
  1: RetryOn.Cancelled,
  4: RetryOn.DeadlineExceeded,
  8: RetryOn.ResourceExhausted,
  13: RetryOn.Internal,
  14: RetryOn.Unavailable,
};
