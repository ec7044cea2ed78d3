import { runtimeInteger, type RuntimeView } from '../../core/runtime-view.ts';
import type { ChoiceData, LbData, LbPolicyData, PickerPolicy } from './lb-data.ts';
import { defaultZone, type ZoneData } from './zone/zone-data.ts';

/** Balancing as configured, with what the runtime says instead now: the same object where that is nothing. */
export function runtimeLb(data: LbData, runtime: RuntimeView): LbData {
  // Envoy's documented percentages end at 100, and so does the effect of larger ones.
  const panicThreshold = Math.min(
    100,
    runtimeInteger(runtime, 'upstream.healthy_panic_threshold', data.panicThreshold),
  );
  const { policy, zone } = runtimeChoice(data, runtime);
  if (policy === data.policy && zone === data.zone && panicThreshold === data.panicThreshold) return data;
  return { ...data, panicThreshold, policy, ...(zone !== undefined && { zone }) };
}

function runtimePolicy(policy: LbPolicyData, runtime: RuntimeView): LbPolicyData {
  switch (policy.kind) {
    case 'round-robin':
      return withAggression(policy, runtime);
    case 'least-request':
      return withAggression(withBias(policy, runtime), runtime);
    case 'subset':
    case 'override-host': {
      const inner = runtimeChoice(policy.inner, runtime);
      return inner === policy.inner ? policy : { ...policy, inner };
    }
    default:
      return policy;
  }
}

function runtimeChoice(choice: ChoiceData, runtime: RuntimeView): ChoiceData {
  const policy = runtimePolicy(choice.policy, runtime);
  const zone = runtimeZone(choice.zone ?? defaultZone, runtime);
  const isPlain = zone === defaultZone && choice.zone === undefined;
  if (policy === choice.policy && (isPlain || zone === choice.zone)) return choice;
  return isPlain ? { ...choice, policy } : { ...choice, policy, zone };
}

function runtimeZone(data: ZoneData, runtime: RuntimeView): ZoneData {
  const key = 'upstream.zone_routing';
  const routingEnabled = Math.min(100, runtimeInteger(runtime, `${key}.enabled`, data.routingEnabled));
  const clusterSizeMin = runtimeInteger(runtime, `${key}.min_cluster_size`, data.clusterSizeMin);
  const forcedSizeMin = runtimeInteger(runtime, `${key}.force_local_zone.min_size`, 0) || data.forcedSizeMin;
  const isSame =
    routingEnabled === data.routingEnabled &&
    clusterSizeMin === data.clusterSizeMin &&
    forcedSizeMin === data.forcedSizeMin;
  return isSame ? data : { ...data, routingEnabled, clusterSizeMin, forcedSizeMin };
}

type LeastRequestPolicy = Extract<PickerPolicy, { kind: 'least-request' }>;

function withBias(policy: LeastRequestPolicy, runtime: RuntimeView): LeastRequestPolicy {
  if (policy.activeRequestBiasKey === '') return policy;
  const bias = runtime.number(policy.activeRequestBiasKey, policy.activeRequestBias);
  // Envoy warns of a negative bias and takes the default.
  return { ...policy, activeRequestBias: bias < 0 ? 1 : bias };
}

function withAggression<Policy extends Exclude<PickerPolicy, { kind: 'random' }>>(
  policy: Policy,
  runtime: RuntimeView,
): Policy {
  const { slowStart } = policy;
  if (slowStart === undefined || slowStart.aggressionKey === '') return policy;
  const aggression = runtime.number(slowStart.aggressionKey, slowStart.aggression);
  return { ...policy, slowStart: { ...slowStart, aggression: aggression > 0 ? aggression : 1 } };
}
