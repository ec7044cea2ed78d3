/** Characters a regex consumes are bytes: Envoy runs RE2 in Latin-1. */
const size = 256;

/** A set of bytes. */
export class CharSet {
  private readonly bits: Uint8Array;

  constructor(bits: Uint8Array = new Uint8Array(size)) {
    this.bits = bits;
  }

  static of(code: number): CharSet {
    return new CharSet().addRange(code, code);
  }

  addRange(from: number, to: number): this {
    this.bits.fill(1, from, to + 1);
    return this;
  }

  add(other: CharSet): this {
    for (let i = 0; i < size; i++) if (other.bits[i] === 1) this.bits[i] = 1;
    return this;
  }

  has(code: number): boolean {
    return this.bits[code] === 1;
  }

  negate(): CharSet {
    const bits = new Uint8Array(size);
    for (let i = 0; i < size; i++) bits[i] = this.bits[i] === 1 ? 0 : 1;
    return new CharSet(bits);
  }

  /** With the other case of each ASCII letter; RE2 leaves the other bytes alone here. */
  folded(): CharSet {
    const folded = new CharSet(this.bits.slice());
    for (let upper = 65; upper <= 90; upper++) {
      if (this.has(upper) || this.has(upper + 32)) folded.addRange(upper, upper).addRange(upper + 32, upper + 32);
    }
    return folded;
  }

  intersects(other: CharSet): boolean {
    for (let i = 0; i < size; i++) if (this.bits[i] === 1 && other.bits[i] === 1) return true;
    return false;
  }

  union(other: CharSet): CharSet {
    return new CharSet(this.bits.slice()).add(other);
  }

  /** Pairs of first and last code, ascending. */
  ranges(): [number, number][] {
    const found: [number, number][] = [];
    for (let i = 0; i < size; i++) {
      if (this.bits[i] !== 1) continue;
      const from = i;
      while (i + 1 < size && this.bits[i + 1] === 1) i++;
      found.push([from, i]);
    }
    return found;
  }

  /** The only member, or -1. */
  single(): number {
    const ranges = this.ranges();
    return ranges.length === 1 && ranges[0][0] === ranges[0][1] ? ranges[0][0] : -1;
  }
}

/** RE2's Perl classes are ASCII. `\s` has no vertical tab. */
export const digits = new CharSet().addRange(48, 57);
export const words = new CharSet().addRange(48, 57).addRange(65, 90).addRange(95, 95).addRange(97, 122);
export const spaces = new CharSet().addRange(9, 10).addRange(12, 13).addRange(32, 32);

/** `[:name:]`, as RE2 defines them. */
export const posixClasses: ReadonlyMap<string, CharSet> = new Map([
  ['alnum', new CharSet().addRange(48, 57).addRange(65, 90).addRange(97, 122)],
  ['alpha', new CharSet().addRange(65, 90).addRange(97, 122)],
  ['ascii', new CharSet().addRange(0, 127)],
  ['blank', new CharSet().addRange(9, 9).addRange(32, 32)],
  ['cntrl', new CharSet().addRange(0, 31).addRange(127, 127)],
  ['digit', digits],
  ['graph', new CharSet().addRange(33, 126)],
  ['lower', new CharSet().addRange(97, 122)],
  ['print', new CharSet().addRange(32, 126)],
  ['punct', new CharSet().addRange(33, 47).addRange(58, 64).addRange(91, 96).addRange(123, 126)],
  ['space', new CharSet().addRange(9, 13).addRange(32, 32)],
  ['upper', new CharSet().addRange(65, 90)],
  ['word', words],
  ['xdigit', new CharSet().addRange(48, 57).addRange(65, 70).addRange(97, 102)],
]);
