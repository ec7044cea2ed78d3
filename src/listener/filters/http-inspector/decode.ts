import type { ExtensionDecoder } from '../../../core/extension.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { HttpInspectorSchema } from '../../../proto/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';

const supported = new SupportedFields(HttpInspectorSchema, []);

export const httpInspectorDecoder: ExtensionDecoder = {
  kind: HttpInspectorSchema.typeName,
  decode(bytes, reasons): null {
    supported.check(fromBinary(HttpInspectorSchema, bytes), reasons);
    return null;
  },
};
