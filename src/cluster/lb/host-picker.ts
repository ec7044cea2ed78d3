import type { PickerPolicy } from './lb-data.ts';
import type { UpstreamHost } from '../host/host.ts';
import { FullScanLeastRequest, LeastRequest, WeightedLeastRequest } from './least-request.ts';
import type { RandomSource } from './random-source.ts';
import { Random } from './random.ts';
import type { SlowStart } from './slow-start.ts';
import { RoundRobin, WeightedRoundRobin } from './round-robin.ts';

/** One policy over one list of hosts that does not change. */
export interface HostPicker {
  /** Null: the list is empty. */
  pick(): UpstreamHost | null;
  /** Where the next picker over this source should begin, so that an update does not send everybody to the first host. */
  readonly position: number;
}

/** `position`: of the picker before this one, or a random seed. */
export function makeHostPicker(
  policy: PickerPolicy,
  hosts: readonly UpstreamHost[],
  random: RandomSource,
  position: number,
  slowStart: SlowStart | null = null,
): HostPicker {
  if (policy.kind === 'random') return new Random(hosts, random);
  // Within the window weights change from pick to pick.
  const isWeighted = !haveEqualWeights(hosts) || (slowStart !== null && slowStart.isUnderWay(hosts));
  if (policy.kind === 'round-robin')
    return isWeighted ? new WeightedRoundRobin(hosts, position, slowStart) : new RoundRobin(hosts, position);
  if (isWeighted) return new WeightedLeastRequest(hosts, policy.activeRequestBias, position, slowStart);
  if (policy.fullScan) return new FullScanLeastRequest(hosts, random);
  return new LeastRequest(hosts, policy.choiceCount, random);
}

function haveEqualWeights(hosts: readonly UpstreamHost[]): boolean {
  return hosts.every((host) => host.weight === hosts[0].weight);
}
