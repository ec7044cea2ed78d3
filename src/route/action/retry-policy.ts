import type { RequestHead, ResponseHead } from '../../core/head.ts';
import { anyMatches, HeaderMatcher } from '../match/header-matcher.ts';
import type { RetryPolicyData } from '../route-data.ts';
import type { RetryPolicy } from '../route.ts';

export class ConfiguredRetryPolicy implements RetryPolicy {
  readonly retryOn: number;
  readonly maxRetries: number;
  readonly perTryTimeoutMs: number;
  readonly perTryIdleTimeoutMs: number;
  readonly backOffBaseMs: number;
  readonly backOffMaxMs: number;
  readonly retriableStatusCodes: readonly number[];
  readonly hostSelectionAttempts: number;
  readonly hostPredicates: readonly string[];
  private readonly retriableHeaders: readonly HeaderMatcher[];
  private readonly retriableRequestHeaders: readonly HeaderMatcher[];

  constructor(data: RetryPolicyData) {
    this.retryOn = data.retryOn;
    this.maxRetries = data.maxRetries;
    this.perTryTimeoutMs = data.perTryTimeoutMs;
    this.perTryIdleTimeoutMs = data.perTryIdleTimeoutMs;
    this.backOffBaseMs = data.backOffBaseMs;
    this.backOffMaxMs = data.backOffMaxMs;
    this.retriableStatusCodes = data.retriableStatusCodes;
    this.hostSelectionAttempts = data.hostSelectionAttempts;
    this.hostPredicates = data.hostPredicates;
    this.retriableHeaders = data.retriableHeaders.map((matcher) => new HeaderMatcher(matcher));
    this.retriableRequestHeaders = data.retriableRequestHeaders.map((matcher) => new HeaderMatcher(matcher));
  }

  matchesRetriableHeaders(head: ResponseHead): boolean {
    return anyMatches(this.retriableHeaders, head);
  }

  /** One of `retriable_request_headers` is enough. */
  permits(head: RequestHead): boolean {
    return this.retriableRequestHeaders.length === 0 || anyMatches(this.retriableRequestHeaders, head);
  }
}
