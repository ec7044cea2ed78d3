import type { ExtensionDecoder } from '../../../core/extension.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { OriginalDstSchema } from '../../../proto/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';

const supported = new SupportedFields(OriginalDstSchema, []);

export const originalDstDecoder: ExtensionDecoder = {
  kind: OriginalDstSchema.typeName,
  decode(bytes, reasons): null {
    supported.check(fromBinary(OriginalDstSchema, bytes), reasons);
    return null;
  },
};
