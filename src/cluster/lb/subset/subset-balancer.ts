import type { MetadataCriteria } from '../../../core/metadata-criteria.ts';
import type { Host, PickContext, Tier } from '../../cluster.ts';
import type { HostSet } from '../../host/host-set.ts';
import type { Balancer, BalancerParts } from '../balancer.ts';
import type { LbData, SubsetFallback, SubsetLbData, SubsetSelectorData } from '../lb-data.ts';
import { matchesSubset, sortIntoSubsets } from './subset-hosts.ts';
import { SubsetStats } from './subset-stats.ts';
import { OneHost, Subset, type MakeBalancer } from './subset.ts';

/** Where a request names several subsets, the first of which that has a host is taken. */
const fallbackListKey = 'fallback_list';

/**
 * Chooses the subset that a request wants by its metadata criteria, and lets a balancer of the subset's own choose the
 * host. Source: Envoy `subset_lb.cc`.
 */
export class SubsetBalancer implements Balancer {
  private readonly policy: SubsetLbData;
  private readonly stats: SubsetStats;
  private readonly make: MakeBalancer;
  /** What is said of requests whose criteria have just these names. */
  private readonly selectors: ReadonlyMap<string, SubsetSelectorData>;
  private readonly singleKeys: ReadonlySet<string>;
  private lb: LbData;
  /** By `criteriaKey`. */
  private subsets: ReadonlyMap<string, Subset | OneHost>;
  /** Null: nobody falls back to it. */
  private readonly any: Subset | null;
  private readonly default: Subset | null;
  private duplicateCount: number;

  constructor(sets: readonly HostSet[], lb: LbData, policy: SubsetLbData, parts: BalancerParts, make: MakeBalancer) {
    this.policy = policy;
    this.stats = new SubsetStats(parts.scope);
    this.make = make;
    const spoken = policy.selectors.filter(({ fallback }) => fallback !== 'undefined');
    this.selectors = new Map(spoken.map((selector) => [selector.keys.join('\0'), selector]));
    const single = policy.selectors.filter(({ singleHost }) => singleHost);
    this.singleKeys = new Set(single.map(({ keys }) => keys.join('\0')));
    this.lb = this.innerLb(lb);
    this.subsets = new Map();
    const uses = [policy.fallback, ...policy.selectors.map(({ fallback }) => fallback)];
    this.any = uses.includes('any') || policy.panicModeAny ? new Subset(policy, make) : null;
    this.default = uses.includes('default') ? new Subset(policy, make) : null;
    this.duplicateCount = 0;
    this.update(sets, lb);
  }

  /** Sorts hosts only: a subset's balancer follows when the subset is next asked for. */
  update(sets: readonly HostSet[], lb?: LbData): void {
    const { policy, stats } = this;
    if (lb !== undefined) this.lb = this.innerLb(lb);
    const hosts = sets.flatMap((set) => set.hosts);
    const before = this.subsets;
    const subsets = new Map<string, Subset | OneHost>();
    let duplicateCount = 0;
    for (const [key, members] of sortIntoSubsets(hosts, policy)) {
      const subset = before.get(key) ?? this.create(key);
      subset.update(members, sets, this.lb);
      if (subset instanceof OneHost) duplicateCount += members.length - 1;
      subsets.set(key, subset);
    }
    for (const [key, subset] of before) {
      if (subsets.has(key)) continue;
      subset.stop();
      stats.removed.inc();
      stats.active.dec();
    }
    stats.duplicates.add(duplicateCount - this.duplicateCount);
    this.duplicateCount = duplicateCount;
    this.subsets = subsets;
    this.any?.update(hosts, sets, this.lb);
    this.default?.update(
      hosts.filter((host) => matchesSubset(host, policy.defaultSubset, policy.listAsAny)),
      sets,
      this.lb,
    );
  }

  stop(): void {
    for (const subset of this.subsets.values()) subset.stop();
    this.any?.stop();
    this.default?.stop();
  }

  pick(context: PickContext, tier?: Tier): Host | null {
    const criteria = context.metadataMatch ?? null;
    if (!this.policy.fallbackList || criteria === null) return this.pickWith(context, tier, criteria);
    const list = criteria.struct[fallbackListKey];
    if (!Array.isArray(list)) return this.pickWith(context, tier, criteria);
    const without = criteria.only(criteria.names.filter((name) => name !== fallbackListKey));
    if (list.length === 0) return this.pickWith(context, tier, without);
    for (const change of list) {
      if (typeof change !== 'object' || change === null) continue;
      const host = this.pickWith(context, tier, without.merge(change as Record<string, unknown>));
      if (host !== null) return host;
    }
    return null;
  }

  private pickWith(context: PickContext, tier: Tier | undefined, criteria: MetadataCriteria | null): Host | null {
    if (criteria !== null) {
      const subset = criteria.names.length === 0 ? undefined : this.subsets.get(criteria.key);
      if (subset !== undefined) {
        this.stats.selected.inc();
        return subset.pick(context, tier);
      }
      const selector = this.selectors.get(criteria.names.join('\0'));
      if (selector !== undefined) return this.pickFallback(context, tier, criteria, selector);
    }
    const { policy, stats } = this;
    if (policy.fallback === 'none') return null;
    const host = this.subsetOf(policy.fallback).pick(context, tier);
    if (host !== null) {
      stats.fallback.inc();
      return host;
    }
    if (!policy.panicModeAny) return null;
    const anybody = this.any!.pick(context, tier);
    if (anybody !== null) stats.fallbackPanic.inc();
    return anybody;
  }

  private pickFallback(
    context: PickContext,
    tier: Tier | undefined,
    criteria: MetadataCriteria,
    selector: SubsetSelectorData,
  ): Host | null {
    switch (selector.fallback) {
      case 'any':
      case 'default':
        return this.subsetOf(selector.fallback).pick(context, tier);
      case 'keys':
        return this.pickWith(context, tier, criteria.only(selector.fallbackKeys));
      default:
        return null;
    }
  }

  private subsetOf(fallback: Exclude<SubsetFallback, 'none'>): Subset {
    return fallback === 'any' ? this.any! : this.default!;
  }

  private create(key: string): Subset | OneHost {
    this.stats.created.inc();
    this.stats.active.inc();
    // Names and values take turns.
    const names = key.split('\0').filter((_, i) => i % 2 === 0);
    return this.singleKeys.has(names.join('\0')) ? new OneHost() : new Subset(this.policy, this.make);
  }

  /** Localities of a subset weigh nothing unless the configuration says so. */
  private innerLb(lb: LbData): LbData {
    // What the runtime says is in the new data.
    const { inner, localityWeightAware } = lb.policy.kind === 'subset' ? lb.policy : this.policy;
    return { ...lb, ...inner, localityWeighted: inner.localityWeighted && localityWeightAware };
  }
}
