import type { OutlierData } from '../../../../src/cluster/outlier/outlier-data.ts';

/** As Envoy's defaults, but for what is said. */
export function outlierData(change: Partial<OutlierData> = {}): OutlierData {
  return {
    intervalMs: 10_000,
    baseEjectionMs: 30_000,
    maxEjectionMs: 300_000,
    ejectionJitterMs: 0,
    maxEjectionPercent: 10,
    alwaysEjectsOne: false,
    consecutive5xx: 5,
    consecutiveGatewayFailure: 5,
    consecutiveLocalOriginFailure: 5,
    splitsOrigins: false,
    successRateMinimumHosts: 5,
    successRateRequestVolume: 100,
    successRateStdevFactor: 1900,
    failurePercentageThreshold: 85,
    failurePercentageMinimumHosts: 5,
    failurePercentageRequestVolume: 50,
    enforcing: {
      consecutive_5xx: 100,
      consecutive_gateway_failure: 0,
      success_rate: 100,
      consecutive_local_origin_failure: 100,
      local_origin_success_rate: 100,
      failure_percentage: 0,
      local_origin_failure_percentage: 0,
    },
    healthCheckUnejects: true,
    detectsDegraded: false,
    eventLog: '',
    ...change,
  };
}
