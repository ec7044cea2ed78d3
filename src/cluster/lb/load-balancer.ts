import type { Clock } from '../../core/clock.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import type { LbData, PickerLbData } from './lb-data.ts';
import type { Host, PickContext, Tier } from '../cluster.ts';
import type { HostSet } from '../host/host-set.ts';
import type { Balancer, BalancerParts } from './balancer.ts';
import { makeHostPicker, type HostPicker } from './host-picker.ts';
import { LocalityWeighted, makeLocalityPicker } from './locality.ts';
import { loadsOfRepeat } from './loads-of-repeats.ts';
import { priorityAt, priorityLoads, type PriorityLoads } from './priority.ts';
import { randomIndex, type RandomSource } from './random-source.ts';
import { SlowStart } from './slow-start.ts';
import { defaultZone } from './zone/zone-data.ts';
import { ZoneRouting, type LocalZone } from './zone/zone-routing.ts';

/** Which hosts of a priority are meant. */
const Source = { Healthy: 0, Degraded: 1, All: 2 } as const;
type Source = (typeof Source)[keyof typeof Source];

/** The three sources of one priority; null until first used. */
type Pickers = [healthy: HostPicker | null, degraded: HostPicker | null, all: HostPicker | null];

/**
 * Chooses a priority, decides whether it is in panic, and lets the policy choose among the hosts that then count.
 * Draws its random numbers itself: those of the stream also choose routes and weighted clusters, and one number used
 * twice would tie the choices together.
 */
export class PriorityLoadBalancer implements Balancer {
  private lb: PickerLbData;
  private readonly random: RandomSource;
  private readonly panics: Counter;
  private readonly clock: Clock;
  private readonly zone: LocalZone | null;
  /** Null: nobody starts slowly. */
  private slowStart: SlowStart | null;
  /** Where pickers begin that have no predecessor. */
  private readonly seed: number;
  private sets: readonly HostSet[];
  private loads: PriorityLoads;
  /** By priority. */
  private pickers: Pickers[];
  private previous: Pickers[];
  /** Null: zones do not count. */
  private zones: ZoneRouting | null;
  /** By source and locality; empty until first used. */
  private zonePickers: HostPicker[][];
  private previousZonePickers: HostPicker[][];
  /** The only picker there is to ask: one priority, healthy enough. */
  private only: HostPicker | null;

  constructor(
    sets: readonly HostSet[],
    lb: PickerLbData,
    parts: Pick<BalancerParts, 'random' | 'panics' | 'clock' | 'zone'>,
  ) {
    const { random } = parts;
    this.lb = lb;
    this.random = random;
    this.panics = parts.panics;
    this.clock = parts.clock;
    this.zone = parts.zone;
    this.seed = randomIndex(random, 0x40000000);
    this.slowStart = null;
    this.sets = sets;
    this.loads = priorityLoads(sets, lb);
    this.pickers = [];
    this.previous = [];
    this.zones = null;
    this.zonePickers = [[], []];
    this.previousZonePickers = [[], []];
    this.only = null;
    this.update(sets);
  }

  update(sets: readonly HostSet[], lb: LbData = this.lb): void {
    this.sets = sets;
    // What the runtime says changes numbers, not the policy.
    this.lb = lb as PickerLbData;
    this.slowStart = this.makeSlowStart(sets);
    this.loads = priorityLoads(sets, lb);
    this.previous = this.pickers;
    this.pickers = sets.map(() => [null, null, null]);
    this.previousZonePickers = this.zonePickers;
    this.zonePickers = [[], []];
    this.zones =
      this.zone === null ? null : ZoneRouting.over(sets[0], this.zone, lb.zone ?? defaultZone, lb.panicThreshold);
    const isSimple = this.zones === null && sets.length === 1 && this.loads.healthy[0] === 100 && !this.loads.panic[0];
    this.only = isSimple ? this.picker(0, Source.Healthy) : null;
  }

  /** Null: no host that may be used. After `hostSelectionAttempts` refusals the next one is given unasked. */
  pick(context: PickContext, tier?: Tier): Host | null {
    const tried = context.triedPriorities ?? null;
    const loads = tried === null ? this.loads : loadsOfRepeat(tried, this.sets, this.lb, this.loads);
    let host = this.pickOnce(loads, tier);
    for (let attempts = context.hostSelectionAttempts; attempts > 0; attempts--) {
      if (host === null || !context.rejects(host)) return host;
      host = this.pickOnce(loads, tier);
    }
    return host;
  }

  private pickOnce(loads: PriorityLoads, tier?: Tier): Host | null {
    if (this.only !== null) return this.only.pick();
    const count = this.sets.length;
    const choice = tier === undefined ? priorityAt(loads, randomIndex(this.random, 100) + 1) : choiceOf(tier, count);
    const priority = choice % count;
    if (loads.panic[priority]) {
      this.panics.inc();
      if (this.lb.failTrafficOnPanic) return null;
      return this.picker(priority, Source.All).pick();
    }
    const source = choice < count ? Source.Healthy : Source.Degraded;
    const picker = this.picker(priority, source);
    const { zones } = this;
    if (zones === null || priority > 0 || picker instanceof LocalityWeighted) return picker.pick();
    return this.pickByZone(zones, source, picker);
  }

  /** `anywhere`: of all zones. */
  private pickByZone(zones: ZoneRouting, source: 0 | 1, anywhere: HostPicker): Host | null {
    if (zones.isOff(this.random)) return anywhere.pick();
    if (zones.isLocalInPanic) {
      zones.countNotOk();
      return this.lb.failTrafficOnPanic ? null : anywhere.pick();
    }
    return this.zonePicker(zones, source, zones.choose(this.random)).pick();
  }

  private zonePicker(zones: ZoneRouting, source: 0 | 1, index: number): HostPicker {
    const pickers = this.zonePickers[source];
    const known = pickers[index];
    if (known !== undefined) return known;
    const { healthy, degraded } = zones.localities[index];
    const position = this.previousZonePickers[source][index]?.position ?? this.seed;
    const hosts = source === Source.Healthy ? healthy : degraded;
    return (pickers[index] = makeHostPicker(this.lb.policy, hosts, this.random, position, this.slowStart));
  }

  private picker(priority: number, source: Source): HostPicker {
    const pickers = this.pickers[priority];
    return (pickers[source] ??= this.makePicker(priority, source));
  }

  private makePicker(priority: number, source: Source): HostPicker {
    const { lb, random, slowStart } = this;
    const set = this.sets[priority];
    const position = this.previous[priority]?.[source]?.position ?? this.seed;
    if (lb.localityWeighted && source !== Source.All) {
      const isFit = (group: Pick<HostSet, 'healthy' | 'degraded'>): HostSet['hosts'] =>
        source === Source.Healthy ? group.healthy : group.degraded;
      const factor = lb.overprovisioningFactor;
      const picker = makeLocalityPicker(set, isFit, factor, lb.policy, random, position, slowStart);
      if (picker !== null) return picker;
    }
    const hosts = source === Source.Healthy ? set.healthy : source === Source.Degraded ? set.degraded : set.hosts;
    return makeHostPicker(lb.policy, hosts, random, position, slowStart);
  }

  private makeSlowStart(sets: readonly HostSet[]): SlowStart | null {
    const { policy } = this.lb;
    if (policy.kind === 'random' || policy.slowStart === undefined) return null;
    const slowStart = new SlowStart(policy.slowStart, this.clock);
    for (const { hosts } of sets) slowStart.begin(hosts);
    return slowStart;
  }
}

/** As `priorityAt` says it. A priority that the hosts at hand do not have is nobody's: the last one stands for it. */
function choiceOf({ priority, isDegraded }: Tier, count: number): number {
  const own = Math.min(priority, count - 1);
  return isDegraded ? count + own : own;
}
