import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  LoadBalancingPolicy_PolicySchema,
  LoadBalancingPolicySchema,
  type LoadBalancingPolicy,
} from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import type { TypedExtensionConfig } from '../../proto/envoy/config/core/v3/extension_pb.js';
import { ClusterProvidedSchema } from '../../proto/envoy/extensions/load_balancing_policies/cluster_provided/v3/cluster_provided_pb.js';
import { LeastRequestSchema } from '../../proto/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js';
import { MaglevSchema } from '../../proto/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js';
import {
  OverrideHost_OverrideHostSourceSchema,
  OverrideHostSchema,
  type OverrideHost,
  type OverrideHost_OverrideHostSource,
} from '../../proto/envoy/extensions/load_balancing_policies/override_host/v3/override_host_pb.js';
import { RandomSchema } from '../../proto/envoy/extensions/load_balancing_policies/random/v3/random_pb.js';
import { RingHashSchema } from '../../proto/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.js';
import { RoundRobinSchema } from '../../proto/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js';
import { SubsetSchema } from '../../proto/envoy/extensions/load_balancing_policies/subset/v3/subset_pb.js';
import { WrrLocalitySchema } from '../../proto/envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeTypedMaglev, decodeTypedRingHash } from './hash/decode.ts';
import type { ChoiceData, OverrideSourceData } from './lb-data.ts';
import { decodeMetadataPath } from './metadata-path-decode.ts';
import { decodeLeastRequest, decodeRoundRobin } from './picker-decode.ts';
import { decodeTypedSubsets } from './subset/decode.ts';
import { decodeLocality, plainLocality } from './zone/decode.ts';

const supportedRandom = new SupportedFields(RandomSchema, ['locality_lb_config']);
const supportedWrrLocality = new SupportedFields(WrrLocalitySchema, ['endpoint_picking_policy']);
const supportedOverride = new SupportedFields(OverrideHostSchema, ['override_host_sources', 'fallback_policy']);
const supportedSource = new SupportedFields(OverrideHost_OverrideHostSourceSchema, ['header', 'metadata']);
const supportedProvided = new SupportedFields(ClusterProvidedSchema, []);
const supportedPolicies = new SupportedFields(LoadBalancingPolicySchema, ['policies']);
const supportedPolicy = new SupportedFields(LoadBalancingPolicy_PolicySchema, ['typed_extension_config']);

/**
 * The first policy that is known decides; a list with none is refused. Null: reasons were added. `isProvided`: the
 * cluster's hosts choose themselves. `otherwise`: Envoy's words where no policy is known.
 */
export function decodePolicies(
  list: LoadBalancingPolicy,
  isProvided: boolean,
  reasons: Reasons,
  otherwise?: string,
): ChoiceData | null {
  supportedPolicies.check(list, reasons);
  const names: string[] = [];
  for (const [i, entry] of list.policies.entries()) {
    const at = reasons.at('policies', i);
    supportedPolicy.check(entry, at);
    const config = entry.typedExtensionConfig;
    if (config === undefined) continue;
    names.push(config.name);
    const data = decodePolicy(config, isProvided, at.at('typed_extension_config').at('typed_config'));
    if (data !== 'unknown') return data;
  }
  reasons.add(otherwise ?? `didn't find a registered load balancer factory with a name from [${names.join(', ')}]`);
  return null;
}

/** `unknown`: Envoy does not know it either, and goes on to the next. */
function decodePolicy(
  config: TypedExtensionConfig,
  isProvided: boolean,
  reasons: Reasons,
): ChoiceData | null | 'unknown' {
  const kind = config.typedConfig?.typeUrl.split('/').at(-1) ?? '';
  const bytes = config.typedConfig?.value ?? new Uint8Array();
  switch (kind) {
    case RoundRobinSchema.typeName: {
      const message = fromBinary(RoundRobinSchema, bytes);
      return { policy: decodeRoundRobin(message, reasons), ...decodeLocality(message.localityLbConfig, reasons) };
    }
    case RandomSchema.typeName: {
      const message = fromBinary(RandomSchema, bytes);
      supportedRandom.check(message, reasons);
      return { policy: { kind: 'random' }, ...decodeLocality(message.localityLbConfig, reasons) };
    }
    case LeastRequestSchema.typeName: {
      const message = fromBinary(LeastRequestSchema, bytes);
      return { policy: decodeLeastRequest(message, reasons), ...decodeLocality(message.localityLbConfig, reasons) };
    }
    case RingHashSchema.typeName: {
      const message = fromBinary(RingHashSchema, bytes);
      const localityWeighted = message.localityWeightedLbConfig !== undefined;
      return { ...plainLocality, localityWeighted, policy: decodeTypedRingHash(message, reasons) };
    }
    case MaglevSchema.typeName: {
      const message = fromBinary(MaglevSchema, bytes);
      const localityWeighted = message.localityWeightedLbConfig !== undefined;
      return { ...plainLocality, localityWeighted, policy: decodeTypedMaglev(message, reasons) };
    }
    default:
      return decodeOuterPolicy(config.name, kind, bytes, isProvided, reasons);
  }
}

/** Policies around others, and those that are refused. */
function decodeOuterPolicy(
  name: string,
  kind: string,
  bytes: Uint8Array,
  isProvided: boolean,
  reasons: Reasons,
): ChoiceData | null | 'unknown' {
  switch (kind) {
    case SubsetSchema.typeName: {
      const message = fromBinary(SubsetSchema, bytes);
      const choice = decodeTypedSubsets(message, reasons);
      const list = message.subsetLbPolicy;
      const none =
        "cluster: didn't find a registered load balancer factory implementation for subset lb with names from []";
      const inner = inside(list, 'subset_lb_policy', none, reasons);
      return inner === null ? null : { ...inner, policy: { ...choice, inner } };
    }
    case WrrLocalitySchema.typeName: {
      const message = fromBinary(WrrLocalitySchema, bytes);
      supportedWrrLocality.check(message, reasons);
      const none = 'No supported endpoint picking policy.';
      const inner = inside(message.endpointPickingPolicy, 'endpoint_picking_policy', none, reasons);
      return inner === null ? null : { ...inner, localityWeighted: true };
    }
    case OverrideHostSchema.typeName:
      return decodeOverride(fromBinary(OverrideHostSchema, bytes), reasons);
    case ClusterProvidedSchema.typeName:
      supportedProvided.check(fromBinary(ClusterProvidedSchema, bytes), reasons);
      if (isProvided) return { ...plainLocality, policy: { kind: 'round-robin' }, isProvided: true };
      reasons.add(
        'cluster manager: cluster provided LB specified but the cluster did not provide one. Check cluster documentation.',
      );
      return null;
    default:
      if (!kind.startsWith('envoy.extensions.load_balancing_policies.')) return 'unknown';
      reasons.add(`load balancing policy '${name}' of type '${kind}' is not supported by sekisho`);
      return null;
  }
}

function decodeOverride(message: OverrideHost, reasons: Reasons): ChoiceData | null {
  supportedOverride.check(message, reasons);
  const sources = message.overrideHostSources.flatMap((source, i) =>
    decodeSource(source, reasons.at('override_host_sources', i)),
  );
  const none = 'No supported fallback policy for override host load balancing.';
  const inner = inside(message.fallbackPolicy, 'fallback_policy', none, reasons);
  return inner === null ? null : { ...inner, policy: { kind: 'override-host', sources, inner } };
}

function decodeSource(source: OverrideHost_OverrideHostSource, reasons: Reasons): OverrideSourceData[] {
  supportedSource.check(source, reasons);
  if (source.header !== '') return [{ kind: 'header', name: source.header.toLowerCase() }];
  if (source.metadata === undefined) return [];
  const at = reasons.at('metadata');
  return [{ kind: 'metadata', path: decodeMetadataPath(source.metadata, at) }];
}

/** The list of policies inside of another policy. */
function inside(
  list: LoadBalancingPolicy | undefined,
  field: string,
  none: string,
  reasons: Reasons,
): ChoiceData | null {
  const at = reasons.at(field);
  if (list !== undefined) return decodePolicies(list, false, at, none);
  at.add(none);
  return null;
}
