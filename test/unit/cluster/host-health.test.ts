import { describe, expect, it } from 'vitest';
import {
  flagsOfEndpoint,
  formatHealthFlags,
  HealthFlag,
  isDegraded,
  isExcluded,
  isHealthy,
} from '../../../src/cluster/host-health.ts';

describe('host health', () => {
  it.each([
    ['HEALTHY', 'healthy', true, false, false],
    ['UNHEALTHY', '/failed_eds_health', false, false, false],
    ['TIMEOUT', '/failed_eds_health', false, false, false],
    ['DRAINING', '/eds_status_draining', false, false, true],
    ['DEGRADED', '/degraded_eds_health', false, true, false],
  ] as const)('%s is %s', (status, text, healthy, degraded, excluded) => {
    const flags = flagsOfEndpoint(status);
    expect(formatHealthFlags(flags)).toBe(text);
    expect([isHealthy(flags), isDegraded(flags), isExcluded(flags)]).toEqual([healthy, degraded, excluded]);
  });

  it('prints every flag, and the worst decides', () => {
    const flags = HealthFlag.FailedOutlierCheck | HealthFlag.DegradedActiveCheck;
    expect(formatHealthFlags(flags)).toBe('/failed_outlier_check/degraded_active_hc');
    expect([isHealthy(flags), isDegraded(flags)]).toEqual([false, false]);
  });
});
