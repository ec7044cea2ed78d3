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
  /** Of the digit that is sorted next. */
  private shift: number;
  /** Places of entries, by the digits so far. */
  private order: Uint32Array;
  private spare: Uint32Array;

  constructor(countMax: number) {
    this.highs = new Uint32Array(countMax);
    this.lows = new Uint32Array(countMax);
    this.owners = new Uint32Array(countMax);
    this.count = 0;
    this.shift = 0;
    this.order = new Uint32Array(countMax);
    this.spare = new Uint32Array(countMax);
  }

  add({ high, low }: Hash64, owner: number): void {
    const at = this.count++;
    this.highs[at] = high;
    this.lows[at] = low;
    this.owners[at] = owner;
  }

  /**
   * A piece of the work, after the last `add`; true: it is done. Digit by digit of the upper halves, from the last; equal
   * upper halves are rare and are put right at the end.
   */
  sortPiece(): boolean {
    if (this.shift >= 32) {
      this.arrange();
      return true;
    }
    if (this.shift === 0) for (let i = 0; i < this.count; i++) this.order[i] = i;
    this.sortDigit();
    this.shift += digitBits;
    return false;
  }

  private sortDigit(): void {
    const { highs, order, spare, shift, count } = this;
    const places = new Uint32Array(digitCount + 1);
    for (let i = 0; i < count; i++) places[((highs[i] >>> shift) & (digitCount - 1)) + 1]++;
    for (let digit = 0; digit < digitCount; digit++) places[digit + 1] += places[digit];
    for (let i = 0; i < count; i++) {
      const entry = order[i];
      spare[places[(highs[entry] >>> shift) & (digitCount - 1)]++] = entry;
    }
    this.order = spare;
    this.spare = order;
  }

  private arrange(): void {
    const { order, count } = this;
    this.highs = arranged(this.highs, order, count);
    this.lows = arranged(this.lows, order, count);
    this.owners = arranged(this.owners, order, count);
    this.order = new Uint32Array();
    this.spare = this.order;
    for (let i = 1; i < count; i++) this.putRight(i);
  }

  private putRight(index: number): void {
    const { highs, lows, owners } = this;
    for (let i = index; i > 0 && highs[i - 1] === highs[i] && lows[i - 1] > lows[i]; i--) {
      [lows[i - 1], lows[i]] = [lows[i], lows[i - 1]];
      [owners[i - 1], owners[i]] = [owners[i], owners[i - 1]];
    }
  }
}

function arranged(values: Uint32Array, order: Uint32Array, count: number): Uint32Array {
  const result = new Uint32Array(count);
  for (let i = 0; i < count; i++) result[i] = values[order[i]];
  return result;
}
