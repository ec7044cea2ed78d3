import type { ExtensionDecoder } from '../../../core/extension.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { TlsInspectorSchema } from '../../../proto/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import type { TlsInspectorData } from './tls-inspector.ts';

const supported = new SupportedFields(
  TlsInspectorSchema,
  [
    'enable_ja3_fingerprinting',
    'enable_ja4_fingerprinting',
    'close_connection_on_client_hello_parsing_errors',
    'max_client_hello_size',
  ],
  // How much Envoy peeks at first; the reads of sekisho are the loop's, whatever is listened to.
  ['initial_read_buffer_size'],
);

/** Envoy's `TLS_MAX_CLIENT_HELLO`, SSL3_RT_MAX_PLAIN_LENGTH. */
const helloBytesMax = 16_384;

export const tlsInspectorDecoder: ExtensionDecoder = {
  kind: TlsInspectorSchema.typeName,
  decode(bytes, reasons): TlsInspectorData {
    const message = fromBinary(TlsInspectorSchema, bytes);
    supported.check(message, reasons);
    const size = message.maxClientHelloSize ?? helloBytesMax;
    if (size > helloBytesMax) {
      reasons
        .at('max_client_hello_size')
        .add(`max_client_hello_size of ${size} is greater than maximum of ${helloBytesMax}.`);
    }
    return {
      wantsJa3: message.enableJa3Fingerprinting ?? false,
      wantsJa4: message.enableJa4Fingerprinting ?? false,
      closesOnParsingErrors: message.closeConnectionOnClientHelloParsingErrors,
      helloBytesMax: size,
    };
  },
};
