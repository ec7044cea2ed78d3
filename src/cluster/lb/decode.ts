import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  Cluster_CommonLbConfig_ZoneAwareLbConfigSchema,
  Cluster_CommonLbConfigSchema,
  Cluster_LbPolicy,
  Cluster_LeastRequestLbConfigSchema,
  Cluster_RoundRobinLbConfigSchema,
  LoadBalancingPolicy_PolicySchema,
  LoadBalancingPolicySchema,
  type Cluster,
  type Cluster_CommonLbConfig,
  type LoadBalancingPolicy,
} from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import type { RuntimeDouble } from '../../proto/envoy/config/core/v3/base_pb.js';
import type { TypedExtensionConfig } from '../../proto/envoy/config/core/v3/extension_pb.js';
import {
  LocalityLbConfig_ZoneAwareLbConfigSchema,
  LocalityLbConfigSchema,
  type LocalityLbConfig,
} from '../../proto/envoy/extensions/load_balancing_policies/common/v3/common_pb.js';
import {
  LeastRequest_SelectionMethod,
  LeastRequestSchema,
} from '../../proto/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js';
import { RandomSchema } from '../../proto/envoy/extensions/load_balancing_policies/random/v3/random_pb.js';
import { RoundRobinSchema } from '../../proto/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { isDynamic } from '../dynamic/decode.ts';
import type { LbData, LbPolicyData } from '../cluster-data.ts';

/** Envoy's defaults. */
const defaultPanicThreshold = 50;
const defaultOverprovisioningFactor = 140;
const defaultChoiceCount = 2;
const defaultActiveRequestBias = 1;

// What is ignored speaks of health-checked hosts or of hash rings, and those clusters are refused; the merge window
// delays updates of weights and health, which here arrive at once.
const supportedCommon = new SupportedFields(
  Cluster_CommonLbConfigSchema,
  [
    'healthy_panic_threshold',
    'zone_aware_lb_config',
    'locality_weighted_lb_config',
    'close_connections_on_host_set_change',
  ],
  ['update_merge_window', 'ignore_new_hosts_until_first_hc', 'consistent_hashing_lb_config', 'override_host_status'],
);
// Zone-aware routing needs a local cluster (`cluster_manager.local_cluster_name`), which is refused; without one Envoy
// routes without regard to zones too.
const supportedZoneAware = new SupportedFields(
  Cluster_CommonLbConfig_ZoneAwareLbConfigSchema,
  ['fail_traffic_on_panic'],
  ['routing_enabled', 'min_cluster_size'],
);
const supportedTypedZoneAware = new SupportedFields(
  LocalityLbConfig_ZoneAwareLbConfigSchema,
  ['fail_traffic_on_panic'],
  ['routing_enabled', 'min_cluster_size', 'force_locality_direct_routing', 'force_local_zone', 'locality_basis'],
);
const supportedLocality = new SupportedFields(LocalityLbConfigSchema, [
  'zone_aware_lb_config',
  'locality_weighted_lb_config',
]);
const supportedRoundRobin = new SupportedFields(Cluster_RoundRobinLbConfigSchema, []);
const supportedLeastRequest = new SupportedFields(Cluster_LeastRequestLbConfigSchema, [
  'choice_count',
  'active_request_bias',
]);
const supportedTypedRoundRobin = new SupportedFields(RoundRobinSchema, ['locality_lb_config']);
const supportedTypedRandom = new SupportedFields(RandomSchema, ['locality_lb_config']);
const supportedTypedLeastRequest = new SupportedFields(LeastRequestSchema, [
  'choice_count',
  'active_request_bias',
  'locality_lb_config',
  'enable_full_scan',
  'selection_method',
]);
const supportedPolicies = new SupportedFields(LoadBalancingPolicySchema, ['policies']);
const supportedPolicy = new SupportedFields(LoadBalancingPolicy_PolicySchema, ['typed_extension_config']);

/** The part that a policy's own configuration may say. */
interface PolicyData {
  readonly policy: LbPolicyData;
  readonly localityWeighted: boolean;
  readonly failTrafficOnPanic: boolean;
}

export function decodeLb(cluster: Cluster, reasons: Reasons): LbData {
  const common = cluster.commonLbConfig;
  const locality = decodeCommon(common, reasons.at('common_lb_config'));
  const typed =
    cluster.loadBalancingPolicy === undefined
      ? null
      : decodePolicies(cluster.loadBalancingPolicy, reasons.at('load_balancing_policy'));
  const chosen = typed ?? { policy: decodeLegacyPolicy(cluster, reasons), ...locality };
  const policy = cluster.loadAssignment?.policy;
  return {
    ...chosen,
    panicThreshold: Math.round(common?.healthyPanicThreshold?.value ?? defaultPanicThreshold),
    overprovisioningFactor: policy?.overprovisioningFactor ?? defaultOverprovisioningFactor,
    weightedPriorityHealth: policy?.weightedPriorityHealth ?? false,
    closeConnectionsOnHostSetChange: common?.closeConnectionsOnHostSetChange ?? false,
  };
}

function decodeCommon(common: Cluster_CommonLbConfig | undefined, reasons: Reasons): Omit<PolicyData, 'policy'> {
  if (common === undefined) return { localityWeighted: false, failTrafficOnPanic: false };
  supportedCommon.check(common, reasons);
  const choice = common.localityConfigSpecifier;
  if (choice.case === 'zoneAwareLbConfig') supportedZoneAware.check(choice.value, reasons.at('zone_aware_lb_config'));
  return {
    localityWeighted: choice.case === 'localityWeightedLbConfig',
    failTrafficOnPanic: choice.case === 'zoneAwareLbConfig' && choice.value.failTrafficOnPanic,
  };
}

function decodeLegacyPolicy(cluster: Cluster, reasons: Reasons): LbPolicyData {
  const config = cluster.lbConfig;
  if (config.case === 'roundRobinLbConfig')
    supportedRoundRobin.check(config.value, reasons.at('round_robin_lb_config'));
  switch (cluster.lbPolicy) {
    case Cluster_LbPolicy.ROUND_ROBIN:
      return { kind: 'round-robin' };
    case Cluster_LbPolicy.RANDOM:
      return { kind: 'random' };
    case Cluster_LbPolicy.LEAST_REQUEST: {
      const own = config.case === 'leastRequestLbConfig' ? config.value : undefined;
      if (own !== undefined) supportedLeastRequest.check(own, reasons.at('least_request_lb_config'));
      return leastRequest(own?.choiceCount, own?.activeRequestBias, false);
    }
    default:
      // Its hosts are whoever is asked for.
      if (cluster.lbPolicy === Cluster_LbPolicy.CLUSTER_PROVIDED && isDynamic(cluster)) return { kind: 'round-robin' };
      reasons
        .at('lb_policy')
        .add(`lb_policy '${Cluster_LbPolicy[cluster.lbPolicy] ?? cluster.lbPolicy}' is not supported by sekisho`);
      return { kind: 'round-robin' };
  }
}

/** The first policy that is known decides; a list with none is refused. Null: reasons were added. */
function decodePolicies(list: LoadBalancingPolicy, reasons: Reasons): PolicyData | null {
  supportedPolicies.check(list, reasons);
  const names: string[] = [];
  for (const [i, entry] of list.policies.entries()) {
    const at = reasons.at('policies', i);
    supportedPolicy.check(entry, at);
    const config = entry.typedExtensionConfig;
    if (config === undefined) continue;
    names.push(config.name);
    const data = decodePolicy(config, at.at('typed_extension_config').at('typed_config'));
    if (data !== 'unknown') return data;
  }
  reasons.add(`didn't find a registered load balancer factory with a name from [${names.join(', ')}]`);
  return null;
}

/** `unknown`: Envoy does not know it either, and goes on to the next. */
function decodePolicy(config: TypedExtensionConfig, reasons: Reasons): PolicyData | null | 'unknown' {
  const kind = config.typedConfig?.typeUrl.split('/').at(-1) ?? '';
  const bytes = config.typedConfig?.value ?? new Uint8Array();
  switch (kind) {
    case RoundRobinSchema.typeName: {
      const message = fromBinary(RoundRobinSchema, bytes);
      supportedTypedRoundRobin.check(message, reasons);
      return { policy: { kind: 'round-robin' }, ...decodeLocality(message.localityLbConfig, reasons) };
    }
    case RandomSchema.typeName: {
      const message = fromBinary(RandomSchema, bytes);
      supportedTypedRandom.check(message, reasons);
      return { policy: { kind: 'random' }, ...decodeLocality(message.localityLbConfig, reasons) };
    }
    case LeastRequestSchema.typeName: {
      const message = fromBinary(LeastRequestSchema, bytes);
      supportedTypedLeastRequest.check(message, reasons);
      const isFullScan =
        message.selectionMethod === LeastRequest_SelectionMethod.FULL_SCAN || (message.enableFullScan ?? false);
      const policy = leastRequest(message.choiceCount, message.activeRequestBias, isFullScan);
      return { policy, ...decodeLocality(message.localityLbConfig, reasons) };
    }
    default:
      if (!kind.startsWith('envoy.extensions.load_balancing_policies.')) return 'unknown';
      reasons.add(`load balancing policy '${config.name}' of type '${kind}' is not supported by sekisho`);
      return null;
  }
}

function decodeLocality(config: LocalityLbConfig | undefined, reasons: Reasons): Omit<PolicyData, 'policy'> {
  if (config === undefined) return { localityWeighted: false, failTrafficOnPanic: false };
  const at = reasons.at('locality_lb_config');
  supportedLocality.check(config, at);
  const choice = config.localityConfigSpecifier;
  if (choice.case === 'zoneAwareLbConfig') supportedTypedZoneAware.check(choice.value, at.at('zone_aware_lb_config'));
  return {
    localityWeighted: choice.case === 'localityWeightedLbConfig',
    failTrafficOnPanic: choice.case === 'zoneAwareLbConfig' && choice.value.failTrafficOnPanic,
  };
}

function leastRequest(
  choiceCount: number | undefined,
  bias: RuntimeDouble | undefined,
  fullScan: boolean,
): LbPolicyData {
  const isUsable = bias !== undefined && bias.defaultValue >= 0;
  return {
    kind: 'least-request',
    choiceCount: choiceCount ?? defaultChoiceCount,
    // Envoy warns of a negative bias and takes the default.
    activeRequestBias: isUsable ? bias.defaultValue : defaultActiveRequestBias,
    activeRequestBiasKey: bias?.runtimeKey ?? '',
    fullScan,
  };
}
