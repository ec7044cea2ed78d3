import { wildcard } from '../resource-kind.ts';

/** What a request of the incremental protocol says of one type. */
export interface InterestRequest {
  readonly resourceNamesSubscribe: string[];
  readonly resourceNamesUnsubscribe: string[];
  /** Of a stream's first: what is known already. */
  readonly initialResourceVersions: Record<string, string>;
}

/**
 * What we want of one type, what of it we have, and what of that the control plane has been told.
 * What it does is Envoy's `DeltaSubscriptionState`.
 */
export class Interest {
  /** Names that are wanted, all of them by `*` → version that we have; empty: none. */
  private readonly wanted: Map<string, string>;
  /** What has come because we want all → its version. */
  private readonly others: Map<string, string>;
  /** Names that this stream's control plane knows that we want; null: nothing was asked yet. */
  private told: Set<string> | null;
  private readonly added: Set<string>;
  private readonly removed: Set<string>;
  private readonly isOnDemand: boolean;

  /** `isOnDemand`: what all bring is taken, but only names are asked for: a stream's first request takes `*` back at once. */
  constructor(isOnDemand = false) {
    this.isOnDemand = isOnDemand;
    this.wanted = new Map();
    this.others = new Map();
    this.told = null;
    this.added = new Set();
    this.removed = new Set();
  }

  /** Something was asked on this stream. */
  get hasAsked(): boolean {
    return this.told !== null;
  }

  /** There is something to say. */
  get isPending(): boolean {
    return this.told === null ? this.wanted.size > 0 : this.added.size > 0 || this.removed.size > 0;
  }

  change(added: readonly string[], removed: readonly string[]): void {
    for (const name of added) {
      this.wanted.set(name, this.others.get(name) ?? '');
      this.others.delete(name);
      this.removed.delete(name);
      // Told or not: who has left it in between may have forgotten it.
      this.added.add(name);
    }
    for (const name of removed) this.leave(name);
  }

  versionOf(name: string): string {
    return this.wanted.get(name) ?? this.others.get(name) ?? '';
  }

  /** It came; what nobody wants is not remembered. */
  take(name: string, version: string): void {
    if (this.wanted.has(name)) this.wanted.set(name, version);
    else if (this.wanted.has(wildcard)) this.others.set(name, version);
  }

  /** It is gone. */
  drop(name: string): void {
    if (this.wanted.has(name)) this.wanted.set(name, '');
    else this.others.delete(name);
  }

  /** The next request is the first of a stream. */
  restart(): void {
    this.told = null;
  }

  /** What is to be said now, and counts as said. */
  say(): InterestRequest {
    if (this.told === null) return this.sayAnew();
    for (const name of this.added) this.told.add(name);
    for (const name of this.removed) this.told.delete(name);
    const said = {
      resourceNamesSubscribe: [...this.added],
      resourceNamesUnsubscribe: [...this.removed],
      initialResourceVersions: {},
    };
    this.added.clear();
    this.removed.clear();
    return said;
  }

  /** It may be another server, which knows nothing of us. */
  private sayAnew(): InterestRequest {
    const initialResourceVersions: Record<string, string> = {};
    for (const [name, version] of this.wanted) if (version !== '') initialResourceVersions[name] = version;
    for (const [name, version] of this.others) initialResourceVersions[name] = version;
    this.added.clear();
    this.removed.clear();
    const names = [...this.wanted.keys()];
    this.told = new Set(names);
    // No names at all would be all of them.
    if (this.isOnDemand)
      return { resourceNamesSubscribe: names, resourceNamesUnsubscribe: [wildcard], initialResourceVersions };
    // Older servers understand no `*`: no names at all are all of them.
    const isAll = names.length === 1 && names[0] === wildcard;
    return { resourceNamesSubscribe: isAll ? [] : names, resourceNamesUnsubscribe: [], initialResourceVersions };
  }

  private leave(name: string): void {
    const version = this.wanted.get(name);
    this.added.delete(name);
    if (version === undefined) return;
    this.wanted.delete(name);
    if (this.told?.has(name) === true) this.removed.add(name);
    if (name === wildcard) this.others.clear();
    // Among all it may be still: the server will say.
    else if (version !== '' && this.wanted.has(wildcard)) this.others.set(name, version);
  }
}
