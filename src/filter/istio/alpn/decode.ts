import type { ExtensionDecoder } from '../../../core/extension.ts';
import { HttpVersion } from '../../../core/head.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  FilterConfig_AlpnOverrideSchema,
  FilterConfig_Protocol,
  FilterConfigSchema,
} from '../../../proto/istio/alpn_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import type { AlpnData } from './alpn-data.ts';

const fields = new SupportedFields(FilterConfigSchema, ['alpn_override']);
const overrideFields = new SupportedFields(FilterConfig_AlpnOverrideSchema, ['upstream_protocol', 'alpn_override']);

const versions: ReadonlyMap<FilterConfig_Protocol, HttpVersion> = new Map([
  [FilterConfig_Protocol.HTTP10, HttpVersion.Http10],
  [FilterConfig_Protocol.HTTP11, HttpVersion.Http11],
  [FilterConfig_Protocol.HTTP2, HttpVersion.Http2],
]);

export const alpnDecoder: ExtensionDecoder = {
  kind: FilterConfigSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): AlpnData {
    const message = fromBinary(FilterConfigSchema, bytes);
    fields.check(message, reasons);
    const overrides = message.alpnOverride.flatMap((override, i) => {
      const at = reasons.at('alpn_override', i);
      overrideFields.check(override, at);
      const version = versions.get(override.upstreamProtocol);
      if (version === undefined) at.at('upstream_protocol').add(`there is no protocol ${override.upstreamProtocol}`);
      return version === undefined ? [] : [{ version, protocols: override.alpnOverride }];
    });
    return { overrides };
  },
};
