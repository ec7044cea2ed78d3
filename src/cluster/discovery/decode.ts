import { durationMs } from '../../core/duration.ts';
import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { DnsLookupFamily, DnsResolverOptions } from '../../net/dns-resolver.ts';
import {
  Cluster_CustomClusterTypeSchema,
  Cluster_DiscoveryType,
  Cluster_RefreshRateSchema,
  type Cluster,
  type Cluster_CustomClusterType,
} from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import { DnsLookupFamily as CommonLookupFamily } from '../../proto/envoy/extensions/clusters/common/dns/v3/dns_pb.js';
import {
  DnsCluster_RefreshRateSchema,
  DnsClusterSchema,
} from '../../proto/envoy/extensions/clusters/dns/v3/dns_cluster_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { DiscoveryData, DnsData, HostData } from '../cluster-data.ts';
import { aggregateClusterKind, decodeAggregate } from '../aggregate/decode.ts';
import { decodeDynamicCluster, dynamicClusterKind } from '../dynamic/decode.ts';
import { decodeLoadAssignment, staticHosts, type LoadAssignmentData } from '../endpoint/decode.ts';
import { decodeOriginalDst } from '../original-dst/decode.ts';
import type { TransportChoice } from '../transport/transport-choice.ts';
import { decodeEds, isEds } from './eds-decode.ts';
import { decodeFailureRefresh, lookupFamilies } from './dns-decode.ts';
import { decodeResolution, decodeResolver, systemResolver } from './resolver-decode.ts';

/** Envoy's defaults. */
const defaultRefreshMs = 5000;

const supportedCustom = new SupportedFields(Cluster_CustomClusterTypeSchema, ['name', 'typed_config']);
const supportedRefresh = new SupportedFields(Cluster_RefreshRateSchema, ['base_interval', 'max_interval']);
const supportedDns = new SupportedFields(DnsClusterSchema, [
  'dns_refresh_rate',
  'dns_failure_refresh_rate',
  'respect_dns_ttl',
  'dns_jitter',
  'typed_dns_resolver_config',
  'dns_lookup_family',
  'all_addresses_in_single_endpoint',
  'dns_min_refresh_rate',
]);
const supportedDnsRefresh = new SupportedFields(DnsCluster_RefreshRateSchema, ['base_interval', 'max_interval']);

const dnsClusterKind = 'envoy.extensions.clusters.dns.v3.DnsCluster';

export interface DiscoveredData {
  readonly discovery: DiscoveryData;
  readonly hosts: readonly HostData[];
}

const nothing: DiscoveredData = { discovery: { kind: 'static' }, hosts: [] };

/** How the cluster's hosts are found, and those that need no finding. */
export function decodeDiscovery(
  cluster: Cluster,
  transports: TransportChoice,
  reasons: Reasons,
  extensions: Extensions,
): DiscoveredData {
  const assignment = decodeLoadAssignment(cluster.loadAssignment, transports, reasons.at('load_assignment'));
  const choice = cluster.clusterDiscoveryType;
  if (cluster.edsClusterConfig !== undefined && !isEds(cluster))
    reasons.add('eds_cluster_config set in a non-EDS cluster');
  if (choice.case === 'clusterType') return decodeCustom(choice.value, cluster, assignment, reasons, extensions);
  return decodeOfType(choice.value ?? Cluster_DiscoveryType.STATIC, cluster, assignment, reasons);
}

/** `resolver`: for a cluster that names none. */
export function withResolver(discovery: DiscoveryData, resolver: DnsResolverOptions): DiscoveryData {
  if (!('dns' in discovery) || discovery.dns.resolver !== systemResolver) return discovery;
  return { ...discovery, dns: { ...discovery.dns, resolver } };
}

/** Envoy's factories of clusters that need no configuration beside the cluster's. */
const namedTypes: ReadonlyMap<string, Cluster_DiscoveryType> = new Map([
  ['envoy.cluster.static', Cluster_DiscoveryType.STATIC],
  ['envoy.cluster.strict_dns', Cluster_DiscoveryType.STRICT_DNS],
  ['envoy.cluster.logical_dns', Cluster_DiscoveryType.LOGICAL_DNS],
  ['envoy.cluster.original_dst', Cluster_DiscoveryType.ORIGINAL_DST],
  ['envoy.cluster.eds', Cluster_DiscoveryType.EDS],
]);

function decodeOfType(
  type: Cluster_DiscoveryType,
  cluster: Cluster,
  assignment: LoadAssignmentData,
  reasons: Reasons,
): DiscoveredData {
  switch (type) {
    case Cluster_DiscoveryType.STATIC:
      return { discovery: { kind: 'static' }, hosts: staticHosts(assignment) };
    case Cluster_DiscoveryType.STRICT_DNS:
      return dnsCluster('strict-dns', decodeClusterDns(cluster, reasons), assignment, reasons);
    case Cluster_DiscoveryType.LOGICAL_DNS:
      return dnsCluster('logical-dns', decodeClusterDns(cluster, reasons), assignment, reasons);
    case Cluster_DiscoveryType.EDS:
      return { discovery: decodeEds(cluster, reasons), hosts: [] };
    default:
      return { discovery: decodeOriginalDst(cluster, reasons), hosts: [] };
  }
}

/** The unified DNS cluster: `cluster_type` with a DnsCluster. */
function decodeCustom(
  custom: Cluster_CustomClusterType,
  cluster: Cluster,
  assignment: LoadAssignmentData,
  reasons: Reasons,
  extensions: Extensions,
): DiscoveredData {
  const at = reasons.at('cluster_type');
  supportedCustom.check(custom, at);
  const kind = custom.typedConfig?.typeUrl.split('/').at(-1) ?? '';
  const named = namedTypes.get(custom.name);
  if (kind === '' && named !== undefined) return decodeOfType(named, cluster, assignment, reasons);
  if (kind === dynamicClusterKind)
    return { discovery: decodeDynamicCluster(custom.typedConfig!.value, at.at('typed_config'), extensions), hosts: [] };
  if (kind === aggregateClusterKind)
    return {
      discovery: decodeAggregate(custom.typedConfig!.value, at.at('typed_config'), cluster, reasons),
      hosts: [],
    };
  if (kind !== dnsClusterKind) {
    at.add(`cluster type '${custom.name}'${kind === '' ? '' : ` of type '${kind}'`} is not supported by sekisho`);
    return nothing;
  }
  const config = fromBinary(DnsClusterSchema, custom.typedConfig!.value);
  const inside = at.at('typed_config');
  supportedDns.check(config, inside);
  if (config.dnsFailureRefreshRate !== undefined)
    supportedDnsRefresh.check(config.dnsFailureRefreshRate, inside.at('dns_failure_refresh_rate'));
  const refreshMs = durationMs(config.dnsRefreshRate, defaultRefreshMs);
  const dns: DnsData = {
    refreshMs,
    failureRefresh: decodeFailureRefresh(config.dnsFailureRefreshRate, inside),
    jitterMs: durationMs(config.dnsJitter, 0),
    respectTtl: config.respectDnsTtl,
    ttlRefreshMinMs: durationMs(config.dnsMinRefreshRate, 0),
    family: commonFamilies[config.dnsLookupFamily] ?? 'AUTO',
    resolver: decodeResolver(config.typedDnsResolverConfig, inside.at('typed_dns_resolver_config')),
    waitForWarm: cluster.waitForWarmOnInit ?? true,
  };
  return dnsCluster(config.allAddressesInSingleEndpoint ? 'logical-dns' : 'strict-dns', dns, assignment, reasons);
}

function dnsCluster(
  kind: 'strict-dns' | 'logical-dns',
  dns: DnsData,
  assignment: LoadAssignmentData,
  reasons: Reasons,
): DiscoveredData {
  if (kind === 'logical-dns' && (assignment.localityCount !== 1 || assignment.endpoints.length !== 1))
    reasons
      .at('load_assignment')
      .add('LOGICAL_DNS clusters must have a single locality_lb_endpoint and a single lb_endpoint');
  const targets = assignment.endpoints.map(({ host, at }) => {
    if (host.address.kind !== 'ip') at.add('DNS clusters need a socket_address with a name');
    const name = host.address.host;
    const hostname = host.hostname === '' ? name : host.hostname;
    // Envoy counts the one host of a logical cluster to priority 0.
    const priority = kind === 'logical-dns' ? 0 : host.priority;
    return { name, port: host.address.port, host: { ...host, hostname, priority } };
  });
  return { discovery: { kind, dns, targets }, hosts: [] };
}

function decodeClusterDns(cluster: Cluster, reasons: Reasons): DnsData {
  if (cluster.dnsFailureRefreshRate !== undefined)
    supportedRefresh.check(cluster.dnsFailureRefreshRate, reasons.at('dns_failure_refresh_rate'));
  return {
    refreshMs: durationMs(cluster.dnsRefreshRate, defaultRefreshMs),
    failureRefresh: decodeFailureRefresh(cluster.dnsFailureRefreshRate, reasons),
    jitterMs: durationMs(cluster.dnsJitter, 0),
    respectTtl: cluster.respectDnsTtl,
    ttlRefreshMinMs: 0,
    family: lookupFamilies[cluster.dnsLookupFamily] ?? 'AUTO',
    resolver: decodeClusterResolver(cluster, reasons),
    waitForWarm: cluster.waitForWarmOnInit ?? true,
  };
}

function decodeClusterResolver(cluster: Cluster, reasons: Reasons): DnsResolverOptions {
  // The newer field wins, as in Envoy.
  if (cluster.typedDnsResolverConfig === undefined && cluster.dnsResolutionConfig !== undefined)
    return decodeResolution(cluster.dnsResolutionConfig, reasons.at('dns_resolution_config'));
  return decodeResolver(cluster.typedDnsResolverConfig, reasons.at('typed_dns_resolver_config'));
}

const commonFamilies: Readonly<Record<number, DnsLookupFamily>> = {
  [CommonLookupFamily.AUTO]: 'AUTO',
  [CommonLookupFamily.V4_ONLY]: 'V4_ONLY',
  [CommonLookupFamily.V6_ONLY]: 'V6_ONLY',
  [CommonLookupFamily.V4_PREFERRED]: 'V4_PREFERRED',
  [CommonLookupFamily.ALL]: 'ALL',
};
