import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  Cluster_CommonLbConfig_ZoneAwareLbConfigSchema,
  type Cluster_CommonLbConfig_ZoneAwareLbConfig,
} from '../../../proto/envoy/config/cluster/v3/cluster_pb.js';
import {
  LocalityLbConfig_ZoneAwareLbConfig_ForceLocalZoneSchema,
  LocalityLbConfig_ZoneAwareLbConfig_LocalityBasis,
  LocalityLbConfig_ZoneAwareLbConfigSchema,
  LocalityLbConfigSchema,
  type LocalityLbConfig,
  type LocalityLbConfig_ZoneAwareLbConfig,
} from '../../../proto/envoy/extensions/load_balancing_policies/common/v3/common_pb.js';
import type { ChoiceData } from '../lb-data.ts';
import { defaultZone, type ZoneData } from './zone-data.ts';

const fields = ['routing_enabled', 'min_cluster_size', 'fail_traffic_on_panic'];
const supportedLegacy = new SupportedFields(Cluster_CommonLbConfig_ZoneAwareLbConfigSchema, fields);
const supported = new SupportedFields(LocalityLbConfig_ZoneAwareLbConfigSchema, [
  ...fields,
  'force_locality_direct_routing',
  'force_local_zone',
  'locality_basis',
]);
const supportedForce = new SupportedFields(LocalityLbConfig_ZoneAwareLbConfig_ForceLocalZoneSchema, ['min_size']);
const supportedLocality = new SupportedFields(LocalityLbConfigSchema, [
  'zone_aware_lb_config',
  'locality_weighted_lb_config',
]);

/** What is said of localities beside a policy. */
export type LocalityChoice = Omit<ChoiceData, 'policy'>;

/** Nobody has said anything. */
export const plainLocality: LocalityChoice = { localityWeighted: false, failTrafficOnPanic: false };

export function decodeLegacyZone(config: Cluster_CommonLbConfig_ZoneAwareLbConfig, reasons: Reasons): LocalityChoice {
  supportedLegacy.check(config, reasons);
  return zoneChoice(config, 0, 'count');
}

export function decodeLocality(config: LocalityLbConfig | undefined, reasons: Reasons): LocalityChoice {
  if (config === undefined) return plainLocality;
  const at = reasons.at('locality_lb_config');
  supportedLocality.check(config, at);
  const choice = config.localityConfigSpecifier;
  if (choice.case !== 'zoneAwareLbConfig') return { ...plainLocality, localityWeighted: choice.case !== undefined };
  const inside = at.at('zone_aware_lb_config');
  supported.check(choice.value, inside);
  const force = choice.value.forceLocalZone;
  if (force !== undefined) supportedForce.check(force, inside.at('force_local_zone'));
  const isByWeight =
    choice.value.localityBasis === LocalityLbConfig_ZoneAwareLbConfig_LocalityBasis.HEALTHY_HOSTS_WEIGHT;
  // It takes the place of force_locality_direct_routing. A zone cannot do with less than one host.
  const forcedSizeMin =
    force === undefined ? Number(choice.value.forceLocalityDirectRouting) : Math.max(1, force.minSize ?? 1);
  return zoneChoice(choice.value, forcedSizeMin, isByWeight ? 'weight' : 'count');
}

function zoneChoice(
  config: Cluster_CommonLbConfig_ZoneAwareLbConfig | LocalityLbConfig_ZoneAwareLbConfig,
  forcedSizeMin: number,
  basis: ZoneData['basis'],
): LocalityChoice {
  return {
    localityWeighted: false,
    failTrafficOnPanic: config.failTrafficOnPanic,
    zone: {
      routingEnabled: Math.round(config.routingEnabled?.value ?? defaultZone.routingEnabled),
      clusterSizeMin: Number(config.minClusterSize ?? defaultZone.clusterSizeMin),
      forcedSizeMin,
      basis,
    },
  };
}
