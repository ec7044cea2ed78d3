import type { Host, PickContext, Tier } from '../../cluster.ts';
import { HostSet } from '../../host/host-set.ts';
import type { UpstreamHost } from '../../host/host.ts';
import type { Balancer } from '../balancer.ts';
import type { LbData, SubsetLbData } from '../lb-data.ts';
import { ScaledHostSet } from './subset-hosts.ts';

/** A balancer by the policy of the subsets, over these hosts. */
export type MakeBalancer = (sets: readonly HostSet[], lb: LbData) => Balancer;

/** Some of a cluster's hosts. Most are never asked for, so that its balancer is made, and follows changes, when it is. */
export class Subset {
  private readonly scales: boolean;
  private readonly make: MakeBalancer;
  private hosts: readonly UpstreamHost[];
  /** Of the whole cluster. */
  private sets: readonly HostSet[];
  private lb: LbData | null;
  private balancer: Balancer | null;
  private isStale: boolean;

  constructor({ scaleLocalityWeight }: SubsetLbData, make: MakeBalancer) {
    this.scales = scaleLocalityWeight;
    this.make = make;
    this.hosts = [];
    this.sets = [];
    this.lb = null;
    this.balancer = null;
    this.isStale = true;
  }

  update(hosts: readonly UpstreamHost[], sets: readonly HostSet[], lb: LbData): void {
    this.hosts = hosts;
    this.sets = sets;
    this.lb = lb;
    this.isStale = true;
  }

  pick(context: PickContext, tier?: Tier): Host | null {
    if (this.isStale || this.balancer === null) this.balancer = this.refresh();
    return this.balancer.pick(context, tier);
  }

  stop(): void {
    this.balancer?.stop?.();
  }

  private refresh(): Balancer {
    this.isStale = false;
    const { balancer, lb } = this;
    const parts = HostSet.byPriority(this.hosts);
    const sets = this.scales ? parts.map(({ hosts }, i) => new ScaledHostSet(hosts, this.sets[i])) : parts;
    if (balancer === null) return this.make(sets, lb!);
    balancer.update(sets, lb!);
    return balancer;
  }
}

/** `single_host_per_subset`: the last of the most preferred priority, whatever its health. */
export class OneHost {
  private host: UpstreamHost | null;

  constructor() {
    this.host = null;
  }

  update(hosts: readonly UpstreamHost[]): void {
    const priority = hosts.reduce((least, host) => Math.min(least, host.priority), Infinity);
    this.host = hosts.findLast((host) => host.priority === priority) ?? null;
  }

  pick(): Host | null {
    return this.host;
  }

  stop(): void {
    this.host = null;
  }
}
