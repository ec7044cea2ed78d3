import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeRuntimeFlag } from '../../observe/access-log/runtime-flag-decode.ts';
import {
  DecompressorSchema,
  Decompressor_CommonDirectionConfigSchema,
  Decompressor_RequestDirectionConfigSchema,
  Decompressor_ResponseDirectionConfigSchema,
  type Decompressor_CommonDirectionConfig,
} from '../../proto/envoy/extensions/filters/http/decompressor/v3/decompressor_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeDecompressorLibrary } from '../compression/decode-libraries.ts';
import type { DecompressorData, DirectionData } from './decompressor-data.ts';

const fields = new SupportedFields(DecompressorSchema, [
  'decompressor_library',
  'request_direction_config',
  'response_direction_config',
]);
const commonFields = new SupportedFields(Decompressor_CommonDirectionConfigSchema, [
  'enabled',
  'ignore_no_transform_header',
]);
const requestFields = new SupportedFields(Decompressor_RequestDirectionConfigSchema, [
  'common_config',
  'advertise_accept_encoding',
]);
const responseFields = new SupportedFields(Decompressor_ResponseDirectionConfigSchema, ['common_config']);

export const decompressorDecoder: ExtensionDecoder = {
  kind: DecompressorSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): DecompressorData | null {
    const message = fromBinary(DecompressorSchema, bytes);
    fields.check(message, reasons);
    const { requestDirectionConfig: request, responseDirectionConfig: response } = message;
    const requestAt = reasons.at('request_direction_config');
    const responseAt = reasons.at('response_direction_config');
    if (request !== undefined) requestFields.check(request, requestAt);
    if (response !== undefined) responseFields.check(response, responseAt);
    const library = decodeDecompressorLibrary(message.decompressorLibrary, reasons.at('decompressor_library'));
    if (library === null) return null;
    return {
      library,
      request: decodeDirection(request?.commonConfig, requestAt),
      response: decodeDirection(response?.commonConfig, responseAt),
      advertises: request?.advertiseAcceptEncoding ?? true,
    };
  },
};

function decodeDirection(message: Decompressor_CommonDirectionConfig | undefined, reasons: Reasons): DirectionData {
  const at = reasons.at('common_config');
  if (message !== undefined) commonFields.check(message, at);
  return {
    enabled: decodeRuntimeFlag(message?.enabled, at.at('enabled')),
    ignoresNoTransform: message?.ignoreNoTransformHeader ?? false,
  };
}
