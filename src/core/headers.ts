/**
 * Header fields in wire order. Names are lower-case; values are latin1 strings without surrounding white space.
 * Two parallel arrays: a scan over ten short arrays beats any map, and the order and the repeats survive.
 * Most lookups are for fields that are not there, and the lengths of those that are tell it without a scan: names come
 * in through `add` alone.
 */
export class Headers {
  readonly names: string[];
  readonly values: string[];
  /** The names as the peer spelled them, kept only where a codec was asked to (`preserve_case`); same length as `names`. */
  rawNames: string[] | null;
  /** Names of fields that no HPACK or QPACK table may learn (RFC 7541 section 7.1.3); null: none, as nearly always. */
  neverIndexed: string[] | null;
  /** A bit for each length of a name, modulo 32, that there is or was. */
  private lengths: number;

  constructor() {
    this.names = [];
    this.values = [];
    this.rawNames = null;
    this.neverIndexed = null;
    this.lengths = 0;
  }

  static of(...pairs: readonly (readonly [string, string])[]): Headers {
    const headers = new Headers();
    for (const [name, value] of pairs) headers.add(name, value);
    return headers;
  }

  get length(): number {
    return this.names.length;
  }

  /** Appends a field. `name` must be lower-case already. */
  add(name: string, value: string): void {
    this.lengths |= 1 << name.length;
    this.names.push(name);
    this.values.push(value);
    if (this.rawNames !== null) this.rawNames.push(name);
  }

  indexOf(name: string, from = 0): number {
    if ((this.lengths & (1 << name.length)) === 0) return -1;
    const names = this.names;
    for (let i = from; i < names.length; i++) if (names[i] === name) return i;
    return -1;
  }

  has(name: string): boolean {
    return this.indexOf(name) >= 0;
  }

  /** The first value of `name`. */
  get(name: string): string | undefined {
    const i = this.indexOf(name);
    return i < 0 ? undefined : this.values[i];
  }

  /** Every value of `name`, in wire order. Allocates: not for the hot path. */
  getAll(name: string): string[] {
    const found: string[] = [];
    for (let i = 0; i < this.names.length; i++) if (this.names[i] === name) found.push(this.values[i]);
    return found;
  }

  /** Leaves exactly one field `name`, at the place of the first one. */
  set(name: string, value: string): void {
    const i = this.indexOf(name);
    if (i < 0) {
      this.add(name, value);
      return;
    }
    this.values[i] = value;
    const next = this.indexOf(name, i + 1);
    if (next >= 0) this.removeFrom(name, next);
  }

  /** Removes every field `name`; true if there was one. */
  remove(name: string): boolean {
    const i = this.indexOf(name);
    if (i < 0) return false;
    this.removeFrom(name, i);
    return true;
  }

  removeAt(index: number): void {
    this.names.splice(index, 1);
    this.values.splice(index, 1);
    if (this.rawNames !== null) this.rawNames.splice(index, 1);
  }

  clone(): Headers {
    const copy = new Headers();
    for (let i = 0; i < this.names.length; i++) {
      copy.add(this.names[i], this.values[i]);
    }
    if (this.rawNames !== null) copy.rawNames = this.rawNames.slice();
    if (this.neverIndexed !== null) copy.neverIndexed = this.neverIndexed.slice();
    return copy;
  }

  /** Leaves the first `length` fields. V8 calls out of compiled code where an array's length is assigned. */
  cut(length: number): void {
    const { names, values, rawNames } = this;
    while (names.length > length) {
      names.pop();
      values.pop();
    }
    if (rawNames !== null) rawNames.length = length;
  }

  private removeFrom(name: string, from: number): void {
    const { names, values, rawNames } = this;
    let kept = from;
    for (let i = from; i < names.length; i++) {
      if (names[i] === name) continue;
      names[kept] = names[i]!;
      values[kept] = values[i]!;
      if (rawNames !== null) rawNames[kept] = rawNames[i]!;
      kept++;
    }
    this.cut(kept);
  }
}
