import type { TokenBucketData } from '../../observe/limit/token-bucket.ts';
import type { HeaderMutationsData } from '../../route/route-data.ts';
import type { RuntimeFractionData } from '../fraction-data.ts';
import type { RateLimitData } from '../../route/rate-limit/rate-limit-data.ts';
import type { VirtualHostLimits } from '../../route/rate-limit/rate-limits.ts';

/** `envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit` as plain data, of the filter and of routes alike. */
export interface LocalRateLimitData {
  readonly statPrefix: string;
  readonly status: number;
  /** Null: never. */
  readonly enabled: RuntimeFractionData | null;
  readonly enforced: RuntimeFractionData | null;
  readonly requestHeaders: HeaderMutationsData | null;
  readonly responseHeaders: HeaderMutationsData | null;
  readonly limits: LimitsData;
  /** One cell for each bucket, the default one first; then the slots of the wildcards. */
  readonly memory: SharedArrayBuffer;
  readonly isPerConnection: boolean;
  readonly hasRateLimitHeaders: boolean;
  /** RESOURCE_EXHAUSTED in place of UNAVAILABLE for gRPC. */
  readonly isResourceExhausted: boolean;
  /** The filter's own; empty: the route's and its virtual host's. */
  readonly rateLimits: readonly RateLimitData[];
  /** Of the entries of routes. */
  readonly stage: number;
  readonly virtualHosts: VirtualHostLimits;
}

/** All buckets of one filter. */
export interface LimitsData {
  /** Null: there is none, and what no descriptor limits is not limited. */
  readonly byDefault: TokenBucketData | null;
  readonly descriptors: readonly LimitDescriptorData[];
  /** The default bucket counts what a descriptor has let through, too. */
  readonly alwaysByDefault: boolean;
  /** Of one wildcard descriptor: values that have buckets at one time. */
  readonly dynamicMax: number;
}

export interface LimitDescriptorData {
  /** An empty value is a wildcard: each value that comes has a bucket of its own. */
  readonly entries: readonly { readonly key: string; readonly value: string }[];
  readonly bucket: TokenBucketData;
}
