import type { ExtensionData } from '../core/extension.ts';
import type { FormatData } from '../observe/access-log/access-log-data.ts';
import type { MatcherData } from '../match/matcher-data.ts';
import type { RouteTracingData } from '../observe/trace/trace-data.ts';
import type { HashPolicyData } from './hash/hash-policy-data.ts';
import type { MirrorData } from './mirror/mirror-data.ts';
import type { RateLimitData } from './rate-limit/rate-limit-data.ts';
import type { InternalRedirectData } from './redirect/internal-redirect-data.ts';
import type {
  CookieMatcherData,
  FilterStateMatcherData,
  HeaderMatcherData,
  MetadataMatcherData,
  QueryMatcherData,
} from './match/matcher-data.ts';

/**
 * `envoy.config.route.v3.RouteConfiguration` as plain data: what travels to the workers. Strings that meet a head are
 * wire text, header names and domains lower-case, durations milliseconds. What most routes lack is null, so that ten
 * thousand of them stay cheap to clone.
 */
export interface RouteConfigurationData {
  readonly name: string;
  readonly virtualHosts: readonly VirtualHostData[];
  readonly requestHeaders: HeaderMutationsData | null;
  readonly responseHeaders: HeaderMutationsData | null;
  readonly mostSpecificHeaderMutationsWins: boolean;
  /** Lower-case; removed from requests of external clients. */
  readonly internalOnlyHeaders: readonly string[];
  readonly ignorePortInHostMatching: boolean;
  readonly ignorePathParameters: boolean;
  /** Virtual hosts that it has not may be asked for; absent: there are no others. */
  readonly usesVhds?: boolean;
  /** Empty: the authority chooses the virtual host. */
  readonly vhostHeader: string;
  readonly perFilter: readonly PerFilterData[] | null;
  readonly metadata: MetadataData | null;
  /** Null: as Envoy defaults, true for a static configuration and false for RDS. */
  readonly validateClusters: boolean | null;
  /** Of virtual hosts and routes that have none. */
  readonly mirrors?: readonly MirrorData[] | null;
}

export interface VirtualHostData {
  readonly name: string;
  readonly domains: readonly string[];
  readonly requireTls: 'NONE' | 'EXTERNAL_ONLY' | 'ALL';
  readonly routes: readonly RouteData[];
  /** What chooses among `routes`; null or absent: their order. */
  readonly matcher?: MatcherData | null;
  readonly requestHeaders: HeaderMutationsData | null;
  readonly responseHeaders: HeaderMutationsData | null;
  readonly perFilter: readonly PerFilterData[] | null;
  readonly virtualClusters: readonly VirtualClusterData[];
  readonly includeAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
  readonly includeIsTimeoutRetry?: boolean;
  readonly metadata: MetadataData | null;
  /** `rate_limits`; absent: none. */
  readonly rateLimits?: readonly RateLimitData[];
  /** Of routes that have none; null or absent: the table's. */
  readonly mirrors?: readonly MirrorData[] | null;
}

export interface VirtualClusterData {
  readonly name: string;
  readonly headers: readonly HeaderMatcherData[];
}

export interface RouteData {
  readonly name: string;
  readonly path: PathMatchData;
  readonly conditions: RouteConditionsData | null;
  readonly action: ForwardData | RedirectData | DirectResponseData;
  readonly requestHeaders: HeaderMutationsData | null;
  readonly responseHeaders: HeaderMutationsData | null;
  readonly perFilter: readonly PerFilterData[] | null;
  readonly decorator: DecoratorData | null;
  /** Absent: as its connection manager has it. */
  readonly tracing?: RouteTracingData;
  readonly statPrefix: string;
  readonly metadata: MetadataData | null;
}

/** `value` is a literal, a pattern for `regex`, a template for `template`, and nothing for `connect`. */
export interface PathMatchData {
  readonly kind: 'prefix' | 'exact' | 'separatedPrefix' | 'regex' | 'template' | 'connect';
  readonly value: string;
  readonly caseSensitive: boolean;
}

/** `tls_context`: whether the client's certificate was presented and validated; null: either way. */
export interface TlsMatchData {
  readonly presented: boolean | null;
  readonly validated: boolean | null;
}

export interface RouteConditionsData {
  readonly headers: readonly HeaderMatcherData[];
  readonly queryParameters: readonly QueryMatcherData[];
  readonly cookies: readonly CookieMatcherData[];
  readonly grpc: boolean;
  /** Null: any connection will do. */
  readonly tls?: TlsMatchData | null;
  readonly fraction: RuntimeFractionData | null;
  readonly metadata?: readonly MetadataMatcherData[];
  readonly filterState?: readonly FilterStateMatcherData[];
}

export interface RuntimeFractionData {
  /** Empty: the default alone decides. */
  readonly key: string;
  readonly numerator: number;
  readonly denominator: number;
}

export interface DecoratorData {
  readonly operation: string;
  readonly propagate: boolean;
}

/** `filter_metadata`: filter name → JSON object. */
export type MetadataData = Readonly<Record<string, unknown>>;

/** One entry of `typed_per_filter_config`. */
export interface PerFilterData {
  readonly filter: string;
  readonly disabled: boolean;
  /** Null: only switched on or off. */
  readonly config: ExtensionData | null;
}

export interface HeaderMutationsData {
  readonly remove: readonly string[];
  readonly add: readonly HeaderAdditionData[];
}

export interface HeaderAdditionData {
  readonly name: string;
  /** A format string as configured where it has a `%`, else wire text. */
  readonly value: string;
  readonly action: 'APPEND_IF_EXISTS_OR_ADD' | 'ADD_IF_ABSENT' | 'OVERWRITE_IF_EXISTS_OR_ADD' | 'OVERWRITE_IF_EXISTS';
  readonly keepEmpty: boolean;
}

export interface ForwardData {
  readonly kind: 'forward';
  readonly cluster: ClusterSpecifierData;
  readonly clusterNotFoundStatus: number;
  readonly pathRewrite: PathRewriteData | null;
  readonly hostRewrite: HostRewriteData | null;
  readonly autoHostRewrite: boolean;
  readonly appendXForwardedHost: boolean;
  readonly timeouts: RouteTimeoutsData;
  readonly retry: RetryPolicyData | null;
  /** `hedge_policy.hedge_on_per_try_timeout`. */
  readonly hedgesOnPerTryTimeout?: boolean;
  readonly priority: 0 | 1;
  /** -1: the connection's. */
  readonly requestBufferLimit: number;
  readonly upgrades: UpgradesData | null;
  readonly hashPolicy: readonly HashPolicyData[] | null;
  /** `envoy.lb` of `metadata_match`; null: any host. */
  readonly metadataMatch: MetadataData | null;
  /** Null or absent: the client follows redirects itself. */
  readonly redirects?: InternalRedirectData | null;
  /** `rate_limits`, and whether those of the virtual host count besides; absent: none. */
  readonly rateLimits?: readonly RateLimitData[];
  readonly includesHostRateLimits?: boolean;
  /** Null or absent: the virtual host's. */
  readonly mirrors?: readonly MirrorData[] | null;
}

/** `upgrade_configs` of a route. */
export interface UpgradesData {
  /** Lower-case type → allowed. */
  readonly allowed: readonly (readonly [string, boolean])[];
  /** `connect_config`: CONNECT ends here, in a plain connection; null: it is forwarded. */
  readonly connect: ConnectData | null;
}

export interface ConnectData {
  /** Version of the PROXY protocol's header in front of the client's bytes; 0: none. */
  readonly proxyProtocol: 0 | 1 | 2;
  /** POST as CONNECT. */
  readonly allowsPost: boolean;
}

export type ClusterSpecifierData =
  | { readonly kind: 'fixed'; readonly name: string }
  | { readonly kind: 'header'; readonly header: string }
  | {
      readonly kind: 'weighted';
      readonly clusters: readonly WeightedClusterData[];
      readonly runtimeKeyPrefix: string;
      /** Empty: the stream's own random decides. */
      readonly randomHeader: string;
      /** The route's hash decides, where there is one. */
      readonly usesHashPolicy: boolean;
    };

export interface WeightedClusterData {
  /** Empty: `header` names the header with the cluster. */
  readonly name: string;
  readonly header: string;
  readonly weight: number;
  readonly hostRewrite: string;
  readonly requestHeaders: HeaderMutationsData | null;
  readonly responseHeaders: HeaderMutationsData | null;
  readonly perFilter: readonly PerFilterData[] | null;
  /** Over the route's own. */
  readonly metadataMatch: MetadataData | null;
}

export type PathRewriteData =
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly pattern: string; readonly substitution: string }
  | { readonly kind: 'template'; readonly rewrite: string }
  | { readonly kind: 'format'; readonly format: string };

export type HostRewriteData =
  | { readonly kind: 'literal'; readonly value: string }
  | { readonly kind: 'header'; readonly header: string }
  | { readonly kind: 'pathRegex'; readonly pattern: string; readonly substitution: string }
  | { readonly kind: 'format'; readonly format: string };

/** Whole milliseconds, as Envoy counts them. */
export interface RouteTimeoutsData {
  /** 0: none. */
  readonly timeoutMs: number;
  /** -1: the manager's. */
  readonly idleTimeoutMs: number;
  /** -1: the manager's. */
  readonly flushTimeoutMs: number;
  /** -1: the manager's. */
  readonly maxStreamDurationMs: number;
  /** `max_stream_duration.grpc_timeout_header_max`: -1 absent, 0 no limit. */
  readonly grpcTimeoutHeaderMaxMs: number;
  readonly grpcTimeoutHeaderOffsetMs: number;
  /** The deprecated `max_grpc_timeout`: -1 absent, 0 no limit. */
  readonly maxGrpcTimeoutMs: number;
  readonly grpcTimeoutOffsetMs: number;
}

export interface RetryPolicyData {
  /** Bits of `RetryOn`. */
  readonly retryOn: number;
  readonly maxRetries: number;
  readonly perTryTimeoutMs: number;
  readonly perTryIdleTimeoutMs: number;
  /** 0: the default (25 ms, ten times the base). */
  readonly backOffBaseMs: number;
  readonly backOffMaxMs: number;
  readonly retriableStatusCodes: readonly number[];
  readonly retriableHeaders: readonly HeaderMatcherData[];
  readonly retriableRequestHeaders: readonly HeaderMatcherData[];
  /** `previous_hosts`, `omit_canary_hosts`. */
  readonly hostPredicates: readonly string[];
  readonly hostSelectionAttempts: number;
  /** `omit_host_metadata`: `envoy.lb` metadata of hosts that are not retried; null or absent: none. */
  readonly omittedMetadata?: readonly MetadataData[] | null;
  /** `retry_priority: previous_priorities`: after so many tries other priorities are taken; 0 or absent: they are not. */
  readonly priorityUpdateFrequency?: number;
  /** `refresh_cluster_on_retry`. */
  readonly refreshesCluster?: boolean;
  /** Null or absent: answers do not say when to come back. */
  readonly rateLimited?: RateLimitedBackOffData | null;
}

/** `rate_limited_retry_back_off`. */
export interface RateLimitedBackOffData {
  readonly maxIntervalMs: number;
  readonly resetHeaders: readonly ResetHeaderData[];
}

export interface ResetHeaderData {
  /** Lower-case. */
  readonly name: string;
  /** Seconds of the Unix epoch; else seconds from now on. */
  readonly isTimestamp: boolean;
}

export interface RedirectData {
  readonly kind: 'redirect';
  readonly status: number;
  /** Empty: the request's. */
  readonly scheme: string;
  readonly host: string;
  /** 0: none. */
  readonly port: number;
  readonly path: RedirectPathData | null;
  readonly stripQuery: boolean;
}

export type RedirectPathData =
  | { readonly kind: 'path'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly pattern: string; readonly substitution: string }
  | { readonly kind: 'format'; readonly format: string };

export interface DirectResponseData {
  readonly kind: 'direct';
  readonly status: number;
  /** Wire text. */
  readonly body: string;
  readonly bodyFormat: FormatData | null;
}
