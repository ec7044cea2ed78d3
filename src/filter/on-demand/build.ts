import type { FilterBuilder } from '../filter.ts';
import type { ClusterLookups, OnDemandData } from './on-demand-data.ts';
import { OnDemandFilters } from './on-demand.ts';

export const onDemandBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.on_demand.v3.OnDemand',
  perRouteKind: 'envoy.extensions.filters.http.on_demand.v3.PerRouteConfig',
  build: (data, context) => new OnDemandFilters(data as OnDemandData, context.filterName, context.onDemand ?? noneCome),
  buildPerRoute: (data) => data,
};

/** Where there is nobody to ask. */
const noneCome: ClusterLookups = { want: () => 'refused', cancel: () => {} };
