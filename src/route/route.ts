import type { RequestHead, ResponseHead } from '../core/head.ts';
import type { Outcome } from '../observe/outcome.ts';

/** Why and when to try again. Milliseconds; bits of RetryOn. */
export interface RetryPolicy {
  readonly retryOn: number;
  readonly maxRetries: number;
  readonly perTryTimeoutMs: number;
  readonly perTryIdleTimeoutMs: number;
  readonly backOffBaseMs: number;
  readonly backOffMaxMs: number;
  readonly retriableStatusCodes: readonly number[];
  readonly hostSelectionAttempts: number;
  readonly hostPredicates: readonly string[];
  matchesRetriableHeaders(head: ResponseHead): boolean;
  /** False: this request must not be retried (`retriable_request_headers`). */
  permits(head: RequestHead): boolean;
}

/** What the connection manager does with a request: built once per configuration, shared by all streams. */
export interface Route {
  readonly name: string;
  readonly virtualHostName: string;
  readonly action: ForwardAction | RedirectAction | DirectResponseAction;
  /** `typed_per_filter_config`, built: filter name → config of each level, least specific first. Empty map: none. */
  readonly perFilter: ReadonlyMap<string, readonly unknown[]>;
  /** Filters switched off (true) or on (false) by `FilterConfig.disabled`; most specific level only. */
  readonly filterDisabled: ReadonlyMap<string, boolean>;
  readonly statPrefix: string;
  readonly decorator: string;
  /** For direct responses and redirects too. Applies removal and addition of every level, in Envoy's order. */
  mutateResponse(head: ResponseHead, outcome: Outcome): void;
}

export interface ForwardAction {
  readonly kind: 'forward';
  /** Chosen cluster's name: fixed, by weight with `random` (0 ≤ x < 1), or from a header. Empty: none (503 NC). */
  cluster(head: RequestHead, random: number): ClusterChoice;
  readonly clusterNotFoundStatus: number;
  /** Milliseconds; 0: none. */
  readonly timeoutMs: number;
  /** Milliseconds; -1: the manager's stream_idle_timeout; 0: none. */
  readonly idleTimeoutMs: number;
  /** -1: the manager's. */
  readonly maxStreamDurationMs: number;
  readonly retry: RetryPolicy | null;
  readonly priority: 0 | 1;
  readonly includeAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
  readonly autoHostRewrite: boolean;
  readonly appendXForwardedHost: boolean;
  /** -1: the connection's buffer limit. */
  readonly requestBufferLimit: number;
  /** Upgrade types allowed or denied by the route; absent: the manager decides. */
  readonly upgrades: ReadonlyMap<string, boolean>;
  /** Applies header removal and addition of every level in Envoy's order, then host and path rewrites. */
  mutateRequest(head: RequestHead, outcome: Outcome, choice: ClusterChoice): void;
}

/** A cluster, with what its weighted entry adds. */
export interface ClusterChoice {
  readonly name: string;
  readonly perFilter: ReadonlyMap<string, readonly unknown[]> | null;
  mutateRequest(head: RequestHead, outcome: Outcome): void;
  mutateResponse(head: ResponseHead, outcome: Outcome): void;
}

export interface RedirectAction {
  readonly kind: 'redirect';
  readonly status: number;
  /** Absolute URL for `location`. */
  location(head: RequestHead): string;
}

export interface DirectResponseAction {
  readonly kind: 'direct';
  readonly status: number;
  readonly body: string;
}

export interface MatchContext {
  /** Stream-stable random, 0 ≤ x < 1, for runtime fractions. */
  readonly random: number;
}

export interface RouteTable {
  readonly name: string;
  /** Null: 404 `route_not_found`. A `require_tls` redirect comes back as a Route too. */
  match(head: RequestHead, context: MatchContext): Route | null;
}
