import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { CsrfPolicySchema } from '../../proto/envoy/extensions/filters/http/csrf/v3/csrf_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeStringMatcher } from '../../route/match/decode.ts';
import { decodeFraction, decodeRuntimeFraction } from '../decode-fraction.ts';
import type { CsrfPolicyData } from './csrf-data.ts';

const supported = new SupportedFields(CsrfPolicySchema, ['filter_enabled', 'shadow_enabled', 'additional_origins']);

export const csrfDecoder: ExtensionDecoder = {
  kind: CsrfPolicySchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): CsrfPolicyData {
    const message = fromBinary(CsrfPolicySchema, bytes);
    supported.check(message, reasons);
    return {
      enabled: decodeRuntimeFraction(message.filterEnabled) ?? { ...decodeFraction(undefined), runtimeKey: '' },
      shadowEnabled: decodeRuntimeFraction(message.shadowEnabled),
      additionalOrigins: message.additionalOrigins.map((matcher, i) =>
        decodeStringMatcher(matcher, reasons.at('additional_origins', i)),
      ),
    };
  },
};
