import type { Counter, StatsScope } from '../../../observe/stats/stats.ts';
import type { VirtualHostData } from '../../../route/route-data.ts';
import type { OpenedResource, Subscription, SubscriptionUser } from '../../xds/resource-kind.ts';

/** Hosts that there is no virtual host of, asked for and remembered: who asks for more makes the oldest be forgotten. */
export const absentHostsMax = 4096;

export interface VirtualHostSurroundings {
  /** A sentence where it is refused. */
  decode(packed: Uint8Array): VirtualHostData | string;
  /** These are all now. @returns why they cannot be used together, and those before go on; empty: they are taken */
  onChanged(hosts: readonly VirtualHostData[]): string;
  /** Whether requests for this host have a virtual host. */
  serves(host: string): boolean;
  /** `worker` has wanted it, and need not wait any longer: there is one, or none. */
  answer(host: string, isThere: boolean, worker: number): void;
  /** Nobody need wait for them any longer. */
  onReady(): void;
}

interface Known {
  readonly packed: Uint8Array;
  readonly data: VirtualHostData;
}

/**
 * The virtual hosts of one route configuration that come by VHDS: those that the control plane tells of itself, and those
 * that are asked for as `<route configuration>/<host>`. Source: Envoy `VhdsSubscription`, `RdsRouteConfigProviderImpl`.
 */
export class DynamicVirtualHosts implements SubscriptionUser {
  isReady: boolean;
  /** Set once, right after construction. */
  subscription: Subscription | null;
  /** Of the route configuration. */
  private readonly name: string;
  /** By the name of the resource. */
  private hosts: ReadonlyMap<string, Known>;
  /** Hosts that were asked for and have come. */
  private readonly present: Set<string>;
  /** Asked for and not there, the oldest first → workers that wait; none: they have been told. */
  private readonly absent: Map<string, Set<number>>;
  private readonly surroundings: VirtualHostSurroundings;
  private readonly reloads: Counter;
  private readonly empty: Counter;

  /** `scope`: `http.<prefix>.rds.vhds.<name>`. */
  constructor(name: string, scope: StatsScope, surroundings: VirtualHostSurroundings) {
    this.isReady = false;
    this.subscription = null;
    this.name = name;
    this.hosts = new Map();
    this.present = new Set();
    this.absent = new Map();
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

  /** Whoever waits is told that there is none. */
  stop(): void {
    this.subscription?.stop();
    for (const host of this.absent.keys()) this.tell(host, false);
    this.absent.clear();
  }

  /** `worker` has a request for this host, lower-case, that no virtual host is for. */
  want(host: string, worker: number): void {
    if (this.surroundings.serves(host)) {
      this.surroundings.answer(host, true, worker);
      return;
    }
    const waiting = this.absent.get(host);
    if (waiting !== undefined && waiting.size > 0) {
      waiting.add(worker);
      return;
    }
    // One that was asked for before is asked for anew.
    if (this.present.delete(host) || this.absent.delete(host)) this.ask();
    const [oldest] = this.absent.keys();
    if (this.absent.size >= absentHostsMax) this.forget(oldest);
    this.absent.set(host, new Set([worker]));
    this.ask();
  }

  // SubscriptionUser

  onResources(resources: readonly OpenedResource[]): string {
    return this.onDelta(resources, []);
  }

  onDelta(set: readonly OpenedResource[], removed: readonly string[]): string {
    if (set.length + removed.length === 0) this.empty.inc();
    const next = new Map(this.hosts);
    const isOther = set.length > 0 || removed.some((name) => next.has(name));
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
    const refusal = isOther ? this.surroundings.onChanged(this.all) : '';
    if (refusal !== '') this.hosts = before;
    else {
      if (isOther) this.reloads.inc();
      for (const { name, aliases } of set) for (const alias of [name, ...aliases]) this.come(alias);
      for (const name of removed) this.come(name);
    }
    this.ready();
    return refusal;
  }

  onGivenUp(): void {
    this.ready();
  }

  // ---- inside

  /** The control plane has said what there is of this name. */
  private come(alias: string): void {
    if (!alias.startsWith(`${this.name}/`)) return;
    const host = alias.slice(this.name.length + 1);
    if (!this.absent.has(host)) return;
    const isThere = this.surroundings.serves(host);
    this.tell(host, isThere);
    if (!isThere) {
      this.absent.set(host, new Set());
      return;
    }
    this.absent.delete(host);
    this.present.add(host);
  }

  private ask(): void {
    const hosts = [...this.present, ...this.absent.keys()];
    this.subscription?.setNames(hosts.map((host) => `${this.name}/${host}`));
  }

  private forget(host: string): void {
    this.tell(host, false);
    this.absent.delete(host);
  }

  private tell(host: string, isThere: boolean): void {
    for (const worker of this.absent.get(host) ?? []) this.surroundings.answer(host, isThere, worker);
  }

  private ready(): void {
    if (this.isReady) return;
    this.isReady = true;
    this.surroundings.onReady();
  }
}
