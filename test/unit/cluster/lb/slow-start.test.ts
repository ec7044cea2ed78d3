import { expect, test } from 'vitest';
import { HealthCell, HealthMemory } from '../../../../src/cluster/health/health-memory.ts';
import { HealthFlag } from '../../../../src/cluster/host/host-health.ts';
import type { PickerPolicy } from '../../../../src/cluster/lb/lb-data.ts';
import { anyHost } from '../cluster-fixture.ts';
import { Bench, hostsOf } from './lb-fixture.ts';

const slowStart = { windowMs: 10_000, aggression: 1, aggressionKey: '', shareMin: 0.1 };

test.each<PickerPolicy>([
  { kind: 'round-robin', slowStart },
  { kind: 'least-request', choiceCount: 2, activeRequestBias: 1, activeRequestBiasKey: '', fullScan: false, slowStart },
])('%j: a host that has just come gets a tenth, then its share of the window, then all', (policy) => {
  const hosts = hostsOf({}, {});
  const bench = new Bench(hosts.slice(0, 1), policy);
  bench.clock.now = 20_000;
  bench.update(hosts);
  const share = (): number => {
    const picks = Array.from({ length: 1100 }, () => bench.balancer.pick(anyHost));
    return picks.filter((host) => host === hosts[1]).length / 1100;
  };
  // Of weights 1 and 0.1, then 1 and 0.5, then 1 and 1.
  expect(share()).toBeCloseTo(1 / 11, 1);
  bench.clock.now = 25_000;
  expect(share()).toBeCloseTo(1 / 3, 1);
  bench.clock.now = 31_000;
  expect(share()).toBeCloseTo(1 / 2, 1);
});

test('a higher aggression is faster at first', () => {
  const hosts = hostsOf({}, {});
  const bench = new Bench(hosts.slice(0, 1), { kind: 'round-robin', slowStart: { ...slowStart, aggression: 2 } });
  bench.clock.now = 20_000;
  bench.update(hosts);
  bench.clock.now = 22_500;
  const picks = Array.from({ length: 900 }, () => bench.balancer.pick(anyHost));
  // The root of a quarter is a half.
  expect(picks.filter((host) => host === hosts[1]).length / 900).toBeCloseTo(1 / 3, 1);
});

test('a host that passes its active checks again starts slowly again', () => {
  const [first, second] = hostsOf({}, {});
  const bench = new Bench([first, second], { kind: 'round-robin', slowStart });
  bench.clock.now = 60_000;
  const memory = new HealthMemory();
  second.healthSlot = 0;
  memory.store(0, HealthCell.Flags, HealthFlag.FailedActiveCheck);
  second.readHealth(memory);
  memory.store(0, HealthCell.Flags, HealthFlag.None);
  second.readHealth(memory);
  bench.update([first, second]);
  expect(second.healthySinceMs).toBe(60_000);
  expect(first.healthySinceMs).toBe(0);
});
