import type { EndpointHealth } from '../cluster-data.ts';

/** Why a host may be unfit, as bits. Source: Envoy `HealthFlag` in `envoy/upstream/upstream.h`. */
export const HealthFlag = {
  None: 0,
  FailedActiveCheck: 1 << 0,
  FailedOutlierCheck: 1 << 1,
  FailedEndpointHealth: 1 << 2,
  DegradedActiveCheck: 1 << 3,
  DegradedEndpointHealth: 1 << 4,
  PendingRemoval: 1 << 5,
  PendingActiveCheck: 1 << 6,
  ExcludedByImmediateFailure: 1 << 7,
  ActiveCheckTimeout: 1 << 8,
  EndpointDraining: 1 << 9,
  DegradedOutlierDetection: 1 << 10,
} as const;
export type HealthFlag = (typeof HealthFlag)[keyof typeof HealthFlag];

const unhealthy =
  HealthFlag.FailedActiveCheck |
  HealthFlag.FailedOutlierCheck |
  HealthFlag.FailedEndpointHealth |
  HealthFlag.EndpointDraining;
const degraded =
  HealthFlag.DegradedActiveCheck | HealthFlag.DegradedEndpointHealth | HealthFlag.DegradedOutlierDetection;
const excluded = HealthFlag.PendingActiveCheck | HealthFlag.ExcludedByImmediateFailure | HealthFlag.EndpointDraining;

export function isHealthy(flags: number): boolean {
  return (flags & (unhealthy | degraded)) === 0;
}

export function isDegraded(flags: number): boolean {
  return (flags & unhealthy) === 0 && (flags & degraded) !== 0;
}

/** Counts neither for nor against its priority's health. */
export function isExcluded(flags: number): boolean {
  return (flags & excluded) !== 0;
}

const endpointHealth: Readonly<Record<EndpointHealth, number>> = {
  HEALTHY: HealthFlag.None,
  UNHEALTHY: HealthFlag.FailedEndpointHealth,
  TIMEOUT: HealthFlag.FailedEndpointHealth,
  DRAINING: HealthFlag.EndpointDraining,
  DEGRADED: HealthFlag.DegradedEndpointHealth,
};

/** The bits that an endpoint's configured `health_status` sets. */
export function flagsOfEndpoint(health: EndpointHealth): number {
  return endpointHealth[health];
}

/** The bits that `flagsOfEndpoint` owns; the others belong to health checks and outlier detection. */
export const endpointFlags =
  HealthFlag.FailedEndpointHealth | HealthFlag.EndpointDraining | HealthFlag.DegradedEndpointHealth;

/** The bits that active checks own. */
export const activeFlags =
  HealthFlag.FailedActiveCheck |
  HealthFlag.DegradedActiveCheck |
  HealthFlag.PendingActiveCheck |
  HealthFlag.ExcludedByImmediateFailure |
  HealthFlag.ActiveCheckTimeout;

/** In the order in which Envoy prints them. */
const names = [
  [HealthFlag.FailedActiveCheck, 'failed_active_hc'],
  [HealthFlag.FailedOutlierCheck, 'failed_outlier_check'],
  [HealthFlag.FailedEndpointHealth, 'failed_eds_health'],
  [HealthFlag.DegradedActiveCheck, 'degraded_active_hc'],
  [HealthFlag.DegradedEndpointHealth, 'degraded_eds_health'],
  [HealthFlag.PendingRemoval, 'pending_dynamic_removal'],
  [HealthFlag.PendingActiveCheck, 'pending_active_hc'],
  [HealthFlag.ExcludedByImmediateFailure, 'excluded_via_immediate_hc_fail'],
  [HealthFlag.ActiveCheckTimeout, 'active_hc_timeout'],
  [HealthFlag.EndpointDraining, 'eds_status_draining'],
  [HealthFlag.DegradedOutlierDetection, 'degraded_outlier_detection'],
] as const;

type HealthFlagName = (typeof names)[number][1];

/** As `health_flags` of `/clusters` lists them. */
export function healthFlagNames(flags: number): HealthFlagName[] {
  return names.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name);
}
