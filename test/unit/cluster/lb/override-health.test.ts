import { expect, test } from 'vitest';
import { HealthFlag } from '../../../../src/cluster/host/host-health.ts';
import { mayOverride } from '../../../../src/cluster/lb/override-health.ts';
import { anyHost, hostData, World } from '../cluster-fixture.ts';

test('healthy and degraded hosts may be kept, others where the configuration says so', () => {
  expect(mayOverride(HealthFlag.None)).toBe(true);
  expect(mayOverride(HealthFlag.DegradedEndpointHealth)).toBe(true);
  expect(mayOverride(HealthFlag.FailedEndpointHealth)).toBe(false);
  expect(mayOverride(HealthFlag.EndpointDraining)).toBe(false);
  expect(mayOverride(HealthFlag.EndpointDraining, ['healthy', 'draining'])).toBe(true);
});

test('a cluster gives the host that was asked for; a strict one no other', () => {
  const cluster = new World().cluster({ hosts: [hostData('10.0.0.1'), hostData('10.0.0.2')] });
  const asked = (address: string, isStrict: boolean) =>
    cluster.pick({ ...anyHost, overrideHost: { address, isStrict } })?.addressText ?? null;
  for (let i = 0; i < 5; i++) expect(asked('10.0.0.2:80', true)).toBe('10.0.0.2:80');
  expect(asked('10.0.0.9:80', true)).toBeNull();
  expect(asked('10.0.0.9:80', false)).not.toBeNull();
});
