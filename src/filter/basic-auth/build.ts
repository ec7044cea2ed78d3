import type { FilterBuilder } from '../filter.ts';
import type { BasicAuthData } from './basic-auth-data.ts';
import { BasicAuthFilter } from './basic-auth.ts';

export const basicAuthBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.basic_auth.v3.BasicAuth',
  perRouteKind: 'envoy.extensions.filters.http.basic_auth.v3.BasicAuthPerRoute',
  build: (data, context) => new BasicAuthFilter(data as BasicAuthData, context),
  buildPerRoute: (data) => data,
};
