import { describe, expect, it } from 'vitest';
import { xxHash64Text } from '../../../../../src/core/xx-hash64.ts';
import type { Host, PickContext } from '../../../../../src/cluster/cluster.ts';
import type { UpstreamHost } from '../../../../../src/cluster/host/host.ts';
import type { HashLbData } from '../../../../../src/cluster/lb/lb-data.ts';
import { anyHost } from '../../cluster-fixture.ts';
import { Bench, hostsOf } from '../lb-fixture.ts';

const ring: HashLbData = {
  kind: 'ring-hash',
  ringSizeMin: 1024,
  ringSizeMax: 8_388_608,
  hashFunction: 'xx',
  usesHostname: false,
  balanceFactor: 0,
};
const maglev: HashLbData = { kind: 'maglev', tableSize: 65_537, usesHostname: false, balanceFactor: 0 };

const asked = (text: string): PickContext => ({ ...anyHost, hash: xxHash64Text(text) });

function shares(bench: Bench, count: number): Map<Host | null, number> {
  const found = new Map<Host | null, number>();
  for (let i = 0; i < count; i++) {
    const host = bench.balancer.pick(asked(`key-${i}`));
    found.set(host, (found.get(host) ?? 0) + 1);
  }
  return found;
}

describe.each<[string, HashLbData]>([
  ['ring hash', ring],
  ['ring hash by murmur', { ...ring, hashFunction: 'murmur2' }],
  ['maglev', maglev],
])('%s', (_, policy) => {
  it('gives one hash to one host, whoever asks, in whatever order hosts are known', () => {
    const hosts = hostsOf({}, {}, {}, {});
    const [a, b] = [new Bench(hosts, policy, {}, 1), new Bench(hosts.toReversed(), policy, {}, 2)];
    for (let i = 0; i < 100; i++) {
      const context = asked(String(i));
      expect(b.balancer.pick(context)).toBe(a.balancer.pick(context));
    }
  });

  it('keeps the shares near what the weights say', () => {
    const hosts = hostsOf({ weight: 1 }, { weight: 2 }, { weight: 5 });
    const found = shares(new Bench(hosts, policy), 16_000);
    // A ring of some thousand entries is uneven by some percent; five deviations of the draw are two.
    for (const [i, share] of [1 / 8, 2 / 8, 5 / 8].entries())
      expect(Math.abs(found.get(hosts[i])! / 16_000 - share)).toBeLessThan(0.06);
  });

  it('moves few when a host leaves', () => {
    const hosts = hostsOf({}, {}, {}, {}, {});
    const before = new Bench(hosts, policy);
    const after = new Bench(hosts.slice(0, 4), policy);
    let moved = 0;
    for (let i = 0; i < 5000; i++) {
      const context = asked(String(i));
      const host = before.balancer.pick(context);
      if (host !== hosts[4] && after.balancer.pick(context) !== host) moved++;
    }
    // The fewer hosts, the more entries each has on a ring: what moves is a tenth, not three quarters as by remainder.
    expect(moved).toBeLessThan(700);
  });

  it('chooses at random where there is nothing to hash', () => {
    const hosts = hostsOf({}, {}, {});
    const bench = new Bench(hosts, policy);
    expect(new Set(Array.from({ length: 200 }, () => bench.balancer.pick(anyHost)))).toEqual(new Set(hosts));
  });

  it('gives another host for one that is refused', () => {
    const hosts = hostsOf({}, {}, {});
    const bench = new Bench(hosts, policy);
    const first = bench.balancer.pick(asked('a'));
    const context = { ...asked('a'), hostSelectionAttempts: 20, rejects: (host: Host) => host === first };
    expect(bench.balancer.pick(context)).not.toBe(first);
  });

  it('passes over ill hosts, unless there are too many of them', () => {
    const some = hostsOf({}, {}, { health: 'UNHEALTHY' });
    expect(shares(new Bench(some, policy), 500).has(some[2])).toBe(false);
    const most = hostsOf({}, { health: 'UNHEALTHY' }, { health: 'UNHEALTHY' });
    const bench = new Bench(most, policy);
    expect(shares(bench, 500).size).toBe(3);
    expect(bench.stats.counter('lb_healthy_panic').value).toBe(500);
  });

  it('finds nobody where there is nobody', () => {
    const bench = new Bench([], policy);
    expect(bench.balancer.pick(asked('a'))).toBeNull();
    bench.update(hostsOf({}));
    bench.settle();
    expect(bench.balancer.pick(asked('a'))).not.toBeNull();
  });

  it('spreads over localities by their weights where it is told to', () => {
    const near = { region: 'r', zone: 'near', subZone: '' };
    const far = { region: 'r', zone: 'far', subZone: '' };
    const hosts = hostsOf({ locality: near, localityWeight: 3 }, { locality: far, localityWeight: 1 });
    const found = shares(new Bench(hosts, policy, { localityWeighted: true }), 8000);
    expect(Math.abs(found.get(hosts[0])! / 8000 - 3 / 4)).toBeLessThan(0.06);
  });

  it('goes by hash_key, then by name, then by address', () => {
    const named = hostsOf({ hostname: 'a' }, { hostname: 'b' });
    const keyed = hostsOf(
      { metadata: { 'envoy.lb': { hash_key: 'a' } } },
      { metadata: { 'envoy.lb': { hash_key: 'b' } } },
    );
    const [a, b] = [new Bench(named, { ...policy, usesHostname: true }), new Bench(keyed, policy)];
    for (let i = 0; i < 50; i++) {
      const context = asked(String(i));
      expect(keyed.indexOf(b.balancer.pick(context) as never)).toBe(named.indexOf(a.balancer.pick(context) as never));
    }
  });

  it('spares a host that has more than its share, and finds its next one by the hash', () => {
    const hosts = hostsOf({}, {}, {});
    const bench = new Bench(hosts, { ...policy, balanceFactor: 120 });
    const first = bench.balancer.pick(asked('a'))!;
    first.activeRequests = 10;
    bench.load.active = 10;
    const second = bench.balancer.pick(asked('a'));
    expect(second).not.toBe(first);
    expect(bench.balancer.pick(asked('a'))).toBe(second);
    for (const host of hosts) host.activeRequests = 10;
    first.activeRequests = 9;
    bench.load.active = 1;
    expect(bench.balancer.pick(asked('a'))).toBe(first);
  });
});

describe('a new list of hosts', () => {
  it('is built in pieces, while the tables before it serve', () => {
    const big: HashLbData = { ...ring, ringSizeMin: 50_000 };
    const hosts = hostsOf({}, {});
    const bench = new Bench(hosts, big);
    const before = bench.balancer.pick(asked('a'));
    bench.update(hostsOf({}, {}, {}));
    expect(bench.balancer.pick(asked('a'))).toBe(before);
    // Of 2048 entries, and four that sort them; the first of all in the update.
    const pieces = Math.ceil(50_001 / 2048) + 4;
    expect(1 + bench.settle()).toBe(pieces);
    expect(bench.stats.gauge('ring_hash_lb.size').value).toBe(50_001);
  });

  it('of many hosts begins their permutations in pieces, too', () => {
    const many = (count: number) => hostsOf(...Array.from({ length: count }, (_, i) => ({ hostname: `host-${i}` })));
    const policy: HashLbData = { ...maglev, tableSize: 5003, usesHostname: true };
    const bench = new Bench(many(3000), policy);
    bench.settle();
    bench.update(many(3001));
    // Of 1024 hosts, the first of the three in the update; then all places.
    expect(bench.settle()).toBe(3);
    const whole = new Bench(many(3001), policy);
    const picks = (one: Bench) =>
      Array.from({ length: 100 }, (_, i) => (one.balancer.pick(asked(String(i))) as UpstreamHost).hostname);
    expect(picks(bench)).toEqual(picks(whole));
  });

  it('of the same hosts leaves the tables alone', () => {
    const hosts = hostsOf({}, {});
    const bench = new Bench(hosts, maglev);
    const before = bench.balancer.pick(asked('a'));
    bench.update(hosts);
    expect(bench.balancer.pick(asked('a'))).toBe(before);
    expect(bench.timers.run(bench.clock.now)).toBeUndefined();
  });
});

describe('sizes', () => {
  it('are told as Envoy tells them', () => {
    const bench = new Bench(hostsOf({}, {}, {}), ring);
    bench.balancer.pick(asked('a'));
    expect(bench.stats.gauge('ring_hash_lb.size').value).toBe(1026);
    expect(bench.stats.gauge('ring_hash_lb.min_hashes_per_host').value).toBe(342);
    expect(bench.stats.gauge('ring_hash_lb.max_hashes_per_host').value).toBe(342);
    const one = new Bench(hostsOf({}), maglev);
    one.balancer.pick(asked('a'));
    expect(one.stats.gauge('maglev_lb.max_entries_per_host').value).toBe(1);
    const table = new Bench(hostsOf({}, {}, {}), { ...maglev, tableSize: 7 });
    table.balancer.pick(asked('a'));
    expect(table.stats.gauge('maglev_lb.min_entries_per_host').value).toBe(2);
    expect(table.stats.gauge('maglev_lb.max_entries_per_host').value).toBe(3);
  });
});
