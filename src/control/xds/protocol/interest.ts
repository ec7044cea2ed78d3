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
 * Source: Envoy `DeltaSubscriptionState`.
 */
export class Interest {
  /** Wanted by name → version that we have; empty: none. */
  private readonly requested: Map<string, string>;
  /** What has come because we want all → its version. */
  private readonly others: Map<string, string>;
  private readonly added: Set<string>;
  private readonly removed: Set<string>;
  /** No name was ever wanted: a stream's first request then has none, which says that we want all. */
  private isLegacyWildcard: boolean;
  private hasAsked: boolean;

  constructor() {
    this.requested = new Map();
    this.others = new Map();
    this.added = new Set();
    this.removed = new Set();
    this.isLegacyWildcard = true;
    this.hasAsked = false;
  }

  /** Other names are wanted than the control plane knows of. */
  get hasChanged(): boolean {
    return this.added.size > 0 || this.removed.size > 0;
  }

  /** There is something to say. */
  get isPending(): boolean {
    if (this.hasChanged) return true;
    return !this.hasAsked && (this.requested.size > 0 || this.isLegacyWildcard);
  }

  change(added: readonly string[], removed: readonly string[]): void {
    for (const name of added) {
      if (name !== wildcard) this.isLegacyWildcard = false;
      this.requested.set(name, this.others.get(name) ?? '');
      this.others.delete(name);
      this.removed.delete(name);
      this.added.add(name);
    }
    for (const name of removed) {
      const version = this.requested.get(name);
      this.added.delete(name);
      if (version === undefined) continue;
      this.requested.delete(name);
      this.removed.add(name);
      this.isLegacyWildcard = false;
      // Among all it may be still: the server will say.
      if (version !== '' && this.requested.has(wildcard)) this.others.set(name, version);
      if (name === wildcard) this.others.clear();
    }
  }

  /** All are wanted, besides what is wanted by name. */
  wantAll(): void {
    if (!this.isLegacyWildcard && !this.requested.has(wildcard)) this.change([wildcard], []);
  }

  versionOf(name: string): string {
    return this.requested.get(name) ?? this.others.get(name) ?? '';
  }

  /** It came. @returns whether anybody may want it */
  take(name: string, version: string): boolean {
    if (this.requested.has(name)) this.requested.set(name, version);
    else if (this.requested.has(wildcard) || this.isLegacyWildcard) this.others.set(name, version);
    else return false;
    return true;
  }

  /** It is gone. */
  drop(name: string): void {
    if (this.requested.has(name)) this.requested.set(name, '');
    else this.others.delete(name);
  }

  /** The next request is the first of a stream. */
  restart(): void {
    this.hasAsked = false;
    this.removed.clear();
  }

  /** What is to be said now, and counts as said. */
  say(): InterestRequest {
    const initialResourceVersions: Record<string, string> = {};
    if (!this.hasAsked) this.sayAnew(initialResourceVersions);
    this.hasAsked = true;
    const said = {
      resourceNamesSubscribe: [...this.added],
      resourceNamesUnsubscribe: [...this.removed],
      initialResourceVersions,
    };
    this.added.clear();
    this.removed.clear();
    return said;
  }

  /** It may be another server, which knows nothing of us. */
  private sayAnew(versions: Record<string, string>): void {
    const isLegacy = this.isLegacyWildcard || this.wantsAllAndOnlyThat;
    if (this.isLegacyWildcard) this.requested.set(wildcard, '');
    for (const [name, version] of this.requested) {
      if (version !== '') versions[name] = version;
      this.added.add(name);
    }
    for (const [name, version] of this.others) versions[name] = version;
    if (isLegacy) this.added.clear();
  }

  private get wantsAllAndOnlyThat(): boolean {
    return !this.hasChanged && this.requested.size === 1 && this.requested.has(wildcard);
  }
}
