import { readFileSync } from 'node:fs';
import type { FileRegistry } from '@bufbuild/protobuf';
import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  GrpcJsonTranscoderSchema,
  GrpcJsonTranscoder_PrintOptionsSchema,
  GrpcJsonTranscoder_RequestValidationOptionsSchema,
  type GrpcJsonTranscoder,
} from '../../proto/envoy/extensions/filters/http/grpc_json_transcoder/v3/transcoder_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { wireText } from '../../route/wire-text.ts';
import { decodeMethods } from './decode-methods.ts';
import { decodeSchema, readDescriptorSet } from './decode-schema.ts';
import type { Unescape } from './path/percent.ts';
import type { ActiveTranscoderData, TranscoderData } from './transcoder-data.ts';

const transcoderFields = new SupportedFields(GrpcJsonTranscoderSchema, [
  'proto_descriptor',
  'proto_descriptor_bin',
  'services',
  'print_options',
  'match_incoming_request_route',
  'ignored_query_parameters',
  'auto_mapping',
  'ignore_unknown_query_parameters',
  'convert_grpc_status',
  'url_unescape_spec',
  'query_param_unescape_plus',
  'match_unregistered_custom_verb',
  'request_validation_options',
  'case_insensitive_enum_parsing',
  'max_request_body_size',
  'max_response_body_size',
  'capture_unknown_query_parameters',
]);
const printFields = new SupportedFields(GrpcJsonTranscoder_PrintOptionsSchema, [
  'add_whitespace',
  'always_print_primitive_fields',
  'always_print_enums_as_ints',
  'preserve_proto_field_names',
  'stream_newline_delimited',
  'stream_sse_style_delimited',
]);
const validationFields = new SupportedFields(GrpcJsonTranscoder_RequestValidationOptionsSchema, [
  'reject_unknown_method',
  'reject_unknown_query_parameters',
  'reject_binding_body_field_collisions',
]);

/** `UrlUnescapeSpec` by number. */
const unescapes: readonly Unescape[] = ['all but reserved', 'all but slash', 'all'];

export const grpcJsonTranscoderDecoder: ExtensionDecoder = {
  kind: GrpcJsonTranscoderSchema.typeName,
  decode: (bytes, reasons) => decodeTranscoder(fromBinary(GrpcJsonTranscoderSchema, bytes), reasons),
};

export function decodeTranscoder(message: GrpcJsonTranscoder, reasons: Reasons): TranscoderData {
  transcoderFields.check(message, reasons);
  if (message.printOptions !== undefined) printFields.check(message.printOptions, reasons.at('print_options'));
  const validation = message.requestValidationOptions;
  if (validation !== undefined) validationFields.check(validation, reasons.at('request_validation_options'));
  // As Envoy: without services there is nothing to do, and the descriptors are not looked at.
  return { active: message.services.length === 0 ? null : decodeActive(message, reasons) };
}

function decodeActive(message: GrpcJsonTranscoder, reasons: Reasons): ActiveTranscoderData | null {
  const descriptorSet = readDescriptors(message, reasons);
  const registry = descriptorSet === null ? null : openRegistry(descriptorSet, reasons);
  if (registry === null) return null;
  const schema = decodeSchema(registry, message.convertGrpcStatus);
  const print = message.printOptions;
  const validation = message.requestValidationOptions;
  return {
    schema,
    methods: decodeMethods(message, registry, schema, reasons),
    print: {
      addsWhitespace: print?.addWhitespace ?? false,
      printsDefaults: print?.alwaysPrintPrimitiveFields ?? false,
      printsEnumsAsInts: print?.alwaysPrintEnumsAsInts ?? false,
      keepsProtoNames: print?.preserveProtoFieldNames ?? false,
    },
    framing:
      print?.streamSseStyleDelimited === true ? 'events' : print?.streamNewlineDelimited === true ? 'lines' : 'array',
    keepsRoute: message.matchIncomingRequestRoute,
    ignoredParameters: message.ignoredQueryParameters.map(wireText),
    unknownParameters: decodeUnknownParameters(message),
    rejectsUnknownMethods: validation?.rejectUnknownMethod ?? false,
    rejectsCollisions: validation?.rejectBindingBodyFieldCollisions ?? false,
    convertsStatus: message.convertGrpcStatus,
    unescape: unescapes[message.urlUnescapeSpec] ?? 'all but reserved',
    plusIsSpace: message.queryParamUnescapePlus,
    matchesAnyVerb: message.matchUnregisteredCustomVerb,
    ignoresEnumCase: message.caseInsensitiveEnumParsing,
    requestBodyMax: message.maxRequestBodySize ?? -1,
    responseBodyMax: message.maxResponseBodySize ?? -1,
  };
}

/** Capturing goes before ignoring, and that before rejecting. */
function decodeUnknownParameters(message: GrpcJsonTranscoder): ActiveTranscoderData['unknownParameters'] {
  if (message.captureUnknownQueryParameters) return 'capture';
  if (message.ignoreUnknownQueryParameters) return 'ignore';
  return message.requestValidationOptions?.rejectUnknownQueryParameters === true ? 'reject' : 'pass';
}

/** Files are read once, when the configuration is. */
function readDescriptors(message: GrpcJsonTranscoder, reasons: Reasons): Uint8Array | null {
  const { descriptorSet } = message;
  switch (descriptorSet.case) {
    case 'protoDescriptorBin':
      return descriptorSet.value;
    case 'protoDescriptor':
      try {
        return new Uint8Array(readFileSync(descriptorSet.value));
      } catch {
        reasons.at('proto_descriptor').add(`file ${descriptorSet.value} cannot be read`);
        return null;
      }
    default:
      reasons.add('transcoding_filter: descriptor not set');
      return null;
  }
}

function openRegistry(descriptorSet: Uint8Array, reasons: Reasons): FileRegistry | null {
  try {
    return readDescriptorSet(descriptorSet);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    reasons.add(`transcoding_filter: Unable to build proto descriptor pool: ${why}`);
    return null;
  }
}
