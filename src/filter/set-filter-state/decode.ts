import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { ConfigSchema } from '../../proto/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeStateValues } from './decode-values.ts';
import type { SetFilterStateData } from './set-filter-state-data.ts';

const supported = new SupportedFields(ConfigSchema, ['on_request_headers', 'clear_route_cache']);

export const setFilterStateDecoder: ExtensionDecoder = {
  kind: ConfigSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): SetFilterStateData {
    const message = fromBinary(ConfigSchema, bytes);
    supported.check(message, reasons);
    return {
      values: decodeStateValues(message.onRequestHeaders, 'on_request_headers', reasons),
      clearsRoute: message.clearRouteCache,
    };
  },
};
