import type { PickerPolicy } from './lb-data.ts';
import type { HostSet, LocalityHosts } from '../host/host-set.ts';
import type { UpstreamHost } from '../host/host.ts';
import { EdfScheduler } from './edf.ts';
import { makeHostPicker, type HostPicker } from './host-picker.ts';
import type { RandomSource } from './random-source.ts';
import type { SlowStart } from './slow-start.ts';

/** Locality-weighted balancing: first a locality by its weight and health, then a host within it. */
export class LocalityWeighted implements HostPicker {
  readonly position: number;
  private readonly pickers: readonly HostPicker[];
  private readonly weights: readonly number[];
  private readonly scheduler: EdfScheduler;

  constructor(pickers: readonly HostPicker[], weights: readonly number[], position: number) {
    this.position = position;
    this.pickers = pickers;
    this.weights = weights;
    this.scheduler = new EdfScheduler(weights);
    for (let i = position % weights.length; i > 0; i--) this.pick();
  }

  pick(): UpstreamHost | null {
    const locality = this.scheduler.next();
    this.scheduler.refile(this.weights[locality]);
    return this.pickers[locality].pick();
  }
}

/** Null: no locality of the set has both a weight and a fit host, so that hosts are picked without regard to locality. */
export function makeLocalityPicker(
  set: HostSet,
  isFit: (locality: LocalityHosts) => readonly UpstreamHost[],
  overprovisioningFactor: number,
  policy: PickerPolicy,
  random: RandomSource,
  position: number,
  slowStart: SlowStart | null,
): LocalityWeighted | null {
  const pickers: HostPicker[] = [];
  const weights: number[] = [];
  for (const locality of set.localities) {
    const weight = effectiveWeight(locality, isFit(locality).length, overprovisioningFactor);
    if (weight <= 0) continue;
    pickers.push(makeHostPicker(policy, isFit(locality), random, position, slowStart));
    weights.push(weight);
  }
  return pickers.length === 0 ? null : new LocalityWeighted(pickers, weights, position);
}

/** Source: Envoy `HostSetImpl::effectiveLocalityWeight`. */
function effectiveWeight(locality: LocalityHosts, fitCount: number, overprovisioningFactor: number): number {
  const count = locality.hosts.length - locality.excludedCount;
  if (count <= 0 || fitCount === 0) return 0;
  return locality.weight * Math.min(1, (overprovisioningFactor / 100) * (fitCount / count));
}
