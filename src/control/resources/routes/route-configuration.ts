import { isDeepStrictEqual } from '../../../core/deep-equal.ts';
import type { Clock } from '../../../core/clock.ts';
import { Reasons } from '../../../core/rejection.ts';
import type { ConfigSourceData } from '../../../identity/config-source-data.ts';
import type { Counter, Gauge, StatsScope } from '../../../observe/stats/stats.ts';
import type { RouteSourceData } from '../../../proxy/http/route-sources.ts';
import { checkDomains } from '../../../route/decode.ts';
import { DomainTable } from '../../../route/domain-table.ts';
import { portStart } from '../../../route/path.ts';
import type { RouteConfigurationData, VirtualHostData } from '../../../route/route-data.ts';
import { packedKinds } from '../../packed-kinds.ts';
import type { OpenedResource, Subscription, SubscriptionUser } from '../../xds/resource-kind.ts';
import type { NeededResource } from '../needed.ts';
import type { DynamicVirtualHosts } from './dynamic-virtual-hosts.ts';

export interface RouteSurroundings {
  readonly clock: Clock;
  /** A sentence where it is refused. */
  decode(packed: Uint8Array): DecodedRoutes | string;
  /** Its virtual hosts come by VHDS from this source; the newest of `routes` says what they are decoded with. */
  openVirtualHosts(routes: DynamicRoutes, source: ConfigSourceData): DynamicVirtualHosts;
  /** There is one, or another. */
  onChanged(routes: DynamicRoutes): void;
  /** Nobody need wait for it any longer. */
  onReady(): void;
}

/** A route configuration, and where virtual hosts come from besides its own; null: from nowhere. */
export interface DecodedRoutes {
  readonly data: RouteConfigurationData;
  readonly vhds: ConfigSourceData | null;
}

/** One route configuration that comes by RDS. Source of its words: Envoy `RdsRouteConfigSubscription`. */
export class DynamicRoutes implements NeededResource, SubscriptionUser {
  readonly source: RouteSourceData;
  /** Null: none has come. */
  data: RouteConfigurationData | null;
  /** Null: it has those that are written in it. */
  virtualHosts: DynamicVirtualHosts | null;
  /** As it came; null: none has. */
  packed: Uint8Array | null;
  version: string;
  updatedEpochMs: number;
  /** Set once, right after construction. */
  subscription: Subscription | null;
  private readonly surroundings: RouteSurroundings;
  /** As it came, without what VHDS adds; null: none has. */
  private own: DecodedRoutes | null;
  /** Of its virtual hosts; null: nobody has asked since they changed. */
  private domains: DomainTable<true> | null;
  private hasAnswered: boolean;
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
    this.virtualHosts = null;
    this.own = null;
    this.domains = null;
    this.hasAnswered = false;
    this.subscription = null;
    this.surroundings = surroundings;
    this.reloads = scope.counter('config_reload');
    this.reloadedMs = scope.gauge('config_reload_time_ms');
    this.empty = scope.counter('update_empty');
  }

  get isReady(): boolean {
    return this.hasAnswered && this.virtualHosts?.isReady !== false;
  }

  start(): void {
    this.subscription?.start();
  }

  stop(): void {
    this.subscription?.stop();
    this.virtualHosts?.stop();
  }

  /** Message names of the extensions that it names. */
  get kinds(): Set<string> {
    const kinds = new Set<string>();
    for (const packed of [this.packed!, ...(this.virtualHosts?.packed ?? [])]) packedKinds(packed, kinds);
    return kinds;
  }

  /** Whether requests for this host, lower-case, have a virtual host. */
  serves(host: string): boolean {
    const { data } = this;
    if (data === null) return false;
    if (this.domains === null) {
      this.domains = new DomainTable();
      for (const { domains } of data.virtualHosts) for (const domain of domains) this.domains.add(domain, true);
    }
    const port = data.ignorePortInHostMatching ? portStart(host) : -1;
    return this.domains.find(port < 0 ? host : host.slice(0, port)) === true;
  }

  /** Its virtual hosts are these besides its own. @returns why they cannot be; empty: they are */
  takeHosts(hosts: readonly VirtualHostData[]): string {
    const own = this.own!.data;
    const data = hosts.length === 0 ? own : { ...own, virtualHosts: [...own.virtualHosts, ...hosts] };
    const reasons = new Reasons();
    checkDomains(data.virtualHosts, data.name, reasons);
    if (!reasons.isEmpty) return reasons.list.map(({ message }) => message).join('; ');
    this.data = data;
    this.domains = null;
    this.surroundings.onChanged(this);
    return '';
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
      const { own, packed: before } = this;
      this.own = read;
      this.packed = packed;
      const refusal = this.takeHosts(this.virtualHosts?.all ?? []);
      if (refusal !== '') {
        this.own = own;
        this.packed = before;
        return refusal;
      }
      this.version = version;
      this.updatedEpochMs = epochMs;
      this.reloads.inc();
      this.reloadedMs.set(Math.floor(epochMs));
      this.followHosts(own?.vhds ?? null, read.vhds);
    }
    this.ready();
    return '';
  }

  /** Where they come from is another, or none. */
  private followHosts(before: ConfigSourceData | null, now: ConfigSourceData | null): void {
    if (isDeepStrictEqual(before, now)) return;
    this.virtualHosts?.stop();
    const had = (this.virtualHosts?.all.length ?? 0) > 0;
    this.virtualHosts = now === null ? null : this.surroundings.openVirtualHosts(this, now);
    if (had) this.takeHosts([]);
    this.virtualHosts?.start();
  }

  private ready(): void {
    if (this.hasAnswered) return;
    this.hasAnswered = true;
    this.surroundings.onReady();
  }
}
