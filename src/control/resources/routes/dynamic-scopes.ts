import type { Clock } from '../../../core/clock.ts';
import type { Counter, Gauge, StatsScope } from '../../../observe/stats/stats.ts';
import type { RouteSourceData } from '../../../proxy/http/route-sources.ts';
import { scopeConflict, type DecodedScope } from '../../../proxy/http/scopes/scope-decode.ts';
import type { ScopeData } from '../../../proxy/http/scopes/scoped-routes-data.ts';
import type { ScopeSourceData } from '../../../proxy/http/scopes/scope-sources.ts';
import type { OpenedResource, Subscription, SubscriptionUser } from '../../xds/resource-kind.ts';
import type { NeededResource } from '../needed.ts';

export interface ScopeSurroundings {
  readonly clock: Clock;
  /** A sentence where it is refused. */
  decode(packed: Uint8Array, source: ScopeSourceData): DecodedScope | string;
  /** These route configurations are needed from now on, those not any more. */
  exchange(needed: readonly RouteSourceData[], dropped: readonly RouteSourceData[]): void;
  areReady(sources: readonly RouteSourceData[]): boolean;
  /** Whether they have come. */
  areThere(source: RouteSourceData): boolean;
  /** `worker` need not wait any longer for the routes of the scope of this key: they are there, or there is no such scope. */
  answer(scope: string, isThere: boolean, worker: number): void;
  onChanged(scopes: DynamicScopes): void;
  /** It may be that nobody need wait for them any longer. */
  onReady(): void;
}

interface Waiting {
  readonly key: string;
  readonly workers: Set<number>;
}

interface Known {
  readonly packed: Uint8Array;
  readonly decoded: DecodedScope;
}

/** The scopes of one set, by SRDS. Source of its words and rules: Envoy `ScopedRdsConfigSubscription`. */
export class DynamicScopes implements NeededResource, SubscriptionUser {
  readonly source: ScopeSourceData;
  /** By the name of the resource. */
  readonly scopes: Map<string, Known>;
  version: string;
  updatedEpochMs: number;
  /** Set once, right after construction. */
  subscription: Subscription | null;
  private readonly surroundings: ScopeSurroundings;
  /** Names of scopes on demand whose routes somebody has needed. */
  private readonly wanted: Set<string>;
  /** By the name of the scope: its key, and the workers that wait for its routes. */
  private readonly waiting: Map<string, Waiting>;
  private hasAnswered: boolean;
  private readonly reloads: Counter;
  private readonly reloadedMs: Gauge;
  private readonly empty: Counter;
  private readonly all: Gauge;
  private readonly active: Gauge;
  private readonly onDemand: Gauge;

  /** `scope`: `http.<prefix>.scoped_rds.<name>`. */
  constructor(source: ScopeSourceData, scope: StatsScope, surroundings: ScopeSurroundings) {
    this.source = source;
    this.scopes = new Map();
    this.version = '';
    this.updatedEpochMs = surroundings.clock.epochMs;
    this.subscription = null;
    this.surroundings = surroundings;
    this.wanted = new Set();
    this.waiting = new Map();
    this.hasAnswered = false;
    this.reloads = scope.counter('config_reload');
    this.reloadedMs = scope.gauge('config_reload_time_ms');
    this.empty = scope.counter('update_empty');
    this.all = scope.gauge('all_scopes');
    this.active = scope.gauge('active_scopes');
    this.onDemand = scope.gauge('on_demand_scopes');
    this.onDemand.set(0);
  }

  /** They have come, and their routes too, or neither is to be waited for. */
  get isReady(): boolean {
    return this.hasAnswered && this.surroundings.areReady(this.sourcesNow());
  }

  start(): void {
    this.subscription?.start();
  }

  stop(): void {
    this.subscription?.stop();
    this.surroundings.exchange([], this.sourcesNow());
    this.scopes.clear();
    this.wanted.clear();
    for (const { key, workers } of this.waiting.values())
      for (const worker of workers) this.surroundings.answer(key, false, worker);
    this.waiting.clear();
  }

  /** `worker` has a request whose scope has this key, and no route. */
  want(key: string, worker: number): void {
    const found = [...this.scopes].find(([, { decoded }]) => decoded.data.key === key);
    if (found === undefined) {
      this.surroundings.answer(key, false, worker);
      return;
    }
    const [name, { decoded }] = found;
    const { source } = decoded;
    if (source !== null && !this.isLoaded(name, decoded)) {
      this.wanted.add(name);
      this.surroundings.exchange([source], []);
      this.showCounts();
      this.surroundings.onChanged(this);
    }
    if (source === null || this.surroundings.areThere(source)) {
      this.surroundings.answer(key, true, worker);
      return;
    }
    const waiting = this.waiting.get(name) ?? { key, workers: new Set() };
    this.waiting.set(name, waiting);
    waiting.workers.add(worker);
  }

  /** As workers have them: one that nobody has needed yet has no routes, were they there for another. */
  get data(): readonly ScopeData[] {
    return Array.from(this.scopes, ([name, { decoded }]) =>
      this.isLoaded(name, decoded) ? decoded.data : { ...decoded.data, rds: '' },
    );
  }

  private isLoaded(name: string, { isOnDemand }: DecodedScope): boolean {
    return !isOnDemand || this.wanted.has(name);
  }

  /** The route configuration of this key has come, or another. */
  routesCome(key: string): void {
    for (const [name, { key: scope, workers }] of this.waiting) {
      if (this.scopes.get(name)?.decoded.source?.key !== key) continue;
      this.waiting.delete(name);
      for (const worker of workers) this.surroundings.answer(scope, true, worker);
    }
  }

  // SubscriptionUser

  onResources(resources: readonly OpenedResource[], version: string): string {
    const named = new Set(resources.map(({ name }) => name));
    const gone = [...this.scopes.keys()].filter((name) => !named.has(name));
    return this.onDelta(resources, gone, version);
  }

  onDelta(set: readonly OpenedResource[], removed: readonly string[], version: string): string {
    const next = new Map(this.scopes);
    for (const name of removed) next.delete(name);
    const seen = new Set<string>();
    for (const { name, packed } of set) {
      const known = this.scopes.get(name);
      const isSame = known !== undefined && Buffer.from(known.packed).equals(packed);
      const decoded = isSame ? known.decoded : this.surroundings.decode(packed, this.source);
      if (typeof decoded === 'string') return refused(`${name}: ${decoded}`);
      if (seen.has(name)) return refused(`duplicate scoped route configuration '${name}' found`);
      seen.add(name);
      next.set(name, { packed, decoded });
    }
    const conflict = scopeConflict(Array.from(next, ([name, { decoded }]) => ({ name, key: decoded.data.key })));
    if (conflict !== '') return refused(conflict);
    this.take(next, version);
    return '';
  }

  onGivenUp(): void {
    this.answered();
  }

  private take(next: ReadonlyMap<string, Known>, version: string): void {
    const { surroundings } = this;
    const { clock } = surroundings;
    const before = this.sourcesNow();
    const isSame =
      next.size === this.scopes.size &&
      [...next].every(([name, { decoded }]) => this.scopes.get(name)?.decoded === decoded);
    if (!isSame) {
      const isOther = (name: string): boolean => this.scopes.get(name)?.decoded !== next.get(name)?.decoded;
      // As in Envoy: one that has changed is not asked for until somebody needs it again.
      for (const name of this.wanted) if (isOther(name)) this.wanted.delete(name);
      const waiting = [...this.waiting].filter(([name]) => isOther(name));
      for (const [name] of waiting) this.waiting.delete(name);
      this.scopes.clear();
      for (const [name, known] of next) this.scopes.set(name, known);
      this.version = version;
      this.updatedEpochMs = clock.epochMs;
      this.reloads.inc();
      this.reloadedMs.set(Math.floor(clock.epochMs));
      this.showCounts();
      surroundings.exchange(this.sourcesNow(), before);
      surroundings.onChanged(this);
      for (const [, { key, workers }] of waiting) for (const worker of workers) this.want(key, worker);
    } else if (next.size === 0) this.empty.inc();
    this.answered();
  }

  /** What is needed of the route configurations that the scopes name. */
  private sourcesNow(): RouteSourceData[] {
    return [...this.scopes].flatMap(
      ([
        name,
        {
          decoded: { source, isOnDemand },
        },
      ]) => (source === null || (isOnDemand && !this.wanted.has(name)) ? [] : [source]),
    );
  }

  private showCounts(): void {
    const all = [...this.scopes];
    this.all.set(all.length);
    this.onDemand.set(all.filter(([, { decoded }]) => decoded.isOnDemand).length);
    this.active.set(all.filter(([name, { decoded }]) => this.isLoaded(name, decoded)).length);
  }

  private answered(): void {
    this.hasAnswered = true;
    this.surroundings.onReady();
  }
}

function refused(why: string): string {
  return `Error adding/updating scoped route(s): ${why}`;
}
