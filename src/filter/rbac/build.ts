import type { FilterBuilder } from '../filter.ts';
import type { RbacData } from './rbac-data.ts';
import { RbacFilter, RbacRules } from './rbac.ts';

export const rbacBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.rbac.v3.RBAC',
  perRouteKind: 'envoy.extensions.filters.http.rbac.v3.RBACPerRoute',
  build: (data, context) => new RbacFilter(new RbacRules(data as RbacData), context),
  buildPerRoute: (data) => new RbacRules(data as RbacData),
};
