import type { FilterBuilder } from '../filter.ts';
import type { GrpcHttp1BridgeData } from './grpc-http1-bridge-data.ts';
import { GrpcHttp1BridgeFilter } from './grpc-http1-bridge.ts';

export const grpcHttp1BridgeBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.grpc_http1_bridge.v3.Config',
  build: (data) => new GrpcHttp1BridgeFilter(data as GrpcHttp1BridgeData),
};
