import type { Counter, Gauge, Histogram, StatsScope } from '../../../observe/stats/stats.ts';

/**
 * So many stats one worker makes of what peers, requests and expressions say. Beyond them whoever comes new is counted as
 * unknown. Istio has no bound unless metrics are rotated.
 */
const statsMax = 20_000;

/** Tags that are told beyond the bound, too: few values, none of them a peer's. */
const keptTags: ReadonlySet<string> = new Set(['reporter', 'request_protocol', 'connection_security_policy']);

interface Entry {
  readonly name: string;
  readonly tags: readonly string[];
  /** When somebody last asked for it, of those who let it be forgotten; Infinity: somebody does not. */
  askedMs: number;
  /** Nothing but time moves it. */
  readonly stays: boolean;
}

const registries = new WeakMap<StatsScope, StatsRegistry>();

/** The stats with tags of one worker, whoever made them: how many there are, and which nobody asks for any more. */
export class StatsRegistry {
  /** Grows when some were forgotten: whoever keeps any asks anew. */
  generation: number;
  private readonly scope: StatsScope;
  /** By name and tags. */
  private readonly entries: Map<string, Entry>;
  private readonly max: number;

  constructor(scope: StatsScope, max = statsMax) {
    this.generation = 0;
    this.scope = scope;
    this.entries = new Map();
    this.max = max;
  }

  /** `root`: the scope of all stats. */
  static of(root: StatsScope): StatsRegistry {
    let registry = registries.get(root);
    // Istio's own namespace, which Prometheus does not show.
    if (registry === undefined) registries.set(root, (registry = new StatsRegistry(root.scope('istiocustom'))));
    return registry;
  }

  /** Of a scope that has any. */
  static find(root: StatsScope): StatsRegistry | undefined {
    return registries.get(root);
  }

  /** `askedMs`: now, on the loop's clock; Infinity: it is never to be forgotten. */
  counter(name: string, tags: readonly string[], askedMs: number): Counter {
    return this.scope.counter(name, this.enter(name, tags, askedMs));
  }

  gauge(name: string, tags: readonly string[], askedMs: number): Gauge {
    return this.scope.gauge(name, 'max', this.enter(name, tags, askedMs));
  }

  histogram(name: string, tags: readonly string[], askedMs: number): Histogram {
    return this.scope.histogram(name, this.enter(name, tags, askedMs));
  }

  /** Forgets what nobody has asked for since `beforeMs`. */
  sweep(beforeMs: number): void {
    for (const [key, entry] of this.entries) if (entry.askedMs < beforeMs) this.forget(key, entry);
  }

  /** Forgets what has not been counted by since this was last called. */
  evict(): void {
    for (const [key, entry] of this.entries) {
      if (entry.stays || this.scope.hasMoved?.(entry.name, entry.tags) !== false) continue;
      this.forget(key, entry);
    }
  }

  /** Tells of the process: it is never forgotten. */
  fact(name: string, tags: readonly string[]): Gauge {
    this.entries.set(keyOf(name, tags), { name, tags, askedMs: Infinity, stays: true });
    return this.scope.gauge(name, 'max', tags);
  }

  private forget(key: string, { name, tags }: Entry): void {
    this.entries.delete(key);
    this.scope.remove?.(name, tags);
    this.generation++;
  }

  private enter(name: string, tags: readonly string[], askedMs: number): readonly string[] {
    const key = keyOf(name, tags);
    const known = this.entries.get(key);
    if (known !== undefined) {
      known.askedMs = Math.max(known.askedMs, askedMs);
      return known.tags;
    }
    if (this.entries.size >= this.max)
      return tags.map((tag, i) => (i % 2 === 0 || keptTags.has(tags[i - 1]) ? tag : 'unknown'));
    this.entries.set(key, { name, tags, askedMs, stays: false });
    return tags;
  }
}

function keyOf(name: string, tags: readonly string[]): string {
  return `${name}\0${tags.join('\0')}`;
}
