import { describe, expect, it } from 'vitest';
import { MetadataCriteria } from '../../../../../src/core/metadata-criteria.ts';
import type { Host } from '../../../../../src/cluster/cluster.ts';
import type { UpstreamHost } from '../../../../../src/cluster/host/host.ts';
import type { SubsetLbData, SubsetSelectorData } from '../../../../../src/cluster/lb/lb-data.ts';
import { anyHost } from '../../cluster-fixture.ts';
import { Bench, hostsOf, withMetadata } from '../lb-fixture.ts';

const selector = (keys: readonly string[], change: Partial<SubsetSelectorData> = {}): SubsetSelectorData => ({
  keys,
  singleHost: false,
  fallback: 'undefined',
  fallbackKeys: [],
  ...change,
});

const plain: SubsetLbData = {
  kind: 'subset',
  inner: { policy: { kind: 'round-robin' }, localityWeighted: false, failTrafficOnPanic: false },
  fallback: 'none',
  defaultSubset: {},
  selectors: [selector(['stage']), selector(['stage', 'version'])],
  localityWeightAware: false,
  scaleLocalityWeight: false,
  panicModeAny: false,
  listAsAny: false,
  fallbackList: false,
};

const threeHosts = (): UpstreamHost[] =>
  hostsOf(
    withMetadata({ stage: 'prod', version: '1' }),
    withMetadata({ stage: 'prod', version: '2' }),
    withMetadata({ stage: 'dev', version: '2' }),
  );

function reached(bench: Bench, wanted: Record<string, unknown> | null, picks = 30): Set<Host | null> {
  const metadataMatch = wanted === null ? null : new MetadataCriteria(wanted);
  return new Set(Array.from({ length: picks }, () => bench.balancer.pick({ ...anyHost, metadataMatch })));
}

describe('a subset', () => {
  it('is what the criteria say, in whatever order', () => {
    const hosts = threeHosts();
    const bench = new Bench(hosts, plain);
    expect(reached(bench, { stage: 'prod' })).toEqual(new Set(hosts.slice(0, 2)));
    expect(reached(bench, { version: '2', stage: 'prod' })).toEqual(new Set([hosts[1]]));
    expect(bench.stats.counter('lb_subsets_selected').value).toBe(60);
    expect(bench.stats.gauge('lb_subsets_active').value).toBe(5);
  });

  it('needs just the keys of a selector', () => {
    const bench = new Bench(threeHosts(), plain);
    for (const wanted of [{ version: '1' }, { stage: 'prod', other: 1 }, { stage: 'none' }, {}, null])
      expect(reached(bench, wanted)).toEqual(new Set([null]));
  });

  it('follows hosts that come and go', () => {
    const hosts = threeHosts();
    const bench = new Bench(hosts.slice(0, 1), plain);
    expect(reached(bench, { stage: 'prod' })).toEqual(new Set([hosts[0]]));
    bench.update(hosts);
    expect(reached(bench, { stage: 'prod' })).toEqual(new Set(hosts.slice(0, 2)));
    bench.update(hosts.slice(2));
    expect(reached(bench, { stage: 'prod' })).toEqual(new Set([null]));
    expect(bench.stats.counter('lb_subsets_removed').value).toBe(3);
  });

  it('has a panic of its own', () => {
    const hosts = hostsOf(
      withMetadata({ stage: 'prod', version: '1' }, { health: 'UNHEALTHY' }),
      withMetadata({ stage: 'dev', version: '1' }),
    );
    expect(reached(new Bench(hosts, plain), { stage: 'prod' })).toEqual(new Set([hosts[0]]));
  });

  it('takes every value of a list, where it is told to', () => {
    const hosts = hostsOf(withMetadata({ stage: ['prod', 'dev'] }), withMetadata({ stage: 'dev' }));
    const bench = new Bench(hosts, { ...plain, listAsAny: true });
    expect(reached(bench, { stage: 'prod' })).toEqual(new Set([hosts[0]]));
    expect(reached(bench, { stage: 'dev' })).toEqual(new Set(hosts));
    expect(reached(new Bench(hosts, plain), { stage: 'prod' })).toEqual(new Set([null]));
  });

  it('of a single host is its last one, whatever its health', () => {
    const hosts = hostsOf(withMetadata({ stage: 'a' }), withMetadata({ stage: 'a' }, { health: 'UNHEALTHY' }));
    const bench = new Bench(hosts, { ...plain, selectors: [selector(['stage'], { singleHost: true })] });
    expect(reached(bench, { stage: 'a' })).toEqual(new Set([hosts[1]]));
    expect(bench.stats.gauge('lb_subsets_single_host_per_subset_duplicate').value).toBe(1);
  });
});

describe('what finds no subset', () => {
  it('goes to anybody, or to the default subset', () => {
    const hosts = threeHosts();
    expect(reached(new Bench(hosts, { ...plain, fallback: 'any' }), null)).toEqual(new Set(hosts));
    const bench = new Bench(hosts, { ...plain, fallback: 'default', defaultSubset: { stage: 'dev' } });
    expect(reached(bench, { stage: 'none' })).toEqual(new Set([hosts[2]]));
    expect(bench.stats.counter('lb_subsets_fallback').value).toBe(30);
  });

  it('goes to anybody where the default subset is empty and panic allows it', () => {
    const hosts = threeHosts();
    const change = { fallback: 'default', defaultSubset: { stage: 'none' }, panicModeAny: true } as const;
    const bench = new Bench(hosts, { ...plain, ...change });
    expect(reached(bench, null)).toEqual(new Set(hosts));
    expect(bench.stats.counter('lb_subsets_fallback_panic').value).toBe(30);
  });

  it('goes where its selector says', () => {
    const hosts = threeHosts();
    const withFallback = (change: Partial<SubsetSelectorData>): Bench =>
      new Bench(hosts, {
        ...plain,
        fallback: 'any',
        defaultSubset: { stage: 'dev' },
        selectors: [selector(['stage']), selector(['stage', 'version'], change)],
      });
    const wanted = { stage: 'prod', version: '9' };
    expect(reached(withFallback({ fallback: 'none' }), wanted)).toEqual(new Set([null]));
    expect(reached(withFallback({ fallback: 'any' }), wanted)).toEqual(new Set(hosts));
    expect(reached(withFallback({ fallback: 'default' }), wanted)).toEqual(new Set([hosts[2]]));
    const keys = withFallback({ fallback: 'keys', fallbackKeys: ['stage'] });
    expect(reached(keys, wanted)).toEqual(new Set(hosts.slice(0, 2)));
  });

  it('tries the other criteria that it names', () => {
    const hosts = threeHosts();
    const bench = new Bench(hosts, { ...plain, fallbackList: true });
    const wanted = { stage: 'prod', fallback_list: [{ version: '7' }, { version: '2' }] };
    expect(reached(bench, wanted)).toEqual(new Set([hosts[1]]));
    expect(reached(bench, { stage: 'dev', fallback_list: [] })).toEqual(new Set([hosts[2]]));
    expect(reached(bench, { stage: 'dev', fallback_list: [{ version: '7' }] })).toEqual(new Set([null]));
  });
});

describe('localities', () => {
  const near = { region: 'r', zone: 'near', subZone: '' };
  const far = { region: 'r', zone: 'far', subZone: '' };
  const share = (change: Partial<SubsetLbData>): number => {
    const hosts = hostsOf(
      withMetadata({ stage: 'prod' }, { locality: near, localityWeight: 30 }),
      withMetadata({ stage: 'dev' }, { locality: near, localityWeight: 30 }),
      withMetadata({ stage: 'dev' }, { locality: near, localityWeight: 30 }),
      withMetadata({ stage: 'prod' }, { locality: far, localityWeight: 10 }),
    );
    const inner = { ...plain.inner, localityWeighted: true };
    const bench = new Bench(hosts, { ...plain, inner, ...change });
    const metadataMatch = new MetadataCriteria({ stage: 'prod' });
    const picks = Array.from({ length: 400 }, () => bench.balancer.pick({ ...anyHost, metadataMatch }));
    return picks.filter((host) => host === hosts[0]).length / 400;
  };

  it('weigh nothing, what they weigh, or as much as is left of them', () => {
    expect(share({})).toBeCloseTo(0.5, 1);
    expect(share({ localityWeightAware: true })).toBeCloseTo(0.75, 1);
    expect(share({ localityWeightAware: true, scaleLocalityWeight: true })).toBeCloseTo(0.5, 1);
  });
});
