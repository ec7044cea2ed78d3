import { hashModulo, type Hash64 } from '../../../core/hash64.ts';
import { xxHash64 } from '../../../core/xx-hash64.ts';
import type { UpstreamHost } from '../../host/host.ts';
import type { MaglevData } from '../lb-data.ts';
import type { HashTable, HashTableBuild } from './hash-table.ts';
import type { WeightedHosts } from './weighted-hosts.ts';

/** Hosts whose permutation is begun in one step. */
const hostsPerStep = 1024;

/** Places looked at in one step. */
const looksPerStep = 65_536;

/** Of the hashes that a permutation's steps come from. */
const skipSeed: Hash64 = { high: 0, low: 1 };

const encoder = new TextEncoder();

class MaglevTable implements HashTable {
  readonly placesMin: number;
  readonly placesMax: number;
  readonly size: number;
  private readonly hosts: readonly UpstreamHost[];
  /** Index of `hosts`, by place. */
  private readonly owners: Int32Array;

  constructor(hosts: readonly UpstreamHost[], owners: Int32Array, places: Uint32Array) {
    this.hosts = hosts;
    this.owners = owners;
    this.size = hosts.length === 0 ? 0 : owners.length;
    this.placesMin = places.reduce((least, count) => Math.min(least, count), this.size);
    this.placesMax = places.reduce((most, count) => Math.max(most, count), 0);
  }

  pick(hash: Hash64, attempt: number): UpstreamHost | null {
    if (this.size === 0) return null;
    const place = hashModulo(attempt === 0 ? hash : elsewhere(hash, attempt), this.size);
    return this.hosts[this.owners[place]];
  }
}

/** Another hash for every host that was refused: all bits turned but those of a small number. */
function elsewhere({ high, low }: Hash64, attempt: number): Hash64 {
  return { high: ~high >>> 0, low: (low ^ -attempt) >>> 0 };
}

/**
 * Hosts take turns, each taking the first free place of its own permutation of all places; one with a smaller share sits
 * turns out. Source: Envoy `maglev_lb.cc`.
 */
export class MaglevBuild implements HashTableBuild {
  private readonly list: WeightedHosts;
  private readonly shareMax: number;
  private readonly tableSize: number;
  private readonly skipMax: number;
  /** Indices of `list`, by key: the table does not depend on the order in which hosts are known. */
  private readonly turns: readonly number[];
  private readonly skips: Float64Array;
  /** The next place of each host's permutation. */
  private readonly places: Float64Array;
  private readonly targets: Float64Array;
  private readonly counts: Uint32Array;
  private readonly owners: Int32Array;
  /** How many hosts have their permutation. */
  private begun: number;
  private filled: number;
  private iteration: number;
  private turn: number;

  constructor(list: WeightedHosts, { tableSize }: MaglevData) {
    const { keys, hosts, shares } = list;
    this.list = list;
    this.shareMax = shares.reduce((most, share) => Math.max(most, share), 0);
    // One host needs no more than one place, as Envoy has it.
    this.tableSize = hosts.length === 1 ? 1 : tableSize;
    this.skipMax = tableSize - 1;
    this.turns = hosts.map((_, i) => i).sort((a, b) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : 0));
    this.skips = new Float64Array(hosts.length);
    this.places = new Float64Array(hosts.length);
    this.targets = new Float64Array(hosts.length);
    this.counts = new Uint32Array(hosts.length);
    this.owners = new Int32Array(this.tableSize).fill(-1);
    this.begun = 0;
    this.filled = hosts.length === 0 ? this.tableSize : 0;
    this.iteration = 1;
    this.turn = 0;
  }

  advance(): boolean {
    if (this.begun < this.list.hosts.length) {
      this.begin(Math.min(this.begun + hostsPerStep, this.list.hosts.length));
      return false;
    }
    let looks = looksPerStep;
    while (this.filled < this.tableSize) {
      if (looks <= 0) return false;
      const host = this.turns[this.turn];
      // As written there: both sides are sums of rounded numbers, which must round alike.
      if (this.iteration * this.list.shares[host] >= this.targets[host]) looks -= this.take(host);
      looks--;
      if (++this.turn === this.turns.length) {
        this.turn = 0;
        this.iteration++;
      }
    }
    return true;
  }

  table(): HashTable {
    return new MaglevTable(this.list.hosts, this.owners, this.counts);
  }

  private begin(end: number): void {
    const { keys } = this.list;
    for (; this.begun < end; this.begun++) {
      const bytes = encoder.encode(keys[this.begun]);
      this.places[this.begun] = hashModulo(xxHash64(bytes), this.tableSize);
      this.skips[this.begun] = hashModulo(xxHash64(bytes, skipSeed), this.skipMax) + 1;
    }
  }

  /** How many places were taken already. */
  private take(host: number): number {
    const { owners, skips, tableSize } = this;
    let looks = 0;
    let place = this.places[host];
    while (owners[place] >= 0) {
      place = (place + skips[host]) % tableSize;
      looks++;
    }
    owners[place] = host;
    this.places[host] = (place + skips[host]) % tableSize;
    this.targets[host] += this.shareMax;
    this.counts[host]++;
    this.filled++;
    return looks;
  }
}
