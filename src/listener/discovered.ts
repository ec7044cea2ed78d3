/** What one discovered thing is now, and who is made of it. */
interface Entry<Data> {
  /** Null: none has come. */
  data: Data | null;
  readonly users: Set<(data: Data) => void>;
}

/**
 * Parts of configurations that come when they come, by key, in one worker: whoever is made of one hears when it is
 * another. Followers come before what they follow, or after it.
 */
export class Discovered<Data> {
  private readonly entries: Map<string, Entry<Data>>;

  constructor() {
    this.entries = new Map();
  }

  /** Null: none has come. */
  get(key: string): Data | null {
    return this.entries.get(key)?.data ?? null;
  }

  set(key: string, data: Data): void {
    const entry = this.entry(key);
    entry.data = data;
    for (const user of entry.users) user(data);
  }

  /** Nobody is to be made of it any more. Who is keeps what he has. */
  remove(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    entry.data = null;
    if (entry.users.size === 0) this.entries.delete(key);
  }

  /** `user` is told of every other one from here on. @returns what ends that */
  follow(key: string, user: (data: Data) => void): () => void {
    const entry = this.entry(key);
    entry.users.add(user);
    return () => {
      entry.users.delete(user);
      if (entry.users.size === 0 && entry.data === null) this.entries.delete(key);
    };
  }

  private entry(key: string): Entry<Data> {
    let entry = this.entries.get(key);
    if (entry === undefined) {
      entry = { data: null, users: new Set() };
      this.entries.set(key, entry);
    }
    return entry;
  }
}
