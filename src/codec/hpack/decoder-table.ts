/** Octets that an entry counts beyond its name and value (RFC 7541 section 4.1). */
export const entryOverhead = 32;

const slotsAtFirst = 16;

/** The dynamic table of the reading side: a ring of entries, the newest at index 0. */
export class DecoderTable {
  /** Slots; `slotOf` tells which one an entry has. */
  names: string[];
  values: string[];
  traits: Uint8Array;
  /** How many entries there are. */
  length: number;
  bytes: number;
  bytesMax: number;
  /** Counts what was added and how often it was resized: entries of equal counts are the same. */
  changes: number;
  private newest: number;
  private mask: number;

  constructor(bytesMax: number) {
    this.names = Array.from({ length: slotsAtFirst }, () => '');
    this.values = Array.from({ length: slotsAtFirst }, () => '');
    this.traits = new Uint8Array(slotsAtFirst);
    this.length = 0;
    this.bytes = 0;
    this.bytesMax = bytesMax;
    this.changes = 0;
    this.newest = 0;
    this.mask = slotsAtFirst - 1;
  }

  /** Where the entry lies that `age` entries came after; `age` < `length`. */
  slotOf(age: number): number {
    return (this.newest - age) & this.mask;
  }

  /** Adds an entry; what no longer fits goes, oldest first. One that is larger than the table empties it. */
  add(name: string, value: string, traits: number): void {
    const size = name.length + value.length + entryOverhead;
    this.changes++;
    this.evictTo(this.bytesMax - size);
    if (size > this.bytesMax) return;
    if (this.length > this.mask) this.grow();
    const slot = (this.newest + 1) & this.mask;
    this.names[slot] = name;
    this.values[slot] = value;
    this.traits[slot] = traits;
    this.newest = slot;
    this.length++;
    this.bytes += size;
  }

  resize(bytesMax: number): void {
    this.changes++;
    this.bytesMax = bytesMax;
    this.evictTo(bytesMax);
  }

  private evictTo(bytesMax: number): void {
    while (this.length > 0 && this.bytes > bytesMax) {
      const slot = this.slotOf(this.length - 1);
      this.bytes -= this.names[slot].length + this.values[slot].length + entryOverhead;
      this.names[slot] = '';
      this.values[slot] = '';
      this.length--;
    }
  }

  /** Doubles the ring: it is full. */
  private grow(): void {
    const { names, values, traits, length } = this;
    const slots = length * 2;
    const order = names.map((_, i) => this.slotOf(length - 1 - i));
    const rest = Array.from({ length: length }, () => '');
    this.names = [...order.map((slot) => names[slot]), ...rest];
    this.values = [...order.map((slot) => values[slot]), ...rest];
    this.traits = new Uint8Array(slots);
    this.traits.set(order.map((slot) => traits[slot]));
    this.newest = length - 1;
    this.mask = slots - 1;
  }
}
