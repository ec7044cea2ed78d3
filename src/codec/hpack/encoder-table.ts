import { entryOverhead } from './decoder-table.ts';
import { chainCount, type EncoderName } from './encoder-name.ts';

const slotsAtFirst = 16;

/** Entries looked at before a value counts as not in the table: one name with many values must not cost a scan. */
const stepsMax = 24;

/** Additions to a chain, none of them used again, after which its names are not added for a while. */
const wastedMax = 16;
/** How long that is, and how many are tried after it. */
const skippedMax = 200;
const retries = 4;

/** Entries are numbered in the order of their coming. Between blocks, from this number on, they are numbered anew. */
export const numberMax = 2 ** 30;

/**
 * The dynamic table of the writing side. Entries lie in a ring and are numbered from 1 on; those of one name are in one
 * chain from the newest to the oldest. A chain ends at the first number that is evicted, so that eviction touches none.
 */
export class EncoderTable {
  bytes: number;
  bytesMax: number;
  newest: number;
  /** The newest number that is no more in the table. */
  evicted: number;
  private names: (EncoderName | null)[];
  private values: string[];
  /** By slot: the number before it in its chain. */
  private before: Int32Array;
  private mask: number;
  private readonly chains: Int32Array;
  /** By chain: additions since one was used. */
  private readonly wasted: Uint8Array;
  /** Of the last `find`: an entry with the name, whatever its value; 0: none. */
  nameNumber: number;

  constructor(bytesMax: number) {
    this.bytes = 0;
    this.bytesMax = bytesMax;
    this.newest = 0;
    this.evicted = 0;
    this.names = Array.from<null>({ length: slotsAtFirst }).fill(null);
    this.values = Array.from({ length: slotsAtFirst }, () => '');
    this.before = new Int32Array(slotsAtFirst);
    this.mask = slotsAtFirst - 1;
    this.chains = new Int32Array(chainCount);
    this.wasted = new Uint8Array(chainCount);
    this.nameNumber = 0;
  }

  /** The number of the field; 0: it is not there, and then `nameNumber` is an entry that has its name. */
  find(name: EncoderName, value: string): number {
    const { names, values, before, mask, evicted } = this;
    let number = this.chains[name.chain];
    this.nameNumber = 0;
    for (let steps = 0; number > evicted && steps < stepsMax; steps++) {
      const slot = number & mask;
      if (names[slot] === name) {
        if (values[slot] === value) {
          this.wasted[name.chain] = 0;
          return number;
        }
        if (this.nameNumber === 0) this.nameNumber = number;
      }
      number = before[slot];
    }
    return 0;
  }

  /** Only the name; 0: not there. */
  findName(name: EncoderName): number {
    const { names, before, mask, evicted } = this;
    let number = this.chains[name.chain];
    for (let steps = 0; number > evicted && steps < stepsMax; steps++) {
      const slot = number & mask;
      if (names[slot] === name) return number;
      number = before[slot];
    }
    return 0;
  }

  /** Whether adding the field is worth the room: it is no giant, and others of its name were used. */
  isWorthAdding(name: EncoderName, value: string): boolean {
    // nghttp2's measure of a giant.
    if ((name.name.length + value.length + entryOverhead) * 4 > this.bytesMax * 3) return false;
    const wasted = ++this.wasted[name.chain];
    if (wasted <= wastedMax) return true;
    if (wasted > skippedMax) this.wasted[name.chain] = wastedMax - retries;
    return false;
  }

  /** Adds an entry, which fits in an empty table; what no longer fits goes, oldest first. */
  add(name: EncoderName, value: string): void {
    const size = name.name.length + value.length + entryOverhead;
    this.evictTo(this.bytesMax - size);
    if (this.newest - this.evicted > this.mask) this.grow();
    const number = ++this.newest;
    const slot = number & this.mask;
    this.names[slot] = name;
    this.values[slot] = value;
    this.before[slot] = this.chains[name.chain];
    this.chains[name.chain] = number;
    this.bytes += size;
  }

  resize(bytesMax: number): void {
    this.bytesMax = bytesMax;
    this.evictTo(bytesMax);
  }

  private evictTo(bytesMax: number): void {
    while (this.bytes > bytesMax && this.evicted < this.newest) {
      const slot = ++this.evicted & this.mask;
      this.bytes -= this.names[slot]!.name.length + this.values[slot].length + entryOverhead;
      this.names[slot] = null;
      this.values[slot] = '';
    }
  }

  /** Doubles the ring: it is full. */
  private grow(): void {
    const { names, values, before, mask } = this;
    const slots = (mask + 1) * 2;
    this.names = Array.from<null>({ length: slots }).fill(null);
    this.values = Array.from({ length: slots }, () => '');
    this.before = new Int32Array(slots);
    this.mask = slots - 1;
    for (let number = this.evicted + 1; number <= this.newest; number++) {
      this.names[number & this.mask] = names[number & mask];
      this.values[number & this.mask] = values[number & mask];
      this.before[number & this.mask] = before[number & mask];
    }
  }

  /** Takes as much off every number as leaves each entry its slot. */
  renumber(): void {
    const off = this.evicted & ~this.mask;
    this.newest -= off;
    this.evicted -= off;
    for (let i = 0; i <= this.mask; i++) this.before[i] = Math.max(0, this.before[i] - off);
    for (let i = 0; i < chainCount; i++) this.chains[i] = Math.max(0, this.chains[i] - off);
  }
}
