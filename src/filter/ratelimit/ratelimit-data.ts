import type { GrpcServiceData } from '../../identity/config-source-data.ts';
import type { RateLimitData } from '../../route/rate-limit/rate-limit-data.ts';
import type { VirtualHostLimits } from '../../route/rate-limit/rate-limits.ts';
import type { HeaderMutationsData } from '../../route/route-data.ts';
import type { RuntimeFractionData } from '../fraction-data.ts';

/** `envoy.extensions.filters.http.ratelimit.v3.RateLimit` as plain data. */
export interface RateLimitFilterData {
  readonly domain: string;
  readonly stage: number;
  readonly requestType: 'internal' | 'external' | 'both';
  /** 0: no limit. */
  readonly timeoutMs: number;
  readonly service: GrpcServiceData;
  readonly failureModeDeny: boolean;
  /** Null: `failureModeDeny` decides alone. */
  readonly failureModeDenyFraction: RuntimeFractionData | null;
  readonly isResourceExhausted: boolean;
  readonly hasRateLimitHeaders: boolean;
  readonly saysRateLimited: boolean;
  readonly status: number;
  readonly responseHeaders: HeaderMutationsData | null;
  readonly statusOnError: number;
  readonly statPrefix: string;
  /** Null: always. */
  readonly enabled: RuntimeFractionData | null;
  readonly enforced: RuntimeFractionData | null;
  /** In place of those of routes and virtual hosts; empty: none. */
  readonly rateLimits: readonly RateLimitData[];
  readonly metadataNamespace: string;
}

/** `RateLimitPerRoute`. */
export interface RateLimitPerRouteData {
  readonly virtualHosts: VirtualHostLimits;
  /** Empty: none. */
  readonly rateLimits: readonly RateLimitData[];
  /** Empty: the filter's. */
  readonly domain: string;
}
