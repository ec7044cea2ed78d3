import type { FilterBuilder } from '../filter.ts';
import type { LocalRateLimitData } from './local-ratelimit-data.ts';
import { LocalRateLimit, LocalRateLimitFilter } from './local-ratelimit.ts';

export const localRateLimitBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit',
  perRouteKind: 'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit',
  build: (data, context) => new LocalRateLimitFilter(new LocalRateLimit(data as LocalRateLimitData, context), context),
  buildPerRoute: (data, context) => new LocalRateLimit(data as LocalRateLimitData, context),
};
