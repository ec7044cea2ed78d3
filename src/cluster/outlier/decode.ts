import { durationMs } from '../../core/duration.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  OutlierDetectionSchema,
  type OutlierDetection,
} from '../../proto/envoy/config/cluster/v3/outlier_detection_pb.js';
import type { OutlierData } from './outlier-data.ts';

/** Envoy's default of max_ejection_time, unless base_ejection_time is longer. */
const defaultMaxEjectionMs = 300_000;

const supported = new SupportedFields(OutlierDetectionSchema, [
  'consecutive_5xx',
  'interval',
  'base_ejection_time',
  'max_ejection_percent',
  'enforcing_consecutive_5xx',
  'enforcing_success_rate',
  'success_rate_minimum_hosts',
  'success_rate_request_volume',
  'success_rate_stdev_factor',
  'consecutive_gateway_failure',
  'enforcing_consecutive_gateway_failure',
  'split_external_local_origin_errors',
  'consecutive_local_origin_failure',
  'enforcing_consecutive_local_origin_failure',
  'enforcing_local_origin_success_rate',
  'failure_percentage_threshold',
  'enforcing_failure_percentage',
  'enforcing_failure_percentage_local_origin',
  'failure_percentage_minimum_hosts',
  'failure_percentage_request_volume',
  'max_ejection_time',
  'max_ejection_time_jitter',
  'successful_active_health_check_uneject_host',
  'always_eject_one_host',
  'detect_degraded_hosts',
]);

/** Null: there is none. */
export function decodeOutlierDetection(
  message: OutlierDetection | undefined,
  eventLog: string,
  reasons: Reasons,
): OutlierData | null {
  if (message === undefined) return null;
  supported.check(message, reasons);
  const baseEjectionMs = durationMs(message.baseEjectionTime, 30_000);
  const maxEjectionMs = durationMs(message.maxEjectionTime, Math.max(defaultMaxEjectionMs, baseEjectionMs));
  if (maxEjectionMs < baseEjectionMs)
    reasons
      .at('max_ejection_time')
      .add("outlier detector's max_ejection_time cannot be smaller than base_ejection_time");
  return {
    intervalMs: durationMs(message.interval, 10_000),
    baseEjectionMs,
    maxEjectionMs,
    ejectionJitterMs: durationMs(message.maxEjectionTimeJitter, 0),
    maxEjectionPercent: message.maxEjectionPercent ?? 10,
    alwaysEjectsOne: message.alwaysEjectOneHost ?? false,
    consecutive5xx: message.consecutive5xx ?? 5,
    consecutiveGatewayFailure: message.consecutiveGatewayFailure ?? 5,
    consecutiveLocalOriginFailure: message.consecutiveLocalOriginFailure ?? 5,
    splitsOrigins: message.splitExternalLocalOriginErrors,
    successRateMinimumHosts: message.successRateMinimumHosts ?? 5,
    successRateRequestVolume: message.successRateRequestVolume ?? 100,
    successRateStdevFactor: message.successRateStdevFactor ?? 1900,
    failurePercentageThreshold: message.failurePercentageThreshold ?? 85,
    failurePercentageMinimumHosts: message.failurePercentageMinimumHosts ?? 5,
    failurePercentageRequestVolume: message.failurePercentageRequestVolume ?? 50,
    enforcing: {
      consecutive_5xx: message.enforcingConsecutive5xx ?? 100,
      consecutive_gateway_failure: message.enforcingConsecutiveGatewayFailure ?? 0,
      success_rate: message.enforcingSuccessRate ?? 100,
      consecutive_local_origin_failure: message.enforcingConsecutiveLocalOriginFailure ?? 100,
      local_origin_success_rate: message.enforcingLocalOriginSuccessRate ?? 100,
      failure_percentage: message.enforcingFailurePercentage ?? 0,
      local_origin_failure_percentage: message.enforcingFailurePercentageLocalOrigin ?? 0,
    },
    healthCheckUnejects: message.successfulActiveHealthCheckUnejectHost ?? true,
    detectsDegraded: message.detectDegradedHosts ?? false,
    eventLog,
  };
}
