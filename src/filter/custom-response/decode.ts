import type { ExtensionDecoder, PackedMessage } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeMatcher } from '../../match/decode.ts';
import { decodeFormat } from '../../observe/format/decode.ts';
import { CustomResponseSchema } from '../../proto/envoy/extensions/filters/http/custom_response/v3/custom_response_pb.js';
import { LocalResponsePolicySchema } from '../../proto/envoy/extensions/http/custom_response/local_response_policy/v3/local_response_policy_pb.js';
import {
  HttpRequestHeaderMatchInputSchema,
  HttpResponseHeaderMatchInputSchema,
} from '../../proto/envoy/type/matcher/v3/http_inputs_pb.js';
import {
  HttpResponseLocalReplyMatchInputSchema,
  HttpResponseStatusCodeClassMatchInputSchema,
  HttpResponseStatusCodeMatchInputSchema,
} from '../../proto/envoy/type/matcher/v3/status_code_input_pb.js';
import type { StringMatcher } from '../../proto/envoy/type/matcher/v3/string_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { readDataSource } from '../../route/decode/direct-response-decode.ts';
import { decodeHeaderMutations } from '../../route/decode/header-mutations-decode.ts';
import { decodeStringMatcher } from '../../route/match/decode.ts';
import { lowerAscii, wireText } from '../../route/wire-text.ts';
import type { CustomResponseData, LocalResponseData, ResponseInputData } from './custom-response-data.ts';

const fields = new SupportedFields(CustomResponseSchema, ['custom_response_matcher']);
const localFields = new SupportedFields(LocalResponsePolicySchema, [
  'body',
  'body_format',
  'status_code',
  'response_headers_to_add',
]);
const requestInputFields = new SupportedFields(HttpRequestHeaderMatchInputSchema, ['header_name']);
const responseInputFields = new SupportedFields(HttpResponseHeaderMatchInputSchema, ['header_name']);

export const customResponseDecoder: ExtensionDecoder = {
  kind: CustomResponseSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): CustomResponseData {
    const { customResponseMatcher: matcher, ...message } = fromBinary(CustomResponseSchema, bytes);
    fields.check(message, reasons);
    if (matcher === undefined) return { matcher: null };
    return {
      matcher: decodeMatcher(matcher, reasons.at('custom_response_matcher'), {
        decodeInput,
        decodeString: (string, at) => decodeStringMatcher(string as unknown as StringMatcher, at),
        decodeAction,
      }),
    };
  },
};

function kindOf({ typeUrl }: PackedMessage): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}

function decodeInput(name: string, config: PackedMessage, reasons: Reasons): ResponseInputData | null {
  const at = reasons.at('typed_config');
  switch (kindOf(config)) {
    case HttpResponseStatusCodeMatchInputSchema.typeName:
      return { kind: 'status' };
    case HttpResponseStatusCodeClassMatchInputSchema.typeName:
      return { kind: 'status-class' };
    case HttpResponseLocalReplyMatchInputSchema.typeName:
      return { kind: 'local-reply' };
    case HttpRequestHeaderMatchInputSchema.typeName: {
      const input = fromBinary(HttpRequestHeaderMatchInputSchema, config.value);
      requestInputFields.check(input, at);
      return { kind: 'request-header', name: lowerAscii(wireText(input.headerName)) };
    }
    case HttpResponseHeaderMatchInputSchema.typeName: {
      const input = fromBinary(HttpResponseHeaderMatchInputSchema, config.value);
      responseInputFields.check(input, at);
      return { kind: 'response-header', name: lowerAscii(wireText(input.headerName)) };
    }
    default:
      at.add(`matcher input '${name}' of type '${kindOf(config)}' is not supported by sekisho`);
      return null;
  }
}

function decodeAction(name: string, config: PackedMessage, reasons: Reasons): LocalResponseData | null {
  const at = reasons.at('typed_config');
  if (kindOf(config) !== LocalResponsePolicySchema.typeName) {
    at.add(`custom response '${name}' of type '${kindOf(config)}' is not supported by sekisho`);
    return null;
  }
  const message = fromBinary(LocalResponsePolicySchema, config.value);
  localFields.check(message, at);
  return {
    status: message.statusCode ?? 0,
    body: message.body === undefined ? '' : readDataSource(message.body, at.at('body')),
    bodyFormat: message.bodyFormat === undefined ? null : decodeFormat(message.bodyFormat, at.at('body_format')),
    headers: decodeHeaderMutations(message.responseHeadersToAdd, [], 'response_headers_to', at),
  };
}
