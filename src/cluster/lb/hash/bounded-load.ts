import type { Hash64 } from '../../../core/hash64.ts';
import type { UpstreamHost } from '../../host/host.ts';
import type { ClusterLoad } from '../balancer.ts';
import type { HashTable } from './hash-table.ts';
import { MersenneTwister } from './mersenne-twister.ts';
import type { WeightedHosts } from './weighted-hosts.ts';

const drawsCount = 0x1_0000_0000;

/**
 * No host carries more than its share of the cluster's load, times the factor: what would be too much goes to others, in
 * an order that the hash decides. Source: Envoy `thread_aware_lb_impl.cc`, BoundedLoadHashingLoadBalancer.
 */
export class BoundedLoad implements HashTable {
  readonly placesMin: number;
  readonly placesMax: number;
  readonly size: number;
  private readonly table: HashTable;
  private readonly list: WeightedHosts;
  private readonly shares: ReadonlyMap<UpstreamHost, number>;
  /** Percent. */
  private readonly factor: number;
  private readonly load: ClusterLoad;
  /** Indices of the hosts, for shuffling. */
  private readonly order: Uint32Array;

  constructor(table: HashTable, list: WeightedHosts, factor: number, load: ClusterLoad) {
    this.placesMin = table.placesMin;
    this.placesMax = table.placesMax;
    this.size = table.size;
    this.table = table;
    this.list = list;
    this.shares = new Map(list.hosts.map((host, i) => [host, list.shares[i]]));
    this.factor = factor;
    this.load = load;
    this.order = new Uint32Array(list.hosts.length);
  }

  pick(hash: Hash64, attempt: number): UpstreamHost | null {
    const host = this.table.pick(hash, attempt);
    if (host === null) return null;
    const overload = this.overloadOf(host, this.shares.get(host)!);
    return overload <= 1 ? host : this.another(host, overload, hash);
  }

  /** Above 1: it has more than it may. */
  private overloadOf(host: UpstreamHost, share: number): number {
    const all = Math.floor(((this.load.active + 1) * this.factor + 99) / 100);
    return host.activeRequests / Math.max(1, Math.ceil(all * share));
  }

  private another(first: UpstreamHost, firstOverload: number, hash: Hash64): UpstreamHost {
    const { order, list } = this;
    const { hosts, shares } = list;
    for (let i = 0; i < order.length; i++) order[i] = i;
    const random = new MersenneTwister(hash.low);
    let least = first;
    let leastOverload = firstOverload;
    for (let i = 0; i < order.length; i++) {
      const other = i + drawBelow(random, order.length - i);
      const index = order[other];
      order[other] = order[i];
      order[i] = index;
      const host = hosts[index];
      if (host === first) continue;
      const overload = this.overloadOf(host, shares[index]);
      if (overload <= 1) return host;
      if (overload < leastOverload) {
        least = host;
        leastOverload = overload;
      }
    }
    return least;
  }
}

function drawBelow(random: MersenneTwister, count: number): number {
  const width = Math.floor(drawsCount / count);
  let drawn = count;
  while (drawn >= count) drawn = Math.floor(random.draw() / width);
  return drawn;
}
