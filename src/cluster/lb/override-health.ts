import { HealthFlag, isDegraded, isHealthy } from '../host/host-health.ts';
import type { OverrideHealth } from './lb-data.ts';

const usual: readonly OverrideHealth[] = ['healthy', 'degraded'];

/** A host of this health may be taken because it was asked for by its address. `flags`: bits of HealthFlag. */
export function mayOverride(flags: number, allowed: readonly OverrideHealth[] = usual): boolean {
  return allowed.includes(healthOf(flags));
}

function healthOf(flags: number): OverrideHealth {
  if ((flags & HealthFlag.EndpointDraining) !== 0) return 'draining';
  if (isHealthy(flags)) return 'healthy';
  return isDegraded(flags) ? 'degraded' : 'unhealthy';
}
