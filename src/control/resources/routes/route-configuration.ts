import type { Clock } from '../../../core/clock.ts';
import type { Counter, Gauge, StatsScope } from '../../../observe/stats.ts';
import type { RouteSourceData } from '../../../proxy/http/route-sources.ts';
import type { RouteConfigurationData } from '../../../route/route-data.ts';
import type { OpenedResource, Subscription, SubscriptionUser } from '../../xds/resource-kind.ts';
import type { NeededResource } from '../needed.ts';

export interface RouteSurroundings {
  readonly clock: Clock;
  /** A sentence where it is refused. */
  decode(packed: Uint8Array): RouteConfigurationData | string;
  /** There is one, or another. */
  onChanged(routes: DynamicRoutes): void;
  /** Nobody need wait for it any longer. */
  onReady(): void;
}

/** One route configuration that comes by RDS. Source of its words: Envoy `RdsRouteConfigSubscription`. */
export class DynamicRoutes implements NeededResource, SubscriptionUser {
  readonly source: RouteSourceData;
  /** Null: none has come. */
  data: RouteConfigurationData | null;
  /** As it came; null: none has. */
  packed: Uint8Array | null;
  version: string;
  updatedEpochMs: number;
  isReady: boolean;
  /** Set once, right after construction. */
  subscription: Subscription | null;
  private readonly surroundings: RouteSurroundings;
  private readonly reloads: Counter;
  private readonly reloadedMs: Gauge;
  private readonly empty: Counter;

  /** `scope`: `http.<prefix>.rds.<name>`. */
  constructor(source: RouteSourceData, scope: StatsScope, surroundings: RouteSurroundings) {
    this.source = source;
    this.data = null;
    this.packed = null;
    this.version = '';
    this.updatedEpochMs = surroundings.clock.epochMs;
    this.isReady = false;
    this.subscription = null;
    this.surroundings = surroundings;
    this.reloads = scope.counter('config_reload');
    this.reloadedMs = scope.gauge('config_reload_time_ms');
    this.empty = scope.counter('update_empty');
  }

  start(): void {
    this.subscription?.start();
  }

  stop(): void {
    this.subscription?.stop();
  }

  // SubscriptionUser

  onResources(resources: readonly OpenedResource[]): string {
    const { name } = this.source;
    if (resources.length === 0) {
      this.empty.inc();
      this.ready();
      return '';
    }
    if (resources.length > 1) return `Unexpected RDS resource length: ${resources.length}`;
    const [resource] = resources;
    if (resource.name !== name) return `Unexpected RDS configuration (expecting ${name}): ${resource.name}`;
    return this.take(resource);
  }

  /** As Envoy: a route configuration that is removed stays in force. */
  onDelta(set: readonly OpenedResource[]): string {
    return set.length === 0 ? '' : this.onResources(set);
  }

  onGivenUp(): void {
    this.ready();
  }

  private take({ packed, version }: OpenedResource): string {
    // Nothing is made anew of what is as it was.
    if (this.packed === null || !Buffer.from(this.packed).equals(packed)) {
      const read = this.surroundings.decode(packed);
      if (typeof read === 'string') return read;
      const { epochMs } = this.surroundings.clock;
      this.data = read;
      this.packed = packed;
      this.version = version;
      this.updatedEpochMs = epochMs;
      this.reloads.inc();
      this.reloadedMs.set(Math.floor(epochMs));
      this.surroundings.onChanged(this);
    }
    this.ready();
    return '';
  }

  private ready(): void {
    if (this.isReady) return;
    this.isReady = true;
    this.surroundings.onReady();
  }
}
