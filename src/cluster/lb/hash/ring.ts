import type { Hash64 } from '../../../core/hash64.ts';
import { xxHash64 } from '../../../core/xx-hash64.ts';
import type { UpstreamHost } from '../../host/host.ts';
import type { RingHashData } from '../lb-data.ts';
import type { HashTable, HashTableBuild } from './hash-table.ts';
import { murmurHash2 } from './murmur-hash.ts';
import { RingOrder } from './ring-order.ts';
import type { WeightedHosts } from './weighted-hosts.ts';

/** Entries hashed at a time. */
const entriesPerStep = 2048;

/** Digits of the largest ring's numbers, and the underscore. */
const suffixMax = 9;

const encoder = new TextEncoder();

/** A ketama ring: a hash belongs to the first entry at or behind it. */
class Ring implements HashTable {
  readonly placesMin: number;
  readonly placesMax: number;
  readonly size: number;
  private readonly hosts: readonly UpstreamHost[];
  private readonly highs: Uint32Array;
  private readonly lows: Uint32Array;
  /** Index of `hosts`. */
  private readonly owners: Uint32Array;

  constructor(hosts: readonly UpstreamHost[], order: RingOrder, size: number, places: readonly number[]) {
    this.hosts = hosts;
    this.highs = order.highs;
    this.lows = order.lows;
    this.owners = order.owners;
    this.size = size;
    this.placesMin = places.reduce((least, count) => Math.min(least, count), size);
    this.placesMax = places.reduce((most, count) => Math.max(most, count), 0);
  }

  pick(hash: Hash64, attempt: number): UpstreamHost | null {
    const { highs, owners } = this;
    const { length } = highs;
    if (length === 0) return null;
    const found = this.firstFrom(hash.high, hash.low);
    // Past the last entry the ring begins anew; a host that was refused gives way to those behind it.
    return this.hosts[owners[((found === length ? 0 : found) + attempt) % length]];
  }

  private firstFrom(high: number, low: number): number {
    const { highs, lows } = this;
    let from = 0;
    let to = highs.length;
    while (from < to) {
      const at = (from + to) >>> 1;
      const isBefore = highs[at] < high || (highs[at] === high && lows[at] < low);
      if (isBefore) from = at + 1;
      else to = at;
    }
    return from;
  }
}

/**
 * Every host has entries in proportion to its share: as many as make the least share a whole number of them.
 * Source: Envoy `ring_hash_lb.cc`, `Ring::Ring`.
 */
export class RingBuild implements HashTableBuild {
  private readonly list: WeightedHosts;
  private readonly scale: number;
  private readonly size: number;
  private readonly usesMurmur: boolean;
  private readonly order: RingOrder;
  /** Entries of each host. */
  private readonly places: number[];
  /** Whose entries are next. */
  private host: number;
  /** Entries there are, and entries there should be. */
  private current: number;
  private target: number;
  private key: Uint8Array;
  private keyLength: number;

  constructor(list: WeightedHosts, { ringSizeMin, ringSizeMax, hashFunction }: RingHashData) {
    const least = list.shares.reduce((all, share) => Math.min(all, share), 1);
    this.list = list;
    this.scale = list.hosts.length === 0 ? 0 : Math.min(Math.ceil(least * ringSizeMin) / least, ringSizeMax);
    this.size = Math.ceil(this.scale);
    this.usesMurmur = hashFunction === 'murmur2';
    // Rounding may add an entry.
    this.order = new RingOrder(this.size + 1);
    this.places = [];
    this.host = -1;
    this.current = 0;
    this.target = 0;
    this.key = new Uint8Array();
    this.keyLength = 0;
  }

  advance(): boolean {
    if (this.host >= this.list.hosts.length) return this.order.sortPiece();
    for (let steps = entriesPerStep; steps > 0; steps--) {
      while (this.current >= this.target) {
        if (++this.host >= this.list.hosts.length) return false;
        this.beginHost();
      }
      this.addEntry();
    }
    return false;
  }

  table(): HashTable {
    return new Ring(this.list.hosts, this.order, this.size, this.places);
  }

  private beginHost(): void {
    const { keys, shares } = this.list;
    const { host } = this;
    this.target += this.scale * shares[host];
    this.places.push(0);
    const name = encoder.encode(`${keys[host]}_`);
    this.key = new Uint8Array(name.length + suffixMax);
    this.key.set(name);
    this.keyLength = name.length;
  }

  private addEntry(): void {
    const { key, host, places } = this;
    const digits = String(places[host]);
    let { keyLength: length } = this;
    for (let i = 0; i < digits.length; i++) key[length++] = digits.charCodeAt(i);
    const hash = this.usesMurmur ? murmurHash2(key.subarray(0, length)) : xxHash64(key, undefined, length);
    this.order.add(hash, host);
    places[host]++;
    this.current++;
  }
}
