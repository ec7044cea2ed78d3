import type { ClusterData, HostData } from '../cluster-data.ts';
import { flagsOfEndpoint, HealthFlag } from '../host/host-health.ts';
import { hostKeys } from '../host/host-key.ts';
import { HealthCell, type HealthMemory } from './health-memory.ts';

/** Those that come through discovery and may be kept by what active checks say. */
const discoveredKinds: ReadonlySet<string> = new Set(['strict-dns', 'logical-dns', 'eds']);

/** Anybody watches the hosts of the cluster. */
export function isWatched({ healthCheck, outlier }: ClusterData): boolean {
  return (healthCheck ?? null) !== null || (outlier ?? null) !== null;
}

/** Two versions of a cluster: a host that both have is one, and has one slot. */
export type ClusterVersion = 'active' | 'warming';

type SlotsOfVersions = Record<ClusterVersion, ReadonlyMap<string, number>>;

const noSlots: ReadonlyMap<string, number> = new Map();

/** The main thread's bookkeeping: which slot of the shared memory a host of a cluster has. */
export class HealthSlots {
  readonly memory: HealthMemory;
  /** Cluster → version → host key → slot. */
  private readonly clusters: Map<string, SlotsOfVersions>;
  /** Used again in the order in which they became free: workers may still count on the last ones. */
  private readonly free: number[];
  private next: number;

  constructor(memory: HealthMemory) {
    this.memory = memory;
    this.clusters = new Map();
    this.free = [];
    this.next = 0;
  }

  /**
   * The hosts of this version of the cluster are these now. Where they are watched each gets its slot; one that is new
   * there has not passed an active check yet.
   */
  place(cluster: ClusterData, hosts: readonly HostData[], version: ClusterVersion = 'active'): readonly HostData[] {
    const { name } = cluster;
    if (!isWatched(cluster)) {
      this.keep(name, version, noSlots);
      return hosts.map((host) => (host.healthSlot === undefined ? host : unwatched(host)));
    }
    const before = this.clusters.get(name);
    const keys = hostKeys(hosts);
    const after = new Map<string, number>();
    const placed = hosts.map((host, i) => {
      const known = before?.warming.get(keys[i]) ?? before?.active.get(keys[i]);
      const healthSlot = known ?? this.allot(firstFlags(cluster, host));
      after.set(keys[i], healthSlot);
      return { ...host, healthSlot };
    });
    this.keep(name, version, after);
    return placed;
  }

  /** What was to come is in force. */
  promote(cluster: string): void {
    const versions = this.clusters.get(cluster);
    if (versions === undefined) return;
    const { warming } = versions;
    this.keep(cluster, 'active', warming);
    this.keep(cluster, 'warming', noSlots);
  }

  /** Slots that neither version has any more become free. */
  private keep(cluster: string, version: ClusterVersion, slots: ReadonlyMap<string, number>): void {
    const before = this.clusters.get(cluster) ?? { active: noSlots, warming: noSlots };
    const after = { ...before, [version]: slots };
    if (after.active.size + after.warming.size === 0) this.clusters.delete(cluster);
    else this.clusters.set(cluster, after);
    for (const [key, slot] of before[version])
      if (!after.active.has(key) && !after.warming.has(key)) this.free.push(slot);
  }

  /**
   * What discovery has found, and those that it does not know any more, but that still pass active checks: Envoy trusts
   * these more, unless `ignore_health_on_host_removal`.
   */
  keepPassing(cluster: ClusterData, before: readonly HostData[], found: readonly HostData[]): readonly HostData[] {
    const check = cluster.healthCheck ?? null;
    const { memory } = this;
    if (check === null || !discoveredKinds.has(cluster.discovery.kind)) return found;
    const keys = new Set(hostKeys(found));
    const keysBefore = hostKeys(before);
    for (const [i, { healthSlot }] of before.entries()) {
      if (healthSlot === undefined || !keys.has(keysBefore[i])) continue;
      this.setFlags(healthSlot, memory.load(healthSlot, HealthCell.Flags) & ~HealthFlag.PendingRemoval);
    }
    if (check.ignoresHealthOnRemoval) return found;
    const kept = before.filter((host, i) => {
      const { healthSlot } = host;
      if (healthSlot === undefined || keys.has(keysBefore[i]) || host.healthCheck?.isDisabled === true) return false;
      const flags = memory.load(healthSlot, HealthCell.Flags);
      const unfit = HealthFlag.FailedActiveCheck | HealthFlag.FailedEndpointHealth;
      if (((flags | flagsOfEndpoint(host.health)) & unfit) !== 0) return false;
      this.setFlags(healthSlot, flags | HealthFlag.PendingRemoval);
      return true;
    });
    return [...found, ...kept];
  }

  /** All bits of a host, as workers see them. */
  flagsOf({ health, healthSlot }: HostData): number {
    const own = healthSlot === undefined ? 0 : this.memory.load(healthSlot, HealthCell.Flags);
    return own | flagsOfEndpoint(health);
  }

  /** The cluster has gone. */
  release(cluster: string): void {
    this.keep(cluster, 'warming', noSlots);
    this.keep(cluster, 'active', noSlots);
  }

  private setFlags(slot: number, flags: number): void {
    this.memory.store(slot, HealthCell.Flags, flags);
  }

  private allot(flags: number): number {
    const slot = this.free.shift() ?? this.next++;
    if (slot >= this.memory.size) throw new RangeError(`more than ${this.memory.size} hosts are watched`);
    this.memory.clear(slot);
    this.setFlags(slot, flags);
    return slot;
  }
}

function unwatched({ healthSlot: _slot, ...host }: HostData): HostData {
  return host;
}

/** Of a host that nobody has looked at yet. */
function firstFlags({ healthCheck, discovery }: ClusterData, host: HostData): number {
  if (healthCheck === undefined || healthCheck === null || host.healthCheck?.isDisabled === true) return 0;
  const isIgnored = healthCheck.ignoresNewHosts && discovery.kind !== 'static';
  return HealthFlag.FailedActiveCheck | (isIgnored ? HealthFlag.PendingActiveCheck : 0);
}
