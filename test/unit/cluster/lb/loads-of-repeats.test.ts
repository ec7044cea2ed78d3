import { describe, expect, test } from 'vitest';
import { HostSet } from '../../../../src/cluster/host/host-set.ts';
import { loadsOfRepeat } from '../../../../src/cluster/lb/loads-of-repeats.ts';
import { priorityLoads } from '../../../../src/cluster/lb/priority.ts';
import { TriedPriorities } from '../../../../src/cluster/tried-priorities.ts';
import type { EndpointHealth } from '../../../../src/cluster/cluster-data.ts';
import { clusterData, hostData, makeHost } from '../cluster-fixture.ts';

const { lb } = clusterData();

function set(...healths: readonly EndpointHealth[]): HostSet {
  return new HostSet(healths.map((health, i) => makeHost(hostData(`10.0.0.${i}`, { health }))));
}

/** What the tries to these priorities leave for the next one. */
function after(sets: readonly HostSet[], attempts: readonly number[], frequency = 1): string {
  const tried = new TriedPriorities(frequency);
  const usual = priorityLoads(sets, lb);
  let loads = usual;
  for (const priority of attempts) {
    tried.attempted.push(priority);
    loads = loadsOfRepeat(tried, sets, lb, usual);
  }
  return `${loads.healthy.join(' ')} | ${loads.degraded.join(' ')}`;
}

const three = [set('HEALTHY'), set('HEALTHY'), set('HEALTHY')];

describe('a repeat', () => {
  test.each([
    [[], '100 0 0 | 0 0 0'],
    [[0], '0 100 0 | 0 0 0'],
    [[0, 1], '0 0 100 | 0 0 0'],
    [[0, 1, 2], '100 0 0 | 0 0 0'],
    [[0, 1, 2, 0], '0 100 0 | 0 0 0'],
  ])('goes to a priority that was not tried: %j', (attempts, loads) => {
    expect(after(three, attempts)).toBe(loads);
  });

  test.each([
    [[0], '100 0 0 | 0 0 0'],
    [[0, 0], '0 100 0 | 0 0 0'],
    [[0, 0, 1], '0 100 0 | 0 0 0'],
    [[0, 0, 1, 1], '0 0 100 | 0 0 0'],
  ])('after every second try: %j', (attempts, loads) => {
    expect(after(three, attempts, 2)).toBe(loads);
  });

  test('is spread over what the others can take', () => {
    const sets = [set('HEALTHY'), set('HEALTHY', 'UNHEALTHY', 'UNHEALTHY'), set('DEGRADED')];
    expect(after(sets, [0])).toBe('0 46 0 | 0 0 54');
  });

  test('goes where it would, when nobody is available', () => {
    expect(after([set('UNHEALTHY'), set('UNHEALTHY')], [0])).toBe('50 50 | 0 0');
  });
});
