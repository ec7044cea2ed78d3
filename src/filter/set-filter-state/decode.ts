import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeFormat } from '../../observe/format-decode.ts';
import {
  FilterStateValueSchema,
  type FilterStateValue,
} from '../../proto/envoy/extensions/filters/common/set_filter_state/v3/value_pb.js';
import { ConfigSchema } from '../../proto/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { FilterStateValueData, SetFilterStateData } from './set-filter-state-data.ts';

const supported = new SupportedFields(ConfigSchema, ['on_request_headers', 'clear_route_cache']);
const valueFields = new SupportedFields(FilterStateValueSchema, [
  'object_key',
  'factory_key',
  'format_string',
  'skip_if_empty',
]);

/** Whose objects are texts. */
const textFactories: ReadonlySet<string> = new Set(['envoy.string', 'envoy.hashable_string']);

export const setFilterStateDecoder: ExtensionDecoder = {
  kind: ConfigSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): SetFilterStateData {
    const message = fromBinary(ConfigSchema, bytes);
    supported.check(message, reasons);
    return {
      values: message.onRequestHeaders.flatMap((value, i) => {
        const data = decodeValue(value, reasons.at('on_request_headers', i));
        return data === null ? [] : [data];
      }),
      clearsRoute: message.clearRouteCache,
    };
  },
};

function decodeValue(message: FilterStateValue, reasons: Reasons): FilterStateValueData | null {
  valueFields.check(message, reasons);
  const key = message.key.value ?? '';
  const factory = message.factoryKey || key;
  if (!textFactories.has(factory)) reasons.unsupported('factory_key', `'${factory}' is not supported by sekisho`);
  if (message.value.case === undefined) return null;
  const format = decodeFormat(message.value.value, reasons.at('format_string'));
  return format === null ? null : { key, format, skipsEmpty: message.skipIfEmpty };
}
