import { durationMs } from '../../core/duration.ts';
import { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  Cluster_CommonLbConfigSchema,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  type Cluster,
  type Cluster_CommonLbConfig,
} from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import { HealthStatus, type HealthStatusSet } from '../../proto/envoy/config/core/v3/health_check_pb.js';
import { isAggregate } from '../aggregate/decode.ts';
import { isDynamic } from '../dynamic/decode.ts';
import { isOriginalDst } from '../original-dst/decode.ts';
import { decodeMaglev, decodeRingHash } from './hash/decode.ts';
import type { ChoiceData, LbData, LbPolicyData, OverrideHealth } from './lb-data.ts';
import { decodeLegacyLeastRequest, decodeLegacyRoundRobin } from './picker-decode.ts';
import { decodePolicy } from '../endpoint/policy-decode.ts';
import { decodePolicies } from './policy-decode.ts';
import { decodeSubsets } from './subset/decode.ts';
import { decodeLegacyZone, plainLocality, type LocalityChoice } from './zone/decode.ts';

/** Envoy's defaults. */
const defaultPanicThreshold = 50;

const supportedCommon = new SupportedFields(Cluster_CommonLbConfigSchema, [
  'healthy_panic_threshold',
  'zone_aware_lb_config',
  'locality_weighted_lb_config',
  'update_merge_window',
  'close_connections_on_host_set_change',
  'consistent_hashing_lb_config',
  'override_host_status',
  'ignore_new_hosts_until_first_hc',
]);

export function decodeLb(cluster: Cluster, reasons: Reasons): LbData {
  const common = cluster.commonLbConfig;
  const locality = decodeCommon(common, reasons.at('common_lb_config'));
  if (common?.consistentHashingLbConfig?.useHostnameForHashing === true) refuseNameless(cluster, reasons);
  return {
    ...decodeChoice(cluster, locality, reasons),
    panicThreshold: Math.round(common?.healthyPanicThreshold?.value ?? defaultPanicThreshold),
    // Its reasons are the endpoints' decoder's to tell.
    ...decodePolicy(cluster.loadAssignment?.policy, new Reasons()),
    closeConnectionsOnHostSetChange: common?.closeConnectionsOnHostSetChange ?? false,
    ...(common?.updateMergeWindow === undefined ? {} : { updateMergeMs: durationMs(common.updateMergeWindow, 0) }),
    ...(common?.overrideHostStatus === undefined ? {} : { overrideHealth: decodeStatuses(common.overrideHostStatus) }),
  };
}

/** Only hosts of STRICT_DNS have names for Envoy. */
function refuseNameless({ clusterDiscoveryType: type }: Cluster, reasons: Reasons): void {
  const kind = type.case === 'type' || type.case === undefined ? (type.value ?? Cluster_DiscoveryType.STATIC) : null;
  if (kind === null || kind === Cluster_DiscoveryType.STRICT_DNS) return;
  const name = `envoy.cluster.${Cluster_DiscoveryType[kind].toLowerCase()}`;
  reasons
    .at('common_lb_config')
    .add(`Cannot use hostname for consistent hashing loadbalancing for cluster of type: '${name}'`);
}

/** `load_balancing_policy` decides alone where there is one. */
function decodeChoice(cluster: Cluster, locality: LocalityChoice, reasons: Reasons): ChoiceData {
  const typed = cluster.loadBalancingPolicy;
  const chosen =
    typed === undefined ? null : decodePolicies(typed, isProvided(cluster), reasons.at('load_balancing_policy'));
  if (chosen !== null && isProvided(cluster) && chosen.isProvided !== true)
    reasons
      .at('load_balancing_policy')
      .add(
        `cluster manager: cluster provided LB not specified but cluster '${cluster.name}' provided one. Check cluster documentation.`,
      );
  const legacy = chosen ?? { policy: decodeLegacyPolicy(cluster, reasons), ...locality };
  if (typed !== undefined || cluster.lbSubsetConfig === undefined) return legacy;
  const subsets = decodeSubsets(cluster.lbSubsetConfig, reasons.at('lb_subset_config'));
  if (subsets === null) return legacy;
  if (cluster.lbPolicy === Cluster_LbPolicy.CLUSTER_PROVIDED)
    reasons.add('cluster: LB policy CLUSTER_PROVIDED cannot be combined with lb_subset_config');
  return { ...legacy, policy: { ...subsets, inner: legacy } };
}

function decodeCommon(common: Cluster_CommonLbConfig | undefined, reasons: Reasons): LocalityChoice {
  if (common === undefined) return plainLocality;
  supportedCommon.check(common, reasons);
  const choice = common.localityConfigSpecifier;
  if (choice.case === 'zoneAwareLbConfig') return decodeLegacyZone(choice.value, reasons.at('zone_aware_lb_config'));
  return { ...plainLocality, localityWeighted: choice.case === 'localityWeightedLbConfig' };
}

function decodeStatuses({ statuses }: HealthStatusSet): OverrideHealth[] {
  return [...new Set(statuses.map((status) => overrideHealth[status]))];
}

const overrideHealth: Readonly<Record<HealthStatus, OverrideHealth>> = {
  [HealthStatus.UNKNOWN]: 'healthy',
  [HealthStatus.HEALTHY]: 'healthy',
  [HealthStatus.UNHEALTHY]: 'unhealthy',
  [HealthStatus.DRAINING]: 'draining',
  [HealthStatus.TIMEOUT]: 'unhealthy',
  [HealthStatus.DEGRADED]: 'degraded',
};

function decodeLegacyPolicy(cluster: Cluster, reasons: Reasons): LbPolicyData {
  switch (cluster.lbPolicy) {
    case Cluster_LbPolicy.ROUND_ROBIN:
      return decodeLegacyRoundRobin(cluster, reasons);
    case Cluster_LbPolicy.RANDOM:
      return { kind: 'random' };
    case Cluster_LbPolicy.LEAST_REQUEST:
      return decodeLegacyLeastRequest(cluster, reasons);
    case Cluster_LbPolicy.RING_HASH:
      return decodeRingHash(cluster, reasons);
    case Cluster_LbPolicy.MAGLEV:
      return decodeMaglev(cluster, reasons);
    default:
      // Its hosts are whoever is asked for. Of a kind that is refused nobody knows.
      if (isProvided(cluster) || isOfAnotherKind(cluster)) return { kind: 'round-robin' };
      reasons.at('lb_policy').add(notProvided(cluster.name));
      return { kind: 'round-robin' };
  }
}

/** Who is asked for decides. */
function isProvided(cluster: Cluster): boolean {
  return isDynamic(cluster) || isOriginalDst(cluster) || isAggregate(cluster);
}

/** Kinds of clusters that may have a balancer of their own, and that are refused by name elsewhere. */
function isOfAnotherKind({ clusterDiscoveryType: type }: Cluster): boolean {
  return type.case === 'clusterType' && type.value.name !== 'envoy.cluster.dns';
}

function notProvided(name: string): string {
  return `cluster manager: cluster provided LB specified but cluster '${name}' did not provide one. Check cluster documentation.`;
}
