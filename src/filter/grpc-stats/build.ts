import type { FilterBuilder } from '../filter.ts';
import type { GrpcStatsData } from './grpc-stats-data.ts';
import { GrpcStatsFilter } from './grpc-stats.ts';

export const grpcStatsBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.grpc_stats.v3.FilterConfig',
  build: (data) => new GrpcStatsFilter(data as GrpcStatsData),
};
