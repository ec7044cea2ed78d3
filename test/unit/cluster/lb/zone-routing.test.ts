import { describe, expect, it } from 'vitest';
import { emptyLocality, type LocalityData } from '../../../../src/cluster/cluster-data.ts';
import { HostSet } from '../../../../src/cluster/host/host-set.ts';
import type { LbPolicyData } from '../../../../src/cluster/lb/lb-data.ts';
import { defaultZone, type ZoneData } from '../../../../src/cluster/lb/zone/zone-data.ts';
import type { LocalZone } from '../../../../src/cluster/lb/zone/zone-routing.ts';
import { anyHost } from '../cluster-fixture.ts';
import { RecordingStats } from '../recording-stats.ts';
import { Bench, hostsOf, type HostChange } from './lb-fixture.ts';

const place = (zone: string): LocalityData => ({ ...emptyLocality, zone });
/** A host in each of these zones, one letter each. */
const inZones = (zones: string): HostChange[] => Array.from(zones, (zone) => ({ locality: place(zone) }));

class Zones {
  readonly stats = new RecordingStats();
  readonly bench: Bench;
  peers: HostSet;

  constructor(upstream: readonly HostChange[], peers: readonly HostChange[], zone: Partial<ZoneData> = {}, more = {}) {
    this.peers = new HostSet(hostsOf(...peers));
    const counter = (name: string) => this.stats.counter(name);
    const own: LocalZone = {
      locality: place('a'),
      hosts: () => this.peers,
      counters: {
        recalculated: counter('recalculated'),
        localClusterNotOk: counter('notOk'),
        clusterTooSmall: counter('tooSmall'),
        allDirectly: counter('direct'),
        sampled: counter('sampled'),
        crossZone: counter('cross'),
        noCapacityLeft: counter('none'),
      },
    };
    const policy: LbPolicyData = { kind: 'random' };
    const lb = { zone: { ...defaultZone, clusterSizeMin: 1, ...zone }, ...more };
    this.bench = new Bench(hostsOf(...upstream), policy, lb, 7, own);
  }

  /** How many of so many picks go to each zone. */
  picked(count = 20_000): Record<string, number> {
    const found: Record<string, number> = {};
    for (let i = 0; i < count; i++) {
      const zone = this.bench.balancer.pick(anyHost)?.zone ?? 'nobody';
      found[zone] = (found[zone] ?? 0) + 1;
    }
    return found;
  }

  counted(): Record<string, number> {
    return this.stats.read('');
  }
}

/** Four standard deviations of a share of so many picks: one run in 16 000 is beyond it by chance. */
function bound(share: number, count = 20_000): number {
  return 4 * Math.sqrt(count * share * (1 - share));
}

describe('zone-aware routing', () => {
  it('keeps in its zone what the zone can take', () => {
    const zones = new Zones(inZones('aabb'), inZones('abb'));
    expect(zones.picked(100)).toEqual({ a: 100 });
    expect(zones.counted()).toMatchObject({ direct: 100, recalculated: 1 });
  });

  it('sends elsewhere what its zone cannot take, by what is left there', () => {
    // Here are 60 % of the peers and 20 % of the hosts; b has 20 points left, c as many.
    const zones = new Zones(inZones('abbcc'), inZones('aaabc'));
    const found = zones.picked();
    const here = 1 / 3;
    expect(Math.abs(found.a - 20_000 * here)).toBeLessThan(bound(here));
    expect(Math.abs(found.b - 20_000 * here)).toBeLessThan(bound(here));
    const { sampled, cross } = zones.counted();
    expect(sampled + cross).toBe(20_000);
    expect(sampled).toBe(found.a);
  });

  it('gives each zone what its peers leave over, in proportion', () => {
    // Of the rest of the hosts' shares (b 2 500, c 5 000, d 2 500) less the peers' (b 0, c 0, d 2 500).
    const found = new Zones(inZones('bccd'), inZones('aaad')).picked();
    expect(found.a).toBeUndefined();
    expect(found.d).toBeUndefined();
    expect(Math.abs(found.b - 20_000 / 3)).toBeLessThan(bound(1 / 3));
  });

  it('counts weights where it is told to', () => {
    const weights = [3, 1, 1, 1].map((weight, i) => ({ weight, locality: place('abbb'[i]) }));
    expect(new Zones(weights, inZones('ab'), { basis: 'weight' }).picked(50)).toEqual({ a: 50 });
    expect(Object.keys(new Zones(weights, inZones('ab')).picked(500)).sort()).toEqual(['a', 'b']);
  });

  it('may be forced to stay, with enough hosts', () => {
    const crowded = inZones('abbbbb');
    expect(new Zones(crowded, inZones('aab'), { forcedSizeMin: 1 }).picked(50)).toEqual({ a: 50 });
    expect(Object.keys(new Zones(crowded, inZones('aab'), { forcedSizeMin: 2 }).picked(500))).toHaveLength(2);
    expect(new Zones(crowded, inZones('a'), { forcedSizeMin: 1 }).picked(50)).toEqual({ a: 50 });
  });

  it.each([
    ['one zone upstream', 'bb', 'ab', {}, {}],
    ['all peers in one zone', 'ab', 'aa', {}, {}],
    ['no peer here', 'ab', 'bc', {}, { notOk: 1 }],
    ['too few hosts', 'ab', 'ab', { clusterSizeMin: 3 }, { tooSmall: 1 }],
    ['switched off', 'ab', 'ab', { routingEnabled: 0 }, {}],
  ])('does not look at zones: %s', (_, upstream, peers, zone, counted) => {
    const zones = new Zones(inZones(upstream), inZones(peers), zone);
    expect(Object.keys(zones.picked(500))).toHaveLength(new Set(upstream).size);
    expect(zones.counted()).toMatchObject(counted);
    expect(zones.counted().direct ?? 0).toBe(0);
  });

  it('is a part of the requests', () => {
    const { a } = new Zones(inZones('ab'), inZones('ab'), { routingEnabled: 40 }).picked();
    expect(Math.abs(a - 20_000 * 0.7)).toBeLessThan(bound(0.7));
  });

  it('trusts no peers that are ill', () => {
    const ill = inZones('ab').map((peer) => ({ ...peer, health: 'UNHEALTHY' as const }));
    const zones = new Zones(inZones('ab'), ill);
    expect(Object.keys(zones.picked(500))).toHaveLength(2);
    expect(zones.counted().notOk).toBe(500);
    expect(new Zones(inZones('ab'), ill, {}, { failTrafficOnPanic: true }).picked(5)).toEqual({ nobody: 5 });
  });

  it('follows its peers', () => {
    const zones = new Zones(inZones('ab'), inZones('aa'));
    zones.peers = new HostSet(hostsOf(...inZones('ab')));
    zones.bench.update(hostsOf(...inZones('ab')));
    expect(zones.picked(50)).toEqual({ a: 50 });
  });

  it('has nobody where its zone has only ill hosts and the others no room', () => {
    const upstream = [...inZones('bb'), { locality: place('a'), health: 'UNHEALTHY' as const }];
    const zones = new Zones(upstream, inZones('ab'));
    expect(zones.picked(50)).toEqual({ b: 50 });
  });
});
