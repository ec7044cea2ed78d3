import type { FilterBuilder } from '../filter.ts';
import type { CsrfPolicyData } from './csrf-data.ts';
import { CsrfFilter, CsrfPolicy } from './csrf.ts';

export const csrfBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.csrf.v3.CsrfPolicy',
  perRouteKind: 'envoy.extensions.filters.http.csrf.v3.CsrfPolicy',
  build: (data, context) => new CsrfFilter(new CsrfPolicy(data as CsrfPolicyData, context), context),
  buildPerRoute: (data, context) => new CsrfPolicy(data as CsrfPolicyData, context),
};
