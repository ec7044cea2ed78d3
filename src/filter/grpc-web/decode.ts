import { fromBinary } from '../../proto/protobuf.js';
import type { ExtensionDecoder } from '../../core/extension.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { GrpcWebSchema } from '../../proto/envoy/extensions/filters/http/grpc_web/v3/grpc_web_pb.js';

const fields = new SupportedFields(GrpcWebSchema, []);

/** The filter has no settings. */
export const grpcWebDecoder: ExtensionDecoder = {
  kind: GrpcWebSchema.typeName,
  decode: (bytes, reasons) => {
    fields.check(fromBinary(GrpcWebSchema, bytes), reasons);
    return null;
  },
};
