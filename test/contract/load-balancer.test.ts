import { describe, expect, it } from 'vitest';
import type { LbData, PickerLbData, PickerPolicy } from '../../src/cluster/lb/lb-data.ts';
import type { Host, PickContext } from '../../src/cluster/cluster.ts';
import { Clock } from '../../src/core/clock.ts';
import { HostSet } from '../../src/cluster/host/host-set.ts';
import type { UpstreamHost } from '../../src/cluster/host/host.ts';
import { PriorityLoadBalancer } from '../../src/cluster/lb/load-balancer.ts';
import { anyHost, clusterData, hostData, makeHost, seededRandom } from '../unit/cluster/cluster-fixture.ts';
import { RecordingStats } from '../unit/cluster/recording-stats.ts';

const policies: PickerPolicy[] = [
  { kind: 'round-robin' },
  { kind: 'random' },
  { kind: 'least-request', choiceCount: 2, activeRequestBias: 1, activeRequestBiasKey: '', fullScan: false },
  { kind: 'least-request', choiceCount: 2, activeRequestBias: 1, activeRequestBiasKey: '', fullScan: true },
];

function hosts(...changes: Parameters<typeof hostData>[1][]): UpstreamHost[] {
  return changes.map((change, i) => makeHost(hostData(`10.0.0.${i + 1}`, change)));
}

function balancer(list: readonly UpstreamHost[], policy: PickerPolicy, change: Partial<LbData> = {}, seed = 7) {
  const panics = new RecordingStats().counter('lb_healthy_panic');
  const lb: PickerLbData = { ...clusterData().lb, ...change, policy };
  const parts = { random: seededRandom(seed), panics, clock: new Clock(), zone: null };
  return { made: new PriorityLoadBalancer(HostSet.byPriority(list), lb, parts), panics };
}

function count(made: PriorityLoadBalancer, picks: number): Map<Host | null, number> {
  const counts = new Map<Host | null, number>();
  for (let i = 0; i < picks; i++) {
    const host = made.pick(anyHost);
    counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  return counts;
}

/** Within five standard deviations of a binomial: fails for chance once in two million. */
function expectShare(found: number | undefined, picks: number, share: number): void {
  const deviation = Math.sqrt(picks * share * (1 - share));
  expect(Math.abs((found ?? 0) - picks * share)).toBeLessThanOrEqual(5 * deviation + 1);
}

describe.each(policies)('a load balancer, %o', (policy) => {
  it('finds nobody where there is nobody', () => {
    expect(balancer([], policy).made.pick(anyHost)).toBeNull();
  });

  it('finds the only host', () => {
    const [only] = hosts({});
    expect(count(balancer([only], policy).made, 10)).toEqual(new Map([[only, 10]]));
  });

  it('spreads evenly over equal hosts', () => {
    const list = hosts({}, {}, {}, {});
    const counts = count(balancer(list, policy).made, 8000);
    for (const host of list) expectShare(counts.get(host), 8000, 1 / 4);
  });

  it('uses only healthy hosts', () => {
    const list = hosts({}, { health: 'UNHEALTHY' }, {}, { health: 'DRAINING' });
    const { made, panics } = balancer(list, policy);
    expect(new Set(count(made, 1000).keys())).toEqual(new Set([list[0], list[2]]));
    expect(panics.value).toBe(0);
  });

  it('uses every host in panic, and counts it', () => {
    const list = hosts({}, { health: 'UNHEALTHY' }, { health: 'UNHEALTHY' });
    const { made, panics } = balancer(list, policy);
    expect(new Set(count(made, 1000).keys())).toEqual(new Set(list));
    expect(panics.value).toBe(1000);
  });

  it('uses nobody in panic where the configuration says so', () => {
    const list = hosts({}, { health: 'UNHEALTHY' }, { health: 'UNHEALTHY' });
    expect(balancer(list, policy, { failTrafficOnPanic: true }).made.pick(anyHost)).toBeNull();
  });

  it('keeps to the healthy ones without a panic threshold', () => {
    const list = hosts({}, { health: 'UNHEALTHY' }, { health: 'UNHEALTHY' });
    expect(count(balancer(list, policy, { panicThreshold: 0 }).made, 10)).toEqual(new Map([[list[0], 10]]));
    const ill = hosts({ health: 'UNHEALTHY' });
    expect(balancer(ill, policy, { panicThreshold: 0 }).made.pick(anyHost)).toBeNull();
  });

  it('fails over in proportion to health', () => {
    const list = hosts({ priority: 0 }, { priority: 0, health: 'UNHEALTHY' }, { priority: 1 }, { priority: 1 });
    const counts = count(balancer(list, policy).made, 10_000);
    expectShare(counts.get(list[0]), 10_000, 0.7);
    expectShare(counts.get(list[2]), 10_000, 0.15);
    expectShare(counts.get(list[3]), 10_000, 0.15);
  });

  it('uses degraded hosts for what healthy ones leave', () => {
    const list = hosts({}, { health: 'DEGRADED' });
    const counts = count(balancer(list, policy).made, 10_000);
    expectShare(counts.get(list[0]), 10_000, 0.7);
    expectShare(counts.get(list[1]), 10_000, 0.3);
  });

  it('looks again while hosts are refused, and gives the last one unasked', () => {
    const list = hosts({}, {}, {});
    const { made } = balancer(list, policy);
    const asked: Host[] = [];
    const context: PickContext = {
      ...anyHost,
      hostSelectionAttempts: 3,
      rejects: (host) => {
        asked.push(host);
        return true;
      },
    };
    expect(made.pick(context)).not.toBeNull();
    expect(asked).toHaveLength(3);
    const avoiding: PickContext = { ...anyHost, hostSelectionAttempts: 50, rejects: (host) => host !== list[1] };
    expect(made.pick(avoiding)).toBe(list[1]);
  });

  it('follows updates', () => {
    const list = hosts({}, {}, {});
    const { made } = balancer(list.slice(0, 2), policy);
    expect(new Set(count(made, 200).keys())).toEqual(new Set(list.slice(0, 2)));
    made.update(HostSet.byPriority(list.slice(1)));
    expect(new Set(count(made, 200).keys())).toEqual(new Set(list.slice(1)));
    made.update(HostSet.byPriority([]));
    expect(made.pick(anyHost)).toBeNull();
  });

  it('chooses localities by weight where the configuration says so', () => {
    const near = { region: 'r', zone: 'near', subZone: '' };
    const far = { region: 'r', zone: 'far', subZone: '' };
    const list = hosts(
      { locality: near, localityWeight: 3 },
      { locality: far, localityWeight: 1 },
      { locality: far, localityWeight: 1 },
    );
    const counts = count(balancer(list, policy, { localityWeighted: true }).made, 8000);
    expectShare(counts.get(list[0]), 8000, 3 / 4);
    expectShare(counts.get(list[1]), 8000, 1 / 8);
    expectShare(counts.get(list[2]), 8000, 1 / 8);
  });
});

describe('weights', () => {
  const weighted = (policy: PickerPolicy): Map<Host | null, number> =>
    count(balancer(hosts({ weight: 1 }, { weight: 2 }, { weight: 5 }), policy).made, 8000);

  it('are exact for round robin', () => {
    const counts = [...weighted({ kind: 'round-robin' }).values()].sort((a, b) => a - b);
    expect(counts[0] - 1000).toBeLessThanOrEqual(1);
    expect(Math.abs(counts[1] - 2000)).toBeLessThanOrEqual(1);
    expect(Math.abs(counts[2] - 5000)).toBeLessThanOrEqual(1);
  });

  it('do not count for random', () => {
    for (const found of weighted({ kind: 'random' }).values()) expectShare(found, 8000, 1 / 3);
  });

  it('are divided by the load for least request', () => {
    const list = hosts({ weight: 4 }, { weight: 4 }, { weight: 1 });
    list[0].activeRequests = 3;
    const policy: PickerPolicy = {
      kind: 'least-request',
      choiceCount: 2,
      activeRequestBias: 1,
      activeRequestBiasKey: '',
      fullScan: false,
    };
    const counts = count(balancer(list, policy).made, 6000);
    expect(Math.abs(counts.get(list[0])! - 1000)).toBeLessThanOrEqual(2);
    expect(Math.abs(counts.get(list[1])! - 4000)).toBeLessThanOrEqual(2);
    expect(Math.abs(counts.get(list[2])! - 1000)).toBeLessThanOrEqual(2);
  });

  it('are not, with a bias of 0', () => {
    const list = hosts({ weight: 4 }, { weight: 4 }, { weight: 1 });
    list[0].activeRequests = 3;
    const policy: PickerPolicy = {
      kind: 'least-request',
      choiceCount: 2,
      activeRequestBias: 0,
      activeRequestBiasKey: '',
      fullScan: false,
    };
    const counts = count(balancer(list, policy).made, 9000);
    expect(Math.abs(counts.get(list[0])! - 4000)).toBeLessThanOrEqual(2);
  });
});

describe('least request', () => {
  it('takes the less loaded of two draws', () => {
    const list = hosts({}, {});
    list[0].activeRequests = 5;
    const policy: PickerPolicy = {
      kind: 'least-request',
      choiceCount: 2,
      activeRequestBias: 1,
      activeRequestBiasKey: '',
      fullScan: false,
    };
    const counts = count(balancer(list, policy).made, 8000);
    // The loaded one only when both draws hit it.
    expectShare(counts.get(list[0]), 8000, 1 / 4);
  });

  it('never takes a more loaded one in a full scan', () => {
    const list = hosts({}, {}, {});
    list[0].activeRequests = 5;
    const policy: PickerPolicy = {
      kind: 'least-request',
      choiceCount: 2,
      activeRequestBias: 1,
      activeRequestBiasKey: '',
      fullScan: true,
    };
    const counts = count(balancer(list, policy).made, 8000);
    expect(counts.get(list[0])).toBeUndefined();
    expectShare(counts.get(list[1]), 8000, 1 / 2);
  });
});

describe('round robin', () => {
  it('goes on where it stood when hosts are added', () => {
    const list = hosts({}, {}, {}, {});
    const { made } = balancer(list.slice(0, 3), { kind: 'round-robin' });
    const before = [made.pick(anyHost), made.pick(anyHost), made.pick(anyHost)];
    expect(new Set(before).size).toBe(3);
    made.update(HostSet.byPriority(list));
    const after = [1, 2, 3, 4].map(() => made.pick(anyHost));
    expect(new Set(after).size).toBe(4);
  });

  it('begins elsewhere in every worker', () => {
    const list = hosts({}, {}, {}, {}, {}, {}, {}, {});
    const first = new Set<Host | null>();
    for (let seed = 1; seed < 20; seed++)
      first.add(balancer(list, { kind: 'round-robin' }, {}, seed).made.pick(anyHost));
    expect(first.size).toBeGreaterThan(3);
  });
});
