import { decodeDnsCache } from '../../../cluster/dynamic/dns-cache-decode.ts';
import type { ExtensionDecoder } from '../../../core/extension.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import type {
  DynamicForwardProxyData,
  HostRewriteData,
} from '../../../filter/dynamic-forward-proxy/dynamic-forward-proxy-data.ts';
import {
  FilterConfigSchema,
  PerRouteConfigSchema,
} from '../../../proto/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';

const supported = new SupportedFields(FilterConfigSchema, ['dns_cache_config', 'allow_dynamic_host_from_filter_state']);
const supportedPerRoute = new SupportedFields(PerRouteConfigSchema, ['host_rewrite_literal', 'host_rewrite_header']);

/** Here and not with the filter: what a DNS cache is, only clusters know. */
export const dynamicForwardProxyDecoder: ExtensionDecoder = {
  kind: FilterConfigSchema.typeName,
  decode(bytes, reasons, extensions): DynamicForwardProxyData {
    const config = fromBinary(FilterConfigSchema, bytes);
    supported.check(config, reasons);
    const choice = config.implementationSpecifier;
    const followsState = config.allowDynamicHostFromFilterState;
    if (choice.case !== 'dnsCacheConfig') return { cache: { name: '', maxPending: 0 }, followsState };
    const { name, maxPending } = decodeDnsCache(choice.value, reasons.at('dns_cache_config'), extensions);
    return { cache: { name, maxPending }, followsState };
  },
};

export const dynamicForwardProxyPerRouteDecoder: ExtensionDecoder = {
  kind: PerRouteConfigSchema.typeName,
  decode(bytes, reasons): HostRewriteData {
    const config = fromBinary(PerRouteConfigSchema, bytes);
    supportedPerRoute.check(config, reasons);
    const { case: kind, value = '' } = config.hostRewriteSpecifier;
    return {
      literal: kind === 'hostRewriteLiteral' ? value : '',
      header: kind === 'hostRewriteHeader' ? value.toLowerCase() : '',
    };
  },
};
