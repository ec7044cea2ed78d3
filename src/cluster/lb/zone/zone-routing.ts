import type { Counter } from '../../../observe/stats/stats.ts';
import type { LocalityData } from '../../cluster-data.ts';
import type { HostSet, LocalityHosts } from '../../host/host-set.ts';
import type { UpstreamHost } from '../../host/host.ts';
import { randomIndex, type RandomSource } from '../random-source.ts';
import type { ZoneData } from './zone-data.ts';

/** Shares are counted in so many parts. */
const whole = 10_000;

/** Envoy's names, below `cluster.<statName>.`. */
export interface ZoneCounters {
  readonly recalculated: Counter;
  readonly localClusterNotOk: Counter;
  readonly clusterTooSmall: Counter;
  readonly allDirectly: Counter;
  readonly sampled: Counter;
  readonly crossZone: Counter;
  readonly noCapacityLeft: Counter;
}

/** Who this process is, and who its peers are. */
export interface LocalZone {
  readonly locality: LocalityData;
  /** The first priority of the local cluster: this process and its like. */
  hosts(): HostSet;
  readonly counters: ZoneCounters;
}

/**
 * Sends to each zone as much as its hosts can take of what the peers of this process get in theirs: to the own one
 * first. Of one priority's hosts, which do not change. Source: Envoy `ZoneAwareLoadBalancerBase`.
 */
export class ZoneRouting {
  /** Those of the own zone first, if it has any. */
  readonly localities: readonly LocalityHosts[];
  /** The peers of this process are not well: nobody looks at zones. */
  readonly isLocalInPanic: boolean;
  private readonly counters: ZoneCounters;
  private readonly routingEnabled: number;
  /** All of it stays here. */
  private readonly isDirect: boolean;
  /** Of `whole`. */
  private readonly localShare: number;
  /** What each zone and those before it have left for others. */
  private readonly residual: readonly number[];

  private constructor(
    localities: readonly LocalityHosts[],
    hasOwn: boolean,
    local: HostSet,
    counters: ZoneCounters,
    zone: ZoneData,
    panicThreshold: number,
  ) {
    this.localities = localities;
    this.counters = counters;
    this.routingEnabled = zone.routingEnabled;
    this.isLocalInPanic = isInPanic(local, panicThreshold);
    const upstream = shares(localities, zone.basis);
    const peers = shares(local.localities, zone.basis);
    const ours = localities.map(({ locality, healthy }) =>
      healthy.length === 0 ? 0 : (peers[local.localities.findIndex((one) => isSame(one.locality, locality))] ?? 0),
    );
    this.isDirect =
      hasOwn &&
      ((upstream[0] > 0 && upstream[0] >= ours[0]) ||
        (zone.forcedSizeMin > 0 && localities[0].healthy.length >= zone.forcedSizeMin));
    this.localShare = hasOwn && ours[0] > 0 ? Math.floor((upstream[0] * whole) / ours[0]) : 0;
    let sum = 0;
    this.residual = localities.map((_, i) => (sum += i === 0 && hasOwn ? 0 : Math.max(0, upstream[i] - ours[i])));
  }

  /** Null: zones do not count. `set`: of the first priority. */
  static over(set: HostSet, own: LocalZone, zone: ZoneData, panicThreshold: number): ZoneRouting | null {
    const { counters, locality } = own;
    counters.recalculated.inc();
    if (set.localities.length < 2) return null;
    const local = own.hosts();
    if (zone.forcedSizeMin === 0 && local.localities.length < 2) return null;
    if (!local.localities.some((one) => isSame(one.locality, locality))) {
      counters.localClusterNotOk.inc();
      return null;
    }
    if (set.healthy.length < zone.clusterSizeMin) {
      counters.clusterTooSmall.inc();
      return null;
    }
    const isOwn = (one: LocalityHosts): boolean => isSame(one.locality, locality);
    const sorted = set.localities.toSorted((a, b) => Number(isOwn(b)) - Number(isOwn(a)));
    return new ZoneRouting(sorted, isOwn(sorted[0]), local, counters, zone, panicThreshold);
  }

  /** The runtime, or the configuration, lets some requests go anywhere. */
  isOff(random: RandomSource): boolean {
    return this.routingEnabled < 100 && randomIndex(random, 100) >= this.routingEnabled;
  }

  /** Index of `localities`. */
  choose(random: RandomSource): number {
    const { counters, residual } = this;
    if (this.isDirect) {
      counters.allDirectly.inc();
      return 0;
    }
    if (randomIndex(random, whole) < this.localShare) {
      counters.sampled.inc();
      return 0;
    }
    counters.crossZone.inc();
    const total = residual[residual.length - 1];
    if (total === 0) {
      counters.noCapacityLeft.inc();
      return randomIndex(random, residual.length);
    }
    return firstAbove(residual, randomIndex(random, total));
  }

  countNotOk(): void {
    this.counters.localClusterNotOk.inc();
  }
}

/** Index of the first sum that is more than `point`; sums do not fall, and the last one is more. */
function firstAbove(sums: readonly number[], point: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle] > point) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What each locality's healthy hosts are of all of them, of `whole`. */
function shares(localities: readonly LocalityHosts[], basis: ZoneData['basis']): number[] {
  const sizes = localities.map(({ healthy }) => (basis === 'count' ? healthy.length : weightOf(healthy)));
  const total = sizes.reduce((all, size) => all + size, 0);
  return sizes.map((size) => (total === 0 ? 0 : Math.floor((whole * size) / total)));
}

function weightOf(hosts: readonly UpstreamHost[]): number {
  return hosts.reduce((all, { weight }) => all + weight, 0);
}

function isInPanic(set: HostSet, threshold: number): boolean {
  const count = set.hosts.length - set.excludedCount;
  const percent = count <= 0 ? 0 : (100 * (set.healthy.length + set.degraded.length)) / count;
  return percent < threshold;
}

function isSame(a: LocalityData, b: LocalityData): boolean {
  return a.region === b.region && a.zone === b.zone && a.subZone === b.subZone;
}
