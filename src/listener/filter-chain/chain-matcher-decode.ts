import type { PackedMessage } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { decodeMatcher } from '../../match/decode.ts';
import type { MatcherData } from '../../match/matcher-data.ts';
import type { Matcher } from '../../proto/xds/type/matcher/v3/matcher_pb.js';
import type { StringMatcher } from '../../proto/xds/type/matcher/v3/string_pb.js';
import { isNetworkInput } from './network-inputs.ts';

const inputPackage = 'envoy.extensions.matching.common_inputs.network.v3.';

/** One string test of a matcher as plain data. */
export type DecodeStringMatcher = (message: StringMatcher, reasons: Reasons) => unknown;

/** filter_chain_matcher: its inputs are what is known of a connection, its actions names of filter chains. */
export function decodeChainMatcher(
  message: Matcher,
  reasons: Reasons,
  decodeString: DecodeStringMatcher | null,
): MatcherData {
  return decodeMatcher(message, reasons, {
    decodeInput,
    decodeAction,
    decodeString: (string, at) => {
      if (decodeString !== null) return decodeString(string, at);
      at.add('value_match is not supported by sekisho here');
      return null;
    },
  });
}

function decodeInput(name: string, { typeUrl }: PackedMessage, reasons: Reasons): string {
  const kind = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  const input = kind.startsWith(inputPackage) ? kind.slice(inputPackage.length) : '';
  if (!isNetworkInput(input))
    reasons.at('typed_config').add(`matcher input '${name}' of type '${kind}' is not supported by sekisho`);
  return input;
}

function decodeAction(name: string, { typeUrl, value }: PackedMessage, reasons: Reasons): string {
  const kind = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  if (kind === 'google.protobuf.StringValue') return stringValue(value);
  reasons.at('typed_config').add(`matcher action '${name}' of type '${kind}' is not supported by sekisho`);
  return '';
}

/** `google.protobuf.StringValue`: a string in field 1, or nothing at all. */
function stringValue(bytes: Uint8Array): string {
  let at = 1;
  // Its length, of which a byte says whether another follows.
  while (at < bytes.length && bytes[at] >= 0x80) at++;
  return new TextDecoder().decode(bytes.subarray(at + 1));
}
