import type { OpenedResource } from '../resource-kind.ts';
import type { Watch } from './watch.ts';

/** What is for one watch of a response. */
export interface Share {
  readonly set: OpenedResource[];
  readonly removed: string[];
}

/** Everyone who wants resources of one type over a stream, found by name: one change costs what it touches. */
export class Watches {
  private readonly all: Set<Watch>;
  private readonly wildcards: Set<Watch>;
  private readonly byNamespace: Map<string, Set<Watch>>;
  /** Names, and `*` → those who want them. */
  private readonly wanted: Map<string, Set<Watch>>;

  constructor() {
    this.all = new Set();
    this.wildcards = new Set();
    this.byNamespace = new Map();
    this.wanted = new Map();
  }

  get isEmpty(): boolean {
    return this.all.size === 0;
  }

  /** It may have gone since its share was counted out. */
  has(watch: Watch): boolean {
    return this.all.has(watch);
  }

  /** Each name that is asked for, and `*`, once. */
  get names(): Iterable<string> {
    return this.wanted.keys();
  }

  [Symbol.iterator](): Iterator<Watch> {
    return this.all[Symbol.iterator]();
  }

  /** @returns the names that nobody has wanted before */
  add(watch: Watch): readonly string[] {
    this.all.add(watch);
    this.file(watch);
    if (watch.namespace !== '') join(this.byNamespace, watch.namespace, watch);
    return watch.asked.filter((name) => join(this.wanted, name, watch));
  }

  /** @returns the names that nobody wants any more */
  remove(watch: Watch): readonly string[] {
    this.all.delete(watch);
    this.wildcards.delete(watch);
    if (watch.namespace !== '') leave(this.byNamespace, watch.namespace, watch);
    return watch.asked.filter((name) => leave(this.wanted, name, watch));
  }

  /** @returns the names that nobody has wanted before, and those that nobody wants any more */
  rename(watch: Watch, names: readonly string[]): { added: readonly string[]; removed: readonly string[] } {
    const before = new Set(watch.asked);
    watch.names = new Set(names);
    const now = new Set(watch.asked);
    this.file(watch);
    return {
      added: [...now].filter((name) => !before.has(name) && join(this.wanted, name, watch)),
      removed: [...before].filter((name) => !now.has(name) && leave(this.wanted, name, watch)),
    };
  }

  /** Who hears of which part. Those who want all are among them only where there is something at all. */
  shares(set: readonly OpenedResource[], removed: readonly string[]): Map<Watch, Share> {
    const shares = new Map<Watch, Share>();
    const of = (watch: Watch): Share => {
      const known = shares.get(watch);
      if (known !== undefined) return known;
      const share = { set: [], removed: [] };
      shares.set(watch, share);
      return share;
    };
    for (const resource of set) for (const watch of this.of(resource.name)) of(watch).set.push(resource);
    for (const name of removed) for (const watch of this.of(name)) of(watch).removed.push(name);
    return shares;
  }

  /** Those who want all. */
  get unnamed(): readonly Watch[] {
    return [...this.wildcards];
  }

  /** Each who is to hear of it, once. */
  private *of(name: string): Iterable<Watch> {
    yield* this.wildcards;
    for (const watch of this.wanted.get(name) ?? []) if (!watch.isWildcard && watch.namespace === '') yield watch;
    if (this.byNamespace.size === 0) return;
    const slash = name.lastIndexOf('/');
    if (slash >= 0) yield* this.byNamespace.get(name.slice(0, slash)) ?? [];
  }

  private file(watch: Watch): void {
    if (watch.isWildcard) this.wildcards.add(watch);
    else this.wildcards.delete(watch);
  }
}

/** True: the first of this key. */
function join(map: Map<string, Set<Watch>>, key: string, watch: Watch): boolean {
  const known = map.get(key);
  if (known === undefined) map.set(key, new Set([watch]));
  else known.add(watch);
  return known === undefined;
}

/** True: the last of this key. */
function leave(map: Map<string, Set<Watch>>, key: string, watch: Watch): boolean {
  const known = map.get(key);
  if (known === undefined || !known.delete(watch) || known.size > 0) return false;
  map.delete(key);
  return true;
}
