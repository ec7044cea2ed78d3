import type { Clock } from '../../../core/clock.ts';
import type { Counter, Gauge, StatsScope } from '../../../observe/stats.ts';
import type { RouteSourceData } from '../../../proxy/http/route-sources.ts';
import { scopeConflict, type DecodedScope } from '../../../proxy/http/scopes/scope-decode.ts';
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
  onChanged(scopes: DynamicScopes): void;
  /** It may be that nobody need wait for them any longer. */
  onReady(): void;
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
  private hasAnswered: boolean;
  private readonly reloads: Counter;
  private readonly reloadedMs: Gauge;
  private readonly empty: Counter;
  private readonly all: Gauge;
  private readonly active: Gauge;

  /** `scope`: `http.<prefix>.scoped_rds.<name>`. */
  constructor(source: ScopeSourceData, scope: StatsScope, surroundings: ScopeSurroundings) {
    this.source = source;
    this.scopes = new Map();
    this.version = '';
    this.updatedEpochMs = surroundings.clock.epochMs;
    this.subscription = null;
    this.surroundings = surroundings;
    this.hasAnswered = false;
    this.reloads = scope.counter('config_reload');
    this.reloadedMs = scope.gauge('config_reload_time_ms');
    this.empty = scope.counter('update_empty');
    this.all = scope.gauge('all_scopes');
    this.active = scope.gauge('active_scopes');
    scope.gauge('on_demand_scopes').set(0);
  }

  /** They have come, and their routes too, or neither is to be waited for. */
  get isReady(): boolean {
    return this.hasAnswered && this.surroundings.areReady(sourcesOf(this.scopes.values()));
  }

  start(): void {
    this.subscription?.start();
  }

  stop(): void {
    this.subscription?.stop();
    this.surroundings.exchange([], sourcesOf(this.scopes.values()));
    this.scopes.clear();
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
    const before = [...this.scopes.values()];
    const isSame =
      next.size === before.length &&
      [...next].every(([name, { decoded }]) => this.scopes.get(name)?.decoded === decoded);
    if (!isSame) {
      this.scopes.clear();
      for (const [name, known] of next) this.scopes.set(name, known);
      this.version = version;
      this.updatedEpochMs = clock.epochMs;
      this.reloads.inc();
      this.reloadedMs.set(Math.floor(clock.epochMs));
      this.all.set(next.size);
      this.active.set(next.size);
      surroundings.exchange(sourcesOf(next.values()), sourcesOf(before));
      surroundings.onChanged(this);
    } else if (next.size === 0) this.empty.inc();
    this.answered();
  }

  private answered(): void {
    this.hasAnswered = true;
    this.surroundings.onReady();
  }
}

function sourcesOf(scopes: Iterable<Known>): RouteSourceData[] {
  return Array.from(scopes, ({ decoded }) => decoded.source).filter((source) => source !== null);
}

function refused(why: string): string {
  return `Error adding/updating scoped route(s): ${why}`;
}
