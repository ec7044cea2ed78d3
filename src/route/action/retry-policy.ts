import type { RequestHead, ResponseHead } from '../../core/head.ts';
import { canonical } from '../../core/metadata-criteria.ts';
import { anyMatches, HeaderMatcher } from '../match/header-matcher.ts';
import type { MetadataData, RateLimitedBackOffData, RetryPolicyData } from '../route-data.ts';
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
  readonly rateLimited: RateLimitedBackOffData | null;
  readonly refreshesCluster: boolean;
  readonly priorityUpdateFrequency: number;
  private readonly omittedMetadata: readonly MetadataData[];
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
    this.rateLimited = data.rateLimited ?? null;
    this.refreshesCluster = data.refreshesCluster === true;
    this.priorityUpdateFrequency = data.priorityUpdateFrequency ?? 0;
    this.omittedMetadata = data.omittedMetadata ?? [];
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

  omits(metadata: Readonly<Record<string, unknown>> | null): boolean {
    if (this.omittedMetadata.length === 0) return false;
    const labels = (metadata?.['envoy.lb'] ?? {}) as MetadataData;
    return this.omittedMetadata.some((wanted) =>
      Object.entries(wanted).every(([name, value]) => name in labels && isAmong(labels[name], value)),
    );
  }
}

/** A list of the host's is as good as any of its values. */
function isAmong(label: unknown, value: unknown): boolean {
  const wanted = canonical(value);
  return canonical(label) === wanted || (Array.isArray(label) && label.some((one) => canonical(one) === wanted));
}
