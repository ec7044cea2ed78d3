import type { ExtensionDecoder } from '../../../core/extension.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { OriginalSrcSchema } from '../../../proto/envoy/extensions/filters/listener/original_src/v3/original_src_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import type { OriginalSrcData } from './original-src.ts';

// Envoy keeps no port, whatever `bind_port` says.
const supported = new SupportedFields(OriginalSrcSchema, ['mark'], ['bind_port']);

export const originalSrcDecoder: ExtensionDecoder = {
  kind: OriginalSrcSchema.typeName,
  decode(bytes, reasons): OriginalSrcData {
    const config = fromBinary(OriginalSrcSchema, bytes);
    supported.check(config, reasons);
    return { mark: config.mark };
  },
};
