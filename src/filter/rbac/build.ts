import type { FilterBuilder } from '../filter.ts';
import type { RbacData } from './rbac-data.ts';
import { HostRbacFilter, RbacFilter, RbacRules } from './rbac.ts';

export const rbacBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.rbac.v3.RBAC',
  perRouteKind: 'envoy.extensions.filters.http.rbac.v3.RBACPerRoute',
  build(data, context) {
    const filter = new RbacFilter(new RbacRules(data as RbacData), context);
    return context.isUpstream === true ? new HostRbacFilter(filter) : filter;
  },
  buildPerRoute: (data) => new RbacRules(data as RbacData),
};
