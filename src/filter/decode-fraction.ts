import type { RuntimeFractionalPercent } from '../proto/envoy/config/core/v3/base_pb.js';
import { FractionalPercent_DenominatorType, type FractionalPercent } from '../proto/envoy/type/v3/percent_pb.js';
import type { FractionData, RuntimeFractionData } from './fraction-data.ts';

/** An absent fraction is Envoy's default message: 0 of 100. */
export function decodeFraction(message: FractionalPercent | undefined): FractionData {
  return { numerator: message?.numerator ?? 0, denominator: denominatorOf(message) };
}

/** Null where the field is absent: what that means differs from field to field. */
export function decodeRuntimeFraction(message: RuntimeFractionalPercent | undefined): RuntimeFractionData | null {
  return message === undefined ? null : { ...decodeFraction(message.defaultValue), runtimeKey: message.runtimeKey };
}

function denominatorOf(message: FractionalPercent | undefined): number {
  switch (message?.denominator) {
    case FractionalPercent_DenominatorType.TEN_THOUSAND:
      return 10_000;
    case FractionalPercent_DenominatorType.MILLION:
      return 1_000_000;
    default:
      return 100;
  }
}
