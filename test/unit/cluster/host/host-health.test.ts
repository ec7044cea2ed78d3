import { describe, expect, it } from 'vitest';
import {
  flagsOfEndpoint,
  healthFlagNames,
  HealthFlag,
  isDegraded,
  isExcluded,
  isHealthy,
} from '../../../../src/cluster/host/host-health.ts';

describe('host health', () => {
  it.each([
    ['HEALTHY', [], true, false, false],
    ['UNHEALTHY', ['failed_eds_health'], false, false, false],
    ['TIMEOUT', ['failed_eds_health'], false, false, false],
    ['DRAINING', ['eds_status_draining'], false, false, true],
    ['DEGRADED', ['degraded_eds_health'], false, true, false],
  ] as const)('%s is %s', (status, names, healthy, degraded, excluded) => {
    const flags = flagsOfEndpoint(status);
    expect(healthFlagNames(flags)).toEqual(names);
    expect([isHealthy(flags), isDegraded(flags), isExcluded(flags)]).toEqual([healthy, degraded, excluded]);
  });

  it('prints every flag, and the worst decides', () => {
    const flags = HealthFlag.FailedOutlierCheck | HealthFlag.DegradedActiveCheck;
    expect(healthFlagNames(flags)).toEqual(['failed_outlier_check', 'degraded_active_hc']);
    expect([isHealthy(flags), isDegraded(flags)]).toEqual([false, false]);
  });
});
