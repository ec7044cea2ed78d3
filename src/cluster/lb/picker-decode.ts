import { durationMs } from '../../core/duration.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  Cluster_LeastRequestLbConfigSchema,
  Cluster_RoundRobinLbConfigSchema,
  Cluster_SlowStartConfigSchema,
  type Cluster,
  type Cluster_SlowStartConfig,
} from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import type { RuntimeDouble } from '../../proto/envoy/config/core/v3/base_pb.js';
import {
  SlowStartConfigSchema,
  type SlowStartConfig,
} from '../../proto/envoy/extensions/load_balancing_policies/common/v3/common_pb.js';
import {
  LeastRequest_SelectionMethod,
  LeastRequestSchema,
  type LeastRequest,
} from '../../proto/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js';
import {
  RoundRobinSchema,
  type RoundRobin,
} from '../../proto/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js';
import type { PickerPolicy, SlowStartData } from './lb-data.ts';

/** Envoy's defaults. */
const defaultChoiceCount = 2;
const defaultActiveRequestBias = 1;
const defaultAggression = 1;
const defaultWeightPercentMin = 10;

const supportedRoundRobin = new SupportedFields(Cluster_RoundRobinLbConfigSchema, ['slow_start_config']);
const supportedLeastRequest = new SupportedFields(Cluster_LeastRequestLbConfigSchema, [
  'choice_count',
  'active_request_bias',
  'slow_start_config',
]);
const supportedTypedRoundRobin = new SupportedFields(RoundRobinSchema, ['locality_lb_config', 'slow_start_config']);
const supportedTypedLeastRequest = new SupportedFields(LeastRequestSchema, [
  'choice_count',
  'active_request_bias',
  'locality_lb_config',
  'enable_full_scan',
  'selection_method',
  'slow_start_config',
]);
const slowStartFields = ['slow_start_window', 'aggression', 'min_weight_percent'];
const supportedSlowStart = new SupportedFields(Cluster_SlowStartConfigSchema, slowStartFields);
const supportedTypedSlowStart = new SupportedFields(SlowStartConfigSchema, slowStartFields);

export function decodeLegacyRoundRobin({ lbConfig }: Cluster, reasons: Reasons): PickerPolicy {
  if (lbConfig.case !== 'roundRobinLbConfig') return { kind: 'round-robin' };
  const at = reasons.at('round_robin_lb_config');
  supportedRoundRobin.check(lbConfig.value, at);
  return { kind: 'round-robin', ...legacySlowStart(lbConfig.value.slowStartConfig, at) };
}

export function decodeLegacyLeastRequest({ lbConfig }: Cluster, reasons: Reasons): PickerPolicy {
  const own = lbConfig.case === 'leastRequestLbConfig' ? lbConfig.value : undefined;
  const at = reasons.at('least_request_lb_config');
  if (own !== undefined) supportedLeastRequest.check(own, at);
  return {
    ...leastRequest(own?.choiceCount, own?.activeRequestBias, false),
    ...legacySlowStart(own?.slowStartConfig, at),
  };
}

export function decodeRoundRobin(message: RoundRobin, reasons: Reasons): PickerPolicy {
  supportedTypedRoundRobin.check(message, reasons);
  return { kind: 'round-robin', ...typedSlowStart(message.slowStartConfig, reasons) };
}

export function decodeLeastRequest(message: LeastRequest, reasons: Reasons): PickerPolicy {
  supportedTypedLeastRequest.check(message, reasons);
  const isFullScan =
    message.selectionMethod === LeastRequest_SelectionMethod.FULL_SCAN || (message.enableFullScan ?? false);
  return {
    ...leastRequest(message.choiceCount, message.activeRequestBias, isFullScan),
    ...typedSlowStart(message.slowStartConfig, reasons),
  };
}

function leastRequest(choiceCount: number | undefined, bias: RuntimeDouble | undefined, fullScan: boolean) {
  const isUsable = bias !== undefined && bias.defaultValue >= 0;
  return {
    kind: 'least-request',
    choiceCount: choiceCount ?? defaultChoiceCount,
    // Envoy warns of a negative bias and takes the default.
    activeRequestBias: isUsable ? bias.defaultValue : defaultActiveRequestBias,
    activeRequestBiasKey: bias?.runtimeKey ?? '',
    fullScan,
  } as const;
}

/** Nothing where nobody starts slowly. */
interface SlowStart {
  readonly slowStart?: SlowStartData;
}

function legacySlowStart(config: Cluster_SlowStartConfig | undefined, reasons: Reasons): SlowStart {
  if (config === undefined) return {};
  supportedSlowStart.check(config, reasons.at('slow_start_config'));
  return slowStart(config);
}

function typedSlowStart(config: SlowStartConfig | undefined, reasons: Reasons): SlowStart {
  if (config === undefined) return {};
  supportedTypedSlowStart.check(config, reasons.at('slow_start_config'));
  return slowStart(config);
}

function slowStart(config: Pick<SlowStartConfig, 'slowStartWindow' | 'aggression' | 'minWeightPercent'>): SlowStart {
  const windowMs = Math.floor(durationMs(config.slowStartWindow, 0));
  if (windowMs <= 0) return {};
  const { aggression } = config;
  const isUsable = aggression !== undefined && aggression.defaultValue > 0;
  return {
    slowStart: {
      windowMs,
      // Envoy warns of one that is not positive and takes the default.
      aggression: isUsable ? aggression.defaultValue : defaultAggression,
      aggressionKey: aggression?.runtimeKey ?? '',
      shareMin: (config.minWeightPercent?.value ?? defaultWeightPercentMin) / 100,
    },
  };
}
