import type { Counter, StatsScope } from '../../../observe/stats.ts';
import type { VirtualHostData } from '../../../route/route-data.ts';
import type { OpenedResource, Subscription, SubscriptionUser } from '../../xds/resource-kind.ts';

export interface VirtualHostSurroundings {
  /** A sentence where it is refused. */
  decode(packed: Uint8Array): VirtualHostData | string;
  /** These are all now. @returns why they cannot be used together, and those before go on; empty: they are taken */
  onChanged(hosts: readonly VirtualHostData[]): string;
  /** Nobody need wait for them any longer. */
  onReady(): void;
}

interface Known {
  readonly packed: Uint8Array;
  readonly data: VirtualHostData;
}

/** The virtual hosts of one route configuration that come by VHDS. Source: Envoy `VhdsSubscription`. */
export class DynamicVirtualHosts implements SubscriptionUser {
  isReady: boolean;
  /** Set once, right after construction. */
  subscription: Subscription | null;
  /** By the name of the resource. */
  private hosts: ReadonlyMap<string, Known>;
  private readonly surroundings: VirtualHostSurroundings;
  private readonly reloads: Counter;
  private readonly empty: Counter;

  /** `scope`: `http.<prefix>.vhds.<route configuration>`. */
  constructor(scope: StatsScope, surroundings: VirtualHostSurroundings) {
    this.isReady = false;
    this.subscription = null;
    this.hosts = new Map();
    this.surroundings = surroundings;
    this.reloads = scope.counter('config_reload');
    this.empty = scope.counter('update_empty');
  }

  get all(): readonly VirtualHostData[] {
    return Array.from(this.hosts.values(), ({ data }) => data);
  }

  /** As they came, for `/config_dump`. */
  get packed(): readonly Uint8Array[] {
    return Array.from(this.hosts.values(), ({ packed }) => packed);
  }

  start(): void {
    this.subscription?.start();
  }

  stop(): void {
    this.subscription?.stop();
  }

  // SubscriptionUser

  onResources(resources: readonly OpenedResource[]): string {
    return this.onDelta(resources, []);
  }

  onDelta(set: readonly OpenedResource[], removed: readonly string[]): string {
    if (set.length + removed.length === 0) this.empty.inc();
    const next = new Map(this.hosts);
    for (const name of removed) next.delete(name);
    for (const { name, packed } of set) {
      // A name that there is no virtual host of.
      if (packed.length === 0) continue;
      const data = this.surroundings.decode(packed);
      if (typeof data === 'string') return `${name}: ${data}`;
      next.set(name, { packed, data });
    }
    const before = this.hosts;
    this.hosts = next;
    const refusal = this.surroundings.onChanged(this.all);
    if (refusal === '') this.reloads.inc();
    else this.hosts = before;
    this.ready();
    return refusal;
  }

  onGivenUp(): void {
    this.ready();
  }

  private ready(): void {
    if (this.isReady) return;
    this.isReady = true;
    this.surroundings.onReady();
  }
}
