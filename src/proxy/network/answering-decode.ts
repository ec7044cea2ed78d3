import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { ConfigSchema } from '../../proto/envoy/extensions/filters/network/direct_response/v3/config_pb.js';
import { EchoSchema } from '../../proto/envoy/extensions/filters/network/echo/v3/echo_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { readDataSource } from '../../route/decode/direct-response-decode.ts';
import type { NetworkDirectResponseData } from './answering-data.ts';

const echoFields = new SupportedFields(EchoSchema, []);
const directFields = new SupportedFields(ConfigSchema, ['response']);

export const echoDecoder: ExtensionDecoder = {
  kind: EchoSchema.typeName,
  decode: (bytes, reasons) => {
    echoFields.check(fromBinary(EchoSchema, bytes), reasons);
    return null;
  },
};

export const networkDirectResponseDecoder: ExtensionDecoder = {
  kind: ConfigSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): NetworkDirectResponseData {
    const message = fromBinary(ConfigSchema, bytes);
    directFields.check(message, reasons);
    const { response } = message;
    const text = response === undefined ? '' : readDataSource(response, reasons.at('response'));
    return { response: Uint8Array.from(text, (character) => character.charCodeAt(0)) };
  },
};
