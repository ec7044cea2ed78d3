import type { FilterBuilder } from '../filter.ts';
import { GrpcWebFilter } from './grpc-web.ts';

export const grpcWebBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.grpc_web.v3.GrpcWeb',
  build: () => new GrpcWebFilter(),
};
