import { SecretSchema } from '../../proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { ResourceKind } from '../xds/resource-kind.ts';

export const secretKind: ResourceKind = {
  typeUrl: `type.googleapis.com/${SecretSchema.typeName}`,
  streamMethod: '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets',
  deltaMethod: '/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets',
  nameOf: (packed) => fromBinary(SecretSchema, packed).name,
};
