/** What a table holds. */
export interface Identified {
  readonly id: number;
}

const slotsMin = 8;

/** A table is made smaller when it has long had this many slots for each stream: streams come in bursts. */
const sparseFactor = 8;
const sparseDeletesMin = 64;

/**
 * Streams by identifier: open addressing, in place.
 *
 * Not a Map: whenever that fills up with deleted entries it moves to a new table, and the old one keeps what it held
 * and a reference to the next. One of them that has got into the old generation keeps alive every table and stream that
 * comes after it, until the next full collection: they are all copied then, which costs more than serving them.
 */
export class StreamTable<S extends Identified> {
  size: number;
  private slots: (S | null)[];
  private mask: number;
  private shift: number;
  /** Streams that have left since the table was last well filled. */
  private sparseDeletes: number;

  constructor() {
    this.size = 0;
    this.slots = empty<S>(slotsMin);
    this.mask = slotsMin - 1;
    this.shift = Math.clz32(slotsMin - 1);
    this.sparseDeletes = 0;
  }

  get(id: number): S | undefined {
    const { slots, mask } = this;
    for (let at = homeOf(id, this.shift); ; at = (at + 1) & mask) {
      const stream = slots[at];
      if (stream === null) return undefined;
      if (stream.id === id) return stream;
    }
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  /** One whose identifier is not there yet. */
  add(stream: S): void {
    if (++this.size * 2 > this.mask) this.resize((this.mask + 1) * 2);
    if (this.size * sparseFactor > this.mask) this.sparseDeletes = 0;
    this.put(stream);
  }

  delete(id: number): void {
    const { slots, mask, shift } = this;
    let at = homeOf(id, shift);
    for (; ; at = (at + 1) & mask) {
      const stream = slots[at];
      if (stream === null) return;
      if (stream.id === id) break;
    }
    // What lies behind moves up, as far as it may: no search must meet a gap before its goal.
    for (let next = (at + 1) & mask; ; next = (next + 1) & mask) {
      const stream = slots[next];
      if (stream === null) break;
      const distance = (next - homeOf(stream.id, shift)) & mask;
      if (distance < ((next - at) & mask)) continue;
      slots[at] = stream;
      at = next;
    }
    slots[at] = null;
    this.size--;
    if (++this.sparseDeletes > sparseDeletesMin + mask * sparseFactor && mask >= slotsMin) this.resize((mask + 1) / 2);
  }

  /** In the order of their identifiers; without those that leave the table meanwhile. */
  *values(): Generator<S, void, undefined> {
    const streams = this.slots.filter((stream) => stream !== null).toSorted((one, other) => one.id - other.id);
    for (const stream of streams) if (this.get(stream.id) === stream) yield stream;
  }

  private put(stream: S): void {
    const { slots, mask } = this;
    let at = homeOf(stream.id, this.shift);
    while (slots[at] !== null) at = (at + 1) & mask;
    slots[at] = stream;
  }

  private resize(count: number): void {
    const { slots } = this;
    this.slots = empty<S>(count);
    this.mask = count - 1;
    this.shift = Math.clz32(count - 1);
    this.sparseDeletes = 0;
    for (const stream of slots) if (stream !== null) this.put(stream);
  }
}

/**
 * Identifiers of one peer are every second number, one after the other. Multiplied by 2^32 over the golden ratio they
 * lie apart, so that hardly any has to move up where one leaves; the upper bits are the slot.
 */
function homeOf(id: number, shift: number): number {
  return Math.imul(id >>> 1, 0x9e3779b1) >>> shift;
}

function empty<S>(count: number): (S | null)[] {
  const slots: (S | null)[] = [];
  for (let i = 0; i < count; i++) slots.push(null);
  return slots;
}
