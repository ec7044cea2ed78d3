import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { ConfigSchema } from '../../../proto/envoy/extensions/filters/network/set_filter_state/v3/set_filter_state_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import { decodeStateValues } from '../../set-filter-state/decode-values.ts';
import type { ConnectionStateData } from './connection-state-data.ts';

const supported = new SupportedFields(ConfigSchema, [
  'on_new_connection',
  'on_downstream_tls_handshake',
  'on_downstream_data',
]);

export const networkSetFilterStateDecoder: ExtensionDecoder = {
  kind: ConfigSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): ConnectionStateData {
    const message = fromBinary(ConfigSchema, bytes);
    supported.check(message, reasons);
    return {
      onNewConnection: decodeStateValues(message.onNewConnection, 'on_new_connection', reasons),
      onTlsHandshake: decodeStateValues(message.onDownstreamTlsHandshake, 'on_downstream_tls_handshake', reasons),
      onData: decodeStateValues(message.onDownstreamData, 'on_downstream_data', reasons),
    };
  },
};
