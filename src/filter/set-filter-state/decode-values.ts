import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeFormat } from '../../observe/format/decode.ts';
import {
  FilterStateValueSchema,
  FilterStateValue_SharedWithUpstream,
  type FilterStateValue,
} from '../../proto/envoy/extensions/filters/common/set_filter_state/v3/value_pb.js';
import type { FilterStateValueData } from './set-filter-state-data.ts';

const fields = new SupportedFields(FilterStateValueSchema, [
  'object_key',
  'factory_key',
  'format_string',
  'skip_if_empty',
  'shared_with_upstream',
]);

/** Whose objects are addresses of sockets. */
const addressFactories: ReadonlySet<string> = new Set([
  'envoy.filters.listener.original_dst.local_ip',
  'envoy.filters.listener.original_dst.remote_ip',
  'envoy.network.transport_socket.original_dst_address',
]);

/** Whose objects make upstream connections different when they are shared with them. */
const hashableFactories: ReadonlySet<string> = new Set([
  'envoy.hashable_string',
  'istio.hashable_string',
  'envoy.filters.listener.original_dst.local_ip',
  'envoy.filters.listener.original_dst.remote_ip',
]);

/**
 * Whose objects are made of texts: plain ones, and those that something here looks for under their own key. Envoy's, and
 * Istio's one.
 */
const textFactories: ReadonlySet<string> = new Set([
  ...hashableFactories,
  ...addressFactories,
  'envoy.string',
  'envoy.network.application_protocols',
  'envoy.network.upstream_server_name',
  'envoy.network.upstream_subject_alt_names',
  'envoy.tcp_proxy.cluster',
  'envoy.tcp_proxy.per_connection_idle_timeout_ms',
  'envoy.upstream.dynamic_host',
  'envoy.upstream.dynamic_port',
]);

/** `reasons` stand at the message that has the list `field`. */
export function decodeStateValues(
  messages: readonly FilterStateValue[],
  field: string,
  reasons: Reasons,
): FilterStateValueData[] {
  return messages.flatMap((message, i) => decodeValue(message, reasons.at(field, i)) ?? []);
}

function decodeValue(message: FilterStateValue, reasons: Reasons): FilterStateValueData | null {
  fields.check(message, reasons);
  const key = message.key.value ?? '';
  const factory = message.factoryKey || key;
  if (!textFactories.has(factory)) reasons.unsupported('factory_key', `'${factory}' is not supported by sekisho`);
  if (message.value.case === undefined) return null;
  const format = decodeFormat(message.value.value, reasons.at('format_string'));
  if (format === null) return null;
  const { sharedWithUpstream } = message;
  const isTransitive = sharedWithUpstream === FilterStateValue_SharedWithUpstream.TRANSITIVE;
  const isShared = sharedWithUpstream !== FilterStateValue_SharedWithUpstream.NONE;
  const shared = isShared ? { isHashable: hashableFactories.has(factory), isTransitive } : null;
  const isAddress = addressFactories.has(factory);
  return { key, format, skipsEmpty: message.skipIfEmpty, ...(isAddress && { isAddress }), shared };
}
