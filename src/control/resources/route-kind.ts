import { RouteConfigurationSchema } from '../../proto/envoy/config/route/v3/route_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { ResourceKind } from '../xds/resource-kind.ts';

export const routeKind: ResourceKind = {
  typeUrl: `type.googleapis.com/${RouteConfigurationSchema.typeName}`,
  streamMethod: '/envoy.service.route.v3.RouteDiscoveryService/StreamRoutes',
  deltaMethod: '/envoy.service.route.v3.RouteDiscoveryService/DeltaRoutes',
  nameOf: (packed) => fromBinary(RouteConfigurationSchema, packed).name,
};
