import type { Hash64 } from '../../../core/hash64.ts';

/** Bits of a digit of the upper halves. */
const digitBits = 11;
const digitCount = 1 << digitBits;

/** Hashes and whose they are, to be sorted by the hashes. */
export class RingOrder {
  highs: Uint32Array;
  lows: Uint32Array;
  owners: Uint32Array;
  private count: number;

  constructor(countMax: number) {
    this.highs = new Uint32Array(countMax);
    this.lows = new Uint32Array(countMax);
    this.owners = new Uint32Array(countMax);
    this.count = 0;
  }

  add({ high, low }: Hash64, owner: number): void {
    const at = this.count++;
    this.highs[at] = high;
    this.lows[at] = low;
    this.owners[at] = owner;
  }

  /** Digit by digit of the upper halves, from the last; equal upper halves are rare and are put right afterwards. */
  sort(): void {
    const { count } = this;
    this.highs = this.highs.slice(0, count);
    this.lows = this.lows.slice(0, count);
    this.owners = this.owners.slice(0, count);
    let order = Uint32Array.from({ length: count }, (_, i) => i);
    for (let shift = 0; shift < 32; shift += digitBits) order = this.sortDigit(order, shift);
    const { highs, lows, owners } = this;
    this.highs = order.map((at) => highs[at]);
    this.lows = order.map((at) => lows[at]);
    this.owners = order.map((at) => owners[at]);
    for (let i = 1; i < count; i++) this.putRight(i);
  }

  private sortDigit(order: Uint32Array<ArrayBuffer>, shift: number): Uint32Array<ArrayBuffer> {
    const { highs } = this;
    const places = new Uint32Array(digitCount + 1);
    for (let i = 0; i < order.length; i++) places[((highs[i] >>> shift) & (digitCount - 1)) + 1]++;
    for (let digit = 0; digit < digitCount; digit++) places[digit + 1] += places[digit];
    const sorted = new Uint32Array(order.length);
    for (let i = 0; i < order.length; i++) {
      const entry = order[i];
      sorted[places[(highs[entry] >>> shift) & (digitCount - 1)]++] = entry;
    }
    return sorted;
  }

  private putRight(index: number): void {
    const { highs, lows, owners } = this;
    for (let i = index; i > 0 && highs[i - 1] === highs[i] && lows[i - 1] > lows[i]; i--) {
      [lows[i - 1], lows[i]] = [lows[i], lows[i - 1]];
      [owners[i - 1], owners[i]] = [owners[i], owners[i - 1]];
    }
  }
}
