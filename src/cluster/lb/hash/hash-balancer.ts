import type { Timed } from '../../../core/clock.ts';
import { hashModulo, type Hash64 } from '../../../core/hash64.ts';
import type { Gauge } from '../../../observe/stats/stats.ts';
import type { Host, PickContext, Tier } from '../../cluster.ts';
import type { HostSet } from '../../host/host-set.ts';
import type { Balancer, BalancerParts } from '../balancer.ts';
import type { HashLbData, LbData } from '../lb-data.ts';
import { priorityAt, priorityLoads, type PriorityLoads } from '../priority.ts';
import type { RandomSource } from '../random-source.ts';
import { BoundedLoad } from './bounded-load.ts';
import type { HashTable, HashTableBuild } from './hash-table.ts';
import { MaglevBuild } from './maglev.ts';
import { RingBuild } from './ring.ts';
import { weighAlike, weighHosts, type WeightedHosts } from './weighted-hosts.ts';

/** Timers take no less. */
const betweenPiecesMs = 1;

/** The table of one priority, and what it was made of. */
interface Built {
  readonly list: WeightedHosts;
  readonly table: HashTable;
}

/** Tables of a new list of hosts in the making; those of the list before serve meanwhile. */
interface Building {
  readonly loads: PriorityLoads;
  readonly lists: readonly WeightedHosts[];
  /** By priority; shorter than `lists` until all are made. */
  readonly built: Built[];
  current: HashTableBuild | null;
}

/** `ring_hash` and `maglev`: one hash chooses the priority and the host. Source: Envoy `thread_aware_lb_impl.cc`. */
export class HashBalancer implements Balancer, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly parts: BalancerParts;
  private readonly policy: HashLbData;
  private readonly sizes: TableSizes;
  private lb: LbData;
  private loads: PriorityLoads;
  private built: readonly Built[];
  private building: Building | null;

  constructor(sets: readonly HostSet[], lb: LbData, policy: HashLbData, parts: BalancerParts) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.parts = parts;
    this.policy = policy;
    this.sizes = new TableSizes(policy.kind, parts);
    this.lb = lb;
    this.loads = priorityLoads(sets, lb);
    this.built = [];
    this.building = this.begin(sets);
    this.tick();
  }

  update(sets: readonly HostSet[], lb = this.lb): void {
    this.lb = lb;
    this.building = this.begin(sets);
    this.tick();
  }

  stop(): void {
    this.building = null;
    this.parts.timers.cancel(this);
  }

  tick(): void {
    if (this.building === null) return;
    this.advance(this.building);
    // Later than now: what is due now is ticked in this turn of the loop, and the next turn serves whoever waits.
    if (this.building !== null) this.parts.timers.schedule(this, this.parts.clock.now + betweenPiecesMs);
  }

  pick(context: PickContext, tier?: Tier): Host | null {
    const hash = context.hash ?? randomHash(this.parts.random);
    // There is nothing yet that could serve meanwhile.
    while (this.built.length === 0 && this.building !== null) this.advance(this.building);
    const { loads, built } = this;
    const chosen = tier === undefined ? priorityAt(loads, hashModulo(hash, 100) + 1) : tier.priority;
    const priority = chosen % built.length;
    if (loads.panic[priority]) this.parts.panics.inc();
    const { table } = built[priority];
    for (let attempt = 0; attempt < context.hostSelectionAttempts; attempt++) {
      const host = table.pick(hash, attempt);
      if (host === null || !context.rejects(host)) return host;
    }
    return table.pick(hash, context.hostSelectionAttempts);
  }

  private begin(sets: readonly HostSet[]): Building {
    const { lb, policy } = this;
    const loads = priorityLoads(sets, lb);
    const lists = sets.map((set, i) => weighHosts(set, loads.panic[i], lb.localityWeighted, policy.usesHostname));
    return { loads, lists, built: [], current: null };
  }

  /** A piece of the work; at its end the new tables are in force. */
  private advance(building: Building): void {
    const { lists, built } = building;
    const priority = built.length;
    const before = this.built.at(priority);
    if (before !== undefined && building.current === null && weighAlike(before.list, lists[priority]))
      built.push(before);
    else {
      building.current ??= this.makeBuild(lists[priority]);
      if (!building.current.advance()) return;
      built.push({ list: lists[priority], table: this.bounded(building.current.table(), lists[priority]) });
      building.current = null;
    }
    if (built.length < lists.length) return;
    this.loads = building.loads;
    this.built = built;
    this.building = null;
    this.sizes.tell(built[built.length - 1].table);
  }

  private makeBuild(list: WeightedHosts): HashTableBuild {
    return this.policy.kind === 'maglev' ? new MaglevBuild(list, this.policy) : new RingBuild(list, this.policy);
  }

  private bounded(table: HashTable, list: WeightedHosts): HashTable {
    const { balanceFactor } = this.policy;
    return balanceFactor === 0 ? table : new BoundedLoad(table, list, balanceFactor, this.parts.load);
  }
}

/** Envoy's gauges: of the table that was built last, the same in every worker. */
class TableSizes {
  private readonly min: Gauge;
  private readonly max: Gauge;
  /** Of rings. */
  private readonly size: Gauge | null;

  constructor(kind: HashLbData['kind'], { scope }: BalancerParts) {
    const isRing = kind === 'ring-hash';
    const inside = scope.scope(isRing ? 'ring_hash_lb' : 'maglev_lb');
    this.min = inside.gauge(isRing ? 'min_hashes_per_host' : 'min_entries_per_host', 'max');
    this.max = inside.gauge(isRing ? 'max_hashes_per_host' : 'max_entries_per_host', 'max');
    this.size = isRing ? inside.gauge('size', 'max') : null;
  }

  tell({ size, placesMin, placesMax }: HashTable): void {
    // Envoy leaves what was, where there is nobody.
    if (size === 0) return;
    this.min.set(placesMin);
    this.max.set(placesMax);
    this.size?.set(size);
  }
}

function randomHash(random: RandomSource): Hash64 {
  return { high: Math.floor(random() * 0x1_0000_0000), low: Math.floor(random() * 0x1_0000_0000) };
}
