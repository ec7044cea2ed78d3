import { isIP } from 'node:net';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { DnsResolverOptions } from '../../net/dns-resolver.ts';
import type { Address } from '../../proto/envoy/config/core/v3/address_pb.js';
import type { TypedExtensionConfig } from '../../proto/envoy/config/core/v3/extension_pb.js';
import {
  DnsResolutionConfigSchema,
  DnsResolverOptionsSchema,
  type DnsResolutionConfig,
  type DnsResolverOptions as ProtoResolverOptions,
} from '../../proto/envoy/config/core/v3/resolver_pb.js';
import { CaresDnsResolverConfigSchema } from '../../proto/envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver_pb.js';
import { GetAddrInfoDnsResolverConfigSchema } from '../../proto/envoy/extensions/network/dns_resolver/getaddrinfo/v3/getaddrinfo_dns_resolver_pb.js';
import { fromBinary } from '../../proto/protobuf.js';

// The rest tunes c-ares' sockets and caches and changes no answer.
const supportedCares = new SupportedFields(
  CaresDnsResolverConfigSchema,
  [
    'resolvers',
    'use_resolvers_as_fallback',
    'filter_unroutable_families',
    'dns_resolver_options',
    'query_timeout_seconds',
    'query_tries',
  ],
  ['udp_max_queries', 'max_udp_channel_duration', 'reinit_channel_on_timeout', 'edns0_max_payload_size'],
);
const supportedOptions = new SupportedFields(DnsResolverOptionsSchema, ['no_default_search_domain']);
const supportedResolution = new SupportedFields(DnsResolutionConfigSchema, ['resolvers', 'dns_resolver_options']);
const supportedLibrary = new SupportedFields(
  GetAddrInfoDnsResolverConfigSchema,
  ['num_retries'],
  ['num_resolver_threads'],
);

const dnsPort = 53;

/** Where nobody says another. */
export const systemResolver: Extract<DnsResolverOptions, { kind: 'cares' }> = {
  kind: 'cares',
  servers: [],
  serversAreFallback: false,
  noDefaultSearchDomain: false,
  filterUnroutableFamilies: false,
  queryTimeoutMs: 0,
  queryTries: 0,
};

export function decodeResolver(config: TypedExtensionConfig | undefined, reasons: Reasons): DnsResolverOptions {
  const packed = config?.typedConfig;
  if (packed === undefined) return systemResolver;
  const kind = packed.typeUrl.split('/').at(-1) ?? '';
  const at = reasons.at('typed_config');
  if (kind === CaresDnsResolverConfigSchema.typeName) return decodeCares(packed.value, at);
  if (kind === GetAddrInfoDnsResolverConfigSchema.typeName) {
    const library = fromBinary(GetAddrInfoDnsResolverConfigSchema, packed.value);
    supportedLibrary.check(library, at);
    return { kind: 'getaddrinfo', retries: library.numRetries ?? null };
  }
  at.add(`DNS resolver '${config!.name}' of type '${kind}' is not supported by sekisho`);
  return systemResolver;
}

/** The deprecated form of a c-ares configuration. */
export function decodeResolution(config: DnsResolutionConfig, reasons: Reasons): DnsResolverOptions {
  supportedResolution.check(config, reasons);
  return {
    ...systemResolver,
    servers: decodeServers(config.resolvers, reasons),
    noDefaultSearchDomain: isWithoutSearch(config.dnsResolverOptions, reasons),
  };
}

function decodeCares(bytes: Uint8Array, reasons: Reasons): DnsResolverOptions {
  const config = fromBinary(CaresDnsResolverConfigSchema, bytes);
  supportedCares.check(config, reasons);
  return {
    kind: 'cares',
    servers: decodeServers(config.resolvers, reasons),
    serversAreFallback: config.useResolversAsFallback,
    noDefaultSearchDomain: isWithoutSearch(config.dnsResolverOptions, reasons),
    filterUnroutableFamilies: config.filterUnroutableFamilies,
    queryTimeoutMs: Number(config.queryTimeoutSeconds ?? 0) * 1000,
    queryTries: config.queryTries ?? 0,
  };
}

function isWithoutSearch(options: ProtoResolverOptions | undefined, reasons: Reasons): boolean {
  if (options === undefined) return false;
  supportedOptions.check(options, reasons.at('dns_resolver_options'));
  return options.noDefaultSearchDomain;
}

function decodeServers(addresses: readonly Address[], reasons: Reasons): string[] {
  return addresses.map((address, i) => {
    const socket = address.address.case === 'socketAddress' ? address.address.value : undefined;
    const host = socket?.address ?? '';
    const version = isIP(host);
    if (version === 0) reasons.at('resolvers', i).add(`DNS resolver '${host}' is not an IP address`);
    const port = socket?.portSpecifier.case === 'portValue' ? socket.portSpecifier.value || dnsPort : dnsPort;
    return version === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  });
}
