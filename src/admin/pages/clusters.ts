import type { JsonObject } from '@bufbuild/protobuf';
import { formatAddress } from '../../core/peer.ts';
import { addressJson } from '../address-json.ts';
import { hostStatNames, type CircuitBreakerReport, type ClusterReport, type HostReport } from '../admin-source.ts';
import { nameFilter } from '../name-filter.ts';
import { json, text, type Page } from '../page.ts';

/** `/clusters`: hosts with their stats, as lines or as `envoy.admin.v3.Clusters`. */
export const clustersPage: Page = ({ query }, source) => {
  const accepts = nameFilter(query.get('filter'));
  if (accepts === undefined) return text('Invalid re2 regex', 400);
  const clusters = source.clusters().filter(({ name }) => accepts(name));
  if (query.get('format') !== 'json') return text(textOf(clusters));
  return json(clusters.length === 0 ? {} : { cluster_statuses: clusters.map(clusterJson) });
};

function* textOf(clusters: readonly ClusterReport[]): Generator<string> {
  for (const cluster of clusters) {
    const { name, edsServiceName } = cluster;
    let lines = `${name}::observability_name::${cluster.observabilityName}\n` + outlierLines(name, cluster.outlier);
    lines += breakerLines(name, 'default', cluster.defaultPriority) + breakerLines(name, 'high', cluster.highPriority);
    lines += `${name}::added_via_api::${cluster.addedViaApi}\n`;
    if (edsServiceName !== '') lines += `${name}::eds_service_name::${edsServiceName}\n`;
    for (const host of cluster.hosts) lines += hostLines(`${name}::${formatAddress(host.address)}::`, host);
    yield lines;
  }
}

function outlierLines(name: string, outlier: ClusterReport['outlier']): string {
  if (outlier === null) return '';
  const { external, local } = outlier;
  const prefix = `${name}::outlier::`;
  return (
    `${prefix}success_rate_average::${general(external.average)}\n` +
    `${prefix}success_rate_ejection_threshold::${general(external.threshold)}\n` +
    `${prefix}local_origin_success_rate_average::${general(local.average)}\n` +
    `${prefix}local_origin_success_rate_ejection_threshold::${general(local.threshold)}\n`
  );
}

/** As `%g` prints it: six digits at most. */
function general(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function breakerLines(name: string, priority: string, breaker: CircuitBreakerReport): string {
  const prefix = `${name}::${priority}_priority::`;
  return (
    `${prefix}max_connections::${breaker.maxConnections}\n` +
    `${prefix}max_pending_requests::${breaker.maxPendingRequests}\n` +
    `${prefix}max_requests::${breaker.maxRequests}\n` +
    `${prefix}max_retries::${breaker.maxRetries}\n`
  );
}

function hostLines(prefix: string, host: HostReport): string {
  let lines = '';
  for (const name of hostStatNames) lines += `${prefix}${name}::${host.stats[name]}\n`;
  const health = host.healthFlags.length === 0 ? 'healthy' : host.healthFlags.map((flag) => `/${flag}`).join('');
  return (
    `${lines}${prefix}hostname::${host.hostname}\n` +
    `${prefix}health_flags::${health}\n` +
    `${prefix}weight::${host.weight}\n` +
    `${prefix}region::${host.region}\n` +
    `${prefix}zone::${host.zone}\n` +
    `${prefix}sub_zone::${host.subZone}\n` +
    `${prefix}canary::${host.canary}\n` +
    `${prefix}priority::${host.priority}\n` +
    `${prefix}success_rate::${general(host.successRate)}\n` +
    `${prefix}local_origin_success_rate::${general(host.localOriginSuccessRate)}\n`
  );
}

function clusterJson(cluster: ClusterReport): JsonObject {
  return {
    name: cluster.name,
    ...(cluster.addedViaApi && { added_via_api: true }),
    ...thresholdJson('success_rate_ejection_threshold', cluster.outlier?.external.threshold),
    ...thresholdJson('local_origin_success_rate_ejection_threshold', cluster.outlier?.local.threshold),
    ...(cluster.hosts.length > 0 && { host_statuses: cluster.hosts.map(hostJson) }),
    circuit_breakers: {
      thresholds: [breakerJson(cluster.defaultPriority), { priority: 'HIGH', ...breakerJson(cluster.highPriority) }],
    },
    observability_name: cluster.observabilityName,
    ...(cluster.edsServiceName !== '' && { eds_service_name: cluster.edsServiceName }),
  };
}

function thresholdJson(name: string, threshold = -1): JsonObject {
  return threshold === -1 ? {} : { [name]: { value: threshold } };
}

function breakerJson(breaker: CircuitBreakerReport): JsonObject {
  return {
    max_connections: breaker.maxConnections,
    max_pending_requests: breaker.maxPendingRequests,
    max_requests: breaker.maxRequests,
    max_retries: breaker.maxRetries,
  };
}

function hostJson(host: HostReport): JsonObject {
  const counters = hostStatNames.filter((name) => !name.endsWith('_active'));
  const gauges = hostStatNames.filter((name) => name.endsWith('_active'));
  const value = (name: (typeof hostStatNames)[number]): JsonObject =>
    host.stats[name] === 0 ? {} : { value: String(host.stats[name]) };
  return {
    address: addressJson(host.address),
    stats: [
      ...counters.map((name) => ({ ...value(name), name })),
      ...gauges.map((name) => ({ type: 'GAUGE', ...value(name), name })),
    ],
    health_status: healthJson(host),
    ...(host.successRate !== -1 && { success_rate: { value: host.successRate } }),
    weight: host.weight,
    ...(host.hostname !== '' && { hostname: host.hostname }),
    ...(host.priority !== 0 && { priority: host.priority }),
    ...(host.localOriginSuccessRate !== -1 && { local_origin_success_rate: { value: host.localOriginSuccessRate } }),
    locality: localityJson(host),
  };
}

/** `envoy.admin.v3.HostHealthStatus`. */
function healthJson({ healthFlags: flags }: HostReport): JsonObject {
  return {
    ...(flags.includes('failed_active_hc') && { failed_active_health_check: true }),
    ...(flags.includes('failed_outlier_check') && { failed_outlier_check: true }),
    eds_health_status: edsHealth(flags),
    ...(flags.includes('degraded_active_hc') && { failed_active_degraded_check: true }),
    ...(flags.includes('pending_dynamic_removal') && { pending_dynamic_removal: true }),
    ...(flags.includes('pending_active_hc') && { pending_active_hc: true }),
    ...(flags.includes('excluded_via_immediate_hc_fail') && { excluded_via_immediate_hc_fail: true }),
    ...(flags.includes('active_hc_timeout') && { active_hc_timeout: true }),
    ...(flags.includes('degraded_outlier_detection') && { failed_degraded_outlier_detection: true }),
  };
}

/** `envoy.config.core.v3.HealthStatus` that the control plane gave. */
export function edsHealth(flags: HostReport['healthFlags']): string {
  if (flags.includes('eds_status_draining')) return 'DRAINING';
  if (flags.includes('failed_eds_health')) return 'UNHEALTHY';
  return flags.includes('degraded_eds_health') ? 'DEGRADED' : 'HEALTHY';
}

/** `envoy.config.core.v3.Locality`. */
export function localityJson({ region, zone, subZone }: HostReport): JsonObject {
  return {
    ...(region !== '' && { region }),
    ...(zone !== '' && { zone }),
    ...(subZone !== '' && { sub_zone: subZone }),
  };
}
