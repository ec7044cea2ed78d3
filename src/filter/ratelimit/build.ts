import { Descriptors } from '../../route/rate-limit/descriptors.ts';
import type { FilterBuilder } from '../filter.ts';
import type { RateLimitFilterData, RateLimitPerRouteData } from './ratelimit-data.ts';
import { RateLimitService, type RouteLimits } from './ratelimit.ts';

export const rateLimitBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.ratelimit.v3.RateLimit',
  perRouteKind: 'envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute',
  build(data, context) {
    if (context.callOuts === undefined) throw new Error('a rate limit service is to be asked, and nobody can');
    return new RateLimitService(data as RateLimitFilterData, context.callOuts, context);
  },
  buildPerRoute(data): RouteLimits {
    const route = data as RateLimitPerRouteData;
    return { data: route, own: route.rateLimits.length === 0 ? null : new Descriptors(route.rateLimits) };
  },
};
