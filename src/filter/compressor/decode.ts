import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeRuntimeFlag } from '../../observe/access-log/runtime-flag-decode.ts';
import {
  CompressorOverridesSchema,
  CompressorPerRouteSchema,
  CompressorSchema,
  Compressor_CommonDirectionConfigSchema,
  Compressor_RequestDirectionConfigSchema,
  Compressor_ResponseDirectionConfigSchema,
  ResponseDirectionOverridesSchema,
  type Compressor,
  type Compressor_CommonDirectionConfig,
  type Compressor_ResponseDirectionConfig,
} from '../../proto/envoy/extensions/filters/http/compressor/v3/compressor_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeCompressorLibrary } from '../compression/decode-libraries.ts';
import type {
  CompressorData,
  CompressorPerRouteData,
  DirectionData,
  ResponseDirectionData,
} from './compressor-data.ts';

const fields = new SupportedFields(CompressorSchema, [
  'content_length',
  'content_type',
  'disable_on_etag_header',
  'remove_accept_encoding_header',
  'runtime_enabled',
  'compressor_library',
  'request_direction_config',
  'response_direction_config',
  'choose_first',
]);
const commonFields = new SupportedFields(Compressor_CommonDirectionConfigSchema, [
  'enabled',
  'min_content_length',
  'content_type',
]);
const requestFields = new SupportedFields(Compressor_RequestDirectionConfigSchema, ['common_config']);
const responseFields = new SupportedFields(Compressor_ResponseDirectionConfigSchema, [
  'common_config',
  'disable_on_etag_header',
  'weaken_etag_on_compress',
  'remove_accept_encoding_header',
  'uncompressible_response_codes',
  'status_header_enabled',
]);
const perRouteFields = new SupportedFields(CompressorPerRouteSchema, ['disabled', 'overrides']);
const overrideFields = new SupportedFields(CompressorOverridesSchema, [
  'response_direction_config',
  'compressor_library',
]);
const responseOverrideFields = new SupportedFields(ResponseDirectionOverridesSchema, ['remove_accept_encoding_header']);

/** Envoy's. */
const defaultContentLengthMin = 30;

/** Envoy's list of what is worth compressing. */
const defaultContentTypes: readonly string[] = [
  'text/html',
  'text/plain',
  'text/css',
  'application/javascript',
  'application/x-javascript',
  'text/javascript',
  'text/x-javascript',
  'text/ecmascript',
  'text/js',
  'text/jscript',
  'text/x-js',
  'application/ecmascript',
  'application/x-json',
  'application/xml',
  'application/json',
  'image/svg+xml',
  'text/xml',
  'application/xhtml+xml',
];

export const compressorDecoder: ExtensionDecoder = {
  kind: CompressorSchema.typeName,
  decode: (bytes, reasons) => decodeCompressor(fromBinary(CompressorSchema, bytes), reasons),
};

export const compressorPerRouteDecoder: ExtensionDecoder = {
  kind: CompressorPerRouteSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): CompressorPerRouteData {
    const message = fromBinary(CompressorPerRouteSchema, bytes);
    perRouteFields.check(message, reasons);
    const nothing = { removesAcceptEncoding: null, library: null };
    if (message.override.case === 'disabled') return { compressesResponses: false, ...nothing };
    if (message.override.case !== 'overrides') return { compressesResponses: null, ...nothing };
    const overrides = message.override.value;
    const at = reasons.at('overrides');
    overrideFields.check(overrides, at);
    const { responseDirectionConfig: response, compressorLibrary } = overrides;
    if (response !== undefined) responseOverrideFields.check(response, at.at('response_direction_config'));
    return {
      compressesResponses: response === undefined ? null : true,
      removesAcceptEncoding: response?.removeAcceptEncodingHeader ?? null,
      library:
        compressorLibrary === undefined
          ? null
          : decodeCompressorLibrary(compressorLibrary, at.at('compressor_library')),
    };
  },
};

function decodeCompressor(message: Compressor, reasons: Reasons): CompressorData | null {
  fields.check(message, reasons);
  const library = decodeCompressorLibrary(message.compressorLibrary, reasons.at('compressor_library'));
  if (library === null) return null;
  const { requestDirectionConfig: request, responseDirectionConfig: response } = message;
  const requestAt = reasons.at('request_direction_config');
  if (request !== undefined) requestFields.check(request, requestAt);
  return {
    library,
    request: request === undefined ? null : decodeDirection(request.commonConfig, requestAt),
    response:
      response === undefined
        ? decodeDeprecated(message, reasons)
        : decodeResponseDirection(response, reasons.at('response_direction_config')),
    namesResponseStats: response !== undefined,
    isFirstChoice: message.chooseFirst,
  };
}

function decodeDirection(message: Compressor_CommonDirectionConfig | undefined, reasons: Reasons): DirectionData {
  const at = reasons.at('common_config');
  if (message !== undefined) commonFields.check(message, at);
  return {
    enabled: decodeRuntimeFlag(message?.enabled, at.at('enabled')),
    contentLengthMin: message?.minContentLength ?? defaultContentLengthMin,
    contentTypes: decodeContentTypes(message?.contentType ?? []),
  };
}

function decodeResponseDirection(message: Compressor_ResponseDirectionConfig, reasons: Reasons): ResponseDirectionData {
  responseFields.check(message, reasons);
  return {
    ...decodeDirection(message.commonConfig, reasons),
    disablesOnEtag: message.disableOnEtagHeader,
    weakensEtag: message.weakenEtagOnCompress,
    removesAcceptEncoding: message.removeAcceptEncodingHeader,
    uncompressibleCodes: message.uncompressibleResponseCodes,
    tellsStatus: message.statusHeaderEnabled,
  };
}

/** As responses were configured before there were directions; without a `response_direction_config` it still counts. */
function decodeDeprecated(message: Compressor, reasons: Reasons): ResponseDirectionData {
  return {
    enabled: decodeRuntimeFlag(message.runtimeEnabled, reasons.at('runtime_enabled')),
    contentLengthMin: message.contentLength ?? defaultContentLengthMin,
    contentTypes: decodeContentTypes(message.contentType),
    disablesOnEtag: message.disableOnEtagHeader,
    weakensEtag: false,
    removesAcceptEncoding: message.removeAcceptEncodingHeader,
    uncompressibleCodes: [],
    tellsStatus: false,
  };
}

function decodeContentTypes(types: readonly string[]): readonly string[] {
  return types.length === 0 ? defaultContentTypes : types.map((type) => type.toLowerCase());
}
