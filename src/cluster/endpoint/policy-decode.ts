import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  ClusterLoadAssignment_Policy_DropOverloadSchema,
  ClusterLoadAssignment_PolicySchema,
  type ClusterLoadAssignment_Policy,
} from '../../proto/envoy/config/endpoint/v3/endpoint_pb.js';
import { FractionalPercent_DenominatorType, FractionalPercentSchema } from '../../proto/envoy/type/v3/percent_pb.js';
import type { AssignmentData } from '../cluster-data.ts';

const supported = new SupportedFields(ClusterLoadAssignment_PolicySchema, [
  'drop_overloads',
  'overprovisioning_factor',
  'weighted_priority_health',
  // Of assignments that came from a control plane.
  'endpoint_stale_after',
]);
const supportedDrop = new SupportedFields(ClusterLoadAssignment_Policy_DropOverloadSchema, [
  'category',
  'drop_percentage',
]);
const supportedPercent = new SupportedFields(FractionalPercentSchema, ['numerator', 'denominator']);

/** Percent; Envoy's default. */
const defaultOverprovisioningFactor = 140;

export function decodePolicy(policy: ClusterLoadAssignment_Policy | undefined, reasons: Reasons): AssignmentData {
  if (policy !== undefined) supported.check(policy, reasons);
  const dropRatio = policy === undefined ? 0 : decodeDrops(policy, reasons);
  return {
    overprovisioningFactor: policy?.overprovisioningFactor ?? defaultOverprovisioningFactor,
    weightedPriorityHealth: policy?.weightedPriorityHealth ?? false,
    ...(dropRatio > 0 && { dropRatio }),
  };
}

function decodeDrops({ dropOverloads: drops }: ClusterLoadAssignment_Policy, reasons: Reasons): number {
  if (drops.length > 1)
    reasons
      .at('drop_overloads')
      .add(`Cluster drop_overloads config has ${drops.length} categories. Envoy only support one.`);
  if (drops.length !== 1) return 0;
  const at = reasons.at('drop_overloads', 0);
  supportedDrop.check(drops[0], at);
  const percent = drops[0].dropPercentage;
  if (percent === undefined) return 0;
  supportedPercent.check(percent, at.at('drop_percentage'));
  return Math.min(1, percent.numerator / whole(percent.denominator));
}

function whole(denominator: FractionalPercent_DenominatorType): number {
  switch (denominator) {
    case FractionalPercent_DenominatorType.TEN_THOUSAND:
      return 10_000;
    case FractionalPercent_DenominatorType.MILLION:
      return 1_000_000;
    default:
      return 100;
  }
}
