import { fromBinary } from '../../proto/protobuf.js';
import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { ConfigSchema, type Config } from '../../proto/envoy/extensions/filters/http/grpc_http1_bridge/v3/config_pb.js';
import type { GrpcHttp1BridgeData } from './grpc-http1-bridge-data.ts';

const fields = new SupportedFields(ConfigSchema, ['upgrade_protobuf_to_grpc', 'ignore_query_parameters']);

export const grpcHttp1BridgeDecoder: ExtensionDecoder = {
  kind: ConfigSchema.typeName,
  decode: (bytes, reasons) => decodeGrpcHttp1Bridge(fromBinary(ConfigSchema, bytes), reasons),
};

export function decodeGrpcHttp1Bridge(message: Config, reasons: Reasons): GrpcHttp1BridgeData {
  fields.check(message, reasons);
  return { upgradeProtobuf: message.upgradeProtobufToGrpc, ignoreQuery: message.ignoreQueryParameters };
}
