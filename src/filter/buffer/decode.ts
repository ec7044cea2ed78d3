import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  BufferPerRouteSchema,
  BufferSchema,
  type Buffer,
} from '../../proto/envoy/extensions/filters/http/buffer/v3/buffer_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { BufferData } from './buffer.ts';

const supported = new SupportedFields(BufferSchema, ['max_request_bytes']);
const perRouteFields = new SupportedFields(BufferPerRouteSchema, ['disabled', 'buffer']);

export const bufferDecoder: ExtensionDecoder = {
  kind: BufferSchema.typeName,
  decode: (bytes, reasons) => decodeBuffer(fromBinary(BufferSchema, bytes), reasons),
};

export const bufferPerRouteDecoder: ExtensionDecoder = {
  kind: BufferPerRouteSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): BufferData {
    const message = fromBinary(BufferPerRouteSchema, bytes);
    perRouteFields.check(message, reasons);
    const { override } = message;
    if (override.case !== 'buffer') return { requestBytesMax: null };
    return decodeBuffer(override.value, reasons.at('buffer'));
  },
};

function decodeBuffer(message: Buffer, reasons: Reasons): BufferData {
  supported.check(message, reasons);
  return { requestBytesMax: message.maxRequestBytes ?? 0 };
}
