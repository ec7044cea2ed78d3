import type { NameLookups } from '../network/network-filter.ts';
import type { FilterBuilder } from '../filter.ts';
import type { DynamicForwardProxyData } from './dynamic-forward-proxy-data.ts';
import { DynamicForwardProxies } from './dynamic-forward-proxy.ts';

export const dynamicForwardProxyBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig',
  perRouteKind: 'envoy.extensions.filters.http.dynamic_forward_proxy.v3.PerRouteConfig',
  build: (data, context) =>
    new DynamicForwardProxies(data as DynamicForwardProxyData, context.filterName, context.lookups ?? nobodyKnows),
  buildPerRoute: (data) => data,
};

/** Where there are no clusters that could name a cache. */
const nobodyKnows: NameLookups = { want: () => 'full', cancel: () => {} };
