import type { ExtensionData } from '../core/extension.ts';
import type { RequestHead, ResponseHead } from '../core/head.ts';
import type { MetadataCriteria } from '../core/metadata-criteria.ts';
import type { FormatData } from '../observe/access-log/access-log-data.ts';
import type { Formatter } from '../observe/format/formatter.ts';
import type { Outcome } from '../observe/outcome.ts';
import type { RouteTracingData } from '../observe/trace/trace-data.ts';
import type { HashPolicy } from './hash/hash-policy.ts';
import type { RateLimits } from './rate-limit/rate-limits.ts';
import type { ConnectData, RateLimitedBackOffData } from './route-data.ts';
import type { VirtualCluster } from './virtual-clusters.ts';

/** Why and when to try again. Milliseconds; bits of RetryOn. */
export interface RetryPolicy {
  readonly retryOn: number;
  readonly maxRetries: number;
  readonly perTryTimeoutMs: number;
  readonly perTryIdleTimeoutMs: number;
  /** 0: Envoy's default. */
  readonly backOffBaseMs: number;
  /** 0: ten times the base. */
  readonly backOffMaxMs: number;
  readonly retriableStatusCodes: readonly number[];
  readonly hostSelectionAttempts: number;
  /** `previous_hosts`, `omit_canary_hosts`. */
  readonly hostPredicates: readonly string[];
  /** Null or absent: answers do not say when to come back. */
  readonly rateLimited?: RateLimitedBackOffData | null;
  /** After so many tries the next goes to other priorities; 0 or absent: it does not. */
  readonly priorityUpdateFrequency?: number;
  /** Each repeat may go to another one of several weighted clusters. */
  readonly refreshesCluster?: boolean;
  /** `omit_host_metadata`: `metadata` of a host that is not retried. Absent: none is. */
  omits?(metadata: Readonly<Record<string, unknown>> | null): boolean;
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
  /** Whether the decorated operation is told to the upstream. */
  readonly decoratorPropagate: boolean;
  /** Absent: as its connection manager traces. */
  readonly tracing?: RouteTracingData | null;
  /** `metadata.filter_metadata` of the route, for `%METADATA(ROUTE:…)%` and filters; null: none. */
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly virtualHostMetadata: Readonly<Record<string, unknown>> | null;
  virtualCluster(head: RequestHead): VirtualCluster;
  /** For direct responses and redirects too. Applies removal and addition of every level, in Envoy's order. */
  mutateResponse(head: ResponseHead, outcome: Outcome): void;
}

export interface ForwardAction {
  readonly kind: 'forward';
  /** Chosen cluster's name: fixed, by weight with `random` (0 ≤ x < 1), or from a header. Empty: none (503 NC). */
  cluster(head: RequestHead, random: number, outcome?: Outcome): ClusterChoice;
  /** For a repeat: a cluster that is not in `tried`, which it joins; null: there is none but the first. */
  clusterAgain?(head: RequestHead, random: number, outcome: Outcome, tried: Set<unknown>): ClusterChoice | null;
  readonly clusterNotFoundStatus: number;
  /** Milliseconds; 0: none. */
  readonly timeoutMs: number;
  /** Milliseconds; -1: the manager's stream_idle_timeout; 0: none. */
  readonly idleTimeoutMs: number;
  /** Milliseconds for what is left of a complete answer; -1: the manager's; 0: without end. */
  readonly flushTimeoutMs: number;
  /** -1: the manager's. */
  readonly maxStreamDurationMs: number;
  /** `grpc-timeout` of a gRPC request bounds its duration, capped by this; 0: no cap; -1: it is ignored. */
  readonly grpcTimeoutHeaderMaxMs: number;
  /** Subtracted from it where it stays positive. */
  readonly grpcTimeoutHeaderOffsetMs: number;
  /** The deprecated `max_grpc_timeout`: as above, but in place of `timeoutMs`. */
  readonly maxGrpcTimeoutMs: number;
  readonly grpcTimeoutOffsetMs: number;
  readonly retry: RetryPolicy | null;
  /** A try that takes longer than one may is not given up when the next one begins. */
  readonly hedgesOnPerTryTimeout?: boolean;
  readonly priority: 0 | 1;
  readonly includeAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
  /** A repeat says whether it follows a timeout. */
  readonly includeIsTimeoutRetry?: boolean;
  readonly autoHostRewrite: boolean;
  readonly appendXForwardedHost: boolean;
  /** -1: the connection's buffer limit. */
  readonly requestBufferLimit: number;
  /** Upgrade types allowed or denied by the route; absent: the manager decides. */
  readonly upgrades: ReadonlyMap<string, boolean>;
  /** Where CONNECT ends; null: it is forwarded as any request. */
  readonly connect: ConnectData | null;
  /** Null: nothing keeps requests with one host. */
  readonly hashPolicy: HashPolicy | null;
  /** Null: any host will do. A weighted cluster may say otherwise. */
  readonly metadataMatch: MetadataCriteria | null;
  /** Null or absent: the client follows redirects itself. */
  readonly redirects?: InternalRedirectPolicy | null;
  /** What filters that limit rates ask about a request; null or absent: nothing. */
  readonly rateLimits?: RateLimits | null;
  /** Who else is sent the request, and not listened to; empty or absent: nobody. */
  readonly mirrors?: readonly Mirror[];
  /**
   * Applies header removal and addition of every level in Envoy's order, then host and path rewrites.
   * `keepOriginal` false (`suppress_envoy_headers`): without `x-envoy-original-host` and `-path`.
   */
  mutateRequest(head: RequestHead, outcome: Outcome, choice: ClusterChoice, keepOriginal?: boolean): void;
}

/** Which redirects are followed in the place of the client. */
export interface InternalRedirectPolicy {
  readonly maxRedirects: number;
  readonly allowsCrossScheme: boolean;
  /** Lower-case: of the redirect, into the request that follows it. */
  readonly headersToCopy: readonly string[];
  follows(status: number): boolean;
  accepts(target: RedirectTarget, history: RedirectHistory): boolean;
}

/** Where a redirect leads. */
export interface RedirectTarget {
  /** Names of routes: the one that was redirected, and the one that the new request would take. */
  readonly from: string;
  readonly route: string;
  readonly wasSecure: boolean;
  readonly isSecure: boolean;
}

/** The redirects of one request. */
export interface RedirectHistory {
  /** Whether this is the first time that `from` is asked about `to`. */
  isNew(from: string, to: string): boolean;
}

/** A policy of `request_mirror_policies`. */
export interface Mirror {
  /** Whether its trace is sampled; null, absent: as the stream's. */
  readonly isSampled?: boolean | null;
  /** Empty: none. */
  cluster(head: RequestHead): string;
  /** Whether it takes this request; `random`: the stream's. */
  wants(random: number): boolean;
  /** Makes of a copy of the head that is forwarded the one that is mirrored. */
  prepare(head: RequestHead, outcome: Outcome): void;
}

/** A cluster, with what its weighted entry adds. */
export interface ClusterChoice {
  readonly name: string;
  /** As `Route.perFilter`, with the entry's own level last; null: the entry has none. */
  readonly perFilter: ReadonlyMap<string, readonly unknown[]> | null;
  /** As `Route.filterDisabled`; null: the entry has none. */
  readonly filterDisabled?: ReadonlyMap<string, boolean> | null;
  /** In the place of the route's; null or absent: that one holds. */
  readonly metadataMatch?: MetadataCriteria | null;
  mutateRequest(head: RequestHead, outcome: Outcome): void;
  mutateResponse(head: ResponseHead, outcome: Outcome): void;
}

export interface RedirectAction {
  readonly kind: 'redirect';
  readonly status: number;
  /**
   * Absolute URL for `location`. As in Envoy, a rewrite of the path also becomes the path of `head` that the access log
   * sees. Without `outcome` a `path_rewrite` format counts as empty.
   */
  location(head: RequestHead, outcome?: Outcome): string;
}

export interface DirectResponseAction {
  readonly kind: 'direct';
  readonly status: number;
  /** As configured, wire text. */
  readonly body: string;
  /** Of `body_format`; empty: `text/plain` where there is a body. */
  readonly contentType?: string;
  /** The body to send: through `body_format` where there is one. Sets `outcome.localReplyBody`. */
  formatBody?(outcome: Outcome): string;
  /** `location` that Envoy adds to a 201 or 3xx before the response's headers are mutated; else empty. */
  location?(head: RequestHead): string;
}

export interface MatchContext {
  /** Tells of the client's connection; absent: it is plain. */
  readonly outcome?: Outcome;
  /** Stream-stable random, 0 ≤ x < 1, for runtime fractions. */
  readonly random: number;
}

export interface RouteTable {
  readonly name: string;
  /** Lower-case; removed from requests of external clients. */
  readonly internalOnlyHeaders?: readonly string[];
  /** Null: 404 `route_not_found`. A `require_tls` redirect comes back as a Route too. */
  match(head: RequestHead, context: MatchContext): Route | null;
}

/** Compiles a substitution format string that decoding has checked. `omitEmptyValues`: what is missing prints nothing. */
export type FormatCompiler = (format: string, omitEmptyValues: boolean) => Formatter;

/** Builds one filter's per-route configuration. */
export type FilterConfigBuilder = (filter: string, config: ExtensionData) => unknown;

/** The runtime, as far as routes ask it. */
export interface RouteRuntime {
  number(key: string, otherwise: number): number;
  /** Numerator over denominator against `random` (0 ≤ x < 1). */
  fraction(key: string, numerator: number, denominator: number, random: number): boolean;
}

/** What a worker hands in when it builds a table. */
export interface RouteBuildContext {
  readonly compileFormat: FormatCompiler;
  /** Builds the `body_format` of a direct response. */
  readonly buildFormat: (data: FormatData) => Formatter;
  readonly buildFilterConfig: FilterConfigBuilder;
  readonly runtime: RouteRuntime;
}
