import type { ExtensionDecoder } from '../../core/extension.ts';
import { fieldValue } from '../../core/field-value.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  CorsPolicySchema,
  CorsSchema,
  type CorsPolicy,
} from '../../proto/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeStringMatcher } from '../../route/match/decode.ts';
import { decodeRuntimeFraction } from '../decode-fraction.ts';
import type { CorsPolicyData } from './cors-data.ts';

const policyFields = new SupportedFields(CorsPolicySchema, [
  'allow_origin_string_match',
  'allow_methods',
  'allow_headers',
  'expose_headers',
  'max_age',
  'allow_credentials',
  'filter_enabled',
  'shadow_enabled',
  'allow_private_network_access',
  'forward_not_matching_preflights',
]);

/** The filter itself has no settings. */
export const corsDecoder: ExtensionDecoder = { kind: CorsSchema.typeName, decode: () => null };

export const corsPolicyDecoder: ExtensionDecoder = {
  kind: CorsPolicySchema.typeName,
  decode: (bytes, reasons) => decodeCorsPolicy(fromBinary(CorsPolicySchema, bytes), reasons),
};

export function decodeCorsPolicy(message: CorsPolicy, reasons: Reasons): CorsPolicyData {
  policyFields.check(message, reasons);
  return {
    allowOrigins: message.allowOriginStringMatch.map((matcher, i) =>
      decodeStringMatcher(matcher, reasons.at('allow_origin_string_match', i)),
    ),
    allowMethods: fieldValue(message.allowMethods),
    allowHeaders: fieldValue(message.allowHeaders),
    exposeHeaders: fieldValue(message.exposeHeaders),
    maxAge: fieldValue(message.maxAge),
    allowCredentials: message.allowCredentials ?? null,
    allowPrivateNetworkAccess: message.allowPrivateNetworkAccess ?? null,
    forwardNotMatchingPreflights: message.forwardNotMatchingPreflights ?? null,
    filterEnabled: decodeRuntimeFraction(message.filterEnabled),
    shadowEnabled: decodeRuntimeFraction(message.shadowEnabled),
  };
}
