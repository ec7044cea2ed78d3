import type { Counter, StatsScope } from '../../observe/stats/stats.ts';
import type { LookupEnd } from './dns-cache.ts';

/** Who waits for a name. */
export interface LookupWaiter {
  /** Once, later than it was asked for. */
  onLookup(how: LookupEnd, details: string): void;
}

/** As much of a cache's configuration as who asks it must know. */
export interface LookupCache {
  readonly name: string;
  readonly maxPending: number;
}

/** A question to the main thread. */
export interface LookupQuestion {
  readonly cache: string;
  /** `cachedName`. */
  readonly name: string;
}

/** The DNS caches as a worker sees them: what they know, and who waits for what they do not. */
export class DnsLookups {
  private readonly ask: (question: LookupQuestion) => void;
  private readonly stats: StatsScope;
  /** By the cache: names that have an address, by the cluster that uses it. */
  private readonly known: Map<string, Map<string, ReadonlySet<string>>>;
  /** By cache and name. */
  private readonly waiting: Map<string, Set<LookupWaiter>>;
  private readonly pending: Map<string, number>;

  /** `stats`: the root. */
  constructor(stats: StatsScope, ask: (question: LookupQuestion) => void) {
    this.ask = ask;
    this.stats = stats;
    this.known = new Map();
    this.waiting = new Map();
    this.pending = new Map();
  }

  /** What a cluster's hosts are now; null: it uses the cache no more. */
  update(cache: string, cluster: string, names: readonly string[] | null): void {
    let clusters = this.known.get(cache);
    if (clusters === undefined) this.known.set(cache, (clusters = new Map()));
    if (names === null) clusters.delete(cluster);
    else clusters.set(cluster, new Set(names));
  }

  /** `waiting`: the waiter will be told; `full`: too many wait, so that nobody else may ask, not even for what is known. */
  want({ name: cache, maxPending }: LookupCache, name: string, waiter: LookupWaiter): 'cached' | 'waiting' | 'full' {
    const pending = this.pending.get(cache) ?? 0;
    if (pending >= maxPending) {
      this.overflow(cache).inc();
      return 'full';
    }
    for (const names of this.known.get(cache)?.values() ?? []) if (names.has(name)) return 'cached';
    this.pending.set(cache, pending + 1);
    const key = keyOf(cache, name);
    const waiters = this.waiting.get(key);
    if (waiters !== undefined) {
      waiters.add(waiter);
      return 'waiting';
    }
    this.waiting.set(key, new Set([waiter]));
    this.ask({ cache, name });
    return 'waiting';
  }

  /** It is no longer interested. */
  cancel(cache: string, name: string, waiter: LookupWaiter): void {
    if (this.waiting.get(keyOf(cache, name))?.delete(waiter) === true) this.left(cache);
  }

  /** The main thread's answer; hosts that came with it are known by now. */
  answered({ cache, name }: LookupQuestion, how: LookupEnd, details = ''): void {
    const key = keyOf(cache, name);
    const waiters = this.waiting.get(key) ?? [];
    this.waiting.delete(key);
    for (const waiter of waiters) {
      this.left(cache);
      waiter.onLookup(how, details);
    }
  }

  private left(cache: string): void {
    this.pending.set(cache, this.pending.get(cache)! - 1);
  }

  private overflow(cache: string): Counter {
    return this.stats.scope('dns_cache').scope(cache).counter('dns_rq_pending_overflow');
  }
}

function keyOf(cache: string, name: string): string {
  return `${cache}\0${name}`;
}
