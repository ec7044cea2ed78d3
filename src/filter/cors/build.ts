import type { FilterBuilder } from '../filter.ts';
import type { CorsPolicyData } from './cors-data.ts';
import { CorsFilter } from './cors.ts';
import { CorsPolicy } from './cors-policy.ts';

export const corsBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.cors.v3.Cors',
  perRouteKind: 'envoy.extensions.filters.http.cors.v3.CorsPolicy',
  build: (_data, context) => new CorsFilter(context),
  buildPerRoute: (data, context) => new CorsPolicy(data as CorsPolicyData, context),
};
