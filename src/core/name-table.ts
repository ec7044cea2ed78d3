/** Bound of the memory of names that nobody announced: they come from peers. */
const learnedMax = 1024;

class Entry<T> {
  readonly name: string;
  readonly value: T;
  /** What followed it last. */
  next: Entry<T>;

  constructor(name: string, value: T, next: Entry<T> | null) {
    this.name = name;
    this.value = value;
    this.next = next ?? this;
  }
}

/**
 * What belongs to each field name, asked for one field after the other. Peers send their fields in the same order again
 * and again, so each name is first compared with the one that followed the name before; the hash is for the others.
 */
// hot: bench/request-path.ts
export class NameTable<T> {
  private readonly entries: Map<string, Entry<T>>;
  private readonly make: (name: string) => T;
  /** Before the first field. */
  private readonly start: Entry<T>;
  private last: Entry<T>;
  private learned: number;

  /** `make`: what belongs to a name that is not among `known`; for the same name always the same. */
  constructor(known: Iterable<readonly [string, T]>, make: (name: string) => T) {
    this.entries = new Map();
    this.make = make;
    this.start = new Entry('', make(''), null);
    this.last = this.start;
    this.learned = 0;
    for (const [name, value] of known) this.entries.set(name, new Entry(name, value, this.start));
  }

  /** The names of another section follow. */
  begin(): void {
    this.last = this.start;
  }

  get(name: string): T {
    const { last } = this;
    let entry = last.next;
    if (entry.name !== name) {
      entry = this.entries.get(name) ?? this.learn(name);
      last.next = entry;
    }
    this.last = entry;
    return entry.value;
  }

  private learn(name: string): Entry<T> {
    const entry = new Entry(name, this.make(name), this.start);
    if (this.learned < learnedMax) {
      this.learned++;
      this.entries.set(name, entry);
    }
    return entry;
  }
}
