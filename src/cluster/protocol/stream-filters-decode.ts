import type { ExtensionDecoder, Extensions, StreamFilterData } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  HttpFilterSchema,
  type HttpFilter,
} from '../../proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { UpstreamCodecSchema } from '../../proto/envoy/extensions/filters/http/upstream_codec/v3/upstream_codec_pb.js';
import { fromBinary } from '../../proto/protobuf.js';

/** As of a listener's filters: none that Envoy would run is left out silently. */
const supported = new SupportedFields(HttpFilterSchema, ['name', 'typed_config', 'disabled'], ['is_optional']);
const supportedCodec = new SupportedFields(UpstreamCodecSchema, []);

const category = 'envoy.filters.http.upstream';
const codecKind = UpstreamCodecSchema.typeName;

/** The end of every such chain: it has no settings. */
export const upstreamCodecDecoder: ExtensionDecoder = {
  kind: codecKind,
  decode(bytes, reasons) {
    supportedCodec.check(fromBinary(UpstreamCodecSchema, bytes), reasons);
    return {};
  },
};

/**
 * What requests pass behind the router: `http_filters` of a cluster's options, `upstream_http_filters` of a router.
 * The last must be the codec, which is not in the result. Null: nothing is configured, or reasons were added.
 * @param chain Envoy's name of it
 */
export function decodeStreamFilters(
  messages: readonly HttpFilter[],
  reasons: Reasons,
  field: 'http_filters' | 'upstream_http_filters',
  chain: 'upstream http' | 'router upstream http',
  extensions: Extensions,
): readonly StreamFilterData[] | null {
  if (messages.length === 0) return null;
  const before = reasons.list.length;
  const filters = messages.flatMap((message, i) => decodeFilter(message, reasons.at(field, i), extensions) ?? []);
  if (reasons.list.length > before) return null;
  checkOrder(filters, reasons, field, chain);
  return reasons.list.length > before ? null : filters.slice(0, -1);
}

function decodeFilter(message: HttpFilter, reasons: Reasons, extensions: Extensions): StreamFilterData | null {
  supported.check(message, reasons);
  const { name, disabled, configType } = message;
  if (configType.case === 'configDiscovery') return null;
  const opened = extensions.open(category, name, configType.value, reasons);
  return opened === null ? null : { ...opened, disabled };
}

function checkOrder(filters: readonly StreamFilterData[], reasons: Reasons, field: string, chain: string): void {
  const last = filters.length - 1;
  for (const [i, { name, kind, disabled }] of filters.entries()) {
    const at = reasons.at(field, i);
    if (kind === codecKind && i < last)
      at.add(`terminal filter named ${name} of type ${kind} must be the last filter in a ${chain} filter chain`);
    if (i < last) continue;
    if (kind !== codecKind)
      at.add(`The codec filter is the only valid terminal upstream HTTP filter, use '${codecKind}'`);
    if (disabled) at.add(`the last (terminal) filter (${name}) in the chain cannot be disabled by default`);
  }
}
