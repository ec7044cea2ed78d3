import type { Host, PickContext, Tier } from '../cluster.ts';
import type { HostSet } from '../host/host-set.ts';
import type { Balancer } from '../lb/balancer.ts';
import type { LbData } from '../lb/lb-data.ts';
import { priorityAt, priorityLoads, type PriorityLoads } from '../lb/priority.ts';
import { randomIndex, type RandomSource } from '../lb/random-source.ts';

/** A cluster that may be a part of another. */
export interface Member {
  /** Index: priority. */
  readonly sets: readonly HostSet[];
  pickWithin(context: PickContext, tier: Tier): Host | null;
}

/** The clusters of this worker, for those that are made of them. */
export interface Members {
  /** Another number whenever one of them, or a host of theirs, is other than before. */
  readonly version: number;
  /** Undefined: there is none of this name now. */
  get(name: string): Member | undefined;
}

/** What one priority of all stands for. */
interface Part {
  readonly member: Member;
  readonly healthy: Tier;
  readonly degraded: Tier;
}

const nobody: PriorityLoads = { healthy: [], degraded: [], panic: [] };

/**
 * The priorities of several clusters, one after the other, as if they were one's: chooses one of them, and lets the
 * cluster that has it choose the host. Source: Envoy `aggregate/cluster.cc`.
 */
export class AggregateBalancer implements Balancer {
  private readonly names: readonly string[];
  private readonly members: Members;
  private readonly random: RandomSource;
  private lb: LbData;
  /** Of `members`, when the parts were last looked at. */
  private version: number;
  private parts: readonly Part[];
  private loads: PriorityLoads;

  constructor(names: readonly string[], members: Members, lb: LbData, random: RandomSource) {
    this.names = names;
    this.members = members;
    this.random = random;
    this.lb = lb;
    this.version = NaN;
    this.parts = [];
    this.loads = nobody;
  }

  update(_sets: readonly HostSet[], lb: LbData = this.lb): void {
    this.lb = lb;
    this.version = NaN;
  }

  pick(context: PickContext): Host | null {
    if (this.version !== this.members.version) this.refresh();
    const { parts, loads } = this;
    const count = parts.length;
    if (count === 0) return null;
    const choice = priorityAt(loads, randomIndex(this.random, 100) + 1);
    const { member, healthy, degraded } = parts[choice % count];
    return member.pickWithin(context, choice < count ? healthy : degraded);
  }

  /** Priorities without hosts, and clusters that there are not, take no part. */
  private refresh(): void {
    this.version = this.members.version;
    const parts: Part[] = [];
    const sets: HostSet[] = [];
    for (const name of this.names) {
      const member = this.members.get(name);
      for (const [priority, set] of (member?.sets ?? []).entries()) {
        if (set.hosts.length === 0) continue;
        sets.push(set);
        parts.push({
          member: member!,
          healthy: { priority, isDegraded: false },
          degraded: { priority, isDegraded: true },
        });
      }
    }
    this.parts = parts;
    this.loads = priorityLoads(sets, this.lb);
  }
}
