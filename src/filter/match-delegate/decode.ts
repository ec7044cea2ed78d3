import type { ExtensionDecoder, Extensions, PackedMessage } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeMatcher } from '../../match/decode.ts';
import { TypedExtensionConfigSchema } from '../../proto/envoy/config/core/v3/extension_pb.js';
import { ExtensionWithMatcherSchema } from '../../proto/envoy/extensions/common/matching/v3/extension_matcher_pb.js';
import { SkipFilterSchema } from '../../proto/envoy/extensions/filters/common/matcher/action/v3/skip_action_pb.js';
import {
  HttpRequestHeaderMatchInputSchema,
  HttpResponseHeaderMatchInputSchema,
} from '../../proto/envoy/type/matcher/v3/http_inputs_pb.js';
import type { StringMatcher } from '../../proto/envoy/type/matcher/v3/string_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeStringMatcher } from '../../route/match/decode.ts';
import { lowerAscii, wireText } from '../../route/wire-text.ts';
import { matchDelegateKind, type DelegateInputData, type MatchDelegateData } from './match-delegate-data.ts';

const fields = new SupportedFields(ExtensionWithMatcherSchema, ['xds_matcher', 'extension_config']);
const extensionFields = new SupportedFields(TypedExtensionConfigSchema, ['name', 'typed_config']);
const requestFields = new SupportedFields(HttpRequestHeaderMatchInputSchema, ['header_name']);
const responseFields = new SupportedFields(HttpResponseHeaderMatchInputSchema, ['header_name']);

const terminalKinds = [
  'envoy.extensions.filters.http.router.v3.Router',
  'envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec',
];

/** A filter that is skipped where a matcher says so. */
export const matchDelegateDecoder: ExtensionDecoder = {
  kind: matchDelegateKind,
  decode(
    bytes: Uint8Array,
    reasons: Reasons,
    extensions: Extensions,
    category = 'envoy.filters.http',
  ): MatchDelegateData | null {
    const message = fromBinary(ExtensionWithMatcherSchema, bytes);
    fields.check(message, reasons);
    const { extensionConfig: extension, xdsMatcher } = message;
    const at = reasons.at('extension_config');
    if (extension === undefined) {
      at.add('a filter must be named');
      return null;
    }
    extensionFields.check(extension, at);
    const opened = extensions.open(category, extension.name, extension.typedConfig, at);
    if (opened === null) return null;
    if (terminalKinds.includes(opened.kind)) at.add('the last filter of a chain cannot be skipped');
    const matcher =
      xdsMatcher === undefined
        ? null
        : decodeMatcher(xdsMatcher, reasons.at('xds_matcher'), {
            decodeInput,
            decodeString: (string, where) => decodeStringMatcher(string as unknown as StringMatcher, where),
            decodeAction,
          });
    return { kind: opened.kind, data: opened.data, matcher };
  },
};

function kindOf({ typeUrl }: PackedMessage): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}

function decodeInput(name: string, config: PackedMessage, reasons: Reasons): DelegateInputData | null {
  const at = reasons.at('typed_config');
  switch (kindOf(config)) {
    case HttpRequestHeaderMatchInputSchema.typeName: {
      const input = fromBinary(HttpRequestHeaderMatchInputSchema, config.value);
      requestFields.check(input, at);
      return { of: 'request', name: lowerAscii(wireText(input.headerName)) };
    }
    case HttpResponseHeaderMatchInputSchema.typeName: {
      const input = fromBinary(HttpResponseHeaderMatchInputSchema, config.value);
      responseFields.check(input, at);
      return { of: 'response', name: lowerAscii(wireText(input.headerName)) };
    }
    default:
      at.add(`matcher input '${name}' of type '${kindOf(config)}' is not supported by sekisho`);
      return null;
  }
}

function decodeAction(name: string, config: PackedMessage, reasons: Reasons): 'skip' | null {
  if (kindOf(config) === SkipFilterSchema.typeName) return 'skip';
  reasons.at('typed_config').add(`action '${name}' of type '${kindOf(config)}' is not supported by sekisho`);
  return null;
}
