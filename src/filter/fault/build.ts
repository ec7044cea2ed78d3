import type { FilterBuilder } from '../filter.ts';
import type { FaultData } from './fault-data.ts';
import { FaultFilter } from './fault.ts';
import { FaultSettings } from './fault-settings.ts';

export const faultBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.fault.v3.HTTPFault',
  perRouteKind: 'envoy.extensions.filters.http.fault.v3.HTTPFault',
  build: (data, context) => new FaultFilter(new FaultSettings(data as FaultData, context), context),
  buildPerRoute: (data, context) => new FaultSettings(data as FaultData, context),
};
