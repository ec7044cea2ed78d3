import { isDeepStrictEqual } from '../../core/deep-equal.ts';
import { durationMs } from '../../core/duration.ts';
import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { Cluster_RefreshRateSchema } from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import { SocketAddressSchema } from '../../proto/envoy/config/core/v3/address_pb.js';
import {
  DnsCacheCircuitBreakersSchema,
  DnsCacheConfigSchema,
  type DnsCacheConfig,
} from '../../proto/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache_pb.js';
import { decodeFailureRefresh, lookupFamilies } from '../discovery/dns-decode.ts';
import { decodeResolution, decodeResolver } from '../discovery/resolver-decode.ts';
import { cachedName } from '../../core/destination.ts';
import type { DnsCacheData } from './dns-cache-data.ts';

/** Envoy's defaults. */
const defaultRefreshMs = 60_000;
const defaultRefreshMinMs = 5000;
const defaultHostTtlMs = 300_000;
const defaultHosts = 1024;
const defaultPending = 1024;
const defaultTimeoutMs = 5000;

const supported = new SupportedFields(DnsCacheConfigSchema, [
  'name',
  'dns_lookup_family',
  'dns_refresh_rate',
  'dns_min_refresh_rate',
  'host_ttl',
  'max_hosts',
  'disable_dns_refresh_on_failure',
  'dns_failure_refresh_rate',
  'dns_cache_circuit_breaker',
  'dns_resolution_config',
  'typed_dns_resolver_config',
  'preresolve_hostnames',
  'dns_query_timeout',
]);
const supportedRefresh = new SupportedFields(Cluster_RefreshRateSchema, ['base_interval', 'max_interval']);
const supportedBreakers = new SupportedFields(DnsCacheCircuitBreakersSchema, ['max_pending_requests']);
const supportedName = new SupportedFields(SocketAddressSchema, ['address', 'port_value']);

/** `extensions`: of the whole configuration, which calls one cache one thing. */
export function decodeDnsCache(config: DnsCacheConfig, reasons: Reasons, extensions: Extensions): DnsCacheData {
  const { dnsCaches } = extensions;
  const other = dnsCaches?.get(config.name);
  if (other !== undefined && !isDeepStrictEqual(other, config))
    reasons.add(`config specified DNS cache '${config.name}' with different settings`);
  dnsCaches?.set(config.name, other ?? config);
  supported.check(config, reasons);
  const { dnsFailureRefreshRate: failure, dnsCacheCircuitBreaker: breaker } = config;
  if (failure !== undefined) supportedRefresh.check(failure, reasons.at('dns_failure_refresh_rate'));
  if (breaker !== undefined) supportedBreakers.check(breaker, reasons.at('dns_cache_circuit_breaker'));
  return {
    name: config.name,
    family: lookupFamilies[config.dnsLookupFamily] ?? 'AUTO',
    refreshMs: durationMs(config.dnsRefreshRate, defaultRefreshMs),
    refreshMinMs: durationMs(config.dnsMinRefreshRate, defaultRefreshMinMs),
    failureRefresh: decodeFailureRefresh(failure, reasons),
    forgetsFailures: config.disableDnsRefreshOnFailure,
    hostTtlMs: durationMs(config.hostTtl, defaultHostTtlMs),
    maxHosts: config.maxHosts ?? defaultHosts,
    maxPending: breaker?.maxPendingRequests ?? defaultPending,
    queryTimeoutMs: durationMs(config.dnsQueryTimeout, defaultTimeoutMs),
    resolver:
      config.typedDnsResolverConfig === undefined && config.dnsResolutionConfig !== undefined
        ? decodeResolution(config.dnsResolutionConfig, reasons.at('dns_resolution_config'))
        : decodeResolver(config.typedDnsResolverConfig, reasons.at('typed_dns_resolver_config')),
    preresolved: config.preresolveHostnames.map((name, i) => {
      supportedName.check(name, reasons.at('preresolve_hostnames', i));
      const port = name.portSpecifier.case === 'portValue' ? name.portSpecifier.value : 0;
      return cachedName({ host: name.address, port });
    }),
  };
}
