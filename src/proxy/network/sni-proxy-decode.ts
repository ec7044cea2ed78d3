import { decodeDnsCache } from '../../cluster/dynamic/dns-cache-decode.ts';
import type { ExtensionDecoder } from '../../core/extension.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { SniProxyData } from '../../filter/network/sni-dynamic-forward-proxy/sni-proxy-data.ts';
import { FilterConfigSchema } from '../../proto/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy_pb.js';
import { fromBinary } from '../../proto/protobuf.js';

/** Envoy's. */
const defaultPort = 443;

const supported = new SupportedFields(FilterConfigSchema, ['dns_cache_config', 'port_value']);

/** Here and not with the filter: what a DNS cache is, only clusters know. */
export const sniProxyDecoder: ExtensionDecoder = {
  kind: FilterConfigSchema.typeName,
  decode(bytes, reasons, extensions): SniProxyData {
    const config = fromBinary(FilterConfigSchema, bytes);
    supported.check(config, reasons);
    const at = reasons.at('dns_cache_config');
    const cache = config.dnsCacheConfig === undefined ? null : decodeDnsCache(config.dnsCacheConfig, at, extensions);
    return {
      cache: { name: cache?.name ?? '', maxPending: cache?.maxPending ?? 0 },
      port: config.portSpecifier.case === 'portValue' ? config.portSpecifier.value : defaultPort,
    };
  },
};
