import type { FilterBuilder } from '../filter.ts';
import { Bandwidth } from './bandwidth.ts';
import type { BandwidthLimitData } from './bandwidth-limit-data.ts';
import { BandwidthLimitFilter } from './bandwidth-limit.ts';

export const bandwidthLimitBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit',
  build: (data, context) => new BandwidthLimitFilter(new Bandwidth(data as BandwidthLimitData, context), context),
  buildPerRoute: (data, context) => new Bandwidth(data as BandwidthLimitData, context),
};
